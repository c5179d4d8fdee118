"""Every record type in DNS: answers and transfers of MiniDNS, and PUT of what came from a file."""

import dns.message
import dns.query
import dns.rdatatype
import dns.zone
import pytest

from designate import rrtypes
from designate.wire import digests, types
from tests.support.deadlines import scaled
from tests.support.factories.rdata_examples import EXAMPLES
from tests.support.factories.zone_data import Hidden
from tests.support.factories.zone_files import imported, recordsets

ZONE = "types.example."
# Legal on the wire, and nothing that clients may send.
FOREIGN = {
    ("alpn", "HTTPS"): '1 . alpn="foo"',
    ("alias", "SVCB"): "0 a.example. port=53",
    ("_443._tcp", "TLSA"): "3 1 1 abcd",
    ("bare", "TLSA"): "3 1 0 abcd",
    ("ca", "CAA"): '0 issue "*.example"',
    ("key", "KEY"): "256 3 5 AQID",
    ("up", "CNAME"): ".",
    ("digest", "DS"): "\\# 5 0001080005",
}


@pytest.fixture(scope="module")
def hidden(tmp_path_factory):
    with Hidden(tmp_path_factory.mktemp("hidden")) as hidden:
        yield hidden


@pytest.fixture(scope="module")
def call(hidden):
    return hidden.http()


@pytest.fixture(scope="module")
def zone(call):
    _, zone = call("POST", "/v2/zones", {"name": ZONE, "email": "a@example.com"})
    for rtype, (owner, text) in EXAMPLES.items():
        body = {"name": f"{owner}.{ZONE}", "type": rtype, "records": [text]}
        assert call("POST", f"/v2/zones/{zone['id']}/recordsets", body)[0] == 202
    return zone


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize("rtype", [rtype for rtype in EXAMPLES if rtype not in ("NS", "A")])
def test_a_query_of_each_type_is_answered_with_its_data(hidden, rtype):
    owner, text = EXAMPLES[rtype]
    (wire,) = rrtypes.rdata(rtype, f"{owner}.{ZONE}", [text])
    host, port = hidden.address
    query = dns.message.make_query(f"{owner}.{ZONE}", dns.rdatatype.from_text(rtype))

    answer = dns.query.udp(query, host, port=port, timeout=scaled(5))

    (rrset,) = answer.answer
    found = [rdata.to_wire() for rdata in rrset]
    number = types.number_of(rtype)
    assert found == [wire]
    assert digests.of_rrset(number, 1, found) == digests.of_rrset(number, 1, [wire])


@pytest.mark.usefixtures("zone")
def test_a_transfer_has_the_data_of_each_type(hidden):
    host, port = hidden.address
    found = dns.zone.from_xfr(
        dns.query.xfr(host, ZONE, port=port, relativize=False, timeout=scaled(5)), relativize=False
    )

    sent = {
        (name.to_text(), int(rdata.rdtype)): rdata.to_wire()
        for name, _, rdata in found.iterate_rdatas()
    }
    for rtype, (owner, text) in EXAMPLES.items():
        (wire,) = rrtypes.rdata(rtype, f"{owner}.{ZONE}", [text])
        assert sent[f"{owner}.{ZONE}", types.number_of(rtype)] == wire, rtype


def test_records_of_a_file_can_be_sent_back_as_they_are(call):
    lines = [f"{owner} IN {rtype} {text}" for (owner, rtype), text in FOREIGN.items()]
    head = "$ORIGIN foreign.example.\n$TTL 300\n@ IN SOA a. b.example. 1 3600 600 86400 300\n@ IN NS a.\n"
    task = imported(call, head + "\n".join([*lines, ""]))
    assert task["status"] == "COMPLETE", task
    path = f"/v2/zones/{task['zone_id']}/recordsets"
    found = {
        (each["name"].removesuffix(".foreign.example."), each["type"]): each
        for each in call("GET", path)[1]["recordsets"]
    }

    assert found.keys() >= FOREIGN.keys()
    for key in FOREIGN:
        recordset = found[key]
        for body in ({"records": recordset["records"]}, {"ttl": 60}):
            status, changed = call("PUT", f"{path}/{recordset['id']}", body)
            assert (status, changed.get("records")) == (202, recordset["records"]), changed
        new = {
            "name": f"x{key[0]}.foreign.example.",
            "type": key[1],
            "records": recordset["records"],
        }
        assert call("POST", path, new)[0] == 400, key
    assert len(recordsets(call, task["zone_id"])) == len(FOREIGN) + 2
