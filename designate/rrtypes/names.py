"""Record types whose data is a name: NS, CNAME, PTR and the old ones for mail; and SOA."""

from __future__ import annotations

from typing import Any

from designate import errors
from designate.rrtypes.base import NameType, RRType, TargetType, register


@register
class Soa(RRType):
    """Start of authority; made by the service, never accepted from clients."""

    type = "SOA"

    def check_api(self, rdata: Any, owner: str) -> None:  # noqa: ARG002 - part of the interface
        raise ValueError("it is made by the service")


@register
class Ns(TargetType):
    """An authoritative nameserver."""

    type = "NS"

    def check_owner(self, name: str) -> None:
        super().check_owner(name)
        if name.startswith("*."):
            # A wildcard cannot be delegated; nameservers reject the zone (RFC 4592 section 4.2).
            raise errors.InvalidObject("name is invalid: a wildcard cannot be delegated")


@register
class Cname(TargetType):
    """An alias; the caller checks that a recordset has one record only."""

    type = "CNAME"


@register
class Ptr(TargetType):
    """A pointer to another name."""

    type = "PTR"


@register
class Dname(NameType):
    """An alias of everything below a name; the caller checks that a recordset has one record only."""

    type = "DNAME"

    def check_owner(self, name: str) -> None:
        super().check_owner(name)
        if name.startswith("*."):
            # Nameservers reject the zone (RFC 4592 section 4.4).
            raise errors.InvalidObject("name is invalid: a wildcard cannot have a DNAME")


@register
class Mb(NameType):
    """A mailbox."""

    type = "MB"


@register
class Mg(NameType):
    """A member of a mail group."""

    type = "MG"


@register
class Mr(NameType):
    """The new name of a mailbox."""

    type = "MR"


@register
class Md(NameType):
    """A mail destination, obsoleted by MX."""

    type = "MD"


@register
class Mf(NameType):
    """A mail forwarder, obsoleted by MX."""

    type = "MF"


@register
class NsapPtr(NameType):
    """A pointer of an NSAP address."""

    type = "NSAP-PTR"
