"""/v2/quotas."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from webob import Response

from designate import errors
from designate.api import body as bodies
from designate.api import projects
from designate.api.resource import Call, Route, answer, empty, route
from designate.model.quotas import Quotas

NAMES = ("zones", "zone_recordsets", "zone_records", "recordset_records", "api_export_size")
HIGHEST = 2**31 - 1
LONGEST_PROJECT = 36


def _limit(name: str, value: Any) -> int:
    return int(bodies.integer(-1, HIGHEST)(name, value))


def _shown(quotas: Quotas) -> Response:
    limits = asdict(quotas)
    return answer({name: limits[name] for name in NAMES})


def own(call: Call) -> Response:
    if call.context.project_id is None:
        raise errors.Unauthorized("A project is needed")
    return _shown(call.central.quotas.get(call.context, call.context.project_id))


def project_of(call: Call) -> str:
    """The project that the path names."""
    return str(bodies.text(LONGEST_PROJECT)("project_id", call.ids[0]))


def show(call: Call) -> Response:
    return _shown(call.central.quotas.get(call.context, project_of(call)))


def change(call: Call) -> Response:
    body = bodies.parse(call.request)
    if call.conf["service:api"].quotas_verify_project_id:
        projects.check(call.conf, project_of(call))
    limits = bodies.read(body, dict.fromkeys(NAMES, _limit))
    return _shown(call.central.quotas.set(call.context, project_of(call), limits))


def reset(call: Call) -> Response:
    call.central.quotas.reset(call.context, project_of(call))
    return empty()


def routes() -> list[Route]:
    return [
        route("/quotas", GET=own),
        route("/quotas/{project_id:text}", GET=show, PATCH=change, DELETE=reset),
    ]
