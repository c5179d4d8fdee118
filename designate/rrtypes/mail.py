"""Record types of mail and texts: MX, TXT and SPF, and others that hold texts."""

from __future__ import annotations

import re
from collections.abc import Iterator

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.txtbase
import dns.tokenizer

from designate.rrtypes.base import GENERIC, FormError, RRType, WireData, register
from designate.wire import names, presentation

MAX_STRING_BYTES = 255
PLAIN_MX = re.compile(r"(0|[1-9][0-9]{0,4}) ((?:[A-Za-z0-9_-]{1,63}\.)+)")
QUOTE_OR_ESCAPE = re.compile(r'\\.|(")', re.DOTALL)
# One string of printable characters without escapes; one or several strings with white space between.
PLAIN_STRING = re.compile(r'"[ !#-\[\]-~]{0,255}"')
STRING = r'"(?:[^"\\]|\\.)*"'
STRINGS = re.compile(rf"\(?\s*{STRING}(?:\s+{STRING})*\s*\)?", re.DOTALL)
WHITE = re.compile(r"\s")


@register
class Mx(RRType):
    """A mail exchange."""

    type = "MX"

    def fast(self, text: str) -> WireData | None:
        found = PLAIN_MX.fullmatch(text)
        if found is None or int(found[1]) > 65535:
            return None
        preference, exchange = found.groups()
        try:
            wire = int(preference).to_bytes(2) + names.to_wire(exchange)
        except ValueError:
            return None
        return WireData(wire, wire[:2] + wire[2:].lower())


def escape_quotes(text: str) -> str:
    """Return the text with a backslash before each quote that has none."""
    return QUOTE_OR_ESCAPE.sub(lambda found: '\\"' if found[1] else found[0], text)


def has_free_quote(text: str) -> bool:
    """Return whether the text has a quote without a backslash before it."""
    return any(found[1] for found in QUOTE_OR_ESCAPE.finditer(text))


def ends_in_backslash(text: str) -> bool:
    """Return whether the text's last character is a backslash."""
    return text.endswith("\\")


class TextType(RRType):
    """A type of one or several character-strings.

    Clients may write strings in quotes, as in master files, or a text without quotes, which is one string:
    spaces, `;` and brackets are part of it. Strings of more than 255 bytes are split; readers of such types
    join them.
    """

    permits_outer_space = True  # refused below, with a better reason

    def fast(self, text: str) -> WireData | None:
        if not PLAIN_STRING.fullmatch(text):
            return None
        wire = bytes((len(text) - 2,)) + text[1:-1].encode("ascii")
        return WireData(wire, wire)

    def master_form(self, text: str) -> str:
        if STRINGS.fullmatch(text):
            return text
        if '" "' in text and len(text) > MAX_STRING_BYTES:
            return _separated(text)
        starts, ends = text.startswith('"'), text.endswith('"')
        if text != '"' and (starts or ends) and not (ends and text.endswith('\\"') and not starts):
            raise FormError(
                'its quotes do not pair off; write each string in quotes, and a quote in it as \\"'
            )
        if ends_in_backslash(text):
            raise FormError('write a backslash at the end in quotes, as two: "...\\\\"')
        if WHITE.search(text) and ("\n" in text or text != text.strip() or has_free_quote(text)):
            raise FormError("put text with spaces in quotes")
        return f'"{escape_quotes(text)}"'

    def parse(self, text: str) -> dns.rdata.Rdata:
        if GENERIC.fullmatch(text):
            return super().parse(text)
        presentation.check_text(text)
        rdtype = dns.rdatatype.RdataType.make(self.code)
        strings = tuple(_strings(text))
        return dns.rdtypes.txtbase.TXTBase(dns.rdataclass.IN, rdtype, strings)


def _separated(text: str) -> str:
    """Return strings that Designate separates by quote, space, quote, with or without the outer quotes."""
    whole = f'"{text.removeprefix(chr(34)).removesuffix(chr(34))}"'
    if not STRINGS.fullmatch(whole):
        raise FormError('write each string in quotes, and a quote in it as \\"')
    return whole


def _strings(text: str) -> Iterator[bytes]:
    for token in dns.tokenizer.Tokenizer(text).get_remaining():
        value = token.unescape_to_bytes().value
        for start in range(0, max(len(value), 1), MAX_STRING_BYTES):
            yield value[start : start + MAX_STRING_BYTES]


@register
class Txt(TextType):
    """Text."""

    type = "TXT"


@register
class Spf(TextType):
    """A policy for senders of mail, obsoleted by TXT."""

    type = "SPF"


@register
class Avc(TextType):
    """The visibility of an application."""

    type = "AVC"


@register
class Ninfo(TextType):
    """The status of a zone."""

    type = "NINFO"
