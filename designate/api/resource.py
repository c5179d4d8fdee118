"""Declared resources: what a resource is called and holds; this module does the rest of REST.

A `Resource` gives its collection and item routes with paging, filters, links, Location and status codes
of Designate's API v2. A resource file adds only what is special about it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from webob import Response

from designate import errors
from designate.api import body as bodies
from designate.api import paging
from designate.api.headers import Switch
from designate.api.operation import DONE, Answer, Call, Handler, Operation, ref
from designate.api.routing import Route, canonical_id, route, routed
from designate.api.shape import NUMBER, URL, Body, Schema, Shape, shown
from designate.model.query import Page
from designate.rpc.clients import CentralClient

__all__ = [
    "Answer",
    "Call",
    "Handler",
    "Operation",
    "Resource",
    "Route",
    "answer",
    "canonical_id",
    "empty",
    "route",
]

Link = Callable[[Any], str | None]


def answer(value: Any, status: int = 200, **headers: str) -> Response:
    response = encoded(json.dumps(value).encode(), status)
    response.headers.update(headers)
    return response


def encoded(body: bytes, status: int = 200) -> Response:
    """body: JSON."""
    return Response(body=body, status=status, content_type="application/json", charset=None)


def empty(status: int = 204) -> Response:
    """Neither body nor content type."""
    response = Response(status=status)
    del response.content_type
    return response


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """name: the member that holds a list. one: what an item is called, with its article. path: of the
    collection, below the API's root. item: the name of its id in paths; empty: it has no items of its
    own. client: its part of central. shape: an object as clients see it, without links. self_path:
    where an object of it is found. links: the paths of further links by name; None: this object has
    no such link.

    new, changes: a request as draft or patch; None: the operation does not exist. new_body,
    changes_body: what they read. before_body: what an update is refused for before it is said what is
    wrong with its body. created_status, updated_status: the status codes for a created or changed
    object, of created_codes and updated_codes; None: the first of these. shows_deleted: what goes
    slowly is shown once more, with a 202; what is gone at once is not. deleted_item: the name of the
    id where it is deleted, if clients know it by another one. located: whether creation answers with
    a Location. counted: whether lists have metadata with a count. whole: spans all parents, for which
    central takes None as their id. refusals: status codes of errors of creation and change, besides
    the common ones. switches: what further headers mean something, by method (list: to a list).
    """

    name: str
    one: str
    path: str
    item: str
    client: Callable[[CentralClient], Any]
    shape: Shape
    self_path: Callable[[Any], str]
    sort_keys: Sequence[str]
    filters: Sequence[str]
    links: Mapping[str, Link] = field(default_factory=dict)
    new: Callable[[Call, dict[str, Any]], Any] | None = None
    new_body: Body | None = None
    changes: Callable[[Call, dict[str, Any]], Any] | None = None
    changes_body: Body | None = None
    before_body: Callable[[Call], object] = lambda _: None
    update_method: str = "PATCH"
    created_codes: tuple[int, ...] = (201,)
    created_status: Callable[[Any], int] | None = None
    updated_codes: tuple[int, ...] = (200,)
    updated_status: Callable[[Any], int] | None = None
    shows_deleted: bool = False
    deletable: bool = True
    deleted_item: str = ""
    located: bool = True
    counted: bool = True
    whole: bool = False
    refusals: tuple[int, ...] = (409,)
    switches: Mapping[str, tuple[Switch, ...]] = field(default_factory=dict)

    def routes(self) -> list[Route]:
        collection = {"GET": self._listing()}
        if self.new is not None:
            collection["POST"] = self.creating(self.create, self.new_body)
        found = [routed(self.path, collection)]
        if self.item:
            single = {"GET": self._showing()}
            if self.changes is not None:
                single[self.update_method] = self.updating()
            if self.deletable and not self.deleted_item:
                single["DELETE"] = self._deleting()
            found.append(routed(f"{self.path}/{{{self.item}}}", single))
            if self.deleted_item:
                found.append(route(f"{self.path}/{{{self.deleted_item}}}", DELETE=self._deleting()))
        return found

    @property
    def schema(self) -> Schema:
        """Of an object as it is shown, with its links."""
        plain = self.shape.schema
        links = shown({"self": URL} | dict.fromkeys(self.links, URL), ("self",))
        return plain | {
            "properties": plain["properties"] | {"links": links},
            "required": [*plain.get("required", ()), "links"],
        }

    @property
    def list_schema(self) -> Schema:
        members: dict[str, Schema] = {
            self.name: {"type": "array", "items": ref(self.shape.name)},
            "links": shown({"self": URL, "next": URL}, ("self",)),
        }
        if self.counted:
            members["metadata"] = shown({"total_count": NUMBER})
        return shown(members, tuple(members))

    def item_answer(self, description: str, *, located: bool = False) -> Answer:
        name = self.shape.name
        return Answer(
            description=description,
            schema=ref(name),
            named={name: self.schema},
            located=located,
        )

    def _parameters(self, method: str) -> tuple[Any, ...]:
        return tuple(
            each for switch in self.switches.get(method, ()) for each in switch.parameters()
        )

    def _listing(self) -> Operation:
        name, list_name = self.shape.name, f"{self.shape.name}List"
        answered = Answer(
            description="A page of them.",
            schema=ref(list_name),
            named={name: self.schema, list_name: self.list_schema},
        )
        return Operation(
            handler=self.list,
            summary=f"List {self.name.replace('_', ' ')}",
            answers={200: answered},
            parameters=paging.described(self.filters, self.sort_keys) + self._parameters("list"),
        )

    def creating(self, handler: Handler, body: Body | None) -> Operation:
        """An operation that answers with a new object of this resource."""
        answered = self.item_answer("Made, or about to be.", located=self.located)
        return Operation(
            handler=handler,
            summary=f"Create {self.one}",
            body=body,
            answers=dict.fromkeys(self.created_codes, answered),
            parameters=self._parameters("POST"),
            refusals=self.refusals,
            makes=self.path if self.item else "",
        )

    def _showing(self) -> Operation:
        return Operation(
            handler=self.show,
            summary=f"Show {self.one}",
            answers={200: self.item_answer("The object.")},
        )

    def updating(self) -> Operation:
        answered = self.item_answer("The object after the change.")
        return Operation(
            handler=self.update,
            summary=f"Change {self.one}",
            body=self.changes_body,
            answers=dict.fromkeys(self.updated_codes, answered),
            parameters=self._parameters(self.update_method),
            refusals=self.refusals,
        )

    def _deleting(self) -> Operation:
        shown_once = self.item_answer("The object, which is about to go.")
        return Operation(
            handler=self.delete,
            summary=f"Delete {self.one}",
            answers={202: shown_once} if self.shows_deleted else {204: DONE},
            parameters=self._parameters("DELETE"),
        )

    def rendered(self, call: Call, value: Any) -> dict[str, Any]:
        root = call.root
        links = {"self": root + self.self_path(value)}
        for name, link in self.links.items():
            path = link(value)
            if path is not None:
                links[name] = root + path
        found = self.shape.render(value)
        found["links"] = links
        return found

    def list(self, call: Call) -> Response:
        params = paging.parameters(call.request)
        names = [part[1:-1] for part in self.path.split("/") if part.startswith("{")]
        query = paging.query(
            call.conf,
            call.context,
            params,
            filters=self.filters,
            sort_keys=self.sort_keys,
            ignored=names,
        )
        # A collection below nothing spans all parents where central has them.
        ids = (None,) if self.whole else call.ids
        # Of the caller nothing but this shows in a page that has a tag.
        key = (call.root, self.name, ids, tuple(params), query.sort_key, call.context.hide_counts)
        known, kept = call.kept.get(key)
        page: Page[Any] = self.client(call.central).find(
            call.context, *ids, replace(query, known=known)
        )
        if page.same:
            return encoded(kept)
        items = [self.rendered(call, value) for value in page.items]
        here = call.link(self.path.format(**dict(zip(names, call.ids, strict=False))))
        found = {self.name: items, "links": paging.links(here, params, query.limit, items)}
        if self.counted:
            total = page.total_count
            found["metadata"] = {} if total is None else {"total_count": total}
        body = json.dumps(found).encode()
        if page.tag is not None:
            call.kept.keep(key, page.tag, body, call.request.query_string)
        return encoded(body)

    def create(self, call: Call) -> Response:
        assert self.new is not None  # noqa: S101 - the route exists only then
        draft = self.new(call, bodies.parse(call.request))
        value = self.client(call.central).create(call.context, *call.ids, draft)
        return self.created(call, value)

    def created(self, call: Call, value: Any) -> Response:
        rendered = self.rendered(call, value)
        headers = {"Location": rendered["links"]["self"]} if self.located else {}
        pick = self.created_status
        status = pick(value) if pick is not None else self.created_codes[0]
        return answer(rendered, status, **headers)

    def show(self, call: Call) -> Response:
        value = self.client(call.central).get(call.context, *call.ids)
        return answer(self.rendered(call, value))

    def update(self, call: Call) -> Response:
        assert self.changes is not None  # noqa: S101 - the route exists only then
        try:
            body = bodies.parse(call.request)
        except errors.InvalidObject:
            self.before_body(call)
            raise
        patch = self.changes(call, body)
        value = self.client(call.central).update(call.context, *call.ids, patch)
        pick = self.updated_status
        status = pick(value) if pick is not None else self.updated_codes[0]
        return answer(self.rendered(call, value), status)

    def delete(self, call: Call) -> Response:
        value = self.client(call.central).delete(call.context, *call.ids)
        return answer(self.rendered(call, value), 202) if self.shows_deleted else empty()
