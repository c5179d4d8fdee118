"""Where services are: SRV, NAPTR, SVCB and HTTPS."""

from __future__ import annotations

import base64
import binascii
import re

import dns.rdata

from designate import errors
from designate.rrtypes.address import is_ipv4, is_ipv6
from designate.rrtypes.base import RRType, Verdict, is_domain, number, register

SERVICE_OWNER = re.compile(r"_[^.]+\._[^.]+\.(?P<rest>.+)\Z")
FLAGS = re.compile(r"[APSUapsu]*\Z")
SERVICE = re.compile(r"(?:[A-Za-z][A-Za-z0-9]{0,31}(?:\+[A-Za-z][A-Za-z0-9]{0,31})*)?\Z")
ALPN = frozenset(("h2", "h3", "h2c", "http/1.1", "http/1.0"))
LONGEST_FIELD = 255


def _port(text: str) -> bool:
    return number(text, 65535, canonical=False)


@register
class Srv(RRType):
    type = "SRV"
    code = 33
    rfc = "RFC 2782"
    fields = (_port, _port, _port, is_domain)

    def check_owner(self, name: str) -> None:
        super().check_owner(name)
        found = SERVICE_OWNER.match(name)
        if found is None or not is_domain(name) or found["rest"].startswith("_"):
            raise errors.InvalidObject("name is invalid")


def _bare(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def _flags(text: str) -> bool:
    return len(text) <= LONGEST_FIELD and FLAGS.match(_bare(text)) is not None


def _service(text: str) -> bool:
    return len(text) <= LONGEST_FIELD and SERVICE.match(_bare(text)) is not None


def _regexp(text: str) -> bool:
    """Empty, or `<d>pattern<d>replacement<d>` with an optional i (RFC 3402 section 3.2)."""
    text = _bare(text)
    if len(text) > LONGEST_FIELD:
        return False
    if not text:
        return True
    delimiter = text[0]
    if delimiter.isdigit() or delimiter in 'i\\"':
        return False
    body = text[1:-1] if text.endswith("i") else text[1:]
    return body.endswith(delimiter) and body[:-1].count(delimiter) == 1


@register
class Naptr(RRType):
    type = "NAPTR"
    code = 35
    rfc = "RFC 3403"
    fields = (_port, _port, _flags, _service, _regexp, is_domain)

    def presentation(self, text: str) -> str:
        order, preference, flags, service, regexp, replacement = text.split(" ")
        escaped = _bare(regexp).replace("\\", "\\\\").replace('"', '\\"')
        return (
            f'{order} {preference} "{_bare(flags)}" "{_bare(service)}" "{escaped}" {replacement}'
        )


def _ech(value: str) -> bool:
    if "\\" in value or not value:
        return False
    try:
        return bool(base64.b64decode(value, validate=True))
    except (binascii.Error, ValueError):
        return False


class _Binding(RRType):
    """Priority, target, and parameters `key=value` (RFC 9460 section 2.1)."""

    keys: frozenset[str]

    def grammar(self, text: str, owner: str) -> bool:
        priority, *rest = text.split(" ")
        if not rest or not number(priority, 65535) or not is_domain(rest[0]):
            return False
        values: dict[str, str] = {}
        for parameter in rest[1:]:
            key, equals, value = parameter.partition("=")
            if len(parameter) > LONGEST_FIELD or (not equals and key != "no-default-alpn"):
                return False
            values[key] = value
        return all(self._value(key, value, values) for key, value in values.items())

    def _value(self, key: str, value: str, values: dict[str, str]) -> bool:
        parts = value.split(",")
        if key not in self.keys:
            return False
        if key == "alpn":
            return all(part in ALPN for part in parts)
        if key == "no-default-alpn":
            return "alpn" in values
        if key == "port":
            return value.isascii() and value.isdigit() and len(value) <= 5
        if key == "ipv4hint":
            return all(is_ipv4(part) for part in parts)
        if key == "ipv6hint":
            return all(is_ipv6(part) for part in parts)
        if key == "ech":
            return _ech(value)
        if key == "mandatory":
            return all(part in values and part != "mandatory" for part in parts)
        return value.startswith("/") and "{?dns}" in value and len(value) >= 7

    def further(self, rdata: dns.rdata.Rdata) -> Verdict:
        if getattr(rdata, "priority", 1) == 0 and getattr(rdata, "params", None):
            return "an alias (priority 0) takes no parameters"
        return None


@register
class Https(_Binding):
    type = "HTTPS"
    code = 65
    rfc = "RFC 9460"
    keys = frozenset(
        ("alpn", "no-default-alpn", "port", "ipv4hint", "ipv6hint", "ech", "mandatory")
    )


@register
class Svcb(_Binding):
    type = "SVCB"
    code = 64
    rfc = "RFC 9460; RFC 9461 for _dns owners"
    keys = Https.keys | {"dohpath"}

    def grammar(self, text: str, owner: str) -> bool:
        if not super().grammar(text, owner):
            return False
        if "_dns" not in owner.lower().split("."):
            return True
        values = dict(item.partition("=")[::2] for item in text.split(" ")[2:])
        protocols = values.get("alpn", "").split(",")
        if protocols == [""]:
            return False
        return "dohpath" in values or not ({"h2", "h3"} & set(protocols))
