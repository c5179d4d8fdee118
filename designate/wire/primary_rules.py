"""Which hosts and ports the primaries of secondary zones may have.

Tenants name these primaries, and the service connects to them from inside the operator's network. So the
form of a host, its addresses and its port are checked here, both when a zone is written and again at each
connection: names are looked up there, and exactly the addresses that were checked are connected to.
The masters of a pool's targets are the operator's own and are not checked.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Self, TypeVar

from oslo_config import cfg

from designate import errors
from designate.wire import resolver
from designate.wire.resolver import SocketAddress

GROUP = "service:worker"
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
T = TypeVar("T")

_IPV4_IN_IPV6 = "an IPv4 address in IPv6 form"
_LOCAL = {
    "0.0.0.0/8": "an unspecified address",
    "127.0.0.0/8": "a loopback address",
    "169.254.0.0/16": "a link-local address",
    "224.0.0.0/4": "a multicast address",
    "240.0.0.0/4": "a broadcast or reserved address",
    "::/96": _IPV4_IN_IPV6,
    "::/128": "an unspecified address",
    "::1/128": "a loopback address",
    "::ffff:0:0/96": _IPV4_IN_IPV6,
    "::ffff:0:0:0/96": _IPV4_IN_IPV6,
    "64:ff9b::/96": _IPV4_IN_IPV6,
    "64:ff9b:1::/48": _IPV4_IN_IPV6,
    "2001::/32": _IPV4_IN_IPV6,
    "2002::/16": _IPV4_IN_IPV6,
    "fe80::/10": "a link-local address",
    "fec0::/10": "a site-local address",
    "ff00::/8": "a multicast address",
}
# Other services' ports, among them those that take lines of text from anyone: 6379 (Redis) and 11211
# (memcached) besides those below 1024. A zone's name, which the tenant chooses, can hold line ends.
_SERVICE_PORTS = ("1-52", "54-852", "854-1023", "6379", "11211")
# Prefixes whose addresses end in an IPv4 address.
_ENDING_IN_IPV4 = tuple(
    ipaddress.IPv6Network(text)
    for text in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")
)
_WITHOUT_IPV4 = (ipaddress.IPv6Address("::"), ipaddress.IPv6Address("::1"))

_LABEL = "(?!-)[a-z0-9_-]{1,63}(?<!-)"
_HOST_NAME = re.compile(rf"(?=.{{1,254}}\Z)({_LABEL}\.)*{_LABEL}\.?", re.IGNORECASE | re.ASCII)
# C libraries take a name that ends so for an IPv4 address: 127.1, 0177.0.0.1, 0x7f000001.
_ENDS_IN_NUMBER = re.compile(r"(.*\.)?(0x[0-9a-f]*|[0-9]+)\.?", re.IGNORECASE | re.ASCII)
_LOCALHOST = re.compile(r"(.*\.)?localhost\.?", re.IGNORECASE | re.ASCII)
FORMS = "an IPv4 address such as 192.0.2.1, an IPv6 address such as 2001:db8::1, or a host name"


class RefusedPrimary(ValueError):
    """The service must not connect to a primary; the text is the reason, for the tenant."""


class _Source(IntEnum):
    """Where a rule comes from; of rules for the same network or ports, the greatest decides."""

    BUILT_IN = 0
    ALLOWED = 1
    DENIED = 2


@dataclass(frozen=True, slots=True)
class _NetworkRule:
    network: Network
    source: _Source
    reason: str


@dataclass(frozen=True, slots=True)
class _PortRule:
    ports: range
    source: _Source


class PrimaryRules:
    """The rules of one deployment; the narrowest network, or range of ports, decides."""

    def __init__(
        self,
        denied_networks: Iterable[Network] = (),
        allowed_networks: Iterable[Network] = (),
        denied_ports: Iterable[range] = (),
        allowed_ports: Iterable[range] = (),
    ) -> None:
        """Add an operator's networks and ports to those that are denied by default."""
        denied = "an address in a network that the operator has denied"
        self._networks = (
            *(_NetworkRule(_network(one), _Source.BUILT_IN, what) for one, what in _LOCAL.items()),
            *(_NetworkRule(one, _Source.ALLOWED, "") for one in allowed_networks),
            *(_NetworkRule(one, _Source.DENIED, denied) for one in denied_networks),
        )
        self._ports = (
            *(_PortRule(_port_range(one), _Source.BUILT_IN) for one in _SERVICE_PORTS),
            *(_PortRule(one, _Source.ALLOWED) for one in allowed_ports),
            *(_PortRule(one, _Source.DENIED) for one in denied_ports),
        )

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts) -> Self:
        """Return the rules of the options.

        Raises:
            ConfigurationError: An option has an entry that is no network, or no port or range of ports.
        """

        def parsed(name: str, parse: Callable[[str], T]) -> list[T]:
            try:
                return [parse(text) for text in conf[GROUP][name]]
            except ValueError as error:
                raise errors.ConfigurationError(f"[{GROUP}] {name}: {error}") from None

        return cls(
            parsed("primary_denied_networks", _network),
            parsed("primary_allowed_networks", _network),
            parsed("primary_denied_ports", _port_range),
            parsed("primary_allowed_ports", _port_range),
        )

    def check(self, host: str, port: int) -> None:
        """Check what can be known without a look-up: the form, a literal address and the port.

        Raises:
            RefusedPrimary: The host or the port is not permitted.
        """
        address = literal(host)
        if address is not None:
            self._check_address(address)
        elif _LOCALHOST.fullmatch(host) and not any(map(self.permits, ("127.0.0.1", "::1"))):
            raise RefusedPrimary(f"it is the name of a loopback address; give {FORMS}")
        if not self._permits_port(port):
            raise RefusedPrimary(
                f"port {port} is not permitted; give one of a nameserver, or none for port 53"
            )

    def problem_with(self, host: str, port: int) -> str | None:
        """Return why `check` refuses, or None."""
        try:
            self.check(host, port)
        except RefusedPrimary as error:
            return str(error)
        return None

    def permits(self, address: str) -> bool:
        """Return whether a text is an address that is permitted."""
        try:
            self._check_address(ipaddress.ip_address(address))
        except ValueError:
            return False
        return True

    def socket_addresses(self, host: str, port: int) -> tuple[SocketAddress, ...]:
        """Return the permitted addresses of a host, to connect to these and no others.

        Names are looked up (see wire.resolver); addresses that are not permitted are left out.

        Raises:
            RefusedPrimary: The host or the port is not permitted, or none of its addresses is.
        """
        self.check(host, port)
        address = literal(host)
        if address is not None:
            version = socket.AF_INET if address.version == 4 else socket.AF_INET6
            return ((version, str(address)),)
        found = resolver.socket_addresses(host)
        permitted = tuple(one for one in found if self.permits(one[1]))
        if found and not permitted:
            # Not which addresses: they may be names of the operator's own network.
            raise RefusedPrimary("none of the addresses of this name is permitted")
        return permitted

    def _check_address(self, address: Address) -> None:
        for one in (address, *carried(address)):
            rule = max(
                (rule for rule in self._networks if one in rule.network),
                key=lambda rule: (rule.network.prefixlen, rule.source),
                default=None,
            )
            if rule is not None and rule.source is not _Source.ALLOWED:
                raise RefusedPrimary(f"it is {rule.reason}; give {FORMS} of a nameserver")

    def _permits_port(self, port: int) -> bool:
        rule = min(
            (rule for rule in self._ports if port in rule.ports),
            key=lambda rule: (len(rule.ports), -rule.source),
            default=None,
        )
        return rule is None or rule.source is _Source.ALLOWED


def literal(host: str) -> Address | None:
    """Return the address that a host is, or None for a host name.

    Raises:
        RefusedPrimary: The host is neither: another spelling of an address, or no name at all.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if address is None and (
        not _HOST_NAME.fullmatch(host) or _ENDS_IN_NUMBER.fullmatch(host) is not None
    ):
        raise RefusedPrimary(f"it is neither an address nor a host name; give {FORMS}")
    if "%" in host:
        raise RefusedPrimary(f"it is an address with a zone id; give {FORMS}")
    return address


def carried(address: Address) -> Iterator[ipaddress.IPv4Address]:
    """Yield the IPv4 addresses to which packets for an IPv6 address can be sent by translators."""
    if isinstance(address, ipaddress.IPv4Address):
        return
    if any(address in network for network in _ENDING_IN_IPV4) and address not in _WITHOUT_IPV4:
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo


def _network(text: str) -> Network:
    return ipaddress.ip_network(text.strip())


def _port_range(text: str) -> range:
    first, _, last = text.strip().partition("-")
    try:
        found = range(int(first), int(last or first) + 1)
    except ValueError:
        found = range(0)
    if not found or found[0] < 1 or found[-1] > 65535:
        raise ValueError(f"{text!r} is neither a port nor a range of ports such as 1024-65535")
    return found
