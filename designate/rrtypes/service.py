"""Record types that locate services: SRV, NAPTR, SVCB and HTTPS."""

from __future__ import annotations

import base64
import re
from typing import Any, ClassVar

from designate import errors
from designate.rrtypes.address import is_ipv4, is_ipv6
from designate.rrtypes.base import RecordField, RRType, register
from designate.rrtypes.grammar import is_domain, is_number
from designate.rrtypes.mail import escape_quotes
from designate.rrtypes.naptr_regex import check_substitution
from designate.rrtypes.security import decode_base64

MAX_FIELD_CHARS = 255
SERVICE_OWNER = re.compile(r"_[^.]*\._[^.]*\..")
FLAGS = re.compile(r"[APSUapsu]*\Z")
SERVICE = re.compile(r"(?:[A-Za-z][A-Za-z0-9]{0,31}(?:\+[A-Za-z][A-Za-z0-9]{0,31})*)?\Z")
ALPN = frozenset(("h2", "h3", "h2c", "http/1.1", "http/1.0"))
# Literals, percent-encoded bytes and expressions of RFC 6570 sections 2.1 to 2.4.
URI_TEMPLATE = re.compile(
    r"(?:[!#$&-;=?-\[\]_a-z~\xa0-\U0010ffff]|%[0-9A-Fa-f]{2}"
    r"|\{[+#./;?&]?VARIABLE(?:,VARIABLE)*\})*\Z".replace(
        "VARIABLE", r"NAME(?:\.?NAME)*(?::[1-9][0-9]{0,3}|\*)?"
    ).replace("NAME", "(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})")
)


def _uint16(text: str) -> bool:
    return is_number(text, 65535)


@register
class Srv(RRType):
    """The server of a service."""

    type = "SRV"
    code = 33
    rfc = "RFC 2782"
    fields = (
        RecordField("priority", _uint16),
        RecordField("weight", _uint16),
        RecordField("port", _uint16),
        RecordField("target", is_domain),
    )

    def check_owner(self, name: str) -> None:
        super().check_owner(name)
        if not (SERVICE_OWNER.match(name) and is_domain(name)):
            raise errors.InvalidObject(
                "name is invalid: it begins with service and protocol, such as _sip._tcp"
            )


def _bare(text: str) -> str:
    """Return the text without the quotes around it, which clients may omit."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def _flags(text: str) -> bool:
    bare = _bare(text)
    return len(bare) <= MAX_FIELD_CHARS and FLAGS.match(bare) is not None


def _service(text: str) -> bool:
    bare = _bare(text)
    return len(bare) <= MAX_FIELD_CHARS and SERVICE.match(bare) is not None


def _regexp(text: str) -> bool:
    """Accept nothing or `<d>pattern<d>replacement<d>` with an optional i (RFC 3402 section 3.2)."""
    bare = _bare(text)
    if len(bare) > MAX_FIELD_CHARS or re.search(r"\s", bare):
        return False
    if not bare:
        return True
    delimiter, rest = bare[0], bare[1:].removesuffix("i")
    return delimiter not in "0123456789i\\" and rest.endswith(delimiter) and delimiter in rest[:-1]


@register
class Naptr(RRType):
    """A rule that rewrites names."""

    type = "NAPTR"
    code = 35
    rfc = "RFC 3403"
    fields = (
        RecordField("order", _uint16),
        RecordField("preference", _uint16),
        RecordField("flags", _flags),
        RecordField("service", _service),
        RecordField("regexp", _regexp),
        RecordField("replacement", is_domain),
    )

    def presentation(self, text: str) -> str:
        order, preference, flags, service, regexp, replacement = text.split(" ")
        strings = (f'"{escape_quotes(_bare(part))}"' for part in (flags, service, regexp))
        return f"{order} {preference} {' '.join(strings)} {replacement}"

    def check_rdata(self, rdata: Any) -> None:
        check_substitution(rdata.regexp)


class _Binding(RRType):
    """A priority, a target, and parameters `key=value` (RFC 9460 section 2.1)."""

    keys: ClassVar[frozenset[str]]

    def grammar(self, text: str, owner: str) -> bool:  # noqa: ARG002 - part of the interface
        priority, *rest = text.split(" ")
        if not rest or not _uint16(priority) or not is_domain(rest[0]) or '"' in text:
            return False
        for parameter in rest[1:]:
            key, equals, _ = parameter.partition("=")
            if len(parameter) > MAX_FIELD_CHARS or (not equals and key != "no-default-alpn"):
                return False
        values = _parameters(text)
        return all(self._accepts(key, value, values) for key, value in values.items())

    def _accepts(self, key: str, value: str, values: dict[str, str]) -> bool:
        if key not in self.keys:
            return False
        parts = value.split(",")
        match key:
            case "alpn":
                return ALPN.issuperset(parts)
            case "no-default-alpn":
                return "alpn" in values
            case "port":
                return value.isascii() and value.isdigit() and len(value) <= 5
            case "ipv4hint":
                return all(map(is_ipv4, parts))
            case "ipv6hint":
                return all(map(is_ipv6, parts))
            case "ech":
                return "\\" not in value and decode_base64(value) is not None
            case "mandatory":
                return values.keys() >= set(parts)
            case _:
                return value.startswith("/") and "{?dns}" in value and len(value) >= 7

    def presentation(self, text: str) -> str:
        """Quote the values, and use the last of several parameters of one key."""
        priority, target = text.split(" ")[:2]
        values = _parameters(text)
        if "ech" in values:
            decoded = decode_base64(values["ech"])
            values["ech"] = base64.b64encode(decoded or b"").decode()
        if not URI_TEMPLATE.match(values.get("dohpath", "")):
            raise ValueError("dohpath is not a URI template (RFC 6570)")
        return " ".join([priority, target, *(f'{key}="{values[key]}"' for key in values)])


def _parameters(text: str) -> dict[str, str]:
    pairs = (parameter.partition("=") for parameter in text.split(" ")[2:])
    return {key: value for key, _, value in pairs}


@register
class Https(_Binding):
    """The endpoint of an HTTPS service."""

    type = "HTTPS"
    code = 65
    rfc = "RFC 9460"
    keys = frozenset(
        ("alpn", "no-default-alpn", "port", "ipv4hint", "ipv6hint", "ech", "mandatory")
    )


@register
class Svcb(_Binding):
    """The endpoint of a service."""

    type = "SVCB"
    code = 64
    rfc = "RFC 9460; RFC 9461 for owners with a label _dns"
    keys = Https.keys | {"dohpath"}

    def grammar(self, text: str, owner: str) -> bool:
        if not super().grammar(text, owner):
            return False
        if "_dns" not in owner.lower().split("."):
            return True
        values = _parameters(text)
        protocols = values.get("alpn", "").split(",")
        return "alpn" in values and ("dohpath" in values or not {"h2", "h3"} & set(protocols))
