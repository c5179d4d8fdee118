"""Record types of mail and texts: MX, TXT and SPF."""

from __future__ import annotations

import re

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.SPF
import dns.tokenizer

from designate.rrtypes.base import RecordField, RRType, WireData, register
from designate.rrtypes.grammar import is_number
from designate.wire import names

MAX_STRING_CHARS = 255
# Characters that need no escape in a name of a master file, and escapes (RFC 1035 section 5.1).
EXCHANGE = re.compile(r'(?:[^\x00-\x20"();\\\x7f-\U0010ffff]|\\[0-9]{3}|\\[!-/:-~])+\Z')
PLAIN_NAME = re.compile(r"(?:[A-Za-z0-9_-]{1,63}\.)+")
QUOTE_OR_ESCAPE = re.compile(r'\\.|(")', re.DOTALL)
FREE_QUOTE = re.compile(r'(?<!\\)"')
WHITE = re.compile(r"\s")
# One string of printable characters without escapes; one or several strings as dnspython writes them.
PLAIN_STRING = re.compile(r'"[ !#-\[\]-~]{0,255}"')
STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"(?: "(?:[^"\\]|\\.)*")*', re.DOTALL)
# Quoted strings, without the start of a comment or a group of lines between them.
MASTER_STRINGS = re.compile(r'(?:"(?:[^"\\]|\\.)*"|\\.|[^"();\\])*\Z', re.DOTALL)


def _exchange(text: str) -> bool:
    return text.endswith(".") and len(text) <= 255


@register
class Mx(RRType):
    """A mail exchange."""

    type = "MX"
    code = 15
    rfc = "RFC 1035 section 3.3.9; RFC 7505 for the null MX"
    fields = (
        RecordField("preference", lambda text: is_number(text, 65535, canonical=True)),
        RecordField("exchange", _exchange),
    )

    def to_wire(self, text: str) -> WireData:
        preference, _, exchange = text.partition(" ")
        if PLAIN_NAME.fullmatch(exchange):
            wire = int(preference).to_bytes(2) + names.to_wire(exchange)
            return WireData(wire, wire[:2] + wire[2:].lower())
        return super().to_wire(text)

    def presentation(self, text: str) -> str:
        if not EXCHANGE.match(text.partition(" ")[2]):
            raise ValueError(
                "the exchange is not a name of ASCII characters; "
                'white space and any of " ( ) ; \\ are escaped with a backslash'
            )
        return text


def has_free_quote(text: str) -> bool:
    """Return whether the text has a quote without a backslash before it."""
    return FREE_QUOTE.search(text) is not None


def is_single_string(text: str) -> bool:
    """Return whether the text is one character-string, with or without quotes."""
    if len(text) > MAX_STRING_CHARS or "\n" in text:
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
    """Return the text without a quote at each end."""
    return text.removeprefix('"').removesuffix('"')


def escape_quotes(text: str) -> str:
    """Return the text with a backslash before each quote that has none."""
    return QUOTE_OR_ESCAPE.sub(lambda found: '\\"' if found[1] else found[0], text)


class _Text(RRType):
    """One or several character-strings."""

    def hint(self, text: str) -> str:
        if WHITE.search(text) and not (text.startswith('"') and text.endswith('"')):
            return "put text with spaces in quotes"
        if text.endswith("\\"):
            return "write a backslash as two"
        if len(text) > MAX_STRING_CHARS:
            return f'put it in quotes, in strings of at most {MAX_STRING_CHARS} characters: "..." "..."'
        return ""

    def zonefile_grammar(self, text: str, owner: str) -> bool:  # noqa: ARG002 - part of the interface
        """Accept any number of strings, including some that the input grammar of the API rejects."""
        return STRINGS.fullmatch(text) is not None

    def to_wire(self, text: str) -> WireData:
        if PLAIN_STRING.fullmatch(text):
            wire = bytes((len(text) - 2,)) + text[1:-1].encode("ascii")
            return WireData(wire, wire)
        return super().to_wire(text)

    def presentation(self, text: str) -> str:
        """Put unquoted text in quotes, so that `;` and brackets in it are data, not syntax."""
        quoted = self.quoted(text)
        if not MASTER_STRINGS.match(quoted):
            raise ValueError("its quotes do not pair off, or one of ; ( ) is outside of them")
        return quoted

    def quoted(self, text: str) -> str:
        """Return the text in quotes."""
        if len(text) > 1 and text.startswith('"') and text.endswith('"'):
            return text
        return f'"{escape_quotes(text)}"'


@register
class Txt(_Text):
    """Text; above 255 characters it is split into strings."""

    type = "TXT"
    code = 16
    rfc = "RFC 1035 section 3.3.14"

    def grammar(self, text: str, owner: str) -> bool:  # noqa: ARG002 - part of the interface
        if text.endswith("\\"):
            return False
        if len(text) <= MAX_STRING_CHARS:
            return is_single_string(text)
        if not (text.startswith('"') and text.endswith('"')) and '" "' not in text:
            return False
        pieces = without_outer_quotes(text).split('" "')
        return all(is_single_string(f'"{piece}"') for piece in pieces)

    def quoted(self, text: str) -> str:
        if len(text) > MAX_STRING_CHARS:
            return f'"{without_outer_quotes(text)}"'
        return super().quoted(text)


@register
class Spf(_Text):
    """A policy for senders of mail, obsoleted by TXT."""

    type = "SPF"
    code = 99
    rfc = "RFC 4408 section 3.1.1; withdrawn by RFC 7208 section 3.1"

    def grammar(self, text: str, owner: str) -> bool:  # noqa: ARG002 - part of the interface
        if "\n" in text:
            return False
        if not text.startswith('"') and not text.endswith('"'):
            return WHITE.search(text) is None
        return not has_free_quote(text.strip('"'))

    def quoted(self, text: str) -> str:
        if len(text) > 1 and text.startswith('"') != (text.endswith('"') and text[-2] != "\\"):
            raise ValueError("it has a quote at one end only")
        return super().quoted(text)

    def parse(self, text: str) -> dns.rdata.Rdata:
        """Split strings of any length; receivers join the parts (RFC 4408 section 3.1.3)."""
        strings: list[bytes] = []
        for token in dns.tokenizer.Tokenizer(text).get_remaining():
            value = token.unescape_to_bytes().value
            starts = range(0, max(len(value), 1), MAX_STRING_CHARS)
            strings += [value[start : start + MAX_STRING_CHARS] for start in starts]
        return dns.rdtypes.ANY.SPF.SPF(dns.rdataclass.IN, dns.rdatatype.SPF, strings)
