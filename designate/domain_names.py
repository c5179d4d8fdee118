r"""Domain names as text: the one form in which they are stored, compared and shown.

Letters, digits, `-`, `_`, `/` and `*` stand for themselves; every other octet is written \DDD, its decimal
number (RFC 1035 section 5.1). So each dot ends a label, and two texts that are equal in lower case are the
same name: whether a name is below another, and in which order names sort, can be read from their texts, in
SQL too. Clients may write any character after a backslash, and labels beyond ASCII (U-labels), which become
A-labels.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

MAX_LABEL_OCTETS = 63
# Of names as they are stored; only names with many escapes reach it.
MAX_CHARS = 255

_CHARS = r"A-Za-z0-9_*/\-"
_PLAIN = re.compile(rf"[{_CHARS}.]*")
_PLAIN_LABEL = re.compile(rf"[{_CHARS}]+".encode())
_TOKEN = re.compile(rf"\\([0-9]{{3}})|\\([^0-9])|([{_CHARS}.]+)|(.)", re.DOTALL)
_DOTS = "\u3002\uff0e\uff61"  # full stops that separate labels too (RFC 3490 section 3.1)
_LABEL = re.compile(rf"(?:\\.|[^\\.{_DOTS}])+|[{_DOTS}]", re.DOTALL)


def canonical(name: str) -> str:
    """Return a client's name in the stored form, in its case.

    Lengths, and where `*`, `-` and `/` may be, are not checked.

    Raises:
        ValueError: A label or an escape is invalid, or a character must be escaped; the text is the reason.
    """
    if _PLAIN.fullmatch(name):
        return name
    return _TOKEN.sub(_stored, to_a_labels(name))


def text(labels: Iterable[bytes]) -> str:
    """Return the stored form of an absolute name from its labels, each followed by a dot."""
    return "".join(label_text(label) + "." for label in labels if label) or "."


def label_text(label: bytes) -> str:
    """Return the stored form of one label."""
    if _PLAIN_LABEL.fullmatch(label):
        return label.decode()
    return "".join(map(_octet, label))


def octet_count(name: str) -> int:
    """Return how many octets the labels of a name in the stored form have, with their dots."""
    return len(name) - 3 * name.count("\\")


def search_form(pattern: str) -> str:
    """Return a filter's pattern of names in lower case and in the stored form; `*` and `%` stay.

    Raises:
        ValueError: A label beyond ASCII is invalid; the text names it.
    """
    ascii_only = to_a_labels(pattern)
    return _TOKEN.sub(_searched, ascii_only).lower()


def to_a_labels(name: str) -> str:
    """Return the name with its U-labels as A-labels (RFC 5890); other labels are not touched.

    Raises:
        ValueError: A label is not valid; the text names it.
    """
    return name if name.isascii() else _LABEL.sub(_ascii_label, name)


def a_label(label: str) -> str:
    """Return one label as ASCII, mapped by UTS 46, non-transitional.

    Raises:
        ValueError: The label is not valid; the text names it.
    """
    if label.isascii():
        return label
    # Its tables take megabytes, and most processes never read such a name.
    import idna

    try:
        if len(label) > MAX_LABEL_OCTETS:
            raise ValueError(f"it has more than {MAX_LABEL_OCTETS} characters")
        if "\\" in label:
            raise ValueError("it has an escape beside characters beyond ASCII")
        mapped = idna.uts46_remap(label, std3_rules=True, transitional=False)
        return idna.alabel(mapped).decode()
    except ValueError as error:
        shown = label[:MAX_LABEL_OCTETS].encode("utf-8", "backslashreplace").decode()
        reason = str(error).encode("utf-8", "backslashreplace").decode()
        raise ValueError(
            f"the label '{shown}' is not a valid internationalized label: {reason}"
        ) from None


def to_u_labels(name: str) -> str:
    """Return the name with its A-labels as U-labels, where they are valid."""
    if "xn--" not in name.lower():
        return name
    return ".".join(map(_u_label, name.split(".")))


def _u_label(label: str) -> str:
    import idna

    try:
        return idna.ulabel(label) if label[:4].lower() == "xn--" else label
    except ValueError:
        return label


def _ascii_label(match: re.Match[str]) -> str:
    return "." if match[0] in _DOTS else a_label(match[0])


def _octet(octet: int) -> str:
    char = chr(octet)
    return char if char != "." and _PLAIN.fullmatch(char) else f"\\{octet:03d}"


def _stored(token: re.Match[str]) -> str:
    number, char, plain, other = token.groups()
    if plain:
        return str(plain)
    if number and int(number) < 256:
        return _octet(int(number))
    if char:
        return _octet(ord(char))
    if number or other == "\\":
        raise ValueError(
            "a backslash is followed by three digits up to 255 or by one other character"
        )
    raise ValueError(f"{other!r} must be written \\{ord(other):03d}")


def _searched(token: re.Match[str]) -> str:
    number, char, plain, other = token.groups()
    if plain or other == "%":
        return str(token[0])
    if number and int(number) > 255:
        return str(token[0])
    return _octet(int(number) if number else ord(char or other))
