r"""Mailboxes in the SOA: an email address and the domain name that RNAME is (RFC 1035 section 8).

The first label is the local part, whose dots are part of the label. An address shows every octet that it
cannot have as \DDD, its decimal number, as master files do (section 5.1); so each name has one address, and
each address leads back to its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# An escape or one other character; a part of an address up to its @, or of a domain up to its dot.
_CHARACTER = re.compile(r"\\([0-9]{3})|\\(.)|(.)", re.DOTALL)
_LOCAL_PART = re.compile(r"((?:\\[0-9]{3}|\\.|[^\\@])*)@(.*)", re.DOTALL)
_LABEL = re.compile(r"((?:\\[0-9]{3}|\\.|[^\\.])+)\.?", re.DOTALL)
_PLAIN = re.compile(r"[A-Za-z0-9_-]*")
_SPECIAL = b'"();@$\\'


def email(labels: Iterable[bytes]) -> str:
    """Return the address that an absolute name stands for; that of the root is empty."""
    local, *domain = [*labels, b""]
    if not local:
        return ""
    shown = "".join(
        chr(octet) if 0x20 < octet < 0x7F and octet not in b"\\@" else f"\\{octet:03d}"
        for octet in local
    )
    return f"{shown}@{'.'.join(_label_text(label) for label in domain if label)}"


def labels(address: str) -> tuple[bytes, ...]:
    """Return the labels of the name that stands for an address, without the root's.

    Raises:
        ValueError: The address has characters beyond ASCII, or an escape above 255.
    """
    if not address.isascii():
        raise ValueError(f"{address!r} has characters beyond ASCII")
    found = _LOCAL_PART.fullmatch(address)
    local, domain = found.groups() if found else (address, "")
    return tuple(filter(None, map(_octets, (local, *_LABEL.findall(domain)))))


def rname(address: str) -> str:
    """Return an address as the absolute name of a master file; an empty one as the root.

    Raises:
        ValueError: As labels.
    """
    return "".join(_label_text(label) + "." for label in labels(address)) or "."


def _octets(text: str) -> bytes:
    if _PLAIN.fullmatch(text):
        return text.encode()
    octets = (
        int(number) if number else ord(escaped or plain)
        for number, escaped, plain in _CHARACTER.findall(text)
    )
    return bytes(octets)


def _label_text(label: bytes) -> str:
    text = label.decode("latin-1")
    return text if _PLAIN.fullmatch(text) else "".join(map(_character, label))


def _character(octet: int) -> str:
    if octet == ord(".") or octet in _SPECIAL:
        return f"\\{chr(octet)}"
    return chr(octet) if 0x20 < octet < 0x7F else f"\\{octet:03d}"
