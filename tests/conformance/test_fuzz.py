"""Hostile input: every request gets a proper response, and the service keeps running.

DESIGNATE_FUZZ_EXAMPLES sets how many examples each property gets.
"""

import gc
import json
import os
import resource
import tracemalloc
from urllib.parse import quote
from uuid import uuid4

import dns.message
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from tests.support.deadlines import scaled, until
from tests.support.factories.zone_data import Hidden
from tests.support.servers.standalone import ask

EXAMPLES = int(os.environ.get("DESIGNATE_FUZZ_EXAMPLES", "150"))
pytestmark = pytest.mark.timeout(max(120, EXAMPLES // 5))
fuzzed = settings(
    max_examples=EXAMPLES,
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
PLACES = ["path", "query", "caller", "zone", "recordset", "bytes", "good"]
FLAT_REQUESTS = 60
MARK_BYTES = 2000
RECORDS = st.lists(st.text(max_size=60) | JSON, max_size=4)
ZONE_BODIES = st.dictionaries(st.sampled_from(ZONE_MEMBERS) | st.text(max_size=8), JSON, max_size=6)
RECORDSET_BODIES = st.fixed_dictionaries(
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
METHODS = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "BREW"])
# ZONE and RECORDSET stand for the ids of a zone and a recordset in it.
SEGMENTS = """
zones ZONE recordsets RECORDSET tasks limits nameservers shares xfr abandon pool_move export exports
import imports transfer_requests transfer_accepts pools tlds blacklists quotas tsigkeys reverse
floatingips service_statuses
""".split()  # noqa: SIM905 - a table to read
PATHS = st.lists(
    st.sampled_from(SEGMENTS)
    | st.just("zones")
    | st.just("ZONE")
    | st.uuids().map(str)
    | st.text(alphabet="abc./%~ {}", max_size=6)
    | st.text(max_size=3),
    max_size=5,
).map(lambda parts: "/v2/" + "/".join(quote(part, errors="surrogatepass") for part in parts))
QUERIES = st.text(alphabet="nametypelimitmarkersortdir=&%*_<>!0123456789", max_size=40)


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
    """Assert a success, or an error in the standard body."""
    assert 200 <= status < 500, body
    if status >= 400 and status not in (406, 413):
        assert set(body) <= {"code", "type", "message", "errors", "request_id"}, body
        assert body["code"] == status


@fuzzed
@given(body=ZONE_BODIES)
@example(body={"name": "a.b.", "email": "a@b.c", "ttl": 10**400})
@example(body={"name": "a.b.", "email": "a@b.c", "ttl": float("inf")})
@example(body={"name": "\ud800.b.", "email": "a@b.c"})
@example(body={"name": "a.b.", "email": "a@b.c", "description": "\x00"})
def test_any_zone_body_is_accepted_or_refused_properly(call, body):
    check(*call("POST", "/v2/zones", body))


@fuzzed
@given(body=RECORDSET_BODIES)
def test_any_recordset_body_is_accepted_or_refused_properly(call, body):
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
@example(path="/v2/zones", query="name=%80", method="GET")
@example(path="/v2/zones/%FF", query="", method="GET")
@given(path=PATHS, query=QUERIES, method=METHODS)
def test_any_path_and_query_is_answered_properly(hidden, call, path, query, method):
    if "ZONE" in path:
        zone = hidden.zone(f"{uuid4()}.example.")
        recordset = hidden.add(zone, "www", "A", "192.0.2.1")
        path = path.replace("ZONE", zone.id).replace("RECORDSET", recordset.id)

    status, body = call(method, f"{path}?{query}" if query else path)

    if method == "HEAD":
        assert status < 500
        assert not body
    else:
        check(status, body)


def test_memory_stays_flat_under_refused_requests(call):
    """Bodies, ids and filters that never occur twice are not retained."""

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


@st.composite
def requests(draw, place):
    """Return method, URL, headers and body of a request with the word MARK in this place."""
    method, path, query = draw(METHODS), draw(PATHS), draw(QUERIES)
    headers, body = {}, None
    match place:
        case "path":
            path += "/MARK"
        case "query":
            query += "&MARK=1&name=MARK"
        case "caller":
            headers = dict.fromkeys(("X-Auth-Project-ID", "X-Auth-User-ID", "X-Roles"), "MARK")
        case "bytes":
            body = draw(st.text(max_size=200)) + "MARK"
        case "zone":
            method, path, query = "POST", "/v2/zones", ""
            body = json.dumps(draw(ZONE_BODIES) | {"description": "MARK"})
        case "recordset" | "good":
            method, path, query = "POST", "/v2/zones/KEPT/recordsets", ""
            good = {"name": "OWNER", "type": "SPF", "records": ["MARK"]}
            bad = {"description": "MARK"}
            body = json.dumps(good if place == "good" else draw(RECORDSET_BODIES) | bad)
    return method, f"{path}?{query}", headers, body


@pytest.fixture(scope="module")
def drawn():
    """Return requests, drawn beforehand so that the memory of hypothesis is not measured."""
    found = []
    for place in PLACES:

        @settings(fuzzed, max_examples=FLAT_REQUESTS, database=None, phases=[Phase.generate])
        @given(request=requests(place))
        def collect(request):
            found.append(request)

        collect()
    return found


def play(hidden, call, drawn, turn) -> int:
    """Send the requests with unique marks, and return how many were accepted."""
    accepted = 0
    kept, other = hidden.zone(f"{turn}.example."), hidden.zone(f"other.{turn}.example.")
    for number, (method, path, headers, body) in enumerate(drawn):
        mark = f"{turn}-{number}-".ljust(MARK_BYTES, "x")
        named = dict.fromkeys(headers, mark)
        path = path.replace("KEPT", kept.id).replace("ZONE", other.id).replace("MARK", mark)
        if body is not None:
            body = body.replace("MARK", mark).replace("OWNER", f"n{number}.{kept.name}").encode()
        status, answer = call(method, path, body, named)
        assert status < 500, answer
        accepted += method == "POST" and status < 300
    return accepted


def test_memory_stays_flat_while_the_api_is_fuzzed(hidden, call, drawn):
    def held() -> int:
        # The caller is not an administrator: decisions about such callers are cached for a second.
        assert call("GET", "/v2/zones", None, {"X-Roles": "nobody"})[0] == 403
        hidden.worker.changes.clear()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    assert play(hidden, call, drawn, "warm") >= FLAT_REQUESTS
    tracemalloc.start()
    try:
        play(hidden, call, drawn, "before")
        before = held()
        play(hidden, call, drawn, "after")
        # The marks of one place in the requests are twice as much.
        bound = FLAT_REQUESTS * MARK_BYTES / 2
        until(lambda: held() - before < bound, 5, "memory as before")
    finally:
        tracemalloc.stop()


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
    """Return a valid query with some bytes changed, cut off or added."""
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
        with socket.create_connection(hidden.address, timeout=scaled(5)) as tcp:
            tcp.sendall(os.urandom(number))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    assert ask(hidden.address, "www.fuzz.example.", "A").answer
    assert after - before < 50_000
