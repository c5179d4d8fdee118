"""Shapes of bodies and parameters: one declaration reads or renders a value and describes it.

Descriptions are JSON Schema 2020-12, the dialect of OpenAPI 3.1; `designate.api.openapi` collects them.
Values that central validates have a format: domain-name, email, rr-type or rdata (in master-file form).
A `BodyField` is a member of a request, a `Member` one of a response.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from operator import attrgetter
from typing import Any

from designate import errors
from designate.model.codec import timestamp

Schema = dict[str, Any]
Reader = Callable[[str, Any], Any]

UUID: Schema = {"type": "string", "format": "uuid"}
STRING: Schema = {"type": "string"}
URL: Schema = {"type": "string", "format": "uri"}
DOMAIN: Schema = STRING | {"format": "domain-name"}
EMAIL: Schema = STRING | {"format": "email"}
RTYPE: Schema = STRING | {"format": "rr-type"}
RDATAS: Schema = {"type": "array", "items": STRING | {"format": "rdata"}}
BOOLEAN: Schema = {"type": "boolean"}
INTEGER: Schema = {"type": "integer"}
TIMESTAMP: Schema = {
    "type": "string",
    "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}$",
    "examples": ["2026-11-23T03:47:51.000000"],
}
STRINGS: Schema = {"type": "array", "items": STRING}
STRING_MAP: Schema = {"type": "object", "additionalProperties": STRING}
OBJECT: Schema = {"type": "object"}


def nullable(schema: Schema) -> Schema:
    """Return the schema of the same values and null."""
    found = dict(schema)
    kinds = schema["type"]
    found["type"] = [*([kinds] if isinstance(kinds, str) else kinds), "null"]
    if "enum" in schema:
        found["enum"] = [*schema["enum"], None]
    return found


def enum_of(words: type[StrEnum] | tuple[str, ...]) -> Schema:
    """Return the schema of a string that is one of these."""
    return {"type": "string", "enum": [str(word) for word in words]}


def closed_object(properties: Mapping[str, Schema], required: tuple[str, ...] = ()) -> Schema:
    """Return the schema of an object that has these members and no others."""
    return open_object(properties, required) | {"additionalProperties": False}


def open_object(properties: Mapping[str, Schema], required: tuple[str, ...] = ()) -> Schema:
    """Return the schema of an object with these members; later releases may add others."""
    found: Schema = {"type": "object", "properties": dict(properties)}
    return found | ({"required": list(required)} if required else {})


@dataclass(frozen=True, slots=True)
class BodyField:
    """A member of a request: its schema, and the reader that validates it.

    Readers also accept what old clients send, such as numbers as strings; the schema describes what
    new clients should send.
    """

    schema: Schema
    read: Reader

    def __call__(self, name: str, value: Any) -> Any:
        """Return the value that the member of this name stands for.

        Raises:
            InvalidObject: The value is not valid.
        """
        return self.read(name, value)

    def described(self, description: str) -> BodyField:
        """Return the same field with a description."""
        return replace(self, schema=self.schema | {"description": description})

    def with_schema(self, schema: Schema) -> BodyField:
        """Return the same field with the members of another schema added, such as a format."""
        return replace(self, schema=schema | self.schema)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A request body.

    Attributes:
        name: The name of its schema.
        members: All members.
        required: The members that must be present.
        optional: Whether the body may be missing.
        file_types: Content types that are accepted instead of JSON.
    """

    name: str
    members: Mapping[str, BodyField]
    required: tuple[str, ...] = ()
    optional: bool = False
    file_types: tuple[str, ...] = ()

    @property
    def schema(self) -> Schema:
        """The schema of the body as JSON."""
        members = {name: each.schema for name, each in self.members.items()}
        return closed_object(members, self.required)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of a response.

    Attributes:
        schema: The schema of its value.
        value_of: Returns the value for an object; None: the object's attribute of the same name.
        convert: Converts the attribute, unless that is None.
        when: Returns whether an object has this member; None: all have.
    """

    schema: Schema
    value_of: Callable[[Any], Any] | None = None
    convert: Callable[[Any], Any] | None = None
    when: Callable[[Any], bool] | None = None

    def described(self, description: str) -> Member:
        """Return the same member with a description."""
        return replace(self, schema=self.schema | {"description": description})

    def getter(self, name: str) -> Callable[[Any], Any]:
        """Return the function that gets the value of the member with this name from an object."""
        if self.value_of is not None:
            return self.value_of
        get, convert = attrgetter(name), self.convert
        if convert is None:
            return get

        def converted(value: Any) -> Any:
            found = get(value)
            return None if found is None else convert(found)

        return converted


def member(schema: Schema, description: str = "", **options: Any) -> Member:
    """Return a member with a description; the options are attributes of Member."""
    found = Member(schema=schema, **options)
    return found.described(description) if description else found


def timestamp_member(description: str, *, optional: bool = False) -> Member:
    """Return a member that is a time in UTC, or null if it is optional."""
    schema = nullable(TIMESTAMP) if optional else TIMESTAMP
    return member(schema, description, convert=timestamp)


CREATED_AT = timestamp_member("When it was created, UTC.")
UPDATED_AT = timestamp_member("When it was last changed, UTC; null: never.", optional=True)


@dataclass(frozen=True, slots=True)
class Shape:
    """An object as clients see it.

    Attributes:
        name: The name of its schema.
        members: The members in the order in which they are sent.
    """

    name: str
    members: Mapping[str, Member]
    # A list renders a thousand objects. Where all objects have all members, one call fetches the
    # attributes, and the members that are not plain attributes are replaced afterwards.
    _fetch: Callable[[Any], tuple[Any, ...]] | None = field(init=False, repr=False)
    _getters: tuple[Any, ...] = field(init=False, repr=False)
    _names: tuple[str, ...] = field(init=False, repr=False)
    _others: tuple[tuple[str, Callable[[Any], Any]], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Prepare the functions that get the members."""
        members = self.members.items()
        plain = [name for name, each in members if each.value_of is None and each.convert is None]
        complete = len(plain) > 1 and all(each.when is None for _, each in members)
        fetched = [name if name in plain else plain[0] for name in self.members] if complete else ()
        getters = tuple((name, each.getter(name), each.when) for name, each in members)
        others = tuple((name, get) for name, get, _ in getters if name not in plain)
        object.__setattr__(self, "_fetch", attrgetter(*fetched) if complete else None)
        object.__setattr__(self, "_names", tuple(self.members))
        object.__setattr__(self, "_getters", getters)
        object.__setattr__(self, "_others", others)

    def render(self, value: Any) -> dict[str, Any]:
        """Return the members of an object."""
        if self._fetch is None:
            return {
                name: get(value) for name, get, when in self._getters if when is None or when(value)
            }
        found = dict(zip(self._names, self._fetch(value), strict=True))
        for name, get in self._others:
            found[name] = get(value)
        return found

    @property
    def schema(self) -> Schema:
        """The schema of the object."""
        required = tuple(name for name, each in self.members.items() if each.when is None)
        return open_object({name: each.schema for name, each in self.members.items()}, required)


def stored_object(name: str, /, **members: Member) -> Shape:
    """Return the shape of an object that has an id, these members and dates."""
    dates = {"created_at": CREATED_AT, "updated_at": UPDATED_AT}
    return Shape(name, {"id": member(UUID), **members, **dates})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of a request; `where` is query, header or path."""

    name: str
    where: str
    schema: Schema
    description: str = ""
    deprecated: bool = False


class Schemas:
    """The named schemas of one document; each name has one schema."""

    def __init__(self) -> None:
        self.found: dict[str, Schema] = {}

    def ref(self, name: str, schema: Schema) -> Schema:
        """Add the schema and return a reference to it.

        Raises:
            ConfigurationError: The name has a different schema already.
        """
        if self.found.setdefault(name, schema) != schema:
            raise errors.ConfigurationError(f"two different schemas are called {name}")
        return {"$ref": f"#/components/schemas/{name}"}
