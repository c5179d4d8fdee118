"""Fast path for the plain lines of master files, without dnspython's tokenizer.

Most lines of a large zone have an owner, an optional TTL and class, a common type and its data, without
escapes, comments, groups or directives. They are parsed here, ten times as fast. dnspython's reader
parses all other lines and reports all errors.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable

import dns.ipv6
import dns.name
import dns.zonefile

from designate import domain_names

LABEL = r"[A-Za-z0-9_*-]{1,63}"
NAME = rf"{LABEL}(?:\.{LABEL})*\.?"
LINE = re.compile(
    rf"({NAME})[ \t]+(?:([0-9]{{1,9}})[ \t]+)?(?:IN[ \t]+)?"
    r"(A|AAAA|CNAME|MX|NS|PTR|TXT)[ \t]+(\S|\S[^\n]*\S)[ \t]*\n"
)
ONE_NAME = re.compile(NAME)
EXCHANGE = re.compile(rf"([0-9]{{1,5}})[ \t]+({NAME})")
# One quoted character-string of printable ASCII without escapes.
STRING = re.compile(r'"[ !#-\[\]-~]{0,255}"')
# With the trailing dot; the wire form has one byte more (RFC 1035 section 2.3.4).
MAX_NAME_CHARS = 254


# The data of a record: its text as dnspython writes it; its wire form, without compression; and its
# identity, with names in lower case (RFC 4034 section 6.2), which is equal for the same data in DNS.
RecordData = tuple[str, bytes, bytes]
# Takes a record's name, type, TTL, data and line.
AddRecord = Callable[[str, str, int, RecordData, int], None]


class FastZonefileReader:
    """Parses plain lines instead of the reader, and updates the reader's last owner and TTL."""

    def __init__(self, reader: dns.zonefile.Reader, add: AddRecord) -> None:
        """Call `add` for each record."""
        self._reader = reader
        self._add = add
        self._usable = False
        self._has_default_ttl = False
        self._below = ""
        self._last = ""

    def begin(self) -> None:
        """Update origin and default TTL, which directives may have changed since the last call."""
        current = self._reader.current_origin
        self._last = ""
        # Only a TTL from $TTL counts; the reader handles other sources.
        from_soa = getattr(self._reader, "default_ttl_from_soa", False)
        self._has_default_ttl = self._reader.default_ttl_known and not from_soa
        if current is not None:
            text = domain_names.text(current.labels)
            self._below = "." if text == "." else "." + text
        # dnspython writes names with escapes in another form into the data.
        self._usable = current is not None and "\\" not in self._below

    def end(self) -> None:
        """Set the reader's last owner."""
        if self._last:
            self._reader.last_name = dns.name.from_text(self._last)

    def line(self, line: str, number: int) -> bool:
        """Parse a line and return whether that was possible."""
        match = LINE.fullmatch(line) if self._usable else None
        if match is None:
            return False
        owner, own_ttl, rtype, text = match.groups()
        name = self._absolute(owner)
        if name is None:
            return False
        if own_ttl is not None:
            ttl = int(own_ttl)
        elif self._has_default_ttl:
            ttl = self._reader.default_ttl
        else:
            return False
        data = self._data(rtype, text)
        if data is None:
            return False
        if own_ttl is not None:
            self._reader.last_ttl = ttl
            self._reader.last_ttl_known = True
        self._last = name
        self._add(name, rtype, ttl, data, number)
        return True

    def _absolute(self, name: str) -> str | None:
        if not name.endswith("."):
            name += self._below
        return name if len(name) <= MAX_NAME_CHARS else None

    def _data(self, rtype: str, text: str) -> RecordData | None:
        """Return the data; None if dnspython must parse it."""
        if rtype == "A":
            address = _address(socket.AF_INET, text)
            return None if address is None else (text, address, address)
        if rtype == "AAAA":
            address = _address(socket.AF_INET6, text)
            if address is None:
                return None
            return dns.ipv6.inet_ntoa(address), address, address
        if rtype == "TXT":
            if STRING.fullmatch(text) is None:
                return None
            wire = bytes((len(text) - 2,)) + text[1:-1].encode()
            return text, wire, wire
        if rtype == "MX":
            match = EXCHANGE.fullmatch(text)
            if match is None or int(match[1]) > 65535:
                return None
            exchange = self._absolute(match[2])
            if exchange is None:
                return None
            before, wire = int(match[1]).to_bytes(2), _name_wire(exchange)
            text = f"{int(match[1])} {exchange}"
            return text, before + wire, before + wire.lower()
        name = self._absolute(text) if ONE_NAME.fullmatch(text) else None
        if name is None:
            return None
        wire = _name_wire(name)
        return name, wire, wire.lower()


def _name_wire(name: str) -> bytes:
    """Return the wire form of an absolute name of plain labels."""
    return "".join([chr(len(label)) + label for label in name.split(".")]).encode()


def _address(version: socket.AddressFamily, text: str) -> bytes | None:
    try:
        return socket.inet_pton(version, text)
    except (OSError, ValueError):
        return None
