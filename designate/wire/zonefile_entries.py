"""Entries of master files: a record or a directive with all of its lines (RFC 1035 section 5.1).

An entry ends with its line, unless a group in parentheses is open there. Entries are found with regular
expressions and have a bound, so that whatever a file has, the time for one is short; dnspython, which
needs a microsecond for each character, parses one entry at a time, and an error ends with its entry.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# Data of 65,535 octets of four characters each, twice.
MAX_ENTRY_CHARS = 2**19
# A quoted string, a comment, an escape and plain text; quotes end with their line.
_PIECE = re.compile(
    r"""[^"();\\\n]++ | "(?:[^"\\\n]|\\[^\n])*+" | ;[^\n]*+ | \\[^\n]? | [()\n"]""", re.VERBOSE
)
# Not more at once, since no other thread runs meanwhile.
_BLANK_LINES = re.compile(r"(?:[^\S\n]*+(?:;[^\n]*+)?\n){1,50000}+")
_OUTSIDE = re.compile(r'"(?:[^"\\\n]|\\[^\n])*+"?|;[^\n]*+')
# Preference, and the four groups of a NID or L64, from which BIND omits zeros.
_LOCATOR = re.compile(
    r"\s(?:NID|L64)\s[\s(]*[0-9]+[\s(]+([0-9a-f]{1,4}(?::[0-9a-f]{1,4}){3})\b", re.I
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class Entry(NamedTuple):
    """An entry.

    Attributes:
        end: the position of the newline behind it.
        problem: why it cannot be parsed; empty: it can.
        line: which of its lines has the problem, from 0 on.
    """

    end: int
    problem: str = ""
    line: int = 0


def end_of_blank_lines(text: str, position: int) -> int:
    """Return where lines of white space and comments end, at least some of them.

    It is the position itself if there are none.
    """
    found = _BLANK_LINES.match(text, position)
    return found.end() if found else position


def find(text: str, position: int) -> Entry:
    """Return the entry that begins at the position; the text ends with a newline."""
    end = text.index("\n", position)
    if end - position > MAX_ENTRY_CHARS:
        return Entry(end, _too_long("line"))
    entry = _find_group(text, position) if text.find("(", position, end) >= 0 else Entry(end)
    if not entry.problem and _CONTROL.search(text, position, entry.end):
        for number, line in enumerate(text[position : entry.end].split("\n")):
            found = _CONTROL.search(_OUTSIDE.sub("", line))
            if found and not line.isspace():
                problem = f"it has the control character \\{ord(found[0]):03d}"
                return Entry(entry.end, problem, number)
    return entry


def with_whole_groups(entry: str) -> str:
    """Return an entry so that groups of a NID or L64 have four digits (RFC 6742 section 2.1.2)."""
    found = _LOCATOR.search(entry)
    if found is None:
        return entry
    groups = ":".join(group.zfill(4) for group in found[1].split(":"))
    return entry[: found.start(1)] + groups + entry[found.end(1) :]


def _find_group(text: str, position: int) -> Entry:
    depth = 0
    for match in _PIECE.finditer(text, position):
        piece = match[0]
        if piece == "(":
            depth += 1
        elif piece == ")":
            depth -= 1
        elif piece == '"':
            end = text.index("\n", match.end())
            return Entry(end, "a quoted string has no end", text.count("\n", position, end))
        elif piece == "\n":
            if depth <= 0:
                return Entry(match.start())
            if match.end() - position > MAX_ENTRY_CHARS:
                return Entry(match.start(), _too_long("group in parentheses"))
    return Entry(len(text) - 1, "a group in parentheses has no end")


def _too_long(what: str) -> str:
    return f"the {what} has more than {MAX_ENTRY_CHARS} characters"
