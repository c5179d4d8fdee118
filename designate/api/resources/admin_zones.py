"""The resource /admin/zones: zone files for administrators."""

from __future__ import annotations

from webob import Response

from designate.api.operation import ApiCall, Operation
from designate.api.resources.exports import MASTER_FILE, zonefile_response
from designate.api.routing import ZONEFILE, Route, route


def export(call: ApiCall) -> Response:
    """Return the zone file of the zone in the path, without a stored export."""
    return zonefile_response(call.central.exports.render(call.context, call.ids[0]))


EXPORT = Operation(handler=export, summary="Render a zone as a zone file", responses=MASTER_FILE)


def routes() -> list[Route]:
    """Return the routes of the admin extension `zones`."""
    return [route("/zones/export/{zone_id}", content_type=ZONEFILE, GET=EXPORT)]
