"""wire.primary_rules: which masters a tenant may name, in every spelling, and what is connected to."""

import ipaddress
import socket
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oslo_config import cfg

from designate import errors, shared_options
from designate.wire import resolver
from designate.wire.client import SoaState, query_soa
from designate.wire.primary_rules import PrimaryRules, RefusedPrimary, carried, literal
from designate.wire.transfer_assembler import TransferFailed
from designate.wire.transfer_in import Primary, TransferLimits, fetch
from tests.support.fakes.scripted_primary import LOOPBACK, ScriptedPrimary, message, whole

RULES = PrimaryRules()
DENIED = [
    "0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.254", "169.254.169.254", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1", "::2", "fe80::1", "febf::1",
    "fec0::1", "ff02::1", "ff0e::fb", "::ffff:127.0.0.1", "::ffff:192.0.2.1", "::FFFF:7F00:1",
    "::127.0.0.1", "::192.0.2.1", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::192.0.2.1",
    "64:ff9b:1::7f00:1", "2002:7f00:1::1", "2002:c000:201::", "2001:0:7f00:1::1",
]  # fmt: skip
PERMITTED = [
    "192.0.2.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "223.255.255.255",
    "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "2001:db8::1", "fd00::1",
    "2001:1::1", "2001:DB8:0:0:0:0:0:1", "2003::", "fe00::1", "64:ff9b:2::1",
    "ns1.example.org", "ns1.example.org.", "a-b_c.example", "ns", "0x7f.example", "1.2.3.4.example",
    "xn--bcher-kva.example.",
]  # fmt: skip
SPELLINGS = [
    "0x7f000001", "0X7F.1", "127.1", "127.0.1", "2130706433", "0177.0.0.1", "017700000001",
    "127.0.0.01", "127.0.0.1.", "1.2.3.0x4", "a.127", "a.0x", "256.1.1.1", "1.2.3.4.5", "fe80::1%eth0",
    "2001:db8::1%1", "2001:db8::1%", "[::1]", "[127.0.0.1]", ":::1", "1::2::3", "127.0.0.1 ", " 127.0.0.1",
    "127.0.0.1\n", "127.0.0.1:53", "", ".", "a..b", "-a.example", "a-.example", "a b", "a/b", "http://a",
    "u@a", "\uff11\uff12\uff17.0.0.1", "127\u30020.0.1", "\u2460.0.0.1", "b\u00fccher.example",
    "a\\.b", "a\x00", "a" * 64, "a." * 127 + "ab", "*.example",
]  # fmt: skip


def permitted(host: str, port: int = 53, rules: PrimaryRules = RULES) -> bool:
    return rules.problem_with(host, port) is None


def networks(*texts: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(text) for text in texts]


@pytest.mark.parametrize("host", DENIED)
def test_addresses_of_this_host_or_link_are_refused(host: str) -> None:
    assert "it is a" in str(RULES.problem_with(host, 53))


@pytest.mark.parametrize("host", PERMITTED)
def test_public_and_private_addresses_and_names_are_permitted(host: str) -> None:
    assert permitted(host)


@pytest.mark.parametrize("host", SPELLINGS)
def test_other_spellings_are_refused_with_the_accepted_form(host: str) -> None:
    with pytest.raises(RefusedPrimary, match=r"give an IPv4 address such as 192\.0\.2\.1, an IPv6"):
        literal(host)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "a.localhost"])
def test_localhost_is_a_loopback_address(host: str) -> None:
    assert "loopback" in str(RULES.problem_with(host, 53))
    assert permitted(host, 5353, LOOPBACK)


def in_c(value: int, form: str, long: bool) -> str:
    """Return a spelling of a part of an address in C: decimal, octal or hexadecimal."""
    if form == "o":
        return f"0{'00' * long}{value:o}"
    return f"0X{value:0{4 * long}X}" if form == "x" else str(value)


@given(
    address=st.integers(0, 2**32 - 1).filter(lambda value: permitted(str(ipaddress.ip_address(value)))),
    cuts=st.integers(0, 3).map(lambda count: [8, 16, 24][:count]),
    forms=st.lists(st.sampled_from("dox"), min_size=4, max_size=4),
    dot=st.booleans(),
    long=st.booleans(),
)  # fmt: skip
def test_no_spelling_of_the_c_library_is_another_address(address, cuts, forms, dot, long):
    """What inet_aton reads as an address is either written as four decimal numbers or refused."""
    parts = [
        (address >> (32 - end)) & (2 ** (end - start) - 1)
        for start, end in pairwise([0, *cuts, 32])
    ]
    spelled = ".".join(in_c(part, form, long) for part, form in zip(parts, forms, strict=False))
    canonical = str(ipaddress.ip_address(address))

    assert socket.inet_aton(spelled) == address.to_bytes(4)
    assert permitted(spelled) == (spelled == canonical)
    assert not dot or not permitted(spelled + ".")


@given(st.ip_addresses(v=6))
def test_an_ipv6_address_is_judged_alike_in_all_its_forms(address):
    forms = {address.compressed, address.exploded, address.exploded.upper()}
    if address.ipv4_mapped is not None:
        forms.add(f"::ffff:{address.ipv4_mapped}")

    assert len({permitted(form) for form in forms}) == 1
    assert not permitted(f"{address}%eth0")


@given(st.ip_addresses(v=4), st.sampled_from(["::ffff:0:0/96", "64:ff9b::/96", "2002::/16"]))
def test_a_carried_address_must_be_permitted_too(address, prefix):
    network = ipaddress.ip_network(prefix)
    shift = 80 if prefix == "2002::/16" else 0
    carrier = ipaddress.ip_address(int(network.network_address) | int(address) << shift)
    opened = PrimaryRules(allowed_networks=[network])

    assert list(carried(carrier)) == [address]
    assert not permitted(str(carrier))
    assert permitted(str(carrier), rules=opened) == permitted(str(address))


def test_the_narrowest_network_decides_and_denied_wins():
    rules = PrimaryRules(
        denied_networks=networks("10.0.0.0/8", "10.1.2.0/24", "192.0.2.0/24", "fd00::/8"),
        allowed_networks=networks(
            "10.1.0.0/16", "192.0.2.0/24", "127.0.0.0/8", "0.0.0.0/0", "fd00:1::/32"
        ),
    )
    found = {
        host: permitted(host, rules=rules)
        for host in (
            "10.0.0.1", "10.1.0.1", "10.1.2.1", "192.0.2.1", "127.0.0.1", "169.254.169.254", "198.51.100.1",
            "fd00::1", "fd00:1::1",
        )
    }  # fmt: skip

    assert [host for host, is_permitted in found.items() if is_permitted] == [
        "10.1.0.1", "127.0.0.1", "198.51.100.1", "fd00:1::1",
    ]  # fmt: skip
    assert "a network that the operator has denied" in str(rules.problem_with("10.0.0.1", 53))


def test_ports_of_other_services_are_refused_and_the_narrowest_range_decides():
    tried = (1, 22, 52, 53, 54, 443, 853, 1023, 1024, 5354, 6379, 11211, 65535)
    strict = PrimaryRules(denied_ports=[range(1, 65536)], allowed_ports=[range(53, 54)])
    opened = PrimaryRules(
        denied_ports=[range(5354, 5355)], allowed_ports=[range(1, 65536), range(22, 23)]
    )

    assert [port for port in tried if permitted("192.0.2.1", port)] == [53, 853, 1024, 5354, 65535]
    assert [port for port in tried if permitted("192.0.2.1", port, strict)] == [53]
    assert [port for port in tried if permitted("192.0.2.1", port, opened)] == [
        22,
        53,
        853,
        1024,
        65535,
    ]
    assert "port 22 is not permitted" in str(RULES.problem_with("192.0.2.1", 22))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("primary_denied_networks", "10.0.0.1/8"),
        ("primary_allowed_networks", "loopback"),
        ("primary_denied_ports", "0"),
        ("primary_denied_ports", "9-1"),
        ("primary_allowed_ports", "65536"),
        ("primary_allowed_ports", "domain"),
    ],
)
def test_a_wrong_entry_is_an_error_that_names_the_option(option: str, value: str) -> None:
    conf = cfg.ConfigOpts()
    conf.register_opts(shared_options.OPTIONS_BY_GROUP["service:worker"], "service:worker")
    conf.set_override(
        option, ["192.0.2.0/24" if "networks" in option else "53", value], "service:worker"
    )

    with pytest.raises(errors.ConfigurationError, match=rf"\[service:worker\] {option}: .*{value}"):
        PrimaryRules.from_conf(conf)


# -- names ------------------------------------------------------------------------------------------


class Names:
    """The system's resolver of a name whose answers change: each look-up returns the next ones."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.looked_up: list[str] = []

    def getaddrinfo(self, host, _port, **_how):
        self.looked_up.append(host)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        families = [socket.AF_INET6 if ":" in one else socket.AF_INET for one in found]
        return [(family, 0, 0, "", (one, 0)) for family, one in zip(families, found, strict=True)]


class Discarding:
    """A sink without content."""

    def put(self, chunk: bytes) -> None:
        raise AssertionError(chunk)

    def reset(self) -> None:
        pass


@pytest.fixture
def names(monkeypatch):
    """Replace the system's resolver and forget what it said before."""

    def resolve(*answers: list[str]) -> Names:
        made = Names(*answers)
        monkeypatch.setattr(resolver.socket, "getaddrinfo", made.getaddrinfo)
        return made

    resolver._look_up.cache_clear()
    yield resolve
    resolver._look_up.cache_clear()


def test_only_permitted_addresses_of_a_name_are_connected_to(names):
    names(["127.0.0.1", "192.0.2.1", "fe80::1%2", "2001:db8::1", "::ffff:10.0.0.1"])

    assert RULES.socket_addresses("ns.example.", 53) == (
        (socket.AF_INET, "192.0.2.1"),
        (socket.AF_INET6, "2001:db8::1"),
    )


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "169.254.169.254", "::1", "fe80::1%2", "::ffff:127.0.0.1"]
)
def test_a_name_without_a_permitted_address_is_refused_and_nothing_is_sent(names, address):
    names([address])
    with ScriptedPrimary(lambda query: [message(query, whole(7))]) as primary:
        primary.serial = 7
        answer = query_soa("ns.example.", primary.port, "example.org.", 5, rules=RULES)
        limits = TransferLimits(deadline_s=5, read_s=5, records=10, size_bytes=1000)
        with pytest.raises(TransferFailed, match="none of the addresses of this name is permitted"):
            fetch(
                Primary(host="ns.example.", port=primary.port), "example.org.", limits, Discarding()
            )

    assert (answer.state, answer.refused) == (SoaState.UNKNOWN, True)
    assert address.partition("%")[0] not in answer.text
    assert primary.queries == []


def test_a_name_that_changes_between_check_and_connection_is_not_followed(names, monkeypatch):
    """DNS rebinding: a permitted address at the first look-up, loopback at all others."""
    monkeypatch.setattr(resolver, "CACHE_S", 1e-9)
    rebound = names(["192.0.2.1"], ["127.0.0.1"])
    opened: list[tuple[str, int]] = []

    def connect(address, _timeout_s):
        opened.append(address)
        raise OSError

    monkeypatch.setattr(socket, "create_connection", connect)
    primary = Primary(host="ns.example.", port=5300)
    limits = TransferLimits(deadline_s=5, read_s=5, records=10, size_bytes=1000)
    for _ in range(3):
        with pytest.raises(TransferFailed):
            fetch(primary, "example.org.", limits, sink=Discarding())

    assert opened == [("192.0.2.1", 5300)]
    assert rebound.looked_up == ["ns.example"] * 3
