"""Fields of request bodies: strings, integers, choices, UUIDs and records.

They validate types, lengths, ranges and characters; central validates names and record data.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from designate import errors
from designate.api import identifiers, shape
from designate.api.shape import BodyField, Schema
from designate.errors import Reason

# Lengths are in characters.
MAX_TTL = 2**31 - 1
MAX_DESCRIPTION = 160
MAX_NAME = 255
MAX_ATTRIBUTE = 50

# As the inside of a character class, in the syntax that Python and JSON Schema (ECMA-262) share.
_CONTROL = r"\x00-\x1f\x7f-\x9f"
_CONTROL_EXCEPT_TAB_AND_NEWLINE = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,20}\s*", re.ASCII)


def text(
    max_length: int, *, nullable: bool = False, multiline: bool = False, allow_empty: bool = True
) -> BodyField:
    """Return a field that is a string; numbers are accepted as their text.

    Control characters are rejected, except tabs and line ends where `multiline` is set.
    """
    excluded = _CONTROL_EXCEPT_TAB_AND_NEWLINE if multiline else _CONTROL
    forbidden = re.compile(f"[{excluded}]")

    def read(name: str, value: Any) -> str | None:
        if value is None and nullable:
            return None
        if value is None or isinstance(value, dict | list):
            raise errors.InvalidObject(f"Field '{name}' must be a string")
        given = str(value)
        if len(given) > max_length:
            raise errors.InvalidObject(
                f"Value in the field '{name}' is too long: at most {max_length} characters"
            )
        if forbidden.search(given):
            raise errors.InvalidObject(f"Value in the field '{name}' contains a control character")
        if not given and not allow_empty:
            raise errors.InvalidObject(f"Value in the field '{name}' is empty")
        return given

    schema: Schema = {"type": "string", "maxLength": max_length, "pattern": f"^[^{excluded}]*$"}
    schema |= {} if allow_empty else {"minLength": 1}
    return BodyField(shape.nullable(schema) if nullable else schema, read)


def integer(minimum: int, maximum: int, *, nullable: bool = False) -> BodyField:
    """Return a field that is an integer in a range.

    Strings of digits are accepted, and fractions are cut off.
    """

    def read(name: str, value: Any) -> int | None:
        if value is None and nullable:
            return None
        try:
            if isinstance(value, bool) or (
                isinstance(value, str) and _INTEGER.fullmatch(value) is None
            ):
                raise ValueError
            number = int(value)
        except (TypeError, ValueError, OverflowError):
            raise errors.InvalidObject(f"Field '{name}' must be an integer") from None
        if number < minimum:
            raise errors.InvalidObject(f"Value in the field '{name}' is below {minimum}")
        if number > maximum:
            raise errors.InvalidObject(f"Value in the field '{name}' is above {maximum}")
        return number

    schema: Schema = {"type": "integer", "minimum": minimum, "maximum": maximum}
    return BodyField(shape.nullable(schema) if nullable else schema, read)


def string_map(max_length: int) -> BodyField:
    """Return a field that is an object of strings; keys and values have this maximum length."""
    read_key, read_text = text(max_length, allow_empty=False), text(max_length)

    def read(name: str, value: Any) -> dict[str, str]:
        if not isinstance(value, dict):
            raise errors.InvalidObject(f"Field '{name}' must be an object")
        return {read_key(name, key): read_text(name, item) for key, item in value.items()}

    schema: Schema = {
        "type": "object",
        "propertyNames": read_key.schema,
        "additionalProperties": read_text.schema,
    }
    return BodyField(schema, read)


def choice(allowed: Collection[str]) -> BodyField:
    """Return a field that is one of these strings."""

    def read(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise errors.InvalidObject(f"Value in the field '{name}' is not one of {list(allowed)}")
        return value

    return BodyField(shape.enum_of(tuple(allowed)), read)


def _identifier(name: str, value: Any) -> str:
    found = identifiers.canonical(value) if isinstance(value, str) else None
    if found is None:
        raise errors.InvalidObject(
            f"Value '{str(value)[:100]}' in the field '{name}' is not a UUID"
        )
    return found


identifier = BodyField(shape.UUID, _identifier)  # read into its canonical form
ttl = integer(0, MAX_TTL)
nullable_ttl = integer(0, MAX_TTL, nullable=True)
domain = text(MAX_NAME).with_schema(shape.DOMAIN).described("With the trailing dot.")
escaped_domain = domain.described(
    "With the trailing dot. Labels beyond ASCII become A-labels; an octet other than letters, digits, "
    "`-`, `_` and `/` is written as a backslash and the character, or as `\\DDD`, its decimal number."
)
description = text(MAX_DESCRIPTION, nullable=True, multiline=True)


def records(rtype: object, value: Any) -> tuple[str, ...]:
    """Return the texts of a recordset's records without repetitions.

    Raises:
        InvalidObject: The value is not a list, or an item is not a string; the type is for the message.
    """
    if not isinstance(value, list):
        raise errors.InvalidObject(
            reasons=(
                Reason(
                    ("records",),
                    f"'{str(value)[:100]}' is not a valid list of records; send a list of strings",
                    "type",
                    ["list"],
                ),
            )
        )
    found = list(dict.fromkeys(item if isinstance(item, str) else _NotText(item) for item in value))
    invalid = tuple(
        Reason(("records", index), f"'{item}' is not a '{rtype}' Record", "format", [rtype])
        for index, item in enumerate(found)
        if not isinstance(item, str)
    )
    if invalid:
        raise errors.InvalidObject(reasons=invalid)
    return tuple(item for item in found if isinstance(item, str))


class _NotText:
    """A record that is not a string, made hashable so that it keeps its position until it is reported."""

    def __init__(self, value: Any) -> None:
        self._text = str(value)[:100]

    def __str__(self) -> str:
        return self._text
