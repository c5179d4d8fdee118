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
from designate.api.headers import RequestFlag
from designate.api.operation import NO_CONTENT, ApiCall, Handler, Operation, ResponseSpec, ref
from designate.api.routing import Route, canonical_id, route, route_from
from designate.api.shape import INTEGER, URL, Body, Schema, Shape, open_object
from designate.model.query import Page
from designate.rpc.clients import CentralClient

__all__ = [
    "ApiCall",
    "Handler",
    "Operation",
    "Resource",
    "ResponseSpec",
    "Route",
    "canonical_id",
    "empty_response",
    "json_response",
    "route",
]

Link = Callable[[Any], str | None]


def json_response(value: Any, status: int = 200, **headers: str) -> Response:
    response = json_bytes_response(json.dumps(value).encode(), status)
    response.headers.update(headers)
    return response


def json_bytes_response(body: bytes, status: int = 200) -> Response:
    """body: JSON."""
    return Response(body=body, status=status, content_type="application/json", charset=None)


def empty_response(status: int = 204) -> Response:
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

    new, changes: a request as draft or patch; None: the operation does not exist. create_body,
    update_body: what they read. precheck: what an update is refused for before it is said what is
    wrong with its body. created_status, updated_status: the status codes for a created or changed
    object, of created_codes and updated_codes; None: the first of these. returns_deleted: what goes
    slowly is shown once more, with a 202; what is gone at once is not. delete_id_name: the name of the
    id where it is deleted, if clients know it by another one. has_location: whether creation answers with
    a Location. counted: whether lists have metadata with a count. whole: spans all parents, for which
    central takes None as their id. refusals: status codes of errors of creation and change, besides
    the common ones. switches: what further headers mean something, by method (list: to a list).
    """

    name: str
    singular: str
    path: str
    id_name: str
    client: Callable[[CentralClient], Any]
    shape: Shape
    self_path: Callable[[Any], str]
    sort_keys: Sequence[str]
    filters: Sequence[str]
    links: Mapping[str, Link] = field(default_factory=dict)
    make_draft: Callable[[ApiCall, dict[str, Any]], Any] | None = None
    create_body: Body | None = None
    make_patch: Callable[[ApiCall, dict[str, Any]], Any] | None = None
    update_body: Body | None = None
    precheck: Callable[[ApiCall], object] = lambda _: None
    update_method: str = "PATCH"
    created_codes: tuple[int, ...] = (201,)
    created_status: Callable[[Any], int] | None = None
    updated_codes: tuple[int, ...] = (200,)
    updated_status: Callable[[Any], int] | None = None
    returns_deleted: bool = False
    deletable: bool = True
    delete_id_name: str = ""
    has_location: bool = True
    has_count: bool = True
    spans_parents: bool = False
    error_codes: tuple[int, ...] = (409,)
    flags: Mapping[str, tuple[RequestFlag, ...]] = field(default_factory=dict)

    def routes(self) -> list[Route]:
        collection = {"GET": self._list_operation()}
        if self.make_draft is not None:
            collection["POST"] = self.create_operation(self.create, self.create_body)
        found = [route_from(self.path, collection)]
        if self.id_name:
            single = {"GET": self._show_operation()}
            if self.make_patch is not None:
                single[self.update_method] = self.update_operation()
            if self.deletable and not self.delete_id_name:
                single["DELETE"] = self._delete_operation()
            found.append(route_from(f"{self.path}/{{{self.id_name}}}", single))
            if self.delete_id_name:
                found.append(
                    route(f"{self.path}/{{{self.delete_id_name}}}", DELETE=self._delete_operation())
                )
        return found

    @property
    def schema(self) -> Schema:
        """Of an object as it is shown, with its links."""
        plain = self.shape.schema
        links = open_object({"self": URL} | dict.fromkeys(self.links, URL), ("self",))
        return plain | {
            "properties": plain["properties"] | {"links": links},
            "required": [*plain.get("required", ()), "links"],
        }

    @property
    def list_schema(self) -> Schema:
        members: dict[str, Schema] = {
            self.name: {"type": "array", "items": ref(self.shape.name)},
            "links": open_object({"self": URL, "next": URL}, ("self",)),
        }
        if self.has_count:
            members["metadata"] = open_object({"total_count": INTEGER})
        return open_object(members, tuple(members))

    def item_response(self, description: str, *, has_location: bool = False) -> ResponseSpec:
        name = self.shape.name
        return ResponseSpec(
            description=description,
            schema=ref(name),
            schemas={name: self.schema},
            has_location=has_location,
        )

    def _parameters(self, method: str) -> tuple[Any, ...]:
        return tuple(each for flag in self.flags.get(method, ()) for each in flag.parameters())

    def _list_operation(self) -> Operation:
        name, list_name = self.shape.name, f"{self.shape.name}List"
        answered = ResponseSpec(
            description="A page of them.",
            schema=ref(list_name),
            schemas={name: self.schema, list_name: self.list_schema},
        )
        return Operation(
            handler=self.list,
            summary=f"List {self.name.replace('_', ' ')}",
            responses={200: answered},
            parameters=paging.list_parameters(self.filters, self.sort_keys)
            + self._parameters("list"),
        )

    def create_operation(self, handler: Handler, body: Body | None) -> Operation:
        """An operation that answers with a new object of this resource."""
        answered = self.item_response("Made, or about to be.", has_location=self.has_location)
        return Operation(
            handler=handler,
            summary=f"Create {self.singular}",
            body=body,
            responses=dict.fromkeys(self.created_codes, answered),
            parameters=self._parameters("POST"),
            error_codes=self.error_codes,
            creates_in=self.path if self.id_name else "",
        )

    def _show_operation(self) -> Operation:
        return Operation(
            handler=self.show,
            summary=f"Show {self.singular}",
            responses={200: self.item_response("The object.")},
        )

    def update_operation(self) -> Operation:
        answered = self.item_response("The object after the change.")
        return Operation(
            handler=self.update,
            summary=f"Change {self.singular}",
            body=self.update_body,
            responses=dict.fromkeys(self.updated_codes, answered),
            parameters=self._parameters(self.update_method),
            error_codes=self.error_codes,
        )

    def _delete_operation(self) -> Operation:
        shown_once = self.item_response("The object, which is about to go.")
        return Operation(
            handler=self.delete,
            summary=f"Delete {self.singular}",
            responses={202: shown_once} if self.returns_deleted else {204: NO_CONTENT},
            parameters=self._parameters("DELETE"),
        )

    def render(self, call: ApiCall, value: Any) -> dict[str, Any]:
        root = call.root
        links = {"self": root + self.self_path(value)}
        for name, link in self.links.items():
            path = link(value)
            if path is not None:
                links[name] = root + path
        found = self.shape.render(value)
        found["links"] = links
        return found

    def list(self, call: ApiCall) -> Response:
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
        ids = (None,) if self.spans_parents else call.ids
        # Of the caller nothing but this shows in a page that has a tag.
        key = (call.root, self.name, ids, tuple(params), query.sort_key, call.context.hide_counts)
        known, kept = call.pages.get(key)
        page: Page[Any] = self.client(call.central).find(
            call.context, *ids, replace(query, known=known)
        )
        if page.same:
            return json_bytes_response(kept)
        items = [self.render(call, value) for value in page.items]
        here = call.link(self.path.format(**dict(zip(names, call.ids, strict=False))))
        found = {self.name: items, "links": paging.links(here, params, query.limit, items)}
        if self.has_count:
            total = page.total_count
            found["metadata"] = {} if total is None else {"total_count": total}
        body = json.dumps(found).encode()
        if page.tag is not None:
            call.pages.put(key, page.tag, body, call.request.query_string)
        return json_bytes_response(body)

    def create(self, call: ApiCall) -> Response:
        assert self.make_draft is not None  # noqa: S101 - the route exists only then
        draft = self.make_draft(call, bodies.parse(call.request))
        value = self.client(call.central).create(call.context, *call.ids, draft)
        return self.created(call, value)

    def created(self, call: ApiCall, value: Any) -> Response:
        rendered = self.render(call, value)
        headers = {"Location": rendered["links"]["self"]} if self.has_location else {}
        pick = self.created_status
        status = pick(value) if pick is not None else self.created_codes[0]
        return json_response(rendered, status, **headers)

    def show(self, call: ApiCall) -> Response:
        value = self.client(call.central).get(call.context, *call.ids)
        return json_response(self.render(call, value))

    def update(self, call: ApiCall) -> Response:
        assert self.make_patch is not None  # noqa: S101 - the route exists only then
        try:
            body = bodies.parse(call.request)
        except errors.InvalidObject:
            self.precheck(call)
            raise
        patch = self.make_patch(call, body)
        value = self.client(call.central).update(call.context, *call.ids, patch)
        pick = self.updated_status
        status = pick(value) if pick is not None else self.updated_codes[0]
        return json_response(self.render(call, value), status)

    def delete(self, call: ApiCall) -> Response:
        value = self.client(call.central).delete(call.context, *call.ids)
        return (
            json_response(self.render(call, value), 202)
            if self.returns_deleted
            else empty_response()
        )
