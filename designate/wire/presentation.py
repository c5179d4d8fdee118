"""Record data as text and as wire form: one record's text in, its canonical text out.

The canonical text is the same for the same data whatever the release of dnspython: it is what exports,
differences and transferred records show. Data whose text would not read back equal, and data of types
without a name, have the text of unknown types (RFC 3597 section 5).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.tokenizer

from designate.wire import names, rdata_classes, types

IN = dns.rdataclass.IN
MALFORMED = (dns.exception.DNSException, ValueError, IndexError, OverflowError)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
# The names of parameters that every nameserver in use can read (RFC 9460 section 14.3.2); the others are
# written by number.
_PARAMETERS = (
    "mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint", "dohpath",
)  # fmt: skip
_TYPE_CERT = 37
_TYPE_RRSIG = 46
_TYPES_WITH_BITMAP = frozenset((47, 50, 62))
_TYPES_OF_BINDINGS = frozenset((64, 65))
# Frequent types, whose text in dnspython always reads back equal; proved for each by the tests.
_EXACT: frozenset[int] = frozenset((1, 2, 5, 6, 12, 15, 16, 28, 33, 43, 46, 47, 48, 50))

# The members with names of dnspython's types that RFC 4034 section 6.2 does not list.
_NAME_MEMBERS = ("target", "fqdn", "gateway", "relay")
_generic: Any = dns.rdata.GenericRdata


def parse_wire(number: int, data: bytes) -> dns.rdata.Rdata:
    """Return uncompressed data as dnspython's value; raises one of MALFORMED."""
    rdtype = dns.rdatatype.RdataType.make(number)
    if number not in types.BY_NUMBER:
        return dns.rdata.GenericRdata(IN, rdtype, data)
    return dns.rdata.from_wire(IN, rdtype, data, 0, len(data))


def parse_text(number: int, text: str) -> dns.rdata.Rdata:
    r"""Return the data of one record's text, in the form of master files or as `\# length hex`.

    Names must be absolute. Line ends are allowed within brackets.

    Raises:
        ValueError: The text has more than the data of one record, or what RDATA cannot have.
        dns.exception.DNSException: It is not in the form of the type.
    """
    text = text.replace("\r\n", "\n").rstrip(" \t\n")
    check_text(text)
    rdtype = dns.rdatatype.RdataType.make(number)
    if number not in types.BY_NUMBER:
        found: dns.rdata.Rdata = _generic.from_text(IN, rdtype, dns.tokenizer.Tokenizer(text))
        return found
    return dns.rdata.from_text(IN, rdtype, text, idna_codec=names.IDNA)


def check_text(text: str) -> None:
    """Raise ValueError for what the text of one record cannot have, whatever its type."""
    if CONTROL.search(text):
        raise ValueError("it holds a control character; write it as \\DDD, its decimal number")
    tokenizer = dns.tokenizer.Tokenizer(text)
    while not (token := tokenizer.get(want_comment=True)).is_eof():
        if token.is_comment():
            raise ValueError("a comment is not part of a record; write ; as \\; or within quotes")
        if token.is_eol():
            raise ValueError("put the lines of one record within brackets ( )")
        is_name = token.is_identifier() and token.value.endswith(".")
        if not (token.value.isascii() or is_name or token.is_quoted_string()):
            raise ValueError("it holds a character beyond ASCII outside of names and quotes")


def to_text(number: int, data: bytes) -> str:
    """Return the canonical text of uncompressed data."""
    if number in types.BY_NUMBER:
        try:
            return text_of(parse_wire(number, data), data)
        except MALFORMED:
            pass
    return generic_text(data)


def text_of(rdata: dns.rdata.Rdata, data: bytes) -> str:
    """Return the canonical text of a value of dnspython and its uncompressed data."""
    number = int(rdata.rdtype)
    if number in types.BY_NUMBER and not isinstance(rdata, dns.rdata.GenericRdata):
        try:
            text = _TEXTS.get(number, _plain)(rdata, data)
            exact = number in _EXACT and text and not text.endswith(" ")
            if exact or parse_text(number, text).to_wire() == data:
                return text
        except MALFORMED:
            pass
    return generic_text(data)


def identity_of(rdata: Any) -> bytes:
    """Return data with all its names in lower case; equal for what nameservers take for the same record.

    That is more than the canonical form, which leaves the names of newer types as they are (RFC 4034
    section 6.2, RFC 6840 section 5.1).
    """
    lower: dict[str, Any] = {
        member: value.canonicalize()
        for member in _NAME_MEMBERS
        if isinstance(value := getattr(rdata, member, None), dns.name.Name)
    }
    if servers := getattr(rdata, "servers", ()):
        lower["servers"] = [name.canonicalize() for name in servers]
    return bytes((rdata.replace(**lower) if lower else rdata).to_digestable())


def generic_text(data: bytes) -> str:
    """Return data as the text of an unknown type."""
    return f"\\# {len(data)} {data.hex()}".rstrip()


def _plain(rdata: Any, _data: bytes) -> str:
    return str(rdata.to_text())


def _certificate(rdata: Any, data: bytes) -> str:
    """Return a CERT with numbers, since nameservers know different names of them."""
    base64 = rdata.to_text().split(" ", 3)[3]
    return f"{int.from_bytes(data[:2])} {rdata.key_tag} {data[4]} {base64}"


def _signature(rdata: Any, _data: bytes) -> str:
    rest = rdata.to_text().partition(" ")[2]
    return f"{types.name_of(rdata.type_covered)} {rest}"


def _with_bitmap(rdata: Any, _data: bytes) -> str:
    """Return the text with our names of the types in its bitmap."""
    found = [
        name
        for block, bitmap in rdata.windows
        for name in rdata_classes.bitmap_names(block, bitmap)
    ]
    # dnspython writes as many words for the types, at the end.
    words = rdata.to_text().split()
    return " ".join([*words[: len(words) - len(found)], *found])


def _binding(rdata: Any, data: bytes) -> str:
    """Return an SVCB or HTTPS with its values in quotes (RFC 9460 section 2.1)."""
    words = [str(rdata.priority), rdata.target.to_text()]
    position = 2 + len(rdata.target.to_wire())
    while position < len(data):
        key = int.from_bytes(data[position : position + 2])
        end = position + 4 + int.from_bytes(data[position + 2 : position + 4])
        value = data[position + 4 : end]
        position = end
        if key < len(_PARAMETERS):
            words.append(_named_parameter(key, value, rdata.params.get(key)))
        else:
            words.append(f'key{key}="{quoted(value)}"' if value else f"key{key}")
    return " ".join(words)


def _named_parameter(key: int, value: bytes, parameter: Any) -> str:
    name = _PARAMETERS[key]
    match name:
        case "no-default-alpn":
            return name
        case "mandatory":
            keys = [int.from_bytes(value[at : at + 2]) for at in range(0, len(value), 2)]
            shown = [_PARAMETERS[one] if one < len(_PARAMETERS) else f"key{one}" for one in keys]
            return f'{name}="{",".join(shown)}"'
        case "alpn":
            return f'{name}="{quoted(b",".join(map(_list_item, parameter.ids)))}"'
        case "dohpath":
            return f'{name}="{quoted(value)}"' if value else f"key{key}"
    return f"{name}={parameter.to_text()}"


def _list_item(value: bytes) -> bytes:
    """Return an item of a list of values, its own commas escaped (RFC 9460 appendix A.1)."""
    return value.replace(b"\\", b"\\\\").replace(b",", b"\\,")


def quoted(value: bytes) -> str:
    """Return a character-string's inside of quotes (RFC 1035 section 5.1)."""
    return "".join(
        f"\\{chr(octet)}"
        if octet in b'"\\'
        else chr(octet)
        if 0x20 <= octet < 0x7F
        else f"\\{octet:03d}"
        for octet in value
    )


_TEXTS: dict[int, Callable[[Any, bytes], str]] = {
    _TYPE_CERT: _certificate,
    _TYPE_RRSIG: _signature,
    **dict.fromkeys(_TYPES_WITH_BITMAP, _with_bitmap),
    **dict.fromkeys(_TYPES_OF_BINDINGS, _binding),
}
