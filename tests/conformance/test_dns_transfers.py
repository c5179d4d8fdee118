"""MiniDNS's transfers, by RFC and section."""

import socket

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.rrset
import dns.xfr
import dns.zone
import pytest

from designate.model.recordsets import RecordSetPatch
from designate.model.zones import ZonePatch
from tests.support.deadlines import scaled, until
from tests.support.factories.zone_data import Hidden
from tests.support.servers.standalone import transferred


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    overrides = {"service:mdns": {"ixfr_max_steps": 8}}
    with Hidden(tmp_path_factory.mktemp("transfers"), **overrides) as served:
        yield served


def stream(served, zone: str, rtype: str, serial: int = 0) -> list[dns.message.Message]:
    """Return the messages of a transfer over TCP."""
    return [
        dns.message.from_wire(wire, one_rr_per_rrset=True, ignore_trailing=True)
        for wire in wires(served, zone, rtype, serial)
    ]


def wires(served, zone: str, rtype: str, serial: int = 0) -> list[bytes]:
    """Yield the messages until the server closes, after the client has shut down its side."""
    host, port = served.address
    query = dns.message.make_query(zone, rtype, use_edns=False)
    if rtype == "IXFR":
        soa = dns.rrset.from_text(zone, 0, "IN", "SOA", f". . {serial} 0 0 0 0")
        query.authority.append(soa)
    found = []
    with socket.create_connection((host, port), timeout=scaled(10)) as sock:
        wire = query.to_wire()
        sock.sendall(len(wire).to_bytes(2) + wire)
        sock.shutdown(socket.SHUT_WR)
        reader = sock.makefile("rb")
        while length := reader.read(2):
            found.append(reader.read(int.from_bytes(length)))
    return found


def rrs(messages) -> list[tuple[str, int]]:
    """Return (text, type) of every RR in order."""
    return [(rrset.to_text(), rrset.rdtype) for message in messages for rrset in message.answer]


def apply_ixfr(served, zone: dns.zone.Zone) -> None:
    """Update a zone by IXFR."""
    host, port = served.address
    query, serial = dns.xfr.make_query(zone)
    assert serial is not None
    dns.query.inbound_xfr(host, zone, query=query, port=port, timeout=scaled(10))


def test_rfc5936_s2_2_a_transfer_is_the_zone_between_two_soas(served):
    zone = served.zone("axfr.example.")
    served.add(zone, "www", "A", "192.0.2.1")

    found = rrs(stream(served, zone.name, "AXFR"))

    assert found[0] == found[-1]
    assert found[0][1] == dns.rdatatype.SOA
    assert {rtype for _, rtype in found[1:-1]} == {dns.rdatatype.NS, dns.rdatatype.A}


def test_rfc5936_s2_2_1_every_message_has_the_id_and_authority(served):
    zone = served.zone("many.example.")
    for number in range(30):
        served.add(zone, f"t{number}", "TXT", *(f'"{number}-{n}-{"x" * 240}"' for n in range(20)))

    messages = stream(served, zone.name, "AXFR")

    assert len(messages) > 2
    assert len({message.id for message in messages}) == 1
    assert all(message.flags & dns.flags.AA for message in messages)
    assert len(rrs(messages)) == 30 * 20 + 1 + 2


def test_an_unknown_zone_is_refused(served):
    (message,) = stream(served, "unknown.example.", "AXFR")

    assert message.rcode() == dns.rcode.REFUSED


def test_rfc1995_s4_differences_lead_from_the_clients_serial_to_now(served):
    zone = served.zone("ixfr.example.")
    before = transferred(served.address, zone.name)
    first = served.add(zone, "a", "A", "192.0.2.1", "192.0.2.2")
    patch = RecordSetPatch(records=("192.0.2.2", "192.0.2.3"), ttl=5)
    served.central.recordsets.update(served.context, zone.id, first.id, patch)
    second = served.add(zone, "b", "A", "192.0.2.9")
    served.central.recordsets.delete(served.context, zone.id, second.id)

    serial = before.get_soa().serial
    messages = stream(served, zone.name, "IXFR", serial)
    apply_ixfr(served, before)

    assert before == transferred(served.address, zone.name)
    assert sum(rtype == dns.rdatatype.SOA for _, rtype in rrs(messages)) == 2 + 2 * 4


def test_rfc1995_s2_a_current_client_gets_one_soa(served):
    zone = served.zone("current.example.")

    (message,) = stream(served, zone.name, "IXFR", zone.serial)

    assert [rtype for _, rtype in rrs([message])] == [dns.rdatatype.SOA]


def test_rfc1982_s3_2_a_client_ahead_of_us_gets_one_soa(served):
    zone = served.zone("ahead.example.")

    (message,) = stream(served, zone.name, "IXFR", (zone.serial + 5) % 2**32)

    assert len(rrs([message])) == 1


@pytest.mark.parametrize("why", ["unknown serial", "too many steps", "the zone's TTL changed"])
def test_rfc1995_s4_falls_back_to_axfr(served, why):
    zone = served.zone(f"{why.split()[-1][:5]}-falls.example.")
    serial = zone.serial
    served.add(zone, "a", "A", "192.0.2.1")
    if why == "unknown serial":
        serial -= 1000
    elif why == "too many steps":
        for number in range(9):
            served.add(zone, f"n{number}", "A", "192.0.2.1")
    else:
        served.central.zones.update(served.context, zone.id, ZonePatch(ttl=77))

    found = rrs(stream(served, zone.name, "IXFR", serial))

    assert found == rrs(stream(served, zone.name, "AXFR"))


def test_rfc1995_s2_over_udp_what_fits_is_sent_and_else_one_soa(served):
    zone = served.zone("udp.example.")
    host, port = served.address
    old = dns.zone.Zone(zone.name)
    with old.writer() as writer:
        soa = f"ns1.example.org. a.example.com. {zone.serial} 1 1 1 1"
        writer.add("@", 60, dns.rdata.from_text("IN", "SOA", soa))
    query, _ = dns.xfr.make_query(old, use_edns=False)
    served.add(zone, "small", "A", "192.0.2.1")
    small = dns.query.udp(query, host, port=port, timeout=scaled(5), one_rr_per_rrset=True)
    served.add(zone, "large", "TXT", *(f'"{n}{"x" * 240}"' for n in range(10)))
    large = dns.query.udp(query, host, port=port, timeout=scaled(5), one_rr_per_rrset=True)

    assert len(small.answer) == 5
    assert len(large.answer) == 1


def test_one_change_of_a_large_zone_moves_few_bytes(served):
    zone = served.zone("bytes.example.")
    for number in range(6):
        served.add(zone, f"t{number}", "TXT", *(f'"{number}-{n}-{"x" * 240}"' for n in range(20)))
    serial = served.fresh(zone).serial
    served.add(zone, "one", "A", "192.0.2.1")

    (message,) = stream(served, zone.name, "IXFR", serial)

    assert len(message.to_wire()) < 500


def test_a_hint_follows_a_transfer_that_was_sent_whole(served):
    zone = served.zone("hint.example.")
    stream(served, zone.name, "AXFR")

    expected = (zone.id, zone.serial, "127.0.0.1")
    until(lambda: expected in served.worker.served, 5, "the hint")


def test_a_zone_kept_for_transfers_is_never_an_old_one(served):
    zone = served.zone("cache.example.")
    served.add(zone, "a", "A", "192.0.2.1")
    stream(served, zone.name, "AXFR")
    first = rrs(stream(served, zone.name, "AXFR"))
    served.add(zone, "b", "A", "192.0.2.1")
    second = rrs(stream(served, zone.name, "AXFR"))

    assert len(second) == len(first) + 1


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A zone of 100,000 addresses, a thousand per name."""
    overrides = {"DEFAULT": {"quota_recordset_records": -1}}
    with Hidden(tmp_path_factory.mktemp("large"), **overrides) as served:
        zone = served.zone("large.example.")
        for n in range(100):
            addresses = (f"10.{n}.{i // 250}.{i % 250}" for i in range(1000))
            served.add(zone, f"h{n}", "A", *addresses)
        yield served, zone


def test_rfc1995_s1_one_changed_record_of_100_000_moves_less_than_2_kilobytes(large):
    served, zone = large
    few = served.add(zone, "few", "A", "192.0.2.1")
    addresses = [f"192.0.{n // 250}.{n % 250}" for n in range(1000)]
    many = served.add(zone, "many", "A", *addresses)
    moved = []
    for recordset, records in ((few, ["192.0.2.2"]), (many, ["198.51.100.1", *addresses[1:]])):
        before = served.fresh(zone).serial
        patch = RecordSetPatch(records=tuple(records))
        served.central.recordsets.update(served.context, zone.id, recordset.id, patch)
        found = wires(served, zone.name, "IXFR", before)
        # SOA, old SOA, deletions, new SOA, additions, SOA (RFC 1995 section 4).
        assert sum(int.from_bytes(wire[6:8]) for wire in found) == 6
        moved.append(sum(2 + len(wire) for wire in found))
    whole = wires(served, zone.name, "AXFR")

    assert sum(int.from_bytes(wire[6:8]) for wire in whole) == 2 + 1 + 100_000 + 1 + 1000
    assert max(moved) < 2048
