"""/v2/tlds, /v2/blacklists, /v2/tsigkeys and /v2/service_statuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from designate.api import body as bodies
from designate.api.resource import Call, Resource, Route
from designate.model.admin import (
    TSIG_ALGORITHMS,
    BlacklistDraft,
    BlacklistPatch,
    TldDraft,
    TldPatch,
    TsigKeyDraft,
    TsigKeyPatch,
    TsigScope,
)
from designate.model.codec import timestamp

Readers = dict[str, bodies.Reader]
DATES = ("created_at", "id", "updated_at")
READ_ONLY = ("id", "version", "created_at", "updated_at", "links")


def _dates(value: Any) -> dict[str, Any]:
    return {
        "created_at": timestamp(value.created_at),
        "updated_at": value.updated_at and timestamp(value.updated_at),
    }


def _view(*names: str) -> Callable[[Any], dict[str, Any]]:
    def view(value: Any) -> dict[str, Any]:
        return {name: getattr(value, name) for name in ("id", *names)} | _dates(value)

    return view


def _new(
    draft: type, readers: Readers, required: tuple[str, ...]
) -> Callable[[Call, dict[str, Any]], Any]:
    def new(_call: Call, body: dict[str, Any]) -> Any:
        bodies.need(body, required)
        return draft(**bodies.read(body, readers))

    return new


def _changes(patch: type, readers: Readers) -> Callable[[Call, dict[str, Any]], Any]:
    def changes(_call: Call, body: dict[str, Any]) -> Any:
        return patch(**bodies.read(body, readers))

    return changes


def _scope(name: str, value: Any) -> TsigScope:
    return TsigScope(bodies.choice([str(scope) for scope in TsigScope])(name, value))


TLD: Readers = {"name": bodies.text(255), "description": bodies.description}
BLACKLIST: Readers = {"pattern": bodies.text(255), "description": bodies.description}
TSIGKEY: Readers = {
    "name": bodies.text(160, empty=False),
    "algorithm": bodies.choice(TSIG_ALGORITHMS),
    "secret": bodies.text(160),
    "scope": _scope,
    "resource_id": bodies.identifier,
}

TLDS = Resource(
    name="tlds",
    path="/tlds",
    item="tld_id",
    client=lambda central: central.tlds,
    view=_view("name", "description"),
    self_path=lambda tld: f"/tlds/{tld.id}",
    sort_keys=(*DATES, "name"),
    filters=("name",),
    new=_new(TldDraft, TLD, ("name",)),
    changes=_changes(TldPatch, TLD),
    counted=False,
)
BLACKLISTS = Resource(
    name="blacklists",
    path="/blacklists",
    item="blacklist_id",
    client=lambda central: central.blacklists,
    view=_view("pattern", "description"),
    self_path=lambda blacklist: f"/blacklists/{blacklist.id}",
    sort_keys=(*DATES, "pattern"),
    filters=("pattern",),
    new=_new(BlacklistDraft, BLACKLIST, ("pattern",)),
    changes=_changes(BlacklistPatch, BLACKLIST),
    counted=False,
)
TSIGKEYS = Resource(
    name="tsigkeys",
    path="/tsigkeys",
    item="tsigkey_id",
    client=lambda central: central.tsigkeys,
    view=_view("name", "algorithm", "secret", "scope", "resource_id"),
    self_path=lambda key: f"/tsigkeys/{key.id}",
    sort_keys=(*DATES, "name"),
    filters=("name", "algorithm", "scope"),
    new=_new(TsigKeyDraft, TSIGKEY, ("name", "algorithm", "secret", "scope", "resource_id")),
    changes=_changes(TsigKeyPatch, TSIGKEY),
    counted=False,
)


def _service(value: Any) -> dict[str, Any]:
    return {
        "id": value.id,
        "hostname": value.hostname,
        "service_name": value.service_name,
        "status": value.status,
        "stats": value.stats,
        "capabilities": value.capabilities,
        "heartbeated_at": value.heartbeated_at and timestamp(value.heartbeated_at),
    } | _dates(value)


SERVICES = Resource(
    name="service_statuses",
    path="/service_statuses",
    item="service_id",
    client=lambda central: central.services,
    view=_service,
    self_path=lambda service: f"/service_statuses/{service.id}",
    sort_keys=(*DATES, "hostname", "service_name", "status"),
    filters=("hostname", "service_name", "status"),
    deletable=False,
    counted=False,
)
OLD_SERVICES = replace(SERVICES, path="/service_status")


def routes() -> list[Route]:
    return [
        found
        for resource in (TLDS, BLACKLISTS, TSIGKEYS, SERVICES, OLD_SERVICES)
        for found in resource.routes()
    ]
