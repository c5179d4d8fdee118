"""Declared resources: what a resource is called and holds; this module does the rest of REST.

A `Resource` gives its collection and item routes with paging, filters, links, Location and status codes
of Designate's API v2. A resource file adds only what is special about it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from oslo_config import cfg
from webob import Request, Response

from designate import errors
from designate.api import body as bodies
from designate.context import Context
from designate.model.query import Page, Query
from designate.rpc.clients import CentralClient

CONSUMED = frozenset(("all_projects", "all_tenants", "edit_managed_records"))
PAGING = frozenset(("limit", "marker", "sort_key", "sort_dir"))
HIGHEST_LIMIT = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Call:
    """One request on its way through a handler. ids: the path's, in order, in canonical form."""

    request: Request
    context: Context
    central: CentralClient
    conf: cfg.ConfigOpts
    ids: tuple[str, ...]

    @property
    def base(self) -> str:
        """Scheme, host and mount point of the API as the client knows them, without a slash."""
        api = self.conf["service:api"]
        if not api.enable_host_header:
            return str(api.api_base_uri).rstrip("/")
        mount = self.request.script_name.removesuffix("/v2")
        return f"{self.request.host_url}{mount}"

    def link(self, path: str) -> str:
        return f"{self.base}/v2{path}"


Handler = Callable[[Call], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """path: segments, `{name}` for an id. handlers: by method."""

    path: tuple[str, ...]
    handlers: Mapping[str, Handler]


def route(path: str, **handlers: Handler) -> Route:
    return Route(tuple(path.strip("/").split("/")), handlers)


def answer(value: Any, status: int = 200, **headers: str) -> Response:
    response = Response(
        body=json.dumps(value).encode(),
        status=status,
        content_type="application/json",
        charset=None,
    )
    response.headers.update(headers)
    return response


def canonical_id(name: str, text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except (ValueError, AttributeError):
        raise errors.BadRequest(f"Invalid UUID {name}: {text[:100]}", type="invalid_uuid") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """name: the member that holds a list. path: of the collection, below /v2. item: the name of
    its id in paths; empty: it has no items of its own. client: its part of central. view: an object
    as clients see it, without links. self_path: where an object of it is found.

    new, changes: a request as draft or patch; None: the operation does not exist. status_of: the
    status code for a created or changed object. before_body: what an update checks before it judges
    the body; its result is the current object.
    """

    name: str
    path: str
    item: str
    client: Callable[[CentralClient], Any]
    view: Callable[[Any], dict[str, Any]]
    self_path: Callable[[Any], str]
    sort_keys: Sequence[str]
    filters: Sequence[str]
    new: Callable[[Call, dict[str, Any]], Any] | None = None
    changes: Callable[[Call, dict[str, Any]], Any] | None = None
    update_method: str = "PATCH"
    created_status: Callable[[Any], int] = lambda _: 201
    updated_status: Callable[[Any], int] = lambda _: 200
    deletable: bool = True
    whole: bool = False

    def routes(self) -> list[Route]:
        collection: dict[str, Handler] = {"GET": self.list}
        if self.new is not None:
            collection["POST"] = self.create
        found = [route(self.path, **collection)]
        if self.item:
            single: dict[str, Handler] = {"GET": self.show}
            if self.changes is not None:
                single[self.update_method] = self.update
            if self.deletable:
                single["DELETE"] = self.delete
            found.append(route(f"{self.path}/{{{self.item}}}", **single))
        return found

    def rendered(self, call: Call, value: Any) -> dict[str, Any]:
        return {**self.view(value), "links": {"self": call.link(self.self_path(value))}}

    def list(self, call: Call) -> Response:
        params = _parameters(call.request)
        query, limit = self._query(call, params)
        # A collection below nothing spans all parents where central has them.
        ids = (None,) if self.whole else call.ids
        page: Page[Any] = self.client(call.central).find(call.context, *ids, query)
        items = [self.rendered(call, value) for value in page.items]
        shown = [(k, v) for k, v in params if k not in CONSUMED]
        here = call.link(self.path.format(**dict(zip(_names(self.path), call.ids, strict=False))))
        links = {"self": here + _query_string(shown)}
        if items and len(items) == limit:
            following = [(k, v) for k, v in shown if k != "marker"]
            links["next"] = here + _query_string([*following, ("marker", items[-1]["id"])])
        metadata = {} if page.total_count is None else {"total_count": page.total_count}
        return answer({self.name: items, "links": links, "metadata": metadata})

    def create(self, call: Call) -> Response:
        assert self.new is not None  # noqa: S101 - the route exists only then
        draft = self.new(call, bodies.parse(call.request))
        value = self.client(call.central).create(call.context, *call.ids, draft)
        rendered = self.rendered(call, value)
        return answer(rendered, self.created_status(value), Location=rendered["links"]["self"])

    def show(self, call: Call) -> Response:
        value = self.client(call.central).get(call.context, *call.ids)
        return answer(self.rendered(call, value))

    def update(self, call: Call) -> Response:
        assert self.changes is not None  # noqa: S101 - the route exists only then
        patch = self.changes(call, bodies.parse(call.request))
        value = self.client(call.central).update(call.context, *call.ids, patch)
        return answer(self.rendered(call, value), self.updated_status(value))

    def delete(self, call: Call) -> Response:
        value = self.client(call.central).delete(call.context, *call.ids)
        return answer(self.rendered(call, value), 202)

    def _query(self, call: Call, params: Sequence[tuple[str, str]]) -> tuple[Query, int]:
        names = [name for name, _ in params if name not in CONSUMED]
        unknown = sorted(set(names) - PAGING - set(self.filters) - set(_names(self.path)))
        if unknown:
            raise errors.BadRequest(f"Invalid filters {', '.join(unknown)[:200]}")
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise errors.BadRequest(f"Duplicate filters {', '.join(repeated)}")
        given = dict(params)
        limit = _limit(call.conf, given.get("limit"))
        marker = given.get("marker")
        if marker is not None:
            try:
                marker = str(uuid.UUID(marker))
            except ValueError:
                raise errors.BadRequest(type="invalid_marker") from None
        sort_key = given.get("sort_key", "created_at")
        if sort_key not in self.sort_keys:
            raise errors.BadRequest(
                f"sort key must be one of {', '.join(self.sort_keys)}", type="invalid_sort_key"
            )
        if sort_key == "tenant_id" and not call.context.all_projects:
            sort_key = "created_at"
        sort_dir = given.get("sort_dir", "asc")
        if sort_dir not in ("asc", "desc"):
            raise errors.BadRequest("sort direction is asc or desc", type="invalid_sort_dir")
        filters = {
            name: given[name]
            for name in self.filters
            if name in given and (given[name] or name not in ("status", "data"))
        }
        query = Query(
            filters=filters, limit=limit, marker=marker, sort_key=sort_key, sort_dir=sort_dir
        )
        return query, limit


def _names(path: str) -> list[str]:
    return [segment[1:-1] for segment in path.split("/") if segment.startswith("{")]


def _parameters(request: Request) -> list[tuple[str, str]]:
    return parse_qsl(
        request.query_string, keep_blank_values=True, errors="replace", max_num_fields=100
    )


def _query_string(params: Sequence[tuple[str, str]]) -> str:
    return "?" + urlencode(params) if params else ""


def _limit(conf: cfg.ConfigOpts, given: str | None) -> int:
    api = conf["service:api"]
    if given is None:
        return int(api.default_limit_v2)
    if given == "":
        raise errors.BadRequest("limit is empty", type="value_error")
    if given.lower() == "max":
        return int(api.max_limit_v2)
    if not given.isascii() or not given.isdigit() or not 0 < int(given[:20]) <= HIGHEST_LIMIT:
        raise errors.BadRequest("limit must be a positive integer", type="invalid_limit")
    return int(given)
