"""Fields of pools.yaml: functions that return a usable value and record problems.

label, where: the place in the file, for people.
"""

from __future__ import annotations

import base64
import ipaddress
import re
import uuid
from collections.abc import Collection, Iterable, Mapping
from typing import Any

_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")


class Problems:
    """Collects the problems of a file. source: its name."""

    def __init__(self, source: str) -> None:
        self._source = source
        self.found: list[str] = []

    def add(self, path: str, problem: str) -> None:
        """Record a problem at a place of the file."""
        self.found.append(f"{self._source}: {path}: {problem}")


def check_keys(
    item: Mapping[str, Any], known: Collection[str], problems: Problems, label: str
) -> None:
    """Record a problem for each unknown key."""
    for key in item:
        if key not in known:
            problems.add(f"{label}: {key}", f"unknown key; the known keys are {', '.join(known)}")


def mappings(
    item: Mapping[str, Any], key: str, problems: Problems, label: str, *, non_empty: bool = False
) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """Yield the mappings of a list with their places. non_empty: the list must not be empty."""
    value = item.get(key)
    if value is None:
        return
    if non_empty and not value:
        problems.add(f"{label}: {key}", "must not be empty")
        return
    if not isinstance(value, list):
        problems.add(f"{label}: {key}", "must be a list")
        return
    for place, entry in enumerate(value):
        where = f"{label}: {key}[{place}]"
        if isinstance(entry, dict):
            yield where, entry
        else:
            problems.add(where, "must be a mapping")


def text(
    item: Mapping[str, Any],
    key: str,
    problems: Problems,
    label: str,
    max_length: int,
    *,
    required: bool = True,
) -> str | None:
    """Return the value of a key as text; None when it is missing or invalid."""
    value = item.get(key)
    if value is None or (required and value == ""):
        if required:
            problems.add(f"{label}: {key}", "is required")
        return None
    if not isinstance(value, str | int | float) or len(str(value)) > max_length:
        problems.add(f"{label}: {key}", f"must be a text of at most {max_length} characters")
        return None
    return str(value)


def text_map(value: object, problems: Problems, label: str, max_length: int) -> dict[str, str]:
    """Return a mapping of texts, without null values."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        problems.add(label, "must be a mapping")
        return {}
    found = {}
    for key, item in value.items():
        value_text = str(item).lower() if isinstance(item, bool) else str(item)
        if isinstance(item, dict | list) or max(len(str(key)), len(value_text)) > max_length:
            problems.add(f"{label}: {key}", f"must be a text of at most {max_length} characters")
        elif item is not None:
            found[str(key)] = value_text
    return found


def is_base64(value: str) -> bool:
    """Return whether the text is base64 and not empty."""
    try:
        return bool(base64.b64decode(value, validate=True))
    except ValueError:
        return False


def is_host(value: str) -> bool:
    """Return whether the text is an IP address or a host name."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        labels = value.removesuffix(".").split(".")
        # A last label of digits alone is a mistyped address.
        return all(_LABEL.fullmatch(label) for label in labels) and not labels[-1].isdigit()
    return True


def number(value: object, maximum: int, problems: Problems, where: str, *, minimum: int = 1) -> int:
    """Return the value, which may be quoted, as a number; the minimum when it is invalid."""
    try:
        parsed = int(str(value))
    except ValueError:
        parsed = minimum - 1
    if not minimum <= parsed <= maximum:
        problems.add(where, f"must be a number from {minimum} to {maximum}")
        return minimum
    return parsed


def value_or(item: Mapping[str, Any], key: str, default: object) -> object:
    """Return the value of a key, or the default where it is missing or null."""
    value = item.get(key)
    return default if value is None else value


def uuid_text(value: object, problems: Problems, where: str) -> str | None:
    """Return the value as a UUID; None when it is missing or invalid."""
    if value is None:
        return None
    try:
        return str(uuid.UUID(str(value)))
    except ValueError:
        problems.add(where, f"Not a valid uuid: {value}")
        return None


def flag(item: Mapping[str, Any], key: str, problems: Problems, where: str) -> bool:
    """Return the value of a key that is true or false; false when it is missing or invalid."""
    value = item.get(key)
    if value is None or isinstance(value, bool):
        return bool(value)
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    problems.add(f"{where}: {key}", "must be true or false")
    return False
