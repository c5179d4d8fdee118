"""Identifiers in requests: UUIDs in any spelling, and ids of projects."""

from __future__ import annotations

import re
import uuid

MAX_PROJECT_ID = 36  # characters

# uuid.UUID alone also accepts underscores, signs, blanks and the digits of other alphabets.
_SPELLINGS = re.compile(
    r"(?:urn:uuid:)?\{?[0-9a-f]{8}(-?)(?:[0-9a-f]{4}\1){3}[0-9a-f]{12}\}?", re.I
)


def canonical(text: str) -> str | None:
    """Return the UUID in lower case with dashes, or None for any other text.

    The UUID may be written with or without dashes, braces or the URN prefix.
    """
    if not text.isascii() or _SPELLINGS.fullmatch(text) is None:
        return None
    return str(uuid.UUID(text))
