"""Types whose data is a name: SOA, NS, CNAME, PTR."""

from __future__ import annotations

from designate import errors
from designate.rrtypes.base import NameType, RRType, is_domain, register


@register
class Soa(RRType):
    """Kept by the service; never accepted from clients."""

    type = "SOA"
    code = 6
    rfc = "RFC 1035 section 3.3.13"

    def grammar(self, text: str, owner: str) -> bool:
        return False


@register
class Ns(NameType):
    type = "NS"
    code = 2
    rfc = "RFC 1035 section 3.3.11"

    def check_owner(self, name: str) -> None:
        super().check_owner(name)
        if not is_domain(name):
            # A wildcard cannot be a zone cut; nameservers refuse the zone (RFC 4592 section 4.2).
            raise errors.InvalidObject("name is invalid")


@register
class Cname(NameType):
    """One record only; the caller sees to that, for it is no fault of the record."""

    type = "CNAME"
    code = 5
    rfc = "RFC 1035 section 3.3.1"


@register
class Ptr(NameType):
    type = "PTR"
    code = 12
    rfc = "RFC 1035 section 3.3.12"
