"""Record types: validation of their data and its wire form.

A new type is one class in one of the modules here, one line in SUPPORTED and one test file.
"""

from designate.rrtypes import address, mail, names, security, service
from designate.rrtypes.base import REGISTRY
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
    master_form,
    numeric_type,
    rdata,
    rdata_from_zonefile,
)

SUPPORTED = (
    "A", "AAAA", "CNAME", "MX", "SRV", "TXT", "SPF", "NS", "PTR", "SSHFP", "SOA", "NAPTR", "CAA",
    "CERT", "HTTPS", "SVCB", "TLSA",
)  # fmt: skip

__all__ = [
    "REGISTRY", "SUPPORTED", "address", "canonical_name", "check_domain", "check_owner",
    "check_plain_domain", "check_rdatas", "check_type", "is_domain", "is_email", "is_host",
    "is_plain_domain", "mail", "master_form", "names", "numeric_type", "rdata", "rdata_from_zonefile",
    "security", "service",
]  # fmt: skip
