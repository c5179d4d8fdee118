"""Hostile input: whatever comes in, a proper refusal goes out and the service goes on.

DESIGNATE_FUZZ_EXAMPLES sets how many examples each property gets.
"""

import gc
import os
import resource
import tracemalloc

import dns.message
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.service import ask
from tests.zonedata import Hidden

fuzzed = settings(
    max_examples=int(os.environ.get("DESIGNATE_FUZZ_EXAMPLES", "150")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)
ZONE_MEMBERS = [
    "name", "email", "ttl", "description", "type", "masters", "attributes", "pool_id", "id", "serial",
]  # fmt: skip
RECORDSET_MEMBERS = ["name", "type", "records", "ttl", "description", "zone_id", "status"]
TYPES = st.sampled_from(
    ["A", "AAAA", "CNAME", "MX", "TXT", "SRV", "NS", "CAA", "SOA", "NAPTR", "TLSA"]
)
RECORDS = st.lists(st.text(max_size=60) | JSON, max_size=4)


@pytest.fixture(scope="module")
def hidden(tmp_path_factory):
    with Hidden(tmp_path_factory.mktemp("fuzz")) as hidden:
        zone = hidden.zone("fuzz.example.")
        hidden.add(zone, "www", "A", "192.0.2.1")
        hidden.add(zone, "*.w", "TXT", '"x"')
        hidden.add(zone, "sub", "NS", "ns.sub.fuzz.example.")
        yield hidden


@pytest.fixture(scope="module")
def call(hidden):
    return hidden.http()


def check(status, body):
    """A success, or a refusal in the standard body."""
    assert 200 <= status < 500, body
    if status >= 400 and status not in (406, 413):
        assert set(body) <= {"code", "type", "message", "errors", "request_id"}, body
        assert body["code"] == status


@fuzzed
@given(body=st.dictionaries(st.sampled_from(ZONE_MEMBERS) | st.text(max_size=8), JSON, max_size=6))
@example(body={"name": "a.b.", "email": "a@b.c", "ttl": 10**400})
@example(body={"name": "a.b.", "email": "a@b.c", "ttl": float("inf")})
@example(body={"name": "\ud800.b.", "email": "a@b.c"})
@example(body={"name": "a.b.", "email": "a@b.c", "description": "\x00"})
def test_any_zone_body_is_accepted_or_refused_properly(call, body):
    check(*call("POST", "/v2/zones", body))


@fuzzed
@given(
    body=st.fixed_dictionaries(
        {},
        optional={
            "name": st.just("x.fuzz.example.") | JSON,
            "type": TYPES | JSON,
            "records": RECORDS | JSON,
            "ttl": JSON,
            "description": JSON,
            "status": JSON,
        },
    )
)
def test_any_recordset_body_is_accepted_or_refused_properly(hidden, call, body):
    zone = call("GET", "/v2/zones?name=fuzz.example.")[1]["zones"][0]
    path = f"/v2/zones/{zone['id']}/recordsets"

    status, made = call("POST", path, body)
    check(status, made)
    if status < 300:
        check(*call("PUT", f"{path}/{made['id']}", {k: body[k] for k in body if k != "name"}))
        check(*call("DELETE", f"{path}/{made['id']}"))


@fuzzed
@given(
    raw=st.binary(max_size=200), method=st.sampled_from(["POST", "PATCH", "PUT", "DELETE", "GET"])
)
def test_any_bytes_are_refused_properly(call, raw, method):
    check(*call(method, "/v2/zones", raw))


@fuzzed
@example(path=["zones"], query="name=%80", method="GET")
@example(path=["zones", "\udcff"], query="", method="GET")
@given(
    path=st.lists(
        st.sampled_from(["zones", "recordsets", "limits", "tasks", "nameservers"])
        | st.uuids().map(str)
        | st.text(alphabet="abc./%~ {}", max_size=6),
        max_size=5,
    ),
    query=st.text(alphabet="nametypelimitmarkersortdir=&%*_<>!0123456789", max_size=40),
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "BREW"]),
)
def test_any_path_and_query_is_answered_properly(call, path, query, method):
    from urllib.parse import quote

    where = (
        "/v2/"
        + "/".join(quote(part, errors="surrogateescape") for part in path)
        + ("?" + query if query else "")
    )
    status, body = call(method, where)

    assert status < 500, body


def test_memory_stays_flat_under_refused_requests(call):
    """Bodies, ids and filters that are never seen twice leave nothing behind."""

    def burst(first, count):
        for number in range(first, first + count):
            text = f"{number}-" + "x" * 2000
            assert call("POST", "/v2/zones", {"name": text, "email": text})[0] == 400
            assert call("GET", f"/v2/zones/{text}")[0] == 400
            assert call("GET", f"/v2/zones?{text}=1&name={text}")[0] == 400
            assert call("GET", f"/v2/{text}")[0] == 404

    burst(0, 100)
    gc.collect()
    tracemalloc.start()
    try:
        burst(1000, 50)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        burst(2000, 300)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # What each request left, had it been kept, would be some 8,000 bytes.
    assert after - before < 300 * 1000


VALID = [
    dns.message.make_query(name, rtype, use_edns=edns).to_wire()
    for name, rtype, edns in (
        ("www.fuzz.example.", "A", 0),
        ("fuzz.example.", "SOA", False),
        ("fuzz.example.", "IXFR", False),
        ("fuzz.example.", "AXFR", False),
        ("a.sub.fuzz.example.", "ANY", 0),
    )
]


@st.composite
def mutated(draw):
    """A valid query with some bytes changed, cut or repeated."""
    wire = bytearray(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(1, 6))):
        position = draw(st.integers(0, len(wire) - 1))
        wire[position] = draw(st.integers(0, 255))
    return bytes(wire[: draw(st.integers(1, len(wire)))]) + draw(st.binary(max_size=20))


@fuzzed
@given(wire=st.binary(max_size=600) | mutated(), tcp=st.booleans())
@example(
    wire=b"\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\xc0\x0c\x00\x01\x00\x01", tcp=False
)
@example(wire=VALID[0][:12] + b"\xc0\x0e\xc0\x0c" + VALID[0][-4:], tcp=True)
def test_any_packet_gets_a_correct_reply_or_silence(hidden, wire, tcp):
    replies = list(hidden.mdns._handler.handle(wire, "127.0.0.1", tcp=tcp))

    if len(wire) < 12 or wire[2] & 0x80:
        assert replies == []
    for reply in replies:
        assert reply[:2] == wire[:2]
        assert reply[2] & 0x80
        assert reply[3] & 0x0F != 2, "SERVFAIL"
        if not tcp:
            assert len(reply) <= 1232


def test_the_listener_survives_garbage_on_both_transports(hidden):
    import socket

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        for number in range(2000):
            udp.sendto(os.urandom(number % 300), hidden.address)
    for number in range(100):
        with socket.create_connection(hidden.address, timeout=5) as tcp:
            tcp.sendall(os.urandom(number))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    assert ask(hidden.address, "www.fuzz.example.", "A").answer
    assert after - before < 50_000
