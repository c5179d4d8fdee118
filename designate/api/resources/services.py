"""The resource /v2/service_statuses: processes of the service and their last heartbeats."""

from __future__ import annotations

from dataclasses import replace

from designate.api.paging import DATE_SORT_KEYS
from designate.api.resource import Resource
from designate.api.routing import Route
from designate.api.shape import OBJECT, STRING, enum_of, member, stored_object, timestamp_member
from designate.model.services import ServiceState

SERVICES = Resource(
    name="service_statuses",
    singular="a service's status",
    path="/service_statuses",
    id_name="service_id",
    client=lambda central: central.services,
    shape=stored_object(
        "ServiceStatus",
        hostname=member(STRING, "The host that the service runs on."),
        service_name=member(STRING, "The service: api, central, mdns, producer or worker."),
        status=member(enum_of(ServiceState)),
        stats=member(OBJECT),
        capabilities=member(OBJECT),
        heartbeated_at=timestamp_member("When the last heartbeat arrived, UTC.", optional=True),
    ),
    self_path=lambda service: f"/service_statuses/{service.id}",
    sort_keys=(*DATE_SORT_KEYS, "hostname", "service_name", "status"),
    filters=("hostname", "service_name", "status"),
    deletable=False,
    has_count=False,
)
# The path of older releases.
OLD_SERVICES = replace(SERVICES, path="/service_status")


def routes() -> list[Route]:
    """Return the routes of this resource, under its two paths."""
    return [*SERVICES.routes(), *OLD_SERVICES.routes()]
