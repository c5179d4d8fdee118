"""The plain lines of master files, read without dnspython's tokenizer, which looks at every character.

Most lines of a big zone are an owner, perhaps a TTL and a class, a common type and its data, without
escapes, comments, groups or directives. Those are taken here, ten times faster; whatever is not
exactly of that form is left to dnspython's reader, which also words all faults.
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

LABEL = r"[A-Za-z0-9_*-]{1,63}"
NAME = rf"{LABEL}(?:\.{LABEL})*\.?"
LINE = re.compile(
    rf"({NAME})[ \t]+(?:([0-9]{{1,9}})[ \t]+)?(?:IN[ \t]+)?"
    r"(A|AAAA|CNAME|MX|NS|PTR|TXT)[ \t]+(\S|\S[^\n]*\S)[ \t]*\n"
)
ONE_NAME = re.compile(NAME)
EXCHANGE = re.compile(rf"([0-9]{{1,5}})[ \t]+({NAME})")
# One character-string of printable ASCII, in quotes, with nothing in it to interpret.
STRING = re.compile(r'"[ !#-\[\]-~]{0,255}"')
# A name's text with its last dot: its bytes are one more (RFC 1035 section 2.3.4).
MAX_NAME_CHARS = 254

Take = Callable[[str, str, int, str, int], None]


class FastPathTokenizer(dns.tokenizer.Tokenizer):
    """A tokenizer that lets `fast_reader` have the lines at the beginning of which the reader stands."""

    fast_reader: FastZonefileReader | None = None

    def get(self, want_leading: bool = False, want_comment: bool = False) -> dns.tokenizer.Token:
        # Only the reader's main loop asks for comments, and it does so at the beginning of a line.
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

    def go_on(self, line: int, position: int) -> None:
        """After a fault: from that line, whose first character is at the position."""
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
    """Reads plain lines in the reader's stead, and keeps the reader's state: the last owner and TTL.
    take: gets each record as (name, type, ttl, text, line)."""

    def __init__(self, reader: dns.zonefile.Reader, take: Take) -> None:
        self._reader = reader
        self._take = take
        self._usable = False
        self._stated = False
        self._below = ""
        self._zone = ""
        self._last = ""

    def begin(self) -> None:
        """The reader may have met an $ORIGIN since the last time."""
        zone, current = self._reader.zone_origin, self._reader.current_origin
        self._last = ""
        self._usable = False
        # By $TTL, that is: what else it may come from, the reader decides.
        from_soa = getattr(self._reader, "default_ttl_from_soa", False)
        self._stated = self._reader.default_ttl_known and not from_soa
        if zone is not None and current is not None:
            self._usable = zone != dns.name.root and current.is_subdomain(zone)
            self._below = "." + current.to_text()
            self._zone = "." + zone.to_text().lower()

    def end(self) -> None:
        if self._last:
            self._reader.last_name = dns.name.from_text(self._last)

    def line(self, line: str, number: int) -> bool:
        """Whether the line was taken."""
        match = LINE.fullmatch(line) if self._usable else None
        if match is None:
            return False
        owner, own_ttl, rtype, data = match.groups()
        name = self._absolute(owner)
        if name is None or not ("." + name.lower()).endswith(self._zone):
            return False
        if own_ttl is not None:
            ttl = int(own_ttl)
        elif self._stated:
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
        self._take(name, rtype, ttl, text, number)
        return True

    def _absolute(self, name: str) -> str | None:
        if not name.endswith("."):
            name += self._below
        return name if len(name) <= MAX_NAME_CHARS else None

    def _text(self, rtype: str, data: str) -> str | None:
        """The data as dnspython writes it; None where that is not plain."""
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


def _is_address(kind: socket.AddressFamily, text: str) -> bool:
    try:
        socket.inet_pton(kind, text)
    except (OSError, ValueError):
        return False
    return True
