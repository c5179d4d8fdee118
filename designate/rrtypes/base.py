"""The registry of record types and the two gates that record data passes.

Gate 1 is the grammar that clients know, declared per type. Gate 2 is dnspython: text to rdata to wire
and back. Only what passes both has a wire form, and only wire is ever transferred, so no stored
record can spoil a zone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import ClassVar

import dns.exception
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from designate import errors
from designate.errors import Reason

LONGEST_NAME = 254
LONGEST_WIRE_NAME = 255
LABEL = r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)"
DOMAIN = re.compile(rf"(?:{LABEL}\.)+\Z")
HOST = re.compile(rf"(?:\*\.)?(?:{LABEL}\.)+\Z")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

Verdict = str | None


def is_domain(name: str) -> bool:
    return len(name) <= LONGEST_NAME and DOMAIN.match(name) is not None


def is_host(name: str) -> bool:
    """As a domain, but the first label may be exactly `*`."""
    return len(name) <= LONGEST_NAME and HOST.match(name) is not None


def is_email(text: str) -> bool:
    return (
        len(text) <= 255
        and text.count("@") == 1
        and not text.endswith(".")
        and is_domain(text.replace("@", ".") + ".")
    )


def check_domain(name: str) -> None:
    """Raises InvalidObject that says what is wrong with the name."""
    if not name.endswith("."):
        raise errors.InvalidObject(f"Domain {name} does not end with a dot")
    if len(name) > LONGEST_NAME:
        raise errors.InvalidObject(f"Domain {name} is too long")
    if not is_domain(name):
        raise errors.InvalidObject(f"Domain {name} is invalid")


def number(text: str, highest: int, *, canonical: bool = True) -> bool:
    """Decimal digits up to a value; canonical: no leading zeros."""
    if not text.isascii() or not text.isdigit() or len(text) > 10:
        return False
    return int(text) <= highest and (not canonical or text == str(int(text)))


class RRType:
    """One record type. Stateless.

    type, code: its name and number. rfc: where it is defined. fields: gate 1 of each field, split at
    single spaces; types with another grammar override `grammar`.
    """

    type: ClassVar[str]
    code: ClassVar[int]
    rfc: ClassVar[str]
    fields: ClassVar[tuple[Callable[[str], bool], ...]] = ()

    def check_owner(self, name: str) -> None:
        """Raises InvalidObject unless the recordset may have this name."""
        if not name.endswith("."):
            raise errors.InvalidObject(f"Domain {name} does not end with a dot")
        if not is_host(name):
            raise errors.InvalidObject(f"Host {name} is invalid")

    def grammar(self, text: str, owner: str) -> bool:
        """Gate 1: whether clients may write this."""
        parts = text.split(" ")
        return len(parts) == len(self.fields) and all(
            check(part) for check, part in zip(self.fields, parts, strict=True)
        )

    def presentation(self, text: str) -> str:
        """The text as dnspython reads it."""
        return text

    def further(self, rdata: dns.rdata.Rdata) -> Verdict:
        """What nameservers refuse though dnspython reads it; None: nothing."""
        return None

    def wire(self, text: str) -> bytes:
        """Gate 2. Raises ValueError with the reason."""
        try:
            rdata = dns.rdata.from_text(
                dns.rdataclass.IN, dns.rdatatype.RdataType(self.code), self.presentation(text)
            )
            wire = rdata.to_wire() or b""
            again = dns.rdata.from_wire(rdata.rdclass, rdata.rdtype, wire, 0, len(wire))
        except (dns.exception.DNSException, ValueError, OverflowError, KeyError) as error:
            raise ValueError(str(error) or type(error).__name__) from None
        if again != rdata:
            raise ValueError("it reads back differently")
        reason = self.further(rdata)
        if reason is not None:
            raise ValueError(reason)
        return wire


REGISTRY: dict[str, RRType] = {}


def register(cls: type[RRType]) -> type[RRType]:
    if cls.type in REGISTRY:
        raise ValueError(f"{cls.type} is registered by {type(REGISTRY[cls.type])} and {cls}")
    REGISTRY[cls.type] = cls()
    return cls


def numeric_type(rtype: str) -> int:
    return REGISTRY[rtype].code


def check_type(rtype: object, enabled: Collection[str]) -> None:
    """Raises InvalidObject unless this is a type that recordsets may have here."""
    if not isinstance(rtype, str) or rtype not in REGISTRY:
        problem = f"'{rtype}' is not a valid record type"
    elif rtype not in enabled:
        problem = f"'{rtype}' is not a supported record type"
    else:
        return
    raise errors.InvalidObject(reasons=(Reason(("recordset", "type"), problem, "value", [rtype]),))


def check_owner(rtype: str, name: str) -> None:
    """Raises InvalidObject (TLSA: BadRequest) unless a recordset of this type may have the name."""
    REGISTRY[rtype].check_owner(name)


def rdata(rtype: str, owner: str, records: Sequence[str]) -> tuple[bytes, ...]:
    """The wire form of each record, in order. Raises InvalidObject with a reason per bad record.

    Two texts of the same wire form are refused: an RRset holds no duplicates (RFC 2181 section 5).
    """
    handler = REGISTRY[rtype]
    wires: list[bytes] = []
    reasons: list[Reason] = []
    for index, text in enumerate(records):
        problem = f"'{text}' is not a '{rtype}' Record"
        try:
            if not handler.grammar(text, owner):
                raise _GrammarError
            wire = handler.wire(text)
            if wire in wires:
                raise ValueError("it repeats another record of the recordset")
            wires.append(wire)
        except _GrammarError:
            reasons.append(Reason(("records", index), problem, "format", [rtype]))
        except ValueError as error:
            reasons.append(Reason(("records", index), f"{problem}: {error}", "format", [rtype]))
    if reasons:
        raise errors.InvalidObject(reasons=tuple(reasons))
    return tuple(wires)


class _GrammarError(Exception):
    pass
