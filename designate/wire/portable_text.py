r"""Record data as text that BIND, Knot and NSD load, for files that leave the service.

It is the canonical text, with two changes. All escapes are \DDD, in names also for characters that need
none: nameservers differ in what they read behind a backslash, and in which characters a name may have bare.
And types that one of them does not know by name are written as unknown types (RFC 3597 section 5).
"""

from __future__ import annotations

import re
import socket

from designate.wire import presentation, types

_TYPE_A = 1
_TYPE_SPF = 99
_TYPE_CAA = 257
# Types that BIND 9.18, Knot 3.2 or NSD 4.6 do not know by name.
_UNNAMED = frozenset((
    3, 4, 7, 8, 9, 10, 11, 19, 20, 22, 23, 26, 27, 30, 38, 55, 56, 103, 258, 260, 32768, 32769,
))  # fmt: skip
# Types of which they do not know the names inside of data either.
_UNNAMED_IN_DATA = _UNNAMED | {24, 41, 249, 250, 251, 252, 253, 254, 255}
# Where the names of types are among the words of a text: RRSIG, NSEC, NSEC3, CSYNC.
_TYPES_AT = {46: slice(0, 1), 47: slice(1, None), 50: slice(5, None), 62: slice(2, None)}
_PLAIN = re.compile(r"[A-Za-z0-9_.*/ -]*")
# A word, which may have quoted parts; in a name each character but letters, digits and -_*/.
_WORD = re.compile(r'(?:[^ "\\]|\\.|"(?:[^"\\]|\\.)*")+')
_ESCAPE = re.compile(r"\\(?:[0-9]{3}|([^0-9]))")
_NAME_CHAR = re.compile(r"\\[0-9]{3}|(\\[^0-9]|[^A-Za-z0-9_.*/-])")


def type_and_data(number: int, data: bytes) -> str:
    """Return type and data of a record; raises no error, whatever the data is."""
    if number == _TYPE_A and len(data) == 4:
        return f"A {socket.inet_ntoa(data)}"
    if number in _UNNAMED or _is_misread_by_nsd(number, data):
        return f"TYPE{number} {presentation.generic_text(data)}"
    text = presentation.to_text(number, data)
    if not text.startswith("\\#"):
        named = _TYPES_AT.get(number)
        if named is not None:
            words = text.split(" ")
            words[named] = map(_type_name, words[named])
            text = " ".join(words)
        if not _PLAIN.fullmatch(text):
            text = _WORD.sub(_portable, text)
    return f"{types.name_of(number)} {text}"


def _is_misread_by_nsd(number: int, data: bytes) -> bool:
    """Return whether NSD 4.6 loads the data right only as that of an unknown type."""
    if number == _TYPE_CAA:
        # It refuses capitals in tags, which RFC 8659 section 4.1 allows.
        tag = data[2 : 2 + data[1]] if len(data) > 1 else b""
        return tag != tag.lower()
    # It loads the first string alone.
    return number == _TYPE_SPF and bool(data) and len(data) != 1 + data[0]


def _type_name(word: str) -> str:
    number = types.find_number(word)
    return f"TYPE{number}" if number in _UNNAMED_IN_DATA else word


def _portable(word: re.Match[str]) -> str:
    text = word[0]
    if text.startswith(("dohpath=", "mandatory=")):
        # Knot 3.2 does not know the parameter by name (RFC 9461 section 5).
        text = text.replace("dohpath", "key7")
    # Of unquoted words only absolute names end with a dot.
    is_name = text.endswith(".") and '"' not in _ESCAPE.sub("", text)
    return (_NAME_CHAR if is_name else _ESCAPE).sub(_decimal, text)


def _decimal(found: re.Match[str]) -> str:
    return found[0] if found[1] is None else f"\\{ord(found[1][-1]):03d}"
