"""MiniDNS on a database with corrupt records: they are omitted, and the rest is served."""

import logging

import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from designate import metrics
from designate.mdns import corrupt_records
from designate.wire import rr, validation
from tests.support.deadlines import scaled
from tests.support.factories.zone_data import Hidden
from tests.support.servers.standalone import ask, texts, transferred

APEX_A = rr.rrset("example.com.", "example.com.", 1, 60, [bytes(4)])
RUBBISH = {
    "nothing": b"",
    "null": None,
    "a text": "192.0.2.1",
    "random": bytes(range(200, 250)),
    "an owner without an end": b"\x3f" + b"x" * 20,
    "a label too long": b"\x40" + b"x" * 64 + APEX_A,
    "a pointer elsewhere": b"\xc0\x05" + APEX_A[2:],
    "cut short": APEX_A[:-1],
    "too long": APEX_A + b"\0",
    "an address of three bytes": rr.rrset("w.example.com.", "example.com.", 1, 60, [bytes(3)]),
    "another class": APEX_A[:4] + b"\0\3" + APEX_A[6:],
    "two where one should be": APEX_A * 2,
    "an alias to half a name": rr.rrset("w.example.com.", "example.com.", 5, 60, [b"\5ab\0"]),
    "an unterminated text": rr.rrset("w.example.com.", "example.com.", 16, 60, [b"\5ab"]),
    "a CAA without a tag": rr.rrset("w.example.com.", "example.com.", 257, 60, [b"\0"]),
}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with Hidden(tmp_path_factory.mktemp("damage")) as served:
        yield served


def poison(served, statement, **values):
    with served.database.engine.begin() as connection:
        assert connection.execute(sa.text(statement), values).rowcount
        connection.execute(sa.text("UPDATE zones SET version=version + 1"))


def counted() -> float:
    return metrics.UNREADABLE._value.get()


@pytest.mark.parametrize("what", RUBBISH)
def test_one_recordset_that_cannot_be_sent_is_left_out_of_answers_and_transfers(
    served, what, caplog
):
    zone = served.zone(f"{what.replace(' ', '-').lower()}.example.")
    bad = served.add(zone, "bad", "A", "192.0.2.1")
    served.add(zone, "good", "A", "192.0.2.2")
    if RUBBISH[what] is None:
        # The column forbids NULL, but SQLite permits a number.
        poison(served, "UPDATE recordsets SET wire = 5 WHERE id = :id", id=bad.id)
    else:
        poison(served, "UPDATE recordsets SET wire = :w WHERE id = :id", w=RUBBISH[what], id=bad.id)
    before = counted()
    with caplog.at_level(logging.ERROR, corrupt_records.__name__):
        got = transferred(served.address, zone.name)
        answer = ask(served.address, f"bad.{zone.name}", "A")

    assert [n.to_text() for n, _, _ in got.iterate_rdatas("A")] == ["good"]
    assert (answer.rcode(), answer.answer) == (dns.rcode.NXDOMAIN, [])
    assert texts(ask(served.address, f"good.{zone.name}", "A")) == {"192.0.2.2"}
    assert counted() >= before + 2
    assert bad.id in caplog.text


def test_the_records_beside_a_bad_one_of_a_recordset_are_sent(served):
    zone = served.zone("beside.example.")
    mixed = served.add(zone, "mixed", "A", "192.0.2.1", "192.0.2.2")
    wire = rr.rrset(f"mixed.{zone.name}", zone.name, 1, 60, [b"\xc0\0\2\1", b"\xc0\0\2"])
    poison(served, "UPDATE recordsets SET wire = :w, ttl = 60 WHERE id = :id", w=wire, id=mixed.id)

    assert texts(ask(served.address, mixed.name, "A")) == {"192.0.2.1"}
    got = transferred(served.address, zone.name)
    assert [r.to_text() for _, _, r in got.iterate_rdatas("A")] == ["192.0.2.1"]


def test_a_journal_step_that_cannot_be_sent_makes_the_transfer_a_whole_one(served):
    zone = served.zone("journal.example.")
    served.add(zone, "a", "A", "192.0.2.1")
    poison(served, "UPDATE zone_journal SET payload = :p WHERE zone_id = :id", p=b"x", id=zone.id)
    query = dns.message.make_query(zone.name, "IXFR")
    query.authority.append(
        dns.rrset.from_text(zone.name, 0, "IN", "SOA", f". . {zone.serial} 0 0 0 0")
    )
    host, port = served.address
    answer = dns.query.tcp(query, host, port=port, timeout=scaled(5), one_rr_per_rrset=True)

    # A difference would begin with two SOAs.
    types = [dns.rdatatype.to_text(rrset.rdtype) for rrset in answer.answer]
    assert types == ["SOA", "NS", "A", "SOA"]


@pytest.mark.parametrize("column", ["soa_wire", "ttl"])
def test_a_zone_whose_own_row_is_rubbish_fails_alone(served, column):
    zone = served.zone(f"{column.replace('_', '-')}.example.")
    other = served.zone(f"beside-{column.replace('_', '-')}.example.")
    poison(served, f"UPDATE zones SET {column} = 'rubbish' WHERE id = :id", id=zone.id)

    assert ask(served.address, zone.name, "SOA").rcode() == dns.rcode.SERVFAIL
    assert ask(served.address, other.name, "SOA").rcode() == dns.rcode.NOERROR
    assert transferred(served.address, other.name).get_soa().serial == other.serial


@settings(max_examples=300)
@given(st.binary(max_size=80), st.integers(0, 3))
def test_whatever_is_called_readable_can_be_read(wire, count):
    number, readable = validation.readable(wire, count)
    whole = dns.message.from_wire(
        b"\0\1\x84\0\0\1" + number.to_bytes(2) + bytes(4) + b"\1x\0\0\1\0\1" + readable,
        one_rr_per_rrset=True,
    )

    assert len(whole.answer) == number
