"""Fast path for the plain lines of master files, without dnspython's tokenizer.

Most lines of a large zone have an owner, an optional TTL and class, a common type and its data, without
escapes, comments, groups or directives. They are parsed here, ten times as fast. dnspython's reader
parses all other lines and reports all errors.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from typing import Any

import dns.ipv6
import dns.name
import dns.tokenizer
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

AddRecord = Callable[[str, str, int, str, int], None]


class FastPathTokenizer(dns.tokenizer.Tokenizer):
    """A tokenizer that offers each line to `fast_reader` before it reads the line itself."""

    fast_reader: FastZonefileReader | None = None

    def get(self, want_leading: bool = False, want_comment: bool = False) -> dns.tokenizer.Token:
        """Return the next token, after the plain lines at the current position."""
        # Only the reader's main loop requests comments, and only at the beginning of a line.
        if (
            want_comment
            and self.fast_reader is not None
            and self.ungotten_token is None
            and self.ungotten_char is None
            and not self.multiline
            and not self.quoting
        ):
            self._read_plain_lines(self.fast_reader)
        return super().get(want_leading, want_comment)

    def _read_plain_lines(self, fast_reader: FastZonefileReader) -> None:
        file: Any = self.file
        fast_reader.begin()
        while True:
            position = file.tell()
            if not fast_reader.line(file.readline(), self.line_number):
                file.seek(position)
                break
            self.line_number += 1
        fast_reader.end()

    def continue_at(self, line: int, position: int) -> None:
        """Continue after an error at this line, whose first character is at the position."""
        file: Any = self.file
        file.seek(position)
        self.line_number = line
        self.multiline = 0
        self.quoting = False
        self.delimiters = dns.tokenizer.Tokenizer("").delimiters
        self.ungotten_token = None
        self.ungotten_char = None
        self.eof = False


class FastZonefileReader:
    """Parses plain lines instead of the reader, and updates the reader's last owner and TTL."""

    def __init__(self, reader: dns.zonefile.Reader, add: AddRecord) -> None:
        """Call `add` with (name, type, ttl, text, line) of each record."""
        self._reader = reader
        self._add = add
        self._usable = False
        self._has_default_ttl = False
        self._below = ""
        self._zone = ""
        self._last = ""

    def begin(self) -> None:
        """Update origin and default TTL, which directives may have changed since the last call."""
        zone, current = self._reader.zone_origin, self._reader.current_origin
        self._last = ""
        self._usable = False
        # Only a TTL from $TTL counts; the reader handles other sources.
        from_soa = getattr(self._reader, "default_ttl_from_soa", False)
        self._has_default_ttl = self._reader.default_ttl_known and not from_soa
        if zone is not None and current is not None:
            self._below = "." + domain_names.text(current.labels)
            self._zone = "." + domain_names.text(zone.labels).lower()
            # dnspython writes names with escapes in another form into the data.
            is_plain = "\\" not in self._below
            self._usable = is_plain and zone != dns.name.root and current.is_subdomain(zone)

    def end(self) -> None:
        """Set the reader's last owner."""
        if self._last:
            self._reader.last_name = dns.name.from_text(self._last)

    def line(self, line: str, number: int) -> bool:
        """Parse a line and return whether that was possible."""
        match = LINE.fullmatch(line) if self._usable else None
        if match is None:
            return False
        owner, own_ttl, rtype, data = match.groups()
        name = self._absolute(owner)
        if name is None or not ("." + name.lower()).endswith(self._zone):
            return False
        if own_ttl is not None:
            ttl = int(own_ttl)
        elif self._has_default_ttl:
            ttl = self._reader.default_ttl
        else:
            return False
        text = self._text(rtype, data)
        if text is None:
            return False
        if own_ttl is not None:
            self._reader.last_ttl = ttl
            self._reader.last_ttl_known = True
        self._last = name
        self._add(name, rtype, ttl, text, number)
        return True

    def _absolute(self, name: str) -> str | None:
        if not name.endswith("."):
            name += self._below
        return name if len(name) <= MAX_NAME_CHARS else None

    def _text(self, rtype: str, data: str) -> str | None:
        """Return the data as dnspython writes it; None if dnspython must parse it."""
        if rtype == "A":
            return data if _is_address(socket.AF_INET, data) else None
        if rtype == "AAAA":
            if not _is_address(socket.AF_INET6, data):
                return None
            return dns.ipv6.inet_ntoa(socket.inet_pton(socket.AF_INET6, data))
        if rtype == "TXT":
            return data if STRING.fullmatch(data) else None
        if rtype == "MX":
            match = EXCHANGE.fullmatch(data)
            if match is None or int(match[1]) > 65535:
                return None
            exchange = self._absolute(match[2])
            return None if exchange is None else f"{int(match[1])} {exchange}"
        return self._absolute(data) if ONE_NAME.fullmatch(data) else None


def _is_address(version: socket.AddressFamily, text: str) -> bool:
    try:
        socket.inet_pton(version, text)
    except (OSError, ValueError):
        return False
    return True
