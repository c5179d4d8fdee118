"""Request bodies: parsed once, with every limit, and read field by field into drafts and patches.

Shape only (types, lengths, ranges, members): what a name or a record may be is central's to say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any, NoReturn

from webob import Request

from designate import errors
from designate.api import identifiers, shape
from designate.api.shape import Body, Field, Schema
from designate.errors import Reason

MAX_TTL = 2**31 - 1
MAX_DESCRIPTION = 160
MAX_NAME = 255
MAX_ATTRIBUTE = 50

# As the inside of a character class, in the syntax that Python and JSON Schema (ECMA-262) share.
_CONTROL = r"\x00-\x1f\x7f-\x9f"
_NOT_IN_LINES = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,20}\s*", re.ASCII)


def parse(request: Request, *, optional: bool = False) -> dict[str, Any]:
    """The JSON object that the body holds. optional: nothing, or null, stands for an empty one.
    Raises UnsupportedMedia or BadRequest."""
    if request.content_type != "application/json":
        given = request.content_type or "None"
        raise errors.UnsupportedMedia(f"Unsupported Content-Type: {given[:100]}")
    raw = request.body
    if not raw.strip():
        if optional:
            return {}
        raise errors.BadRequest("Request body is empty", type="empty_request_body")
    try:
        body = loads(raw)
    except ValueError:
        raise errors.BadRequest("Request body is not valid JSON", type="invalid_json") from None
    if body is None:
        if optional:
            return {}
        raise errors.BadRequest("Request body is empty", type="empty_request_body")
    if not isinstance(body, dict):
        raise errors.InvalidObject("The request body must be an object")
    return body


def loads(raw: bytes) -> Any:
    """What the JSON says. Raises ValueError, also for what no answer could repeat (half a surrogate
    pair) and for nesting that is too deep to follow."""
    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def text(
    max_length: int, *, nullable: bool = False, multiline: bool = False, allow_empty: bool = True
) -> Field:
    """A string of at most so many characters; numbers are taken as their text. multiline: it may have
    several, and tabs; other control characters no text may hold. allow_empty: it may be."""
    excluded = _NOT_IN_LINES if multiline else _CONTROL
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
            raise errors.InvalidObject(f"Value in the field '{name}' holds a control character")
        if not given and not allow_empty:
            raise errors.InvalidObject(f"Value in the field '{name}' is empty")
        return given

    schema: Schema = {"type": "string", "maxLength": max_length, "pattern": f"^[^{excluded}]*$"}
    schema |= {} if allow_empty else {"minLength": 1}
    return Field(shape.nullable(schema) if nullable else schema, read)


def integer(minimum: int, maximum: int, *, nullable: bool = False) -> Field:
    """A number in a range; texts of numbers are taken, fractions cut."""

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
    return Field(shape.nullable(schema) if nullable else schema, read)


def texts_by_key(max_length: int) -> Field:
    """An object of strings."""
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
    return Field(schema, read)


def choice(allowed: Collection[str]) -> Field:
    def read(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise errors.InvalidObject(f"Value in the field '{name}' is not one of {list(allowed)}")
        return value

    return Field(shape.enum_of(tuple(allowed)), read)


def _identifier(name: str, value: Any) -> str:
    found = identifiers.canonical(value) if isinstance(value, str) else None
    if found is None:
        raise errors.InvalidObject(
            f"Value '{str(value)[:100]}' in the field '{name}' is not a UUID"
        )
    return found


identifier = Field(shape.UUID, _identifier)  # in canonical form


def require_members(body: Mapping[str, Any], names: Collection[str]) -> None:
    """Raises InvalidObject for the first of these members that is missing."""
    for name in names:
        if name not in body:
            raise errors.InvalidObject(
                reasons=(
                    Reason(
                        ("records", 0, name),
                        f"'{name}' is a required property",
                        "required",
                        [name],
                    ),
                )
            )


ttl = integer(0, MAX_TTL)
null_ttl = integer(0, MAX_TTL, nullable=True)
domain = text(MAX_NAME).with_schema(shape.DOMAIN).described("With the dot at the end.")
description = text(MAX_DESCRIPTION, nullable=True, multiline=True)


def read(
    body: Mapping[str, Any], declared: Body | Mapping[str, Field], unchecked: Collection[str] = ()
) -> dict[str, Any]:
    """The members that are there, each through its reader. unchecked: members that are the caller's to
    judge. Others are refused by name."""
    readers = declared.members if isinstance(declared, Body) else declared
    readers = {name: reader for name, reader in readers.items() if name not in unchecked}
    unknown = sorted(set(body) - set(readers) - set(unchecked))
    if unknown:
        shown = ", ".join(repr(name[:50]) for name in unknown[:10])
        raise errors.InvalidObject(f"Provided object is not valid. Unknown members: {shown}")
    return {name: reader(name, body[name]) for name, reader in readers.items() if name in body}


def reject_read_only(body: Mapping[str, Any], names: Collection[str]) -> None:
    """Members that only the service sets may be absent or null in a new object."""
    given = [name for name in names if body.get(name) is not None]
    if given:
        raise errors.InvalidObject(f"Provided object is not valid. Read-only members: {given}")


def reject_changed(
    body: Mapping[str, Any], names: Collection[str], current: Mapping[str, Any]
) -> None:
    """Members that cannot be changed may be sent back as they are."""
    for name in names:
        if name in body and body[name] != current.get(name):
            raise errors.InvalidObject(f"Provided object is not valid. '{name}' cannot be changed")


def raise_required(name: str) -> NoReturn:
    raise errors.InvalidObject(f"'{name}' is a required property")


def records(rtype: object, value: Any) -> tuple[str, ...]:
    """Record texts, repetitions left out."""
    if not isinstance(value, list):
        raise errors.InvalidObject(
            reasons=(
                Reason(
                    ("records",),
                    f"'{str(value)[:100]}' is not a valid list of records",
                    "type",
                    ["list"],
                ),
            )
        )
    found = list(dict.fromkeys(item if isinstance(item, str) else _NotText(item) for item in value))
    bad = tuple(
        Reason(("records", index), f"'{item}' is not a '{rtype}' Record", "format", [rtype])
        for index, item in enumerate(found)
        if not isinstance(item, str)
    )
    if bad:
        raise errors.InvalidObject(reasons=bad)
    return tuple(item for item in found if isinstance(item, str))


class _NotText:
    """A record that is no text, hashable so that it can stand in the list until it is reported."""

    def __init__(self, value: Any) -> None:
        self._shown = str(value)[:100]

    def __str__(self) -> str:
        return self._shown
