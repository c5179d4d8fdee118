"""Reads statements of named.conf, as the control channel shows them and as target options have them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(r'\s*(?:"((?:\\.|[^"\\])*)"|([{};])|([^\s"{};]+))')
_COMMENT = re.compile(r"/\*|\*/|//|#")


@dataclass(frozen=True, slots=True)
class Block:
    """The statements between two braces."""

    statements: tuple[Statement, ...]


Statement = tuple["str | Block", ...]
"""Words, unquoted, and blocks."""


def parse(text: str) -> tuple[Statement, ...]:
    """Return the statements of a text.

    Raises:
        ValueError: a statement has no end, or a brace no partner; the text says which.
    """
    return _statements(_tokens(text), closed=False)


def value_of(statements: tuple[Statement, ...], *names: str) -> Statement:
    """Return what follows one of these names in the first such statement; empty if there is none."""
    return next((statement[1:] for statement in statements if statement[0] in names), ())


def _tokens(text: str) -> list[tuple[str, bool]]:
    """Return the tokens in reverse order, each with whether it is a word."""
    found: list[tuple[str, bool]] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise ValueError("a quotation mark has no partner")
        position = match.end()
        quoted, mark, word = match.groups()
        if word is not None and _COMMENT.search(word):
            raise ValueError("comments are not possible")
        found.append((mark, False) if mark else (word if quoted is None else quoted, True))
    return found[::-1]


def _statements(tokens: list[tuple[str, bool]], *, closed: bool) -> tuple[Statement, ...]:
    found: list[Statement] = []
    current: list[str | Block] = []
    while tokens:
        text, is_word = tokens.pop()
        if is_word:
            current.append(text)
        elif text == "{":
            current.append(Block(_statements(tokens, closed=True)))
        elif text == ";":
            found.extend([tuple(current)] if current else [])
            current = []
        elif current:
            raise ValueError("a statement does not end with ;")
        elif not closed:
            raise ValueError("a brace closes too early")
        else:
            return tuple(found)
    if current:
        raise ValueError("a statement does not end with ;")
    if closed:
        raise ValueError("a brace does not close")
    return tuple(found)
