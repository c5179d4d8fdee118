"""/v2/limits."""

from __future__ import annotations

from dataclasses import asdict

from webob import Response

from designate.api.resource import Call, Route, answer, route


def show(call: Call) -> Response:
    return answer(asdict(call.central.quotas.limits(call.context)))


def routes() -> list[Route]:
    return [route("/limits", whole=True, GET=show)]
