"""/v2/tlds, /v2/blacklists, /v2/tsigkeys and /v2/service_statuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from designate.api import body as bodies
from designate.api.resource import ApiCall, Resource, Route
from designate.api.shape import (
    CREATED_AT,
    OBJECT,
    STRING,
    UPDATED_AT,
    UUID,
    Body,
    Field,
    Member,
    Shape,
    enum_of,
    member,
    nullable,
    timestamp_member,
)
from designate.model.admin import (
    TSIG_ALGORITHMS,
    BlacklistDraft,
    BlacklistPatch,
    ServiceState,
    TldDraft,
    TldPatch,
    TsigKeyDraft,
    TsigKeyPatch,
    TsigScope,
)

DATES = ("created_at", "id", "updated_at")


def _shape(called: str, /, **members: Member) -> Shape:
    return Shape(
        called,
        {"id": member(UUID), **members, "created_at": CREATED_AT, "updated_at": UPDATED_AT},
    )


def _new(draft: type, body: Body) -> Callable[[ApiCall, dict[str, Any]], Any]:
    def new(_call: ApiCall, given: dict[str, Any]) -> Any:
        bodies.require_members(given, body.required)
        return draft(**bodies.read(given, body))

    return new


def _changes(patch: type, body: Body) -> Callable[[ApiCall, dict[str, Any]], Any]:
    def changes(_call: ApiCall, given: dict[str, Any]) -> Any:
        return patch(**bodies.read(given, body))

    return changes


def _bodies(name: str, members: Mapping[str, Field], *needed: str) -> tuple[Body, Body]:
    """What a new object and a change of one are made of."""
    return (
        Body(name=f"{name}New", members=members, required=needed),
        Body(name=f"{name}Changes", members=members),
    )


SCOPE = bodies.choice([str(scope) for scope in TsigScope])
TLD, TLD_CHANGES = _bodies(
    "Tld",
    {
        "name": bodies.text(255).described("Without a dot at the end; `co.uk` is one, too."),
        "description": bodies.description,
    },
    "name",
)
BLACKLIST, BLACKLIST_CHANGES = _bodies(
    "Blacklist",
    {
        "pattern": bodies.text(255).described("A regular expression, searched in names of zones."),
        "description": bodies.description,
    },
    "pattern",
)
TSIGKEY, TSIGKEY_CHANGES = _bodies(
    "TsigKey",
    {
        "name": bodies.text(160, allow_empty=False),
        "algorithm": bodies.choice(TSIG_ALGORITHMS),
        "secret": bodies.text(160).described("Base64."),
        "scope": replace(SCOPE, read=lambda name, value: TsigScope(SCOPE(name, value))),
        "resource_id": bodies.identifier.described("The pool or zone, as the scope says."),
    },
    "name", "algorithm", "secret", "scope", "resource_id",
)  # fmt: skip
TLDS = Resource(
    name="tlds",
    singular="a top-level domain",
    path="/tlds",
    id_name="tld_id",
    client=lambda central: central.tlds,
    shape=_shape(
        "Tld",
        name=member(STRING, "Without a dot at the end."),
        description=member(nullable(STRING)),
    ),
    self_path=lambda tld: f"/tlds/{tld.id}",
    sort_keys=(*DATES, "name"),
    filters=("name",),
    make_draft=_new(TldDraft, TLD),
    create_body=TLD,
    make_patch=_changes(TldPatch, TLD_CHANGES),
    update_body=TLD_CHANGES,
    has_count=False,
)
BLACKLISTS = Resource(
    name="blacklists",
    singular="a blacklist entry",
    path="/blacklists",
    id_name="blacklist_id",
    client=lambda central: central.blacklists,
    shape=_shape(
        "Blacklist",
        pattern=member(STRING, "A regular expression."),
        description=member(nullable(STRING)),
    ),
    self_path=lambda blacklist: f"/blacklists/{blacklist.id}",
    sort_keys=(*DATES, "pattern"),
    filters=("pattern",),
    make_draft=_new(BlacklistDraft, BLACKLIST),
    create_body=BLACKLIST,
    make_patch=_changes(BlacklistPatch, BLACKLIST_CHANGES),
    update_body=BLACKLIST_CHANGES,
    has_count=False,
)
TSIGKEYS = Resource(
    name="tsigkeys",
    singular="a TSIG key",
    path="/tsigkeys",
    id_name="tsigkey_id",
    client=lambda central: central.tsigkeys,
    shape=_shape(
        "TsigKey",
        name=member(STRING),
        algorithm=member(enum_of(TSIG_ALGORITHMS)),
        secret=member(STRING, "Base64."),
        scope=member(enum_of(TsigScope)),
        resource_id=member(UUID, "The pool or zone, as the scope says."),
    ),
    self_path=lambda key: f"/tsigkeys/{key.id}",
    sort_keys=(*DATES, "name"),
    filters=("name", "algorithm", "scope"),
    make_draft=_new(TsigKeyDraft, TSIGKEY),
    create_body=TSIGKEY,
    make_patch=_changes(TsigKeyPatch, TSIGKEY_CHANGES),
    update_body=TSIGKEY_CHANGES,
    has_count=False,
)


SERVICES = Resource(
    name="service_statuses",
    singular="a service's status",
    path="/service_statuses",
    id_name="service_id",
    client=lambda central: central.services,
    shape=_shape(
        "ServiceStatus",
        hostname=member(STRING, "The machine."),
        service_name=member(STRING, "Which service: api, central, mdns, producer or worker."),
        status=member(enum_of(ServiceState)),
        stats=member(OBJECT),
        capabilities=member(OBJECT),
        heartbeated_at=timestamp_member("When it last said that it lives, UTC.", optional=True),
    ),
    self_path=lambda service: f"/service_statuses/{service.id}",
    sort_keys=(*DATES, "hostname", "service_name", "status"),
    filters=("hostname", "service_name", "status"),
    deletable=False,
    has_count=False,
)
OLD_SERVICES = replace(SERVICES, path="/service_status")


def routes() -> list[Route]:
    return [
        found
        for resource in (TLDS, BLACKLISTS, TSIGKEYS, SERVICES, OLD_SERVICES)
        for found in resource.routes()
    ]
