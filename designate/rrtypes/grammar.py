"""Grammar of names, email addresses and numbers in record data and owners."""

from __future__ import annotations

import re
from collections.abc import Callable

from designate import domain_names, errors

MAX_NAME_CHARS = 254  # with the trailing dot; 255 bytes in wire form (RFC 1035 section 2.3.4)
MAX_EMAIL_CHARS = 255
PLAIN_FORM = "a label has letters, digits, '_' and inner '-'"
LABEL = r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)"
PLAIN_DOMAIN = re.compile(rf"(?:{LABEL}\.)+\Z")
PLAIN_HOST = re.compile(rf"(?:\*|{LABEL})\.(?:{LABEL}\.)*\Z")
# Of names in the stored form. A label that began with a slash could make a nameserver's file name absolute.
ANY_LABEL = r"(?![/-])(?:[A-Za-z0-9_/-]|\\[0-9]{3}){1,63}(?<![/-])"
DOMAIN = re.compile(rf"(?:{ANY_LABEL}\.)+\Z")
HOST = re.compile(rf"(?:\*|{ANY_LABEL})\.(?:{ANY_LABEL}\.)*\Z")


def is_domain(name: str) -> bool:
    """Return whether the text is a domain name of at most 254 octets, each label followed by a dot.

    Labels have letters, digits, `_`, inner `-` and `/` (RFC 2317), and escapes of other octets, or are
    U-labels.
    """
    return is_plain_domain(name) or _is_unusual(name, DOMAIN)


def is_host(name: str) -> bool:
    """Return whether the text is a domain name whose first label may also be `*`."""
    if PLAIN_HOST.match(name):
        return len(name) <= MAX_NAME_CHARS
    return _is_unusual(name, HOST)


def is_plain_domain(name: str) -> bool:
    """Return whether the text is a domain name of letters, digits, `_` and inner `-`."""
    return len(name) <= MAX_NAME_CHARS and PLAIN_DOMAIN.match(name) is not None


def _is_unusual(name: str, pattern: re.Pattern[str]) -> bool:
    try:
        name = domain_names.canonical(name)
    except ValueError:
        return False
    return (
        domain_names.octet_count(name) <= MAX_NAME_CHARS
        and len(name) <= domain_names.MAX_CHARS
        and pattern.match(name) is not None
    )


def canonical_name(name: str) -> str:
    """Return a client's name in the form in which it is stored; its grammar is checked apart.

    Raises:
        InvalidObject: It has no such form; the message has the reason.
    """
    try:
        return domain_names.canonical(name)
    except ValueError as error:
        raise errors.InvalidObject(f"'{printable(name)}' is not a valid name: {error}") from None


def is_email(text: str) -> bool:
    """Return whether replacing the only `@` by a dot gives a domain (RFC 1035 section 8: RNAME)."""
    return (
        len(text) <= MAX_EMAIL_CHARS
        and text.count("@") == 1
        and is_plain_domain(text.replace("@", ".") + ".")
    )


def check_domain(name: str) -> None:
    """Raise InvalidObject with a message unless the name is a domain name."""
    check_name(name, is_domain, "Domain")


def check_plain_domain(name: str) -> None:
    """Raise InvalidObject with a message unless the name is a domain name without escapes and U-labels."""
    check_name(name, is_plain_domain, "Domain", PLAIN_FORM)


def check_name(
    name: str, is_valid: Callable[[str], bool], kind: str, form: str | None = None
) -> None:
    """Raise InvalidObject with a message unless the name is valid.

    Args:
        name: The name.
        is_valid: Its grammar.
        kind: Domain or Host.
        form: What the grammar accepts; None: that of `is_domain` or `is_host`.
    """
    if is_valid(name):
        return
    shown = printable(name)
    if not name.endswith("."):
        raise errors.InvalidObject(f"{kind} '{shown}' does not end with a dot")
    name = canonical_name(name)
    if (octets := domain_names.octet_count(name)) > MAX_NAME_CHARS:
        raise errors.InvalidObject(
            f"{kind} '{shown}' is too long: {octets} characters, at most {MAX_NAME_CHARS}"
        )
    if len(name) > domain_names.MAX_CHARS:
        raise errors.InvalidObject(
            f"{kind} '{shown}' is too long: {len(name)} characters with its escapes as \\DDD, "
            f"at most {domain_names.MAX_CHARS}"
        )
    raise errors.InvalidObject(
        f"{kind} '{shown}' is not a valid name: {form or _fault(name, kind)}"
    )


def _fault(name: str, kind: str) -> str:
    """Return the rule that a name breaks; short, because the message of an import is."""
    labels = name.split(".")[:-1]
    if not all(labels):
        return "a label is empty"
    if any(domain_names.octet_count(label) > domain_names.MAX_LABEL_OCTETS for label in labels):
        return f"a label has more than {domain_names.MAX_LABEL_OCTETS} octets"
    if "*" in name:
        return "'*' is the whole first label only" if kind == "Host" else "it may not have '*'"
    return "'-' and '/' are inside labels only"


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
