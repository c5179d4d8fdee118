"""MX, and the texts: TXT and SPF."""

from __future__ import annotations

import re

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.SPF
import dns.tokenizer

from designate.rrtypes.base import Data, Field, RRType, number, register
from designate.wire import names

LONGEST_STRING = 255
# What stands for itself in a name of a master file, or is escaped (RFC 1035 section 5.1).
EXCHANGE = re.compile(r'(?:[^\x00-\x20"();\\\x7f-\U0010ffff]|\\[0-9]{3}|\\[!-/:-~])+\Z')
PLAIN_NAME = re.compile(r"(?:[A-Za-z0-9_-]{1,63}\.)+")
QUOTE_OR_ESCAPE = re.compile(r'\\.|(")', re.DOTALL)
FREE_QUOTE = re.compile(r'(?<!\\)"')
WHITE = re.compile(r"\s")
# One string and several as dnspython writes them; the first of printable characters that are data.
PLAIN_STRING = re.compile(r'"[ !#-\[\]-~]{0,255}"')
STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"(?: "(?:[^"\\]|\\.)*")*', re.DOTALL)
# Quoted strings, and between them nothing that begins a comment or a group of lines.
MASTER_STRINGS = re.compile(r'(?:"(?:[^"\\]|\\.)*"|\\.|[^"();\\])*\Z', re.DOTALL)


def _exchange(text: str) -> bool:
    return text.endswith(".") and len(text) <= 255


@register
class Mx(RRType):
    type = "MX"
    code = 15
    rfc = "RFC 1035 section 3.3.9; RFC 7505 for the null MX"
    fields = (
        Field("preference", lambda text: number(text, 65535, canonical=True)),
        Field("exchange", _exchange),
    )

    def data(self, text: str) -> Data:
        preference, _, exchange = text.partition(" ")
        if PLAIN_NAME.fullmatch(exchange):
            wire = int(preference).to_bytes(2) + names.to_wire(exchange)
            return Data(wire, wire[:2] + wire[2:].lower())
        return super().data(text)

    def presentation(self, text: str) -> str:
        if not EXCHANGE.match(text.partition(" ")[2]):
            raise ValueError(
                "the exchange is not a name of ASCII characters; "
                'white space and any of " ( ) ; \\ are escaped with a backslash'
            )
        return text


def has_free_quote(text: str) -> bool:
    return FREE_QUOTE.search(text) is not None


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


def without_outer_quotes(text: str) -> str:
    return text.removeprefix('"').removesuffix('"')


def escape_quotes(text: str) -> str:
    """The text with a backslash before each quote that has none."""
    return QUOTE_OR_ESCAPE.sub(lambda found: '\\"' if found[1] else found[0], text)


class _Text(RRType):
    def written(self, text: str, owner: str) -> bool:
        """Any number of strings: clients could not write some of them, but can read them."""
        return STRINGS.fullmatch(text) is not None

    def data(self, text: str) -> Data:
        if PLAIN_STRING.fullmatch(text):
            wire = bytes((len(text) - 2,)) + text[1:-1].encode("ascii")
            return Data(wire, wire)
        return super().data(text)

    def presentation(self, text: str) -> str:
        """What is not in quotes gets them, so that `;` and brackets in it are data, not syntax."""
        enclosed = self.enclosed(text)
        if not MASTER_STRINGS.match(enclosed):
            raise ValueError("its quotes do not pair off, or one of ; ( ) stands outside of them")
        return enclosed

    def enclosed(self, text: str) -> str:
        if len(text) > 1 and text.startswith('"') and text.endswith('"'):
            return text
        return f'"{escape_quotes(text)}"'


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
        if not (text.startswith('"') and text.endswith('"')) and '" "' not in text:
            return False
        pieces = without_outer_quotes(text).split('" "')
        return all(is_single_string(f'"{piece}"') for piece in pieces)

    def enclosed(self, text: str) -> str:
        if len(text) > LONGEST_STRING:
            return f'"{without_outer_quotes(text)}"'
        return super().enclosed(text)


@register
class Spf(_Text):
    type = "SPF"
    code = 99
    rfc = "RFC 4408 section 3.1.1; withdrawn by RFC 7208 section 3.1"

    def grammar(self, text: str, owner: str) -> bool:
        if "\n" in text:
            return False
        if not text.startswith('"') and not text.endswith('"'):
            return WHITE.search(text) is None
        return not has_free_quote(text.strip('"'))

    def enclosed(self, text: str) -> str:
        if len(text) > 1 and text.startswith('"') != (text.endswith('"') and text[-2] != "\\"):
            raise ValueError("it has a quote at one end only")
        return super().enclosed(text)

    def parse(self, text: str) -> dns.rdata.Rdata:
        """Strings of any length: readers join the parts (RFC 4408 section 3.1.3)."""
        strings: list[bytes] = []
        for token in dns.tokenizer.Tokenizer(text).get_remaining():
            value = token.unescape_to_bytes().value
            starts = range(0, max(len(value), 1), LONGEST_STRING)
            strings += [value[start : start + LONGEST_STRING] for start in starts]
        return dns.rdtypes.ANY.SPF.SPF(dns.rdataclass.IN, dns.rdatatype.SPF, strings)
