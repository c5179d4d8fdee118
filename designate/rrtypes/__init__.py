"""Record types: validation of their data and its wire form.

`designate.wire.types` has the list of all types. A type has a class here only where clients may write more
than dnspython reads, or where not all that it reads is accepted.
"""

from designate.rrtypes import address, mail, names, plain, security, service
from designate.rrtypes.base import REGISTRY, WireData
from designate.rrtypes.grammar import (
    canonical_name,
    check_domain,
    check_plain_domain,
    is_domain,
    is_email,
    is_host,
    is_plain_domain,
)
from designate.rrtypes.records import (
    check_owner,
    check_rdatas,
    check_type,
    numeric_type,
    rdata,
)
from designate.wire import types

plain.register_all()

_DESIGNATES = (
    "A", "AAAA", "CNAME", "MX", "SRV", "TXT", "SPF", "NS", "PTR", "SSHFP", "SOA", "NAPTR", "CAA",
    "CERT", "HTTPS", "SVCB", "TLSA",
)  # fmt: skip
_DATA = tuple(info.name for info in types.TYPES if info.kind is types.Kind.DATA)
# The types that clients may use by default, those of Designate first.
SUPPORTED = (*_DESIGNATES, *(name for name in _DATA if name not in _DESIGNATES), types.UNNAMED)

__all__ = [
    "REGISTRY", "SUPPORTED", "WireData", "address", "canonical_name", "check_domain", "check_owner",
    "check_plain_domain", "check_rdatas", "check_type", "is_domain", "is_email",
    "is_host", "is_plain_domain", "mail", "names", "numeric_type", "plain", "rdata",
    "security", "service",
]  # fmt: skip
