"""NOTIFY to MiniDNS (RFC 1996)."""

import socket

import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.tsig
import pytest

from designate.mdns import notifies
from designate.mdns.hostnames import HostNames, same_address
from designate.model.tsigkeys import TsigKeyDraft, TsigScope
from designate.model.zones import PrimaryAddress
from tests.support.deadlines import until
from tests.support.factories.transfers import bring, secondary
from tests.support.factories.zone_data import Hidden
from tests.support.fakes.scripted_primary import ZONE, soa

HERE = PrimaryAddress(host="127.0.0.1", port=5300)


@pytest.fixture
def hidden(tmp_path):
    with Hidden(tmp_path) as hidden:
        yield hidden


def notify(name=ZONE, serial=None, rtype="SOA"):
    query = dns.message.make_query(name, rtype, flags=0)
    query.set_opcode(dns.opcode.NOTIFY)
    query.flags |= dns.flags.AA
    if serial is not None:
        query.answer.append(soa(serial, name))
    return query


def send(hidden, query, timeout_s=5, tcp=False):
    host, port = hidden.address
    exchange = dns.query.tcp if tcp else dns.query.udp
    return exchange(query, host, port=port, timeout=timeout_s)


@pytest.mark.parametrize("tcp", [False, True])
def test_s3_12_a_primarys_notify_is_answered_with_the_question_and_handed_on(hidden, tcp):
    zone = secondary(hidden, ZONE, PrimaryAddress(host="192.0.2.1"), HERE)
    hidden.worker.refreshed.clear()
    query = notify(serial=7)
    reply = send(hidden, query, tcp=tcp)

    assert (reply.rcode(), reply.opcode()) == (dns.rcode.NOERROR, dns.opcode.NOTIFY)
    assert reply.flags & dns.flags.AA
    assert reply.question == query.question
    assert not reply.answer
    assert hidden.worker.refreshed == [(zone.id, "127.0.0.1")]


def test_s3_10_a_notify_from_elsewhere_is_refused(hidden):
    secondary(hidden, ZONE, PrimaryAddress(host="192.0.2.1"))
    hidden.worker.refreshed.clear()

    assert send(hidden, notify()).rcode() == dns.rcode.REFUSED
    assert hidden.worker.refreshed == []


@pytest.mark.parametrize("ours", [True, False])
def test_a_key_of_the_zone_is_as_good_as_a_primarys_address(hidden, ours):
    zone = secondary(hidden, ZONE, PrimaryAddress(host="192.0.2.1"))
    other = secondary(hidden, "other.example.", PrimaryAddress(host="192.0.2.1"))
    draft = TsigKeyDraft(
        name="notifier",
        algorithm="hmac-sha256",
        secret="c2VjcmV0c2VjcmV0c2VjcmV0",
        scope=TsigScope.ZONE,
        resource_id=zone.id if ours else other.id,
    )
    hidden.central.tsigkeys.create(hidden.context, draft)
    hidden.worker.refreshed.clear()
    query = notify()
    query.use_tsig(dns.tsig.Key("notifier.", draft.secret, "hmac-sha256"))
    reply = send(hidden, query)

    assert reply.rcode() == (dns.rcode.NOERROR if ours else dns.rcode.NOTAUTH)
    assert hidden.worker.refreshed == ([(zone.id, "127.0.0.1")] if ours else [])


def test_a_notify_of_a_zone_that_is_no_secondary_is_not_for_us(hidden):
    hidden.zone("primary.example.")
    gone = secondary(hidden, "gone.example.", HERE)
    hidden.central.zones.delete(hidden.context, gone.id)

    for name in ("primary.example.", "unknown.example.", "gone.example."):
        assert send(hidden, notify(name)).rcode() == dns.rcode.NOTAUTH


def test_names_are_found_in_any_case(hidden):
    zone = secondary(hidden, ZONE, HERE)
    hidden.worker.refreshed.clear()
    send(hidden, notify(ZONE.upper()))

    assert hidden.worker.refreshed == [(zone.id, "127.0.0.1")]


@pytest.mark.parametrize(("serial", "news"), [(5, False), (4, False), (6, True), (None, True)])
def test_s3_7_the_serial_that_a_notify_names_spares_a_question(hidden, serial, news):
    zone = secondary(hidden, ZONE, HERE)
    bring(hidden, zone, 5)
    hidden.worker.refreshed.clear()

    assert send(hidden, notify(serial=serial)).rcode() == dns.rcode.NOERROR
    assert bool(hidden.worker.refreshed) == news


def test_other_types_are_not_implemented(hidden):
    secondary(hidden, ZONE, HERE)

    assert send(hidden, notify(rtype="A")).rcode() == dns.rcode.NOTIMP


def test_a_flood_is_met_with_silence_and_few_words_to_workers(hidden):
    zone = secondary(hidden, ZONE, HERE)
    other = secondary(hidden, "other.example.", HERE)
    hidden.worker.refreshed.clear()
    host, port = hidden.address
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        for number in range(500):
            sock.sendto(notify(serial=number + 1).to_wire(), (host, port))
        sock.settimeout(5)
        first = sock.recv(512)
        # Answered after the flood, so all of it has been handled or dropped.
        until(lambda: send(hidden, notify("other.example.")), 10)

    told = [zone_id for zone_id, _ in hidden.worker.refreshed]
    assert first[3] & 0xF == dns.rcode.NOERROR
    assert notifies.BURST <= told.count(zone.id) <= 3 * notifies.BURST
    assert other.id in told


def test_a_primary_with_a_name_is_known_once_its_name_was_looked_up(hidden):
    zone = secondary(hidden, ZONE, PrimaryAddress(host="localhost."))
    hidden.worker.refreshed.clear()

    def answered():
        try:
            return send(hidden, notify(), timeout_s=0.2)
        except dns.exception.Timeout:
            return None

    reply = until(answered, 10)

    assert reply.rcode() == dns.rcode.NOERROR
    assert (zone.id, "127.0.0.1") in hidden.worker.refreshed


def test_names_are_looked_up_beside_and_addresses_not_at_all():
    names = HostNames()
    try:
        assert names.addresses("2001:DB8::0:1") == ("2001:db8::1",)
        assert names.addresses("localhost.") is None
        assert "127.0.0.1" in until(lambda: names.addresses("localhost."))
        assert until(lambda: names.addresses("nobody.invalid.") is not None, 20)
        assert names.addresses("nobody.invalid.") == ()
    finally:
        names.stop()
    assert same_address("::1", "0:0:0:0:0:0:0:1")
    assert not same_address("127.0.0.1", "localhost")
