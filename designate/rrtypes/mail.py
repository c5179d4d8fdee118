"""MX, and the texts: TXT and SPF."""

from __future__ import annotations

import re

import dns.rdata
import dns.rdtypes.ANY.MX

from designate.rrtypes.base import CONTROL, DOMAIN, RRType, Verdict, number, register

LONGEST_STRING = 255
UNESCAPED_QUOTE = re.compile(r'(?<!\\)"')
WHITE = re.compile(r"\s")


@register
class Mx(RRType):
    type = "MX"
    code = 15
    rfc = "RFC 1035 section 3.3.9; RFC 7505 for the null MX"
    fields = (lambda text: number(text, 65535), lambda text: text.endswith(".") and len(text) <= 255)

    def further(self, rdata: dns.rdata.Rdata) -> Verdict:
        assert isinstance(rdata, dns.rdtypes.ANY.MX.MX)  # noqa: S101 - the type says so
        exchange = rdata.exchange.to_text()
        if exchange != "." and not DOMAIN.match(exchange.removeprefix("*.")):
            return f"{exchange} is not a host name"
        return None


def is_single_string(text: str) -> bool:
    """One character-string as clients write it, with or without quotes."""
    if len(text) > LONGEST_STRING or "\n" in text:
        return False
    if text == '"':
        return True
    starts, ends = text.startswith('"'), text.endswith('"')
    if starts != ends:
        return False
    if not starts:
        return WHITE.search(text) is None
    return not has_free_quote(text.strip('"'))


def has_free_quote(text: str) -> bool:
    return UNESCAPED_QUOTE.search(text) is not None


def quoted(text: str) -> str:
    """A text as one or more quoted character-strings of master-file form (RFC 1035 section 5.1).

    What is not quoted is data to the last character; what is longer than a string holds is
    divided.
    """
    if len(text) > 1 and text.startswith('"') and text.endswith('"'):
        return text
    escaped = "".join("\\" + char if char == '"' else char for char in text)
    return f'"{escaped}"'


class _Text(RRType):
    def presentation(self, text: str) -> str:
        if CONTROL.search(text):
            raise ValueError("it holds control characters")
        return quoted(text)


@register
class Txt(_Text):
    type = "TXT"
    code = 16
    rfc = "RFC 1035 section 3.3.14"

    def grammar(self, text: str, owner: str) -> bool:
        if text.endswith("\\"):
            return False
        if len(text) <= LONGEST_STRING:
            return is_single_string(text)
        enclosed = text.startswith('"') and text.endswith('"')
        if not enclosed and '" "' not in text:
            return False
        inner = text[1:] if text.startswith('"') else text
        inner = inner[:-1] if inner.endswith('"') else inner
        return all(is_single_string(f'"{piece}"') for piece in inner.split('" "'))


@register
class Spf(_Text):
    type = "SPF"
    code = 99
    rfc = "RFC 4408 section 3.1.1"

    def grammar(self, text: str, owner: str) -> bool:
        if "\n" in text:
            return False
        if not text.startswith('"') and not text.endswith('"'):
            return WHITE.search(text) is None
        return not has_free_quote(text.strip('"'))
