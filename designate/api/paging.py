"""Lists: what a request may ask for, and the links of the page that is returned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from oslo_config import cfg
from webob import Request

from designate import errors
from designate.api import headers, identifiers
from designate.api.shape import UUID, Parameter, Schema, enum_of
from designate.context import Context
from designate.model.query import Query

PAGING = frozenset(("limit", "marker", "sort_key", "sort_dir"))
DIRECTIONS = ("asc", "desc")
# Sort keys that most lists have.
DATE_SORT_KEYS = ("created_at", "id", "updated_at")
# Filters that are ignored when they are empty.
IGNORED_WHEN_EMPTY = ("status", "data")
# Filters of enumerations, and the case in which their values are stored. Clients send them in any case.
ENUMERATIONS: Mapping[str, Callable[[str], str]] = {
    "type": str.upper,
    "status": str.upper,
    "scope": str.upper,
    "algorithm": str.lower,
    "service_name": str.lower,
}
MAX_LIMIT = 2**63 - 1
MAX_PARAMETERS = 100
LIMIT: Schema = {
    "anyOf": [{"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}, {"const": "max"}]
}
Params = Sequence[tuple[str, str]]


def list_parameters(filters: Sequence[str], sort_keys: Sequence[str]) -> tuple[Parameter, ...]:
    """Return the parameters that `query` reads, for the API's document."""
    found = [
        Parameter(
            name=name,
            where="query",
            schema={"type": "string"},
            description=f"Return only items with this {name}"
            f"{', in any case' if name in ENUMERATIONS else ''}; `*` matches any characters.",
        )
        for name in filters
    ]
    pages: dict[str, tuple[Schema, str]] = {
        "limit": (LIMIT, "Maximum number of items; `max`: the limit that the operator set."),
        "marker": (UUID, "The id of the last item of the previous page."),
        "sort_key": (enum_of(tuple(sort_keys)), "The member to sort by; default: created_at."),
        "sort_dir": (enum_of(DIRECTIONS), "The sort direction; default: ascending."),
    }
    return (
        *found,
        *(
            Parameter(name=name, where="query", schema=schema, description=text)
            for name, (schema, text) in pages.items()
        ),
    )


def parameters(request: Request) -> Params:
    """Return the query parameters in order.

    Raises:
        BadRequest: There are more than any list has.
    """
    try:
        return parse_qsl(
            request.query_string,
            keep_blank_values=True,
            errors="replace",
            max_num_fields=MAX_PARAMETERS,
        )
    except ValueError:
        raise errors.BadRequest("Too many parameters") from None


def query(
    conf: cfg.ConfigOpts,
    context: Context,
    params: Params,
    *,
    filters: Sequence[str],
    sort_keys: Sequence[str],
    ignored: Sequence[str] = (),
) -> Query:
    """Return the query for the page that the parameters ask for; its limit is always set.

    Args:
        conf: The configuration.
        context: The caller.
        params: The query parameters.
        filters: The filters that the list has.
        sort_keys: The sort keys that the list has.
        ignored: Parameters without effect, because the path has them.

    Raises:
        BadRequest: A parameter is unknown, repeated or not valid; with the error types of the API.
    """
    names = [name for name, _ in params if name not in headers.FLAG_PARAMETERS]
    unknown = sorted(set(names) - PAGING - set(filters) - set(ignored))
    if unknown:
        raise errors.BadRequest(f"Invalid filters {', '.join(unknown)[:200]}")
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise errors.BadRequest(f"Duplicate filters {', '.join(repeated)}")
    given = dict(params)
    return Query(
        filters={
            name: ENUMERATIONS.get(name, str)(given[name])
            for name in filters
            if name in given and (given[name] or name not in IGNORED_WHEN_EMPTY)
        },
        limit=_limit(conf, given.get("limit")),
        marker=_marker(given.get("marker")),
        sort_key=_sort_key(context, given.get("sort_key", "created_at"), sort_keys),
        sort_dir=_sort_dir(given.get("sort_dir", "asc")),
    )


def links(url: str, params: Params, limit: int | None, items: Sequence[Any]) -> dict[str, str]:
    """Return the links self and, if the page is full, next: whether another page exists is unknown."""
    own = [(name, value) for name, value in params if name not in headers.FLAG_PARAMETERS]
    found = {"self": url + _query_string(own)}
    if items and len(items) == limit:
        following = [(name, value) for name, value in own if name != "marker"]
        found["next"] = url + _query_string([*following, ("marker", items[-1]["id"])])
    return found


def _query_string(params: Params) -> str:
    return "?" + urlencode(params) if params else ""


def _marker(given: str | None) -> str | None:
    if given is None:
        return None
    found = identifiers.canonical(given)
    if found is None:
        raise errors.BadRequest("marker is not the id of an item", type="invalid_marker")
    return found


def _sort_key(context: Context, given: str, known: Sequence[str]) -> str:
    if given not in known:
        raise errors.BadRequest(
            f"sort key must be one of {', '.join(known)}", type="invalid_sort_key"
        )
    if given == "tenant_id" and not context.all_projects:
        return "created_at"
    return given


def _sort_dir(given: str) -> str:
    if given not in DIRECTIONS:
        raise errors.BadRequest("sort direction is asc or desc", type="invalid_sort_dir")
    return given


def _limit(conf: cfg.ConfigOpts, given: str | None) -> int:
    api = conf["service:api"]
    if given is None:
        return int(api.default_limit_v2)
    if given == "":
        raise errors.BadRequest("limit is empty", type="value_error")
    if given.lower() == "max":
        return int(api.max_limit_v2)
    digits = given.lstrip("0")
    if (
        not (digits.isascii() and digits.isdigit())
        or len(digits) > len(str(MAX_LIMIT))
        or int(digits) > MAX_LIMIT
    ):
        raise errors.BadRequest("limit must be a positive integer", type="invalid_limit")
    return int(digits)
