"""Record types whose data is a name: NS, CNAME and PTR; and SOA."""

from __future__ import annotations

from designate import errors
from designate.rrtypes.base import NameType, RRType, register
from designate.rrtypes.grammar import is_domain


@register
class Soa(RRType):
    """Start of authority; made by the service, never accepted from clients."""

    type = "SOA"
    code = 6
    rfc = "RFC 1035 section 3.3.13"

    def grammar(self, text: str, owner: str) -> bool:  # noqa: ARG002 - part of the interface
        return False


@register
class Ns(NameType):
    """An authoritative nameserver."""

    type = "NS"
    code = 2
    rfc = "RFC 1035 section 3.3.11"

    def check_owner(self, name: str) -> None:
        super().check_owner(name)
        if not is_domain(name):
            # A wildcard cannot be delegated; nameservers reject the zone (RFC 4592 section 4.2).
            raise errors.InvalidObject("name is invalid: a wildcard cannot be delegated")


@register
class Cname(NameType):
    """An alias; the caller checks that a recordset has one record only."""

    type = "CNAME"
    code = 5
    rfc = "RFC 1035 section 3.3.1"


@register
class Ptr(NameType):
    """A pointer to another name."""

    type = "PTR"
    code = 12
    rfc = "RFC 1035 section 3.3.12"
