"""/admin: quotas, reports and zone files for administrators; each an extension that is switched on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from webob import Response

from designate import errors
from designate.api import body as bodies
from designate.api.middleware import REQUEST_ID
from designate.api.resource import answer, empty
from designate.api.resources.quotas import HIGHEST, NAMES, project_of
from designate.api.routing import Call, Route, route
from designate.model.quotas import Quotas

COUNTS = ("zones", "records", "tenants")
ALL_COUNTS = (*COUNTS, "zones_delayed_notify")


def _everywhere(call: Call) -> Call:
    """The admin API acts on every project."""
    call.context.all_projects = True
    return call


def _quota(quotas: Quotas) -> Response:
    limits = asdict(quotas)
    return answer({"quota": {name: limits[name] for name in NAMES}})


def show_quota(call: Call) -> Response:
    return _quota(_everywhere(call).central.quotas.get(call.context, project_of(call)))


def change_quota(call: Call) -> Response:
    body = bodies.parse(call.request)
    faults = list(_faults(body))
    if faults:
        return _faulty(call, faults)
    limits = bodies.read(body["quota"], dict.fromkeys(NAMES, _limit))
    return _quota(_everywhere(call).central.quotas.set(call.context, project_of(call), limits))


def _limit(name: str, value: Any) -> int:
    return int(bodies.integer(0, HIGHEST)(name, value))


def _faults(body: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(path, message, validator) of what is wrong."""
    if set(body) != {"quota"} or not isinstance(body["quota"], dict):
        yield "quota", "The request body must be an object with a member quota", "required"
        return
    for name, value in body["quota"].items():
        path = f"quota.{name[:50]}"
        if name not in NAMES:
            yield path, f"'{name[:50]}' is no quota", "additionalProperties"
            continue
        try:
            _limit(name, value)
        except errors.InvalidObject as error:
            yield path, error.message or "", "type"


def _faulty(call: Call, faults: list[tuple[str, str, str]]) -> Response:
    """The admin API's way to refuse a body: one flat list."""
    return answer(
        {
            "code": 400,
            "type": "invalid_object",
            "message": "Provided object does not match schema",
            "errors": [
                {"path": path, "message": message, "validator": validator}
                for path, message, validator in faults
            ],
            "request_id": call.request.environ[REQUEST_ID],
        },
        400,
    )


def reset_quota(call: Call) -> Response:
    _everywhere(call).central.quotas.reset(call.context, project_of(call))
    return empty()


def quota_routes() -> list[Route]:
    one = route("/quotas/{project_id:text}", GET=show_quota, PATCH=change_quota, DELETE=reset_quota)
    return [one, route("/quotas")]


def counts(call: Call) -> Response:
    return _counted(call, COUNTS)


def count(call: Call) -> Response:
    if call.ids[0] not in ALL_COUNTS:
        raise errors.NotFound(type="report_not_found")
    return _counted(call, (call.ids[0],))


def _counted(call: Call, names: tuple[str, ...]) -> Response:
    found = asdict(call.central.reports.counts(call.context, names))
    return answer({"counts": [{name: found[name] for name in names}]})


def tenants(call: Call) -> Response:
    found = call.central.reports.projects(call.context)
    path = "/reports/tenants"
    shown = [
        {
            "zone_count": project.zone_count,
            "id": project.id,
            "links": {"self": call.link(f"{path}/{project.id}")},
        }
        for project in found
    ]
    return answer({"links": {"self": call.link(path)}, "metadata": {}, "tenants": shown})


def tenant(call: Call) -> Response:
    found = call.central.reports.project(call.context, call.ids[0])
    return answer(
        {
            "zones_count": found.zone_count,
            "zones": list(found.names),
            "id": found.id,
            "links": {"self": call.link(f"/reports/tenants/{found.id}")},
        }
    )


def report_routes() -> list[Route]:
    return [
        route("/reports"),
        route("/reports/counts", GET=counts),
        route("/reports/counts/{name:text}", GET=count),
        route("/reports/tenants", GET=tenants),
        route("/reports/tenants/{tenant_id:text}", GET=tenant),
    ]


def export(call: Call) -> Response:
    text = call.central.exports.render(call.context, call.ids[0])
    return Response(body=text.encode(), content_type="text/dns", charset="UTF-8")


def zone_routes() -> list[Route]:
    return [route("/zones/export/{zone_id}", gives="text/dns", GET=export)]
