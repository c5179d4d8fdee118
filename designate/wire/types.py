"""The record types that the project knows, by number (IANA, DNS resource record types).

The list is pinned, because the names that dnspython knows differ between its releases: a type's name is
what clients, the database and exported files have, and must not change with a library. Types without a name
here are TYPEnnn (RFC 3597 section 5), and their data are bytes.
"""

from __future__ import annotations

import enum
import re
from typing import NamedTuple


class Kind(enum.Enum):
    """What the records of a type are.

    DATA: content of zones. SIGNING: made by whatever signs a zone, so that clients may only read it. META:
    part of messages and queries (RFC 6895 section 3.1), or of a DNSSEC that no software has any more.
    """

    DATA = "data"
    SIGNING = "signing"
    META = "meta"


class TypeInfo(NamedTuple):
    """One record type.

    Attributes:
        number: of the type.
        name: of the type.
        kind: what its records are.
        reference: where it is defined.
        form: of its data, for people.
    """

    number: int
    name: str
    kind: Kind
    reference: str
    form: str


_DS = "<key tag> <algorithm> <digest type> <hex>"
_KEY = "<flags> <protocol> <algorithm> <base64>"
_STRINGS = '"<text>" "<text>" ...'
_HASH = "<usage> <selector> <matching type> <hex>"
_SERVICE = "<priority> <target> <key>=<value> ..."
_OPAQUE = "\\# <length> <hex>"

_DATA: tuple[tuple[int, str, str, str], ...] = (
    (1, "A", "RFC 1035 section 3.4.1", "<IPv4 address>"),
    (2, "NS", "RFC 1035 section 3.3.11", "<name>"),
    (3, "MD", "RFC 1035 section 3.3.4; obsolete", "<name>"),
    (4, "MF", "RFC 1035 section 3.3.5; obsolete", "<name>"),
    (5, "CNAME", "RFC 1035 section 3.3.1", "<target>"),
    (6, "SOA", "RFC 1035 section 3.3.13", "made by the service"),
    (7, "MB", "RFC 1035 section 3.3.3", "<name>"),
    (8, "MG", "RFC 1035 section 3.3.6", "<name>"),
    (9, "MR", "RFC 1035 section 3.3.8", "<name>"),
    (10, "NULL", "RFC 1035 section 3.3.10", _OPAQUE),
    (11, "WKS", "RFC 1035 section 3.4.2", "<IPv4 address> <protocol> <port> ..."),
    (12, "PTR", "RFC 1035 section 3.3.12", "<name>"),
    (13, "HINFO", "RFC 1035 section 3.3.2", '"<cpu>" "<system>"'),
    (14, "MINFO", "RFC 1035 section 3.3.7", "<mailbox> <mailbox for errors>"),
    (15, "MX", "RFC 1035 section 3.3.9; RFC 7505", "<preference> <exchange>"),
    (16, "TXT", "RFC 1035 section 3.3.14", _STRINGS),
    (17, "RP", "RFC 1183 section 2.2", "<mailbox> <name of a TXT>"),
    (18, "AFSDB", "RFC 1183 section 1", "<subtype> <name>"),
    (19, "X25", "RFC 1183 section 3.1", '"<digits>"'),
    (20, "ISDN", "RFC 1183 section 3.2", '"<number>" "<subaddress>"'),
    (21, "RT", "RFC 1183 section 3.3", "<preference> <name>"),
    (22, "NSAP", "RFC 1706 section 5", "0x<hex>"),
    (23, "NSAP-PTR", "RFC 1706 section 6", "<name>"),
    (25, "KEY", "RFC 2535 section 3; RFC 3445", _KEY),
    (26, "PX", "RFC 2163 section 4", "<preference> <name> <X.400 name>"),
    (27, "GPOS", "RFC 1712 section 3", "<longitude> <latitude> <altitude>"),
    (28, "AAAA", "RFC 3596 section 2", "<IPv6 address>"),
    (29, "LOC", "RFC 1876 section 3", "<degrees> ... N|S <degrees> ... E|W <metres>m ..."),
    (30, "NXT", "RFC 2535 section 5; obsolete", "<next name> <type> ..."),
    (33, "SRV", "RFC 2782", "<priority> <weight> <port> <target>"),
    (35, "NAPTR", "RFC 3403 section 4",
     '<order> <preference> "<flags>" "<service>" "<regexp>" <replacement>'),
    (36, "KX", "RFC 2230 section 3", "<preference> <exchanger>"),
    (37, "CERT", "RFC 4398 section 2", "<type> <key tag> <algorithm> <base64>"),
    (38, "A6", "RFC 2874 section 3; historic", "<prefix length> <address> <prefix name>"),
    (39, "DNAME", "RFC 6672 section 2", "<target>"),
    (42, "APL", "RFC 3123 section 4", "[!]<family>:<address>/<prefix length> ..."),
    (43, "DS", "RFC 4034 section 5", _DS),
    (44, "SSHFP", "RFC 4255 section 3; RFC 6594", "<algorithm> <fingerprint type> <hex>"),
    (45, "IPSECKEY", "RFC 4025 section 2",
     "<precedence> <gateway type> <algorithm> <gateway> <base64>"),
    (48, "DNSKEY", "RFC 4034 section 2", _KEY),
    (49, "DHCID", "RFC 4701 section 3", "<base64>"),
    (52, "TLSA", "RFC 6698 section 2", _HASH),
    (53, "SMIMEA", "RFC 8162 section 2", _HASH),
    (55, "HIP", "RFC 8005 section 5", "<algorithm> <hex> <base64> <server> ..."),
    (56, "NINFO", "IANA, registered by expert review", _STRINGS),
    (59, "CDS", "RFC 7344 section 3.1; RFC 8078", _DS),
    (60, "CDNSKEY", "RFC 7344 section 3.2; RFC 8078", _KEY),
    (61, "OPENPGPKEY", "RFC 7929 section 2", "<base64>"),
    (62, "CSYNC", "RFC 7477 section 2", "<serial> <flags> <type> ..."),
    (63, "ZONEMD", "RFC 8976 section 2", "<serial> <scheme> <algorithm> <hex>"),
    (64, "SVCB", "RFC 9460; RFC 9461 for owners with a label _dns", _SERVICE),
    (65, "HTTPS", "RFC 9460", _SERVICE),
    (99, "SPF", "RFC 4408 section 3.1.1; withdrawn by RFC 7208 section 3.1", _STRINGS),
    (103, "UNSPEC", "IANA, reserved", _OPAQUE),
    (104, "NID", "RFC 6742 section 2.1", "<preference> <four groups of four hex digits>"),
    (105, "L32", "RFC 6742 section 2.2", "<preference> <IPv4 address>"),
    (106, "L64", "RFC 6742 section 2.3", "<preference> <four groups of four hex digits>"),
    (107, "LP", "RFC 6742 section 2.4", "<preference> <name>"),
    (108, "EUI48", "RFC 7043 section 3", "xx-xx-xx-xx-xx-xx"),
    (109, "EUI64", "RFC 7043 section 4", "xx-xx-xx-xx-xx-xx-xx-xx"),
    (256, "URI", "RFC 7553 section 4", '<priority> <weight> "<URI>"'),
    (257, "CAA", "RFC 8659 section 4", '<flags> <tag> "<value>"'),
    (258, "AVC", "IANA, registered by expert review", _STRINGS),
    (260, "AMTRELAY", "RFC 8777 section 4", "<precedence> <discovery> <relay type> <relay>"),
    (32768, "TA", "IANA, registered by expert review", _DS),
    (32769, "DLV", "RFC 4431; historic", _DS),
)  # fmt: skip
_SIGNING = (
    (46, "RRSIG", "RFC 4034 section 3"),
    (47, "NSEC", "RFC 4034 section 4"),
    (50, "NSEC3", "RFC 5155 section 3"),
    (51, "NSEC3PARAM", "RFC 5155 section 4"),
)
_META = (
    (0, "TYPE0", "RFC 6895 section 3.1"),
    (24, "SIG", "RFC 2535 section 4; RFC 2931"),
    (41, "OPT", "RFC 6891"),
    (249, "TKEY", "RFC 2930"),
    (250, "TSIG", "RFC 8945"),
    (251, "IXFR", "RFC 1995"),
    (252, "AXFR", "RFC 1035 section 3.2.3"),
    (253, "MAILB", "RFC 1035 section 3.2.3"),
    (254, "MAILA", "RFC 1035 section 3.2.3"),
    (255, "ANY", "RFC 1035 section 3.2.3"),
    (65535, "TYPE65535", "RFC 6895 section 3.1"),
)
# Numbers of queries and messages, assigned or not (RFC 6895 section 3.1).
_META_NUMBERS = range(128, 256)

TYPES: tuple[TypeInfo, ...] = tuple(
    sorted(
        [TypeInfo(number, name, Kind.DATA, *rest) for number, name, *rest in _DATA]
        + [TypeInfo(number, name, Kind.SIGNING, rfc, "") for number, name, rfc in _SIGNING]
        + [TypeInfo(number, name, Kind.META, rfc, "") for number, name, rfc in _META]
    )
)
BY_NUMBER = {info.number: info for info in TYPES}
BY_NAME = {info.name: info for info in TYPES}
MAX_NUMBER = 65535
# The name that stands for all types without one.
UNNAMED = "TYPEn"
UNNAMED_FORM = _OPAQUE
_GENERIC_NAME = re.compile(r"TYPE([0-9]{1,5})")


def find_number(name: str) -> int | None:
    """Return the number of a type's name, or of TYPEnnn; None for any other text."""
    known = BY_NAME.get(name)
    if known is not None:
        return known.number
    found = _GENERIC_NAME.fullmatch(name)
    number = int(found[1]) if found else -1
    return number if 0 <= number <= MAX_NUMBER else None


def number_of(name: str) -> int:
    """Return the number of a type; raises ValueError for what is no type."""
    number = find_number(name)
    if number is None:
        raise ValueError(f"{name!r} is not a record type")
    return number


def name_of(number: int) -> str:
    """Return the name of a type, TYPEnnn for one without a name (RFC 3597 section 5)."""
    known = BY_NUMBER.get(number)
    return known.name if known else f"TYPE{number}"


def canonical_name(name: str) -> str | None:
    """Return the one name of a type, such as A for TYPE1; None for what is no type."""
    number = find_number(name)
    return None if number is None else name_of(number)


def kind_of(number: int) -> Kind:
    """Return what the records of a type are."""
    known = BY_NUMBER.get(number)
    if known is not None:
        return known.kind
    return Kind.META if number in _META_NUMBERS else Kind.DATA
