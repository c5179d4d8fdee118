"""Types whose data is a name: SOA, NS, CNAME, PTR."""

from __future__ import annotations

from designate import errors
from designate.rrtypes.base import RRType, is_domain, register


@register
class Soa(RRType):
    """Kept by the service; never accepted from clients."""

    type = "SOA"
    code = 6
    rfc = "RFC 1035 section 3.3.13"

    def grammar(self, text: str, owner: str) -> bool:
        return False


@register
class Ns(RRType):
    type = "NS"
    code = 2
    rfc = "RFC 1035 section 3.3.11"
    fields = (is_domain,)

    def check_owner(self, name: str) -> None:
        super().check_owner(name)
        if not is_domain(name):
            raise errors.InvalidObject("name is invalid")


@register
class Cname(RRType):
    type = "CNAME"
    code = 5
    rfc = "RFC 1035 section 3.3.1"
    fields = (is_domain,)


@register
class Ptr(RRType):
    type = "PTR"
    code = 12
    rfc = "RFC 1035 section 3.3.12"
    fields = (is_domain,)
