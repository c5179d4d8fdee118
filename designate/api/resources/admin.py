"""/v2/tlds, /v2/blacklists, /v2/tsigkeys and /v2/service_statuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from designate.api import body as bodies
from designate.api.resource import Call, Resource, Route
from designate.api.shape import (
    CREATED_AT,
    OBJECT,
    TEXT,
    UPDATED_AT,
    UUID,
    Body,
    Field,
    Member,
    Shape,
    member,
    moment,
    null,
    one_of,
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


def _new(draft: type, body: Body) -> Callable[[Call, dict[str, Any]], Any]:
    def new(_call: Call, given: dict[str, Any]) -> Any:
        bodies.need(given, body.needed)
        return draft(**bodies.read(given, body))

    return new


def _changes(patch: type, body: Body) -> Callable[[Call, dict[str, Any]], Any]:
    def changes(_call: Call, given: dict[str, Any]) -> Any:
        return patch(**bodies.read(given, body))

    return changes


def _bodies(name: str, members: Mapping[str, Field], *needed: str) -> tuple[Body, Body]:
    """What a new object and a change of one are made of."""
    return (
        Body(name=f"{name}New", members=members, needed=needed),
        Body(name=f"{name}Changes", members=members),
    )


SCOPE = bodies.choice([str(scope) for scope in TsigScope])
TLD, TLD_CHANGES = _bodies(
    "Tld",
    {
        "name": bodies.text(255).means("Without a dot at the end; `co.uk` is one, too."),
        "description": bodies.description,
    },
    "name",
)
BLACKLIST, BLACKLIST_CHANGES = _bodies(
    "Blacklist",
    {
        "pattern": bodies.text(255).means("A regular expression, searched in names of zones."),
        "description": bodies.description,
    },
    "pattern",
)
TSIGKEY, TSIGKEY_CHANGES = _bodies(
    "TsigKey",
    {
        "name": bodies.text(160, empty=False),
        "algorithm": bodies.choice(TSIG_ALGORITHMS),
        "secret": bodies.text(160).means("Base64."),
        "scope": replace(SCOPE, read=lambda name, value: TsigScope(SCOPE(name, value))),
        "resource_id": bodies.identifier.means("The pool or zone, as the scope says."),
    },
    "name", "algorithm", "secret", "scope", "resource_id",
)  # fmt: skip
TLDS = Resource(
    name="tlds",
    one="a top-level domain",
    path="/tlds",
    item="tld_id",
    client=lambda central: central.tlds,
    shape=_shape(
        "Tld",
        name=member(TEXT, "Without a dot at the end."),
        description=member(null(TEXT)),
    ),
    self_path=lambda tld: f"/tlds/{tld.id}",
    sort_keys=(*DATES, "name"),
    filters=("name",),
    new=_new(TldDraft, TLD),
    new_body=TLD,
    changes=_changes(TldPatch, TLD_CHANGES),
    changes_body=TLD_CHANGES,
    counted=False,
)
BLACKLISTS = Resource(
    name="blacklists",
    one="a blacklist entry",
    path="/blacklists",
    item="blacklist_id",
    client=lambda central: central.blacklists,
    shape=_shape(
        "Blacklist",
        pattern=member(TEXT, "A regular expression."),
        description=member(null(TEXT)),
    ),
    self_path=lambda blacklist: f"/blacklists/{blacklist.id}",
    sort_keys=(*DATES, "pattern"),
    filters=("pattern",),
    new=_new(BlacklistDraft, BLACKLIST),
    new_body=BLACKLIST,
    changes=_changes(BlacklistPatch, BLACKLIST_CHANGES),
    changes_body=BLACKLIST_CHANGES,
    counted=False,
)
TSIGKEYS = Resource(
    name="tsigkeys",
    one="a TSIG key",
    path="/tsigkeys",
    item="tsigkey_id",
    client=lambda central: central.tsigkeys,
    shape=_shape(
        "TsigKey",
        name=member(TEXT),
        algorithm=member(one_of(TSIG_ALGORITHMS)),
        secret=member(TEXT, "Base64."),
        scope=member(one_of(TsigScope)),
        resource_id=member(UUID, "The pool or zone, as the scope says."),
    ),
    self_path=lambda key: f"/tsigkeys/{key.id}",
    sort_keys=(*DATES, "name"),
    filters=("name", "algorithm", "scope"),
    new=_new(TsigKeyDraft, TSIGKEY),
    new_body=TSIGKEY,
    changes=_changes(TsigKeyPatch, TSIGKEY_CHANGES),
    changes_body=TSIGKEY_CHANGES,
    counted=False,
)


SERVICES = Resource(
    name="service_statuses",
    one="a service's status",
    path="/service_statuses",
    item="service_id",
    client=lambda central: central.services,
    shape=_shape(
        "ServiceStatus",
        hostname=member(TEXT, "The machine."),
        service_name=member(TEXT, "Which service: api, central, mdns, producer or worker."),
        status=member(one_of(ServiceState)),
        stats=member(OBJECT),
        capabilities=member(OBJECT),
        heartbeated_at=moment("When it last said that it lives, UTC.", nullable=True),
    ),
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
