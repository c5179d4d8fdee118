"""Old types whose data has names that senders may compress, and that dnspython treats as opaque.

A compression pointer is a position in the message in which it arrives. Copied into another message it
points to something else, and nameservers reject that. So these types are parsed as far as their names
reach, which removes the pointers (RFC 3597 section 4). Importing the module registers them with dnspython;
data of types that are not known to anybody has no pointers, by the same section.
"""

from __future__ import annotations

from typing import Any

import dns.immutable
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.RP
import dns.rdtypes.nsbase


@dns.immutable.immutable
class OneName(dns.rdtypes.nsbase.NSBase):
    """MD, MF, MB, MG and MR: one name (RFC 1035 section 3.3)."""


@dns.immutable.immutable
class Minfo(dns.rdtypes.ANY.RP.RP):
    """MINFO: two names (RFC 1035 section 3.3.7)."""


class _NameWithin(dns.rdata.GenericRdata):
    """Opaque data with a name at a fixed place in it."""

    BEFORE_NAME_BYTES = 0

    @classmethod
    def from_wire_parser(
        cls,
        rdclass: dns.rdataclass.RdataClass,
        rdtype: dns.rdatatype.RdataType,
        parser: Any,
        origin: object = None,  # noqa: ARG003 - dnspython's signature
    ) -> dns.rdata.Rdata:
        """Parse the data of a message."""
        before = parser.get_bytes(cls.BEFORE_NAME_BYTES)
        name = OneName.from_wire_parser(rdclass, rdtype, parser).target.to_wire() or b""
        return cls(rdclass, rdtype, before + name + parser.get_remaining())


@dns.immutable.immutable
class Nxt(_NameWithin):
    """NXT: the next name and a bitmap (RFC 2535 section 5.2)."""


@dns.immutable.immutable
class Sig(_NameWithin):
    """SIG: the signer's name behind 18 bytes (RFC 2535 section 4.1)."""

    BEFORE_NAME_BYTES = 18


CLASSES: dict[str, type[dns.rdata.Rdata]] = {
    "MD": OneName,
    "MF": OneName,
    "MB": OneName,
    "MG": OneName,
    "MR": OneName,
    "MINFO": Minfo,
    "SIG": Sig,
    "NXT": Nxt,
}


def _register() -> None:
    for text, found in CLASSES.items():
        number = dns.rdatatype.from_text(text)
        # Later releases of dnspython know some of them.
        known = dns.rdata.get_rdata_class(dns.rdataclass.IN, number)  # type: ignore[no-untyped-call]
        if known is dns.rdata.GenericRdata:
            module = type("module", (), {text: found})
            dns.rdata.register_type(module, number, text)


_register()
