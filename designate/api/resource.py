"""Declared resources: names, members and operations of a resource; the rest of REST is done here.

A `Resource` provides the routes of its collection and its items, with the paging, filters, links,
Location headers and status codes of Designate's API v2. A module in `resources` adds what is special.
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
from designate.api.body import BodyReader
from designate.api.headers import RequestFlag
from designate.api.operation import NO_CONTENT, ApiCall, Handler, Operation, ResponseSpec, ref
from designate.api.responses import empty_response, json_bytes_response, json_response
from designate.api.routing import Route, route, route_from
from designate.api.shape import INTEGER, URL, Body, Parameter, Schema, Shape, open_object
from designate.model.query import Page
from designate.rpc.clients import CentralClient

Link = Callable[[Any], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A collection of objects and its operations.

    Attributes:
        name: The member of a list response that contains the items.
        singular: What an item is called, with its article.
        path: The path of the collection, below the API's root.
        id_name: The name of the item's id in paths; empty: there are no paths of items.
        client: Returns the part of central's client that has the objects.
        shape: An object as clients see it, without links.
        self_path: Returns the path of an object.
        sort_keys: What lists may be sorted by.
        filters: What lists may be filtered by.
        links: Further links by name; one that returns None is left out.
        make_draft: Turns a body into a draft; None: objects are not created here.
        create_body: The body that `make_draft` reads.
        make_patch: Turns a body into a patch; None: objects are not updated.
        update_body: The body that `make_patch` reads.
        precheck: Raises the errors of an update that take precedence over those of its body.
        update_method: The HTTP method of updates.
        created_codes: Status codes of creation.
        created_status: Picks the code for a created object; None: the first of `created_codes`.
        updated_codes: Status codes of updates.
        updated_status: Picks the code for an updated object; None: the first of `updated_codes`.
        returns_deleted: Whether deletion continues after the response, which is a 202 with the object.
        deletable: Whether objects can be deleted.
        delete_id_name: The name of the id for deletion, where clients know it by another one.
        has_location: Whether the response of creation has a Location header.
        has_count: Whether lists have metadata with a total count.
        spans_parents: Whether the collection spans all parents; central takes None as the parent's id.
        error_codes: Status codes of errors of creation and update, besides the common ones.
        flags: Request flags by method; `list` is the GET of the collection.
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
    make_draft: BodyReader | None = None
    create_body: Body | None = None
    make_patch: BodyReader | None = None
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
        """Return the routes of the collection and of its items."""
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
                path = f"{self.path}/{{{self.delete_id_name}}}"
                found.append(route(path, DELETE=self._delete_operation()))
        return found

    @property
    def schema(self) -> Schema:
        """The schema of an object with its links."""
        plain = self.shape.schema
        links = open_object({"self": URL} | dict.fromkeys(self.links, URL), ("self",))
        return plain | {
            "properties": plain["properties"] | {"links": links},
            "required": [*plain.get("required", ()), "links"],
        }

    @property
    def list_schema(self) -> Schema:
        """The schema of a page."""
        members: dict[str, Schema] = {
            self.name: {"type": "array", "items": ref(self.shape.name)},
            "links": open_object({"self": URL, "next": URL}, ("self",)),
        }
        if self.has_count:
            members["metadata"] = open_object({"total_count": INTEGER})
        return open_object(members, tuple(members))

    def _item_response(self, description: str, *, has_location: bool = False) -> ResponseSpec:
        name = self.shape.name
        return ResponseSpec(
            description=description,
            schema=ref(name),
            schemas={name: self.schema},
            has_location=has_location,
        )

    def _flag_parameters(self, method: str) -> tuple[Parameter, ...]:
        return tuple(each for flag in self.flags.get(method, ()) for each in flag.parameters())

    def _list_operation(self) -> Operation:
        name, list_name = self.shape.name, f"{self.shape.name}List"
        page = ResponseSpec(
            description="One page of the list.",
            schema=ref(list_name),
            schemas={name: self.schema, list_name: self.list_schema},
        )
        return Operation(
            handler=self.list,
            summary=f"List {self.name.replace('_', ' ')}",
            responses={200: page},
            parameters=paging.list_parameters(self.filters, self.sort_keys)
            + self._flag_parameters("list"),
        )

    def create_operation(self, handler: Handler, body: Body | None) -> Operation:
        """Return an operation whose handler creates an object of this resource."""
        created = self._item_response(
            "The object, created or about to be.", has_location=self.has_location
        )
        return Operation(
            handler=handler,
            summary=f"Create {self.singular}",
            body=body,
            responses=dict.fromkeys(self.created_codes, created),
            parameters=self._flag_parameters("POST"),
            error_codes=self.error_codes,
            creates_in=self.path if self.id_name else "",
        )

    def _show_operation(self) -> Operation:
        return Operation(
            handler=self.show,
            summary=f"Show {self.singular}",
            responses={200: self._item_response("The object.")},
        )

    def update_operation(self) -> Operation:
        """Return the operation that updates an object."""
        updated = self._item_response("The object after the change.")
        return Operation(
            handler=self.update,
            summary=f"Change {self.singular}",
            body=self.update_body,
            responses=dict.fromkeys(self.updated_codes, updated),
            parameters=self._flag_parameters(self.update_method),
            error_codes=self.error_codes,
        )

    def _delete_operation(self) -> Operation:
        deleted = self._item_response("The object, which is being deleted.")
        return Operation(
            handler=self.delete,
            summary=f"Delete {self.singular}",
            responses={202: deleted} if self.returns_deleted else {204: NO_CONTENT},
            parameters=self._flag_parameters("DELETE"),
        )

    def render(self, call: ApiCall, value: Any) -> dict[str, Any]:
        """Return the object with its links."""
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
        """Return a page of the collection."""
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
        # A collection without a parent in its path spans all parents where central has them.
        ids = (None,) if self.spans_parents else call.ids
        # A page that has a tag depends on the caller by these members only.
        key = (call.root, self.name, ids, tuple(params), query.sort_key, call.context.hide_counts)
        known, cached = call.pages.get(key)
        page: Page[Any] = self.client(call.central).find(
            call.context, *ids, replace(query, known=known)
        )
        if page.same:
            return json_bytes_response(cached)
        items = [self.render(call, value) for value in page.items]
        url = call.link(self.path.format(**dict(zip(names, call.ids, strict=False))))
        found = {self.name: items, "links": paging.links(url, params, query.limit, items)}
        if self.has_count:
            total = page.total_count
            found["metadata"] = {} if total is None else {"total_count": total}
        body = json.dumps(found).encode()
        if page.tag is not None:
            call.pages.put(key, page.tag, body, call.request.query_string)
        return json_bytes_response(body)

    def create(self, call: ApiCall) -> Response:
        """Create an object from the request's body."""
        assert self.make_draft is not None  # noqa: S101 - the route exists only then
        draft = self.make_draft(call, bodies.parse(call.request))
        value = self.client(call.central).create(call.context, *call.ids, draft)
        return self.created(call, value)

    def created(self, call: ApiCall, value: Any) -> Response:
        """Return the response to the creation of this object."""
        rendered = self.render(call, value)
        headers = {"Location": rendered["links"]["self"]} if self.has_location else {}
        status = self.created_status(value) if self.created_status else self.created_codes[0]
        return json_response(rendered, status, **headers)

    def show(self, call: ApiCall) -> Response:
        """Return the object in the path."""
        value = self.client(call.central).get(call.context, *call.ids)
        return json_response(self.render(call, value))

    def update(self, call: ApiCall) -> Response:
        """Update the object in the path from the request's body."""
        assert self.make_patch is not None  # noqa: S101 - the route exists only then
        try:
            body = bodies.parse(call.request)
        except errors.InvalidObject:
            self.precheck(call)
            raise
        patch = self.make_patch(call, body)
        value = self.client(call.central).update(call.context, *call.ids, patch)
        status = self.updated_status(value) if self.updated_status else self.updated_codes[0]
        return json_response(self.render(call, value), status)

    def delete(self, call: ApiCall) -> Response:
        """Delete the object in the path."""
        value = self.client(call.central).delete(call.context, *call.ids)
        if self.returns_deleted:
            return json_response(self.render(call, value), 202)
        return empty_response()
