"""Routes: paths, and the operations of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from designate import errors
from designate.api import identifiers
from designate.api.operation import Handler, Operation

JSON = "application/json"
ZONEFILE = "text/dns"
MAX_TEXT = 255


@dataclass(frozen=True, slots=True)
class Route:
    """A path and its operations.

    Attributes:
        path: The segments; `{name}` stands for a UUID, `{name:text}` for any text.
        operations: By method.
        leaf: Whether no path continues this one: a longer path is then a 405 and not a 404.
        content_type: The content type of the responses.
    """

    path: tuple[str, ...]
    operations: Mapping[str, Operation]
    leaf: bool = False
    content_type: str = JSON

    def matches(self, segments: Sequence[str]) -> bool:
        """Return whether the segments have the form of this path."""
        return len(self.path) == len(segments) and all(
            is_parameter(pattern) or pattern == segment
            for pattern, segment in zip(self.path, segments, strict=True)
        )

    def ids(self, segments: Sequence[str]) -> tuple[str, ...]:
        """Return the values of the path's parameters.

        Raises:
            BadRequest: Of type invalid_uuid; the message names the parameter.
        """
        return tuple(
            _parameter_value(pattern[1:-1], segment)
            for pattern, segment in zip(self.path, segments, strict=True)
            if is_parameter(pattern)
        )


def route(
    path: str, *, leaf: bool = False, content_type: str = JSON, **operations: Operation | Handler
) -> Route:
    """Return a route from operations by method.

    A plain function is served too, but the API's document leaves it out.
    """
    described = {
        method: each if isinstance(each, Operation) else Operation(handler=each)
        for method, each in operations.items()
    }
    return Route(_segments(path), described, leaf, content_type)


def route_from(path: str, operations: Mapping[str, Operation]) -> Route:
    """Return a route from a mapping of methods to operations."""
    return Route(_segments(path), operations)


def _segments(path: str) -> tuple[str, ...]:
    return tuple(path.strip("/").split("/"))


def is_parameter(segment: str) -> bool:
    """Return whether the segment of a route's path is a placeholder."""
    return segment.startswith("{")


def _parameter_value(name: str, text: str) -> str:
    if not name.endswith(":text"):
        return canonical_id(name, text)
    if len(text) > MAX_TEXT or not text.isprintable():
        raise errors.BadRequest(f"Invalid {name.removesuffix(':text')}")
    return text


def canonical_id(name: str, text: str) -> str:
    """Return the UUID in canonical form.

    Raises:
        BadRequest: Of type invalid_uuid; the message has the name.
    """
    found = identifiers.canonical(text)
    if found is None:
        raise errors.BadRequest(f"Invalid UUID {name}: {text[:100]}", type="invalid_uuid")
    return found


class RouteTable:
    """All routes of one API; of several that match, the one with fewer parameters comes first."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = sorted(routes, key=lambda route: sum(map(is_parameter, route.path)))
        # Literal segments; in the place of an id they are most likely a mistake.
        self._literals = {
            segment
            for route in self._routes
            for segment in route.path[1:]
            if not is_parameter(segment)
        }

    def content_type(self, segments: Sequence[str]) -> str:
        """Return the content type of the path's responses."""
        return next((route.content_type for route in self._routes if route.matches(segments)), JSON)

    def find(self, method: str, segments: Sequence[str]) -> tuple[Operation, tuple[str, ...]]:
        """Return the operation and the ids of the path.

        Raises:
            NotFound: There is no such path.
            MethodNotAllowed: The path is known, or it continues a known one that only reads could mean.
        """
        matching = [route for route in self._routes if route.matches(segments)]
        if len(segments) == 2 and segments[1] in self._literals and segments[0] == "zones":
            matching = [route for route in matching if not is_parameter(route.path[1])]
        for known in matching:
            operation = known.operations.get(method)
            if operation is not None:
                return operation, known.ids(segments)
        if matching or self._continues_leaf(segments) or _is_post_below_zone(method, segments):
            raise errors.MethodNotAllowed
        raise errors.NotFound

    def _continues_leaf(self, segments: Sequence[str]) -> bool:
        return bool(segments) and any(
            known.leaf and known.matches(segments[:-1]) for known in self._routes
        )


def _is_post_below_zone(method: str, segments: Sequence[str]) -> bool:
    return (
        method == "POST"
        and len(segments) == 3
        and segments[0] == "zones"
        and segments[1] != "tasks"
    )
