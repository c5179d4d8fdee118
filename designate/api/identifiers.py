"""UUIDs as clients write them."""

from __future__ import annotations

import re
import uuid

# uuid.UUID alone also takes underscores, signs, blanks and other alphabets' digits.
_SPELLINGS = re.compile(
    r"(?:urn:uuid:)?\{?[0-9a-f]{8}(-?)(?:[0-9a-f]{4}\1){3}[0-9a-f]{12}\}?", re.I
)


def canonical(text: str) -> str | None:
    """Lower case with dashes, from any spelling with or without dashes, braces or the URN's prefix;
    None: it is no UUID."""
    if not text.isascii() or _SPELLINGS.fullmatch(text) is None:
        return None
    return str(uuid.UUID(text))
