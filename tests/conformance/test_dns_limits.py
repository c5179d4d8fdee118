"""MiniDNS's rate limit of UDP queries."""

import socket
from time import process_time

import dns.flags
import dns.message
import dns.query
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from designate.mdns import rate_limit
from designate.mdns.rate_limit import RateLimit
from designate.wire import packet
from tests.support.deadlines import scaled
from tests.support.factories.zone_data import Hidden


class Ticks:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_a_network_gets_its_rate_and_again_with_time():
    clock = Ticks()
    limit = RateLimit(10, clock)
    first = [limit.allows(f"192.0.2.{n}") for n in range(30)]
    elsewhere = limit.allows("198.51.100.1")
    clock.now += 0.5
    later = [limit.allows("192.0.2.1") for _ in range(30)]

    assert first.count(True) == 10
    assert (first.count(None), first.count(False)) == (10, 10)
    assert elsewhere is True
    assert later.count(True) == 5


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.254", True),
        ("192.0.2.1", "192.0.3.1", False),
        ("2001:db8::1", "2001:db8:0:ff::1", True),
        ("2001:db8::1", "2001:db8:0:100::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
    ],
)
def test_addresses_count_for_their_network(one, other, same):
    assert (rate_limit.network_of(one) == rate_limit.network_of(other)) == same


def test_senders_without_number_take_bounded_memory():
    limit = RateLimit(10)
    for number in range(rate_limit.MAX_NETWORKS + 500):
        limit.allows(f"10.{number >> 8}.{number & 255}.1")

    assert len(limit) == rate_limit.MAX_NETWORKS


def test_without_a_rate_nothing_is_counted():
    limit = RateLimit(0)

    assert all(limit.allows("192.0.2.1") for _ in range(1000))
    assert not len(limit)


@settings(max_examples=200)
@given(st.binary(max_size=64))
def test_truncation_is_never_longer_than_the_query(wire):
    for reply in packet.truncated_reply(wire):
        assert len(reply) <= len(wire)
        assert dns.flags.TC & int.from_bytes(reply[2:4])


@pytest.fixture
def limited(tmp_path):
    mdns = {"rate_limit": 1, "rate_limit_exempt": ["127.0.0.9"]}
    with Hidden(tmp_path, **{"service:mdns": mdns}) as limited:
        limited.zone("example.com.")
        yield limited


def test_a_flood_gets_few_answers_and_tcp_stays_open(limited):
    query = dns.message.make_query("example.com.", "SOA")
    host, port = limited.address
    replies = []
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.connect((host, port))
        for _ in range(41):
            sock.send(query.to_wire())
        sock.settimeout(5)
        # One is within the rate, and every second one of the others is truncated.
        replies = [dns.message.from_wire(sock.recv(2000)) for _ in range(18)]
    whole = dns.query.tcp(query, host, port=port, timeout=scaled(5))
    exempt = [
        dns.query.udp(query, host, port=port, timeout=scaled(5), source="127.0.0.9")
        for _ in range(20)
    ]

    assert sum(bool(reply.answer) for reply in replies) <= 5
    assert all(reply.answer or reply.flags & dns.flags.TC for reply in replies)
    assert whole.answer
    assert all(reply.answer for reply in exempt)


def test_a_server_that_stops_does_not_turn_round(tmp_path):
    with Hidden(tmp_path):
        before_s = process_time()
    used_s = process_time() - before_s

    assert used_s < 0.3
