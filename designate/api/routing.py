"""Which handler a request belongs to, and what the handler gets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from designate import errors
from designate.api import identifiers
from designate.api.operation import ApiCall, Handler, Operation

__all__ = ["JSON", "ApiCall", "Handler", "Operation", "Route", "RouteTable", "route", "route_from"]


JSON = "application/json"
MAX_TEXT = 255


@dataclass(frozen=True, slots=True)
class Route:
    """path: segments; `{name}` stands for a UUID, `{name:text}` for any text. operations: by method.
    content_type: the content type of its answers. leaf: nothing can follow the path, so that what does is a
    wrong method and no unknown path."""

    path: tuple[str, ...]
    operations: Mapping[str, Operation]
    leaf: bool = False
    content_type: str = JSON

    def matches(self, segments: Sequence[str]) -> bool:
        return len(self.path) == len(segments) and all(
            is_parameter(want) or want == got for want, got in zip(self.path, segments, strict=True)
        )

    def ids(self, segments: Sequence[str]) -> tuple[str, ...]:
        """Raises BadRequest of type invalid_uuid, which names the argument."""
        return tuple(
            _value(want[1:-1], got)
            for want, got in zip(self.path, segments, strict=True)
            if is_parameter(want)
        )


def route(
    path: str, *, leaf: bool = False, content_type: str = JSON, **operations: Operation | Handler
) -> Route:
    """A function that is no Operation is served, but the API's document does not tell of it."""
    described = {
        method: each if isinstance(each, Operation) else Operation(handler=each)
        for method, each in operations.items()
    }
    return Route(_segments(path), described, leaf, content_type)


def route_from(path: str, operations: Mapping[str, Operation]) -> Route:
    return Route(_segments(path), operations)


def _segments(path: str) -> tuple[str, ...]:
    return tuple(path.strip("/").split("/"))


def is_parameter(segment: str) -> bool:
    return segment.startswith("{")


def _value(name: str, text: str) -> str:
    if not name.endswith(":text"):
        return canonical_id(name, text)
    if len(text) > MAX_TEXT or not text.isprintable():
        raise errors.BadRequest(f"Invalid {name.removesuffix(':text')}")
    return text


def canonical_id(name: str, text: str) -> str:
    found = identifiers.canonical(text)
    if found is None:
        raise errors.BadRequest(f"Invalid UUID {name}: {text[:100]}", type="invalid_uuid")
    return found


class RouteTable:
    """All routes of one API. Where several fit, the one that says more comes first."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = sorted(routes, key=lambda route: sum(map(is_parameter, route.path)))
        # Words of paths: they stand where an id would only by mistake.
        self._words = {
            segment
            for route in self._routes
            for segment in route.path[1:]
            if not is_parameter(segment)
        }

    def content_type(self, segments: Sequence[str]) -> str:
        """The content type that answers of the path have."""
        return next((route.content_type for route in self._routes if route.matches(segments)), JSON)

    def find(self, method: str, segments: Sequence[str]) -> tuple[Operation, tuple[str, ...]]:
        """The handler and the ids of the path. NotFound: no such path. MethodNotAllowed: the path is
        known, or it goes on behind one that is and only reads could mean that."""
        fitting = [route for route in self._routes if route.matches(segments)]
        if len(segments) == 2 and segments[1] in self._words and segments[0] == "zones":
            fitting = [route for route in fitting if not is_parameter(route.path[1])]
        for known in fitting:
            operation = known.operations.get(method)
            if operation is not None:
                return operation, known.ids(segments)
        if fitting or any(
            known.leaf and known.matches(segments[:-1]) for known in self._routes if segments
        ):
            raise errors.MethodNotAllowed
        if (
            method == "POST"
            and len(segments) == 3
            and segments[0] == "zones"
            and segments[1] != "tasks"
        ):
            raise errors.MethodNotAllowed
        raise errors.NotFound
