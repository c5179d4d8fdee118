"""What bodies and parameters look like: a declaration that reads or renders a value describes it too.

Descriptions are JSON Schema 2020-12, the dialect of OpenAPI 3.1; `designate.api.openapi` gathers them.
What central judges is named by formats: domain-name, email, rr-type, rdata (master-file form).
A `Field` is a member of a request, a `Member` one of an answer.
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
    """The same, or null."""
    found = dict(schema)
    kinds = schema["type"]
    found["type"] = [*([kinds] if isinstance(kinds, str) else kinds), "null"]
    if "enum" in schema:
        found["enum"] = [*schema["enum"], None]
    return found


def enum_of(words: type[StrEnum] | tuple[str, ...]) -> Schema:
    return {"type": "string", "enum": [str(word) for word in words]}


def closed_object(properties: Mapping[str, Schema], required: tuple[str, ...] = ()) -> Schema:
    """An object of these members and no others."""
    return open_object(properties, required) | {"additionalProperties": False}


def open_object(properties: Mapping[str, Schema], required: tuple[str, ...] = ()) -> Schema:
    """An object with these members; later releases may add to it."""
    found: Schema = {"type": "object", "properties": dict(properties)}
    return found | ({"required": list(required)} if required else {})


@dataclass(frozen=True, slots=True)
class Field:
    """A member of a request: its schema, and the reader that refuses what does not fit. Readers also
    take what old clients send, such as numbers as texts; the schema says what new ones should."""

    schema: Schema
    read: Reader

    def __call__(self, name: str, value: Any) -> Any:
        """Raises InvalidObject."""
        return self.read(name, value)

    def described(self, description: str) -> Field:
        return replace(self, schema=self.schema | {"description": description})

    def with_schema(self, schema: Schema) -> Field:
        """The same reader, for what is of a format besides."""
        return replace(self, schema=schema | self.schema)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A request body. name: of its schema. needed: members without which it is refused. optional: it
    may be missing. files: content types in which it may come instead of JSON."""

    name: str
    members: Mapping[str, Field]
    required: tuple[str, ...] = ()
    optional: bool = False
    file_types: tuple[str, ...] = ()

    @property
    def schema(self) -> Schema:
        return closed_object(
            {name: each.schema for name, each in self.members.items()}, self.required
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of an answer. of: its value, from the object; None: the object's attribute of the same
    name, through `convert` unless it is None. when: which objects have it."""

    schema: Schema
    value_of: Callable[[Any], Any] | None = None
    convert: Callable[[Any], Any] | None = None
    when: Callable[[Any], bool] | None = None

    def described(self, description: str) -> Member:
        return replace(self, schema=self.schema | {"description": description})

    def getter(self, name: str) -> Callable[[Any], Any]:
        if self.value_of is not None:
            return self.value_of
        get, convert = attrgetter(name), self.convert
        if convert is None:
            return get

        def converted(value: Any) -> Any:
            found = get(value)
            return None if found is None else convert(found)

        return converted


def member(schema: Schema, means: str = "", **how: Any) -> Member:
    found = Member(schema=schema, **how)
    return found.described(means) if means else found


def timestamp_member(means: str, *, optional: bool = False) -> Member:
    """A date in UTC."""
    return member(nullable(TIMESTAMP) if optional else TIMESTAMP, means, convert=timestamp)


CREATED_AT = timestamp_member("When it was made, UTC.")
UPDATED_AT = timestamp_member("When it was last changed, UTC; null: never.", optional=True)


@dataclass(frozen=True, slots=True)
class Shape:
    """An object as clients see it. name: of its schema. members: in the order in which they are sent."""

    name: str
    members: Mapping[str, Member]
    # A list renders a thousand objects: where all members are always there, one call fetches the
    # attributes, and what is not simply an attribute is put in its place afterwards.
    _fetch: Callable[[Any], tuple[Any, ...]] | None = field(init=False, repr=False)
    _getters: tuple[Any, ...] = field(init=False, repr=False)
    _names: tuple[str, ...] = field(init=False, repr=False)
    _others: tuple[tuple[str, Callable[[Any], Any]], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        members = self.members.items()
        simple = [name for name, each in members if each.value_of is None and each.convert is None]
        whole = len(simple) > 1 and all(each.when is None for _, each in members)
        fetched = [name if name in simple else simple[0] for name in self.members] if whole else ()
        getters = tuple((name, each.getter(name), each.when) for name, each in members)
        others = tuple((name, get) for name, get, _ in getters if name not in simple)
        object.__setattr__(self, "_fetch", attrgetter(*fetched) if whole else None)
        object.__setattr__(self, "_names", tuple(self.members))
        object.__setattr__(self, "_getters", getters)
        object.__setattr__(self, "_others", others)

    def render(self, value: Any) -> dict[str, Any]:
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
        required = tuple(name for name, each in self.members.items() if each.when is None)
        return open_object({name: each.schema for name, each in self.members.items()}, required)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of requests. where: query, header or path."""

    name: str
    where: str
    schema: Schema
    description: str = ""
    deprecated: bool = False


class Schemas:
    """The named schemas of one document. Each name stands for one thing."""

    def __init__(self) -> None:
        self.found: dict[str, Schema] = {}

    def ref(self, name: str, schema: Schema) -> Schema:
        """A reference to the schema, which is kept. Raises ConfigurationError for a second one of
        the name."""
        if self.found.setdefault(name, schema) != schema:
            raise errors.ConfigurationError(f"two different schemas are called {name}")
        return {"$ref": f"#/components/schemas/{name}"}
