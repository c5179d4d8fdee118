"""Declared resources: what a resource is called and holds; this module does the rest of REST.

A `Resource` gives its collection and item routes with paging, filters, links, Location and status codes
of Designate's API v2. A resource file adds only what is special about it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from webob import Response

from designate import errors
from designate.api import body as bodies
from designate.api import paging
from designate.api.routing import Call, Handler, Route, canonical_id, route, routed
from designate.model.query import Page
from designate.rpc.clients import CentralClient

__all__ = ["Call", "Handler", "Resource", "Route", "answer", "canonical_id", "empty", "route"]


def answer(value: Any, status: int = 200, **headers: str) -> Response:
    response = Response(
        body=json.dumps(value).encode(),
        status=status,
        content_type="application/json",
        charset=None,
    )
    response.headers.update(headers)
    return response


def empty(status: int = 204) -> Response:
    """Neither body nor content type."""
    response = Response(status=status)
    del response.content_type
    return response


def _no_links(_call: Call, _value: Any) -> dict[str, str]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """name: the member that holds a list. path: of the collection, below /v2. item: the name of
    its id in paths; empty: it has no items of its own. client: its part of central. view: an object
    as clients see it, without links. self_path: where an object of it is found. links: further ones.

    new, changes: a request as draft or patch; None: the operation does not exist. before_body: what an
    update is refused for before it is said what is wrong with its body. created_status,
    updated_status: the status codes for a created or changed object. deleted_item: the name of the id
    where it is deleted, if clients know it by another one. located: whether creation answers with a
    Location. counted: whether lists have metadata with a count. whole: spans all parents, for which
    central takes None as their id.
    """

    name: str
    path: str
    item: str
    client: Callable[[CentralClient], Any]
    view: Callable[[Any], dict[str, Any]]
    self_path: Callable[[Any], str]
    sort_keys: Sequence[str]
    filters: Sequence[str]
    links: Callable[[Call, Any], dict[str, str]] = _no_links
    new: Callable[[Call, dict[str, Any]], Any] | None = None
    changes: Callable[[Call, dict[str, Any]], Any] | None = None
    before_body: Callable[[Call], object] = lambda _: None
    update_method: str = "PATCH"
    created_status: Callable[[Any], int] = lambda _: 201
    updated_status: Callable[[Any], int] = lambda _: 200
    deletable: bool = True
    deleted_item: str = ""
    located: bool = True
    counted: bool = True
    whole: bool = False

    def routes(self) -> list[Route]:
        collection: dict[str, Handler] = {"GET": self.list}
        if self.new is not None:
            collection["POST"] = self.create
        found = [routed(self.path, collection)]
        if self.item:
            single: dict[str, Handler] = {"GET": self.show}
            if self.changes is not None:
                single[self.update_method] = self.update
            if self.deletable and not self.deleted_item:
                single["DELETE"] = self.delete
            found.append(routed(f"{self.path}/{{{self.item}}}", single))
            if self.deleted_item:
                found.append(route(f"{self.path}/{{{self.deleted_item}}}", DELETE=self.delete))
        return found

    def rendered(self, call: Call, value: Any) -> dict[str, Any]:
        links = {"self": call.link(self.self_path(value)), **self.links(call, value)}
        return {**self.view(value), "links": links}

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
        page: Page[Any] = self.client(call.central).find(call.context, *ids, query)
        items = [self.rendered(call, value) for value in page.items]
        here = call.link(self.path.format(**dict(zip(names, call.ids, strict=False))))
        found = {self.name: items, "links": paging.links(here, params, query.limit, items)}
        if self.counted:
            total = page.total_count
            found["metadata"] = {} if total is None else {"total_count": total}
        return answer(found)

    def create(self, call: Call) -> Response:
        assert self.new is not None  # noqa: S101 - the route exists only then
        draft = self.new(call, bodies.parse(call.request))
        value = self.client(call.central).create(call.context, *call.ids, draft)
        return self.created(call, value)

    def created(self, call: Call, value: Any) -> Response:
        rendered = self.rendered(call, value)
        headers = {"Location": rendered["links"]["self"]} if self.located else {}
        return answer(rendered, self.created_status(value), **headers)

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
        return answer(self.rendered(call, value), self.updated_status(value))

    def delete(self, call: Call) -> Response:
        """What goes slowly is shown once more; what is gone at once is not."""
        value = self.client(call.central).delete(call.context, *call.ids)
        return empty() if value is None else answer(self.rendered(call, value), 202)
