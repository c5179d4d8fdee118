"""The substitution expressions of NAPTR (RFC 3402 section 3.2): delimiter, POSIX extended regular
expression (IEEE 1003.2, as RFC 3402 cites it), delimiter, replacement, delimiter, flags.

Nameservers check them when they load a zone and refuse the zone over a bad one, so they are checked
here the same way. Nothing is ever matched. Works on bytes, for that is what nameservers see.
"""

from __future__ import annotations

import re

CLASSES = frozenset(
    (
        b"alnum", b"alpha", b"blank", b"cntrl", b"digit", b"graph", b"lower", b"print", b"punct",
        b"space", b"upper", b"xdigit",
    )
)  # fmt: skip
LARGEST_BOUND = 255
QUANTIFIER = re.compile(rb"[*+?]|\{(?=[0-9])")
BOUND = re.compile(rb"([0-9]{1,3})(?:(,)([0-9]{1,3})?)?\}")
CLASS = re.compile(rb"\[:([a-z]+):\]")
EQUIVALENT = re.compile(rb"\[=[^\x00]=\]")
COLLATING = re.compile(rb"\[\.([^\x00])\.\]")
REFERENCE = re.compile(rb"\\([0-9])|\\.", re.DOTALL)


def check_substitution(expression: bytes) -> None:
    """Raises ValueError that says what is wrong with a whole NAPTR expression."""
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
    """The number of groups of an extended regular expression. Raises ValueError when it is none."""
    return _Pattern(pattern).check()


class _Pattern:
    """One pass over a pattern. `at` is the position of what is read next."""

    def __init__(self, pattern: bytes) -> None:
        self.pattern = pattern
        self.at = 0
        self.groups = 0
        self.depth = 0

    def check(self) -> int:
        repeatable = False  # whether a quantifier may follow
        branch = False  # whether the branch that is being read holds anything
        while self.at < len(self.pattern):
            if self._quantifier():
                if not repeatable:
                    raise ValueError("the regexp repeats nothing")
                repeatable = False
                continue
            char = self._next()
            if char == b"|":
                if not branch:
                    raise ValueError("the regexp has an empty alternative")
                repeatable = branch = False
            elif char == b"(":
                self.groups += 1
                self.depth += 1
                # An empty group is an atom, though an empty alternative in one is not allowed.
                if self.pattern.startswith(b")", self.at):
                    self.at += 1
                    self.depth -= 1
                    repeatable = branch = True
                else:
                    repeatable = branch = False
            elif char == b")" and self.depth:
                if not branch:
                    raise ValueError("the regexp has an empty alternative")
                self.depth -= 1
                repeatable = True
            else:
                repeatable = self._atom(char)
                branch = True
        if not branch:
            raise ValueError("the regexp has an empty alternative or is empty")
        if self.depth:
            raise ValueError("the regexp has a group without end")
        return self.groups

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
        most = int(high) if high else (LARGEST_BOUND if comma else least)
        if not least <= most <= LARGEST_BOUND:
            raise ValueError(f"the regexp's repetition counts are not in order up to {LARGEST_BOUND}")
        self.at = found.end()

    def _atom(self, char: bytes) -> bool:
        """Reads the rest of what begins with `char`. True: it may be repeated."""
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
            low = self._element(first)
            first = False
            rest = self.pattern[self.at : self.at + 2]
            if not rest:
                raise ValueError("the regexp has a bracket expression without end")
            if rest[:1] != b"-" or rest == b"-]":
                continue
            self.at += 1
            high = self._element(True)
            if low is None or high is None or low > high:
                raise ValueError("the regexp has a range without order")
            if self.pattern.startswith(b"-", self.at) and not self.pattern.startswith(
                b"-]", self.at
            ):
                raise ValueError("the regexp has a range that ends in a range")
        self.at += 1

    def _element(self, first: bool) -> bytes | None:
        """One element of a bracket expression; None: it cannot bound a range."""
        start, pattern = self.at, self.pattern
        if found := CLASS.match(pattern, start):
            if found[1] not in CLASSES:
                raise ValueError("the regexp names an unknown character class")
            self.at = found.end()
            return None
        if found := EQUIVALENT.match(pattern, start):
            self.at = found.end()
            return None
        if found := COLLATING.match(pattern, start):
            self.at = found.end()
            return found[1]
        if pattern[start : start + 2] in (b"[:", b"[=", b"[."):
            raise ValueError("the regexp has an unreadable bracket expression")
        char = self._next()
        if not char:
            raise ValueError("the regexp has a bracket expression without end")
        if char == b"-" and not first and pattern[self.at : self.at + 1] != b"]":
            raise ValueError("the regexp has a misplaced '-' in a bracket expression")
        return char
