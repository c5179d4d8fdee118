"""Grammar of names, email addresses and numbers in record data and owners."""

from __future__ import annotations

import re
from collections.abc import Callable

from designate import errors

MAX_NAME_CHARS = 254  # with the trailing dot; 255 bytes in wire form (RFC 1035 section 2.3.4)
MAX_EMAIL_CHARS = 255
LABEL = r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)"
DOMAIN = re.compile(rf"(?:{LABEL}\.)+\Z")
HOST = re.compile(rf"(?:\*|{LABEL})\.(?:{LABEL}\.)*\Z")


def is_domain(name: str) -> bool:
    """Return whether the text is a domain name of at most 254 characters.

    Labels have letters, digits, `_` and inner `-`; each is followed by a dot.
    """
    return len(name) <= MAX_NAME_CHARS and DOMAIN.match(name) is not None


def is_host(name: str) -> bool:
    """Return whether the text is a domain name whose first label may also be `*`."""
    return len(name) <= MAX_NAME_CHARS and HOST.match(name) is not None


def is_email(text: str) -> bool:
    """Return whether replacing the only `@` by a dot gives a domain (RFC 1035 section 8: RNAME)."""
    return (
        len(text) <= MAX_EMAIL_CHARS
        and text.count("@") == 1
        and is_domain(text.replace("@", ".") + ".")
    )


def check_domain(name: str) -> None:
    """Raise InvalidObject with a message unless the name is a domain name."""
    check_name(name, is_domain, "Domain")


def check_name(name: str, is_valid: Callable[[str], bool], kind: str) -> None:
    """Raise InvalidObject with a message unless the name is valid; kind: Domain or Host."""
    if is_valid(name):
        return
    shown = printable(name)
    if not name.endswith("."):
        raise errors.InvalidObject(f"{kind} '{shown}' does not end with a dot")
    if len(name) > MAX_NAME_CHARS:
        raise errors.InvalidObject(
            f"{kind} '{shown}' is too long: {len(name)} characters, at most {MAX_NAME_CHARS}"
        )
    raise errors.InvalidObject(f"{kind} '{shown}' is not a valid name")


def is_number(text: str, maximum: int, *, canonical: bool = False) -> bool:
    """Return whether the text is a decimal number up to a maximum; canonical: no leading zeros."""
    if not (text.isascii() and text.isdigit()):
        return False
    digits = text.lstrip("0") or "0"
    if canonical and digits != text:
        return False
    return len(digits) <= len(str(maximum)) and int(digits) <= maximum


def printable(value: object) -> str:
    """Return the value as text for a message, without surrogates."""
    return str(value).encode("utf-8", "backslashreplace").decode()
