"""Syntax check of the substitution expressions of NAPTR (RFC 3402 section 3.2).

An expression is a delimiter, a POSIX extended regular expression (IEEE 1003.2, as RFC 3402 cites it), a
delimiter, a replacement, a delimiter and flags. Nameservers check them when they load a zone and reject
the zone over an invalid one, so the same checks are made here. Expressions are never executed. The
checks work on bytes, as those of nameservers do.
"""

from __future__ import annotations

import re

CLASSES = frozenset(
    (
        b"alnum", b"alpha", b"blank", b"cntrl", b"digit", b"graph", b"lower", b"print", b"punct",
        b"space", b"upper", b"xdigit",
    )
)  # fmt: skip
MAX_BOUND = 255
EMPTY = "the regexp is empty or has an empty alternative"
QUANTIFIER = re.compile(rb"[*+?]|\{(?=[0-9])")
BOUND = re.compile(rb"(0*[0-9]{1,3})(?:(,)(0*[0-9]{1,3})?)?\}")
# [:class:], [=equivalents=] and [.collating element.]
NAMED = re.compile(rb"\[(:)([a-z]+):\]|\[=[^\x00]=\]|\[\.[^\x00]+?\.\]", re.DOTALL)
REFERENCE = re.compile(rb"\\([0-9])|\\.", re.DOTALL)


def check_substitution(expression: bytes) -> None:
    """Raise ValueError with the reason if a whole NAPTR expression is invalid."""
    if not expression:
        return
    delimiter = expression[:1]
    if delimiter in b"0123456789i\\\x00":
        raise ValueError("the regexp's delimiter is a digit, 'i', a backslash or a zero byte")
    if b"\x00" in expression:
        raise ValueError("the regexp holds a zero byte")
    escaped = re.escape(delimiter)
    part = rb"((?:\\.|[^\\" + escaped + rb"])*)"
    found = re.fullmatch(
        escaped + part + escaped + part + escaped + rb"(i?)", expression, re.DOTALL
    )
    if found is None:
        raise ValueError("the regexp is not made of a pattern, a replacement and an optional i")
    pattern, replacement, _ = found.groups()
    groups = count_groups(pattern)
    for reference in REFERENCE.finditer(replacement):
        digit = reference[1]
        if digit is not None and not 1 <= int(digit) <= groups:
            raise ValueError(f"the regexp's replacement refers to group {int(digit)} of {groups}")


def count_groups(pattern: bytes) -> int:
    """Return the number of groups of a regular expression; raises ValueError if it is invalid."""
    return _Pattern(pattern).check()


class _Pattern:
    """A parser of one pattern; `at` is the position of the next byte."""

    def __init__(self, pattern: bytes) -> None:
        self.pattern = pattern
        self.at = 0
        self.groups = 0
        self.depth = 0

    def check(self) -> int:
        repeatable = False  # a quantifier may follow
        filled = False  # the alternative that is being read holds something
        while self.at < len(self.pattern):
            if self._quantifier():
                if not repeatable:
                    raise ValueError("the regexp repeats nothing")
                repeatable = False
                continue
            char = self._next()
            if char == b"|" or (char == b")" and self.depth):
                if not filled:
                    raise ValueError(EMPTY)
                repeatable = filled = char == b")"
                self.depth -= filled
            elif char == b"(":
                repeatable = filled = self._group()
            else:
                repeatable, filled = self._atom(char), True
        if not filled:
            raise ValueError(EMPTY)
        if self.depth:
            raise ValueError("the regexp has a group without end")
        return self.groups

    def _group(self) -> bool:
        """Reads the start of a group. True: the group is empty, which an alternative may not be."""
        self.groups += 1
        if self.pattern.startswith(b")", self.at):
            self.at += 1
            return True
        self.depth += 1
        return False

    def _next(self) -> bytes:
        self.at += 1
        return self.pattern[self.at - 1 : self.at]

    def _quantifier(self) -> bool:
        found = QUANTIFIER.match(self.pattern, self.at)
        if found is None:
            return False
        self.at = found.end()
        if found[0] == b"{":
            self._bound()
        return True

    def _bound(self) -> None:
        found = BOUND.match(self.pattern, self.at)
        if found is None:
            raise ValueError("the regexp has an unreadable repetition count")
        low, comma, high = found.groups()
        least = int(low)
        most = int(high) if high else (MAX_BOUND if comma else least)
        if not least <= most <= MAX_BOUND:
            raise ValueError(f"the regexp's repetition counts do not rise to {MAX_BOUND} at most")
        self.at = found.end()

    def _atom(self, char: bytes) -> bool:
        """Read the rest of the atom that begins with `char`; return whether it may be repeated."""
        if char == b"[":
            self._bracket()
        elif char == b"\\":
            escaped = self._next()
            if not escaped:
                raise ValueError("the regexp ends in a backslash")
            if escaped in b"123456789" and int(escaped) > self.groups:
                raise ValueError(f"the regexp refers to group {int(escaped)} before it begins")
        return char not in b"^$"

    def _bracket(self) -> None:
        if self.pattern.startswith(b"^", self.at):
            self.at += 1
        first = True
        while first or not self.pattern.startswith(b"]", self.at):
            low = self._element(may_be_hyphen=first)
            first = False
            rest = self.pattern[self.at : self.at + 2]
            if not rest:
                raise ValueError("the regexp has a bracket expression without end")
            if rest[:1] == b"-" and rest != b"-]":
                self._range(low)
        self.at += 1

    def _range(self, low: bytes) -> None:
        self.at += 1
        high = self._element(may_be_hyphen=True)
        if {low[:2], high[:2]} & {b"[:", b"[="}:
            raise ValueError("the regexp has a range from or to a class")
        if len(low) == len(high) == 1 and low > high:
            raise ValueError("the regexp has a range whose end comes before its start")
        if self.pattern.startswith(b"-", self.at):
            raise ValueError("the regexp has a range that goes on with '-'")

    def _element(self, *, may_be_hyphen: bool) -> bytes:
        """Read an element of a bracket expression: one byte, or `[:class:]` and similar as a whole."""
        start, pattern = self.at, self.pattern
        if found := NAMED.match(pattern, start):
            if found[1] == b":" and found[2] not in CLASSES:
                raise ValueError("the regexp names an unknown character class")
            self.at = found.end()
            return found[0]
        if pattern[start : start + 2] in (b"[:", b"[=", b"[."):
            raise ValueError("the regexp has an unreadable bracket expression")
        char = self._next()
        if not char:
            raise ValueError("the regexp has a bracket expression without end")
        if char == b"-" and not may_be_hyphen and pattern[self.at : self.at + 1] != b"]":
            raise ValueError("the regexp has a misplaced '-' in a bracket expression")
        return char
