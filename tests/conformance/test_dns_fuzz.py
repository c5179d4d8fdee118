"""Fuzzing of MiniDNS with messages, and of transfers in with replies."""

import contextlib
import random
import socket
import tracemalloc

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rdatatype
import dns.rrset
import dns.tsig
import pytest

from designate.wire.transfer_assembler import TransferAssembler, TransferFailed
from designate.wire.transfer_in import Primary, TransferLimits, _Transfer
from tests.support.deadlines import scaled
from tests.support.factories.zone_data import Hidden

SHORT = 400
LONG = 40_000
GROWTH_BYTES = 8 * 2**20


@pytest.fixture
def rounds(request):
    return LONG if request.config.getoption("--long") else SHORT


@pytest.fixture
def chance(request, rounds):
    return random.Random(f"{rounds} {request.config.getoption('--seed')}")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with Hidden(tmp_path_factory.mktemp("fuzz")) as served:
        zone = served.zone("example.com.")
        served.add(zone, "www", "A", "192.0.2.1")
        yield served


def seeds():
    """Return valid messages, to be mutated."""
    key = dns.tsig.Key("fuzz.", b"0123456789abcdef", "hmac-sha256")
    made = []
    for rtype in ("SOA", "A", "ANY", "AXFR", "IXFR", "TXT"):
        for sign in (False, True):
            query = dns.message.make_query("www.example.com.", rtype, use_edns=0)
            soa = dns.rrset.from_text("example.com.", 0, "IN", "SOA", ". . 1 0 0 0 0")
            query.authority.append(soa)
            if sign:
                query.use_tsig(key)
            made.append(query.to_wire())
    return made


def bent(chance, wire):
    """Return the message with some bytes changed, doubled, cut off or moved."""
    changed = bytearray(wire)
    for _ in range(chance.randint(0, 6)):
        if not changed:
            break
        at = chance.randrange(len(changed))
        match chance.randrange(5):
            case 0:
                changed[at] = chance.choice((0, 1, 63, 64, 192, 255, chance.randrange(256)))
            case 1:
                del changed[at:]
            case 2:
                changed[at:at] = changed[: chance.randint(0, 40)]
            case 3:
                del changed[at : at + chance.randint(1, 8)]
            case _:
                changed += chance.randbytes(chance.randint(0, 40))
    return bytes(changed)


def answers(served):
    host, port = served.address
    query = dns.message.make_query("www.example.com.", "A")
    both = (dns.query.udp, dns.query.tcp)
    return all(send(query, host, port=port, timeout=scaled(5)).answer for send in both)


def test_whatever_comes_is_answered_in_a_header_or_not_and_service_goes_on(served, rounds, chance):
    """Use both transports; each reply is a message with the same id."""
    sound = seeds()
    tracemalloc.start()
    try:
        before = 0
        for number in range(rounds):
            wire = bent(chance, chance.choice(sound))
            replies = list(served.mdns._handler.handle(wire, "127.0.0.1", tcp=number % 2 == 0))
            for reply in replies:
                assert reply[:2] == wire[:2]
                assert reply[2] & 0x80
                dns.message.from_wire(reply, keyring=False)
            if number == rounds // 10:
                before = tracemalloc.get_traced_memory()[0]
        assert tracemalloc.get_traced_memory()[0] - before < GROWTH_BYTES
    finally:
        tracemalloc.stop()

    assert answers(served)


def test_bytes_at_the_sockets_end_nothing(served, rounds, chance):
    sound = seeds()
    for _ in range(rounds // 10):
        wire = bent(chance, chance.choice(sound))
        with socket.socket(type=socket.SOCK_DGRAM) as udp, contextlib.suppress(OSError):
            udp.sendto(wire, served.address)
        with (
            contextlib.suppress(OSError),
            socket.create_connection(served.address, timeout=2) as tcp,
        ):
            length = chance.choice((len(wire), chance.randrange(65536)))
            tcp.sendall(length.to_bytes(2) + wire)

    assert answers(served)


class Drain:
    def put(self, chunk):
        assert chunk

    def reset(self):
        pass


def replies_of_a_primary():
    zone = "example.com."
    soa = dns.rrset.from_text(zone, 60, "IN", "SOA", "ns.example.com. a.example.com. 7 1 1 1 1")
    older = dns.rrset.from_text(zone, 60, "IN", "SOA", "ns.example.com. a.example.com. 5 1 1 1 1")
    data = [
        dns.rrset.from_text(f"{name}.example.com.", 60, "IN", rtype, text)
        for name, rtype, text in (
            ("a", "A", "192.0.2.1"),
            ("t", "TXT", '"text"'),
            ("m", "MX", "10 mail.example.com."),
            ("c", "CNAME", "a.example.com."),
        )
    ]
    for rtype, content in (
        ("AXFR", [soa, *data, soa]),
        ("IXFR", [soa, older, data[0], soa, *data[1:], soa]),
    ):
        message = dns.message.make_response(dns.message.make_query(zone, rtype))
        message.answer = content
        yield rtype, message.to_wire()


def test_a_transfer_is_taken_or_fails_in_words_whatever_the_primary_sends(rounds, chance):
    limits = TransferLimits(deadline_s=30, read_s=30, records=1000, size_bytes=2**20)
    sound = list(replies_of_a_primary())
    primary = Primary(host="192.0.2.1", port=53)
    outcomes = {"taken": 0, "refused": 0}
    for _ in range(rounds):
        rtype, wire = chance.choice(sound)
        since = 5 if rtype == "IXFR" else None
        transfer = _Transfer(primary, "example.com.", limits, Drain(), since, None)
        reply = transfer._messages.query_wire[:2] + bent(chance, wire)[2:]
        try:
            transfer._take(reply, float("inf"))
            outcomes["taken"] += 1
        except TransferFailed:
            outcomes["refused"] += 1

    assert min(outcomes.values()) > rounds // 50


def test_records_in_any_order_are_a_transfer_or_a_failure(rounds, chance):
    """Feed the assembler alone with valid records in random order."""
    records = []
    for serial in (5, 6, 7):
        text = f"ns.example.com. a.example.com. {serial} 1 1 1 1"
        records.append(dns.rrset.from_text("example.com.", 60, "IN", "SOA", text))
    records.append(dns.rrset.from_text("a.example.com.", 60, "IN", "A", "192.0.2.1"))
    records.append(dns.rrset.from_text("a.example.net.", 60, "IN", "A", "192.0.2.1"))
    done = 0
    for _ in range(rounds):
        since = chance.choice((None, 5, 6))
        assembler = TransferAssembler(dns.name.from_text("example.com."), since, None)
        with contextlib.suppress(TransferFailed):
            for _ in range(12):
                one = chance.choice(records)
                kept = assembler.take(one.name, one.ttl, one[0])
                assert len(kept) < 500
                done += assembler.done

    assert done
