"""/v2/pools: what administrators see and may change of pools. Targets are pools.yaml's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from designate import errors
from designate.api import body as bodies
from designate.api.resource import ApiCall, Resource, Route
from designate.api.shape import (
    CREATED_AT,
    DOMAIN,
    INTEGER,
    STRING,
    STRING_MAP,
    UPDATED_AT,
    UUID,
    Body,
    Field,
    Shape,
    closed_object,
    member,
    nullable,
)
from designate.context import Context
from designate.model.pools import NsRecord, Pool, PoolDraft, PoolPatch
from designate.model.query import Page, Query
from designate.rpc.clients import CentralClient
from designate.rpc.interfaces import PoolsApi


@dataclass(frozen=True, slots=True)
class _Pools:
    """The administrators' side of central's pools under the names that a Resource calls."""

    api: PoolsApi

    def get(self, context: Context, pool_id: str) -> Pool:
        return self.api.show(context, pool_id)

    def find(self, context: Context, query: Query) -> Page[Pool]:
        return self.api.list(context, query)

    def create(self, context: Context, draft: PoolDraft) -> Pool:
        return self.api.create(context, draft)

    def update(self, context: Context, pool_id: str, patch: PoolPatch) -> Pool:
        return self.api.update(context, pool_id, patch)

    def delete(self, context: Context, pool_id: str) -> None:
        self.api.delete(context, pool_id)


def _client(central: CentralClient) -> _Pools:
    return _Pools(central.pools)


NS_RECORD = Shape(
    "PoolNsRecord",
    {
        "priority": member(INTEGER, "The lower, the earlier in the list."),
        "hostname": member(DOMAIN, "With the dot at the end."),
    },
)
POOL = Shape(
    "Pool",
    {
        "id": member(UUID),
        "project_id": member(nullable(STRING), "Whose pool it is; null: everybody's."),
        "name": member(STRING),
        "description": member(nullable(STRING)),
        "attributes": member(STRING_MAP, "What the scheduler picks it by."),
        "ns_records": member(
            {"type": "array", "items": NS_RECORD.schema},
            "The apex NS records of its zones.",
            value_of=lambda pool: [NS_RECORD.render(record) for record in pool.ns_records],
        ),
        "created_at": CREATED_AT,
        "updated_at": UPDATED_AT,
    },
)
NS_MEMBERS = {"hostname": bodies.domain, "priority": bodies.integer(1, 10000)}


def _ns_records(name: str, value: Any) -> tuple[NsRecord, ...]:
    if not isinstance(value, list):
        raise errors.InvalidObject(f"Field '{name}' must be a list")
    found = []
    for item in value:
        if not isinstance(item, dict):
            raise errors.InvalidObject(f"Field '{name}' must hold objects")
        members = bodies.read(item, NS_MEMBERS)
        for needed in NS_MEMBERS:
            if needed not in members:
                bodies.raise_required(needed)
        found.append(NsRecord(**members))
    return tuple(found)


NS_RECORDS = Field(
    {
        "type": "array",
        "items": closed_object(
            {name: each.schema for name, each in NS_MEMBERS.items()}, tuple(NS_MEMBERS)
        ),
    },
    _ns_records,
)
NEW = Body(
    name="PoolNew",
    members={
        "name": bodies.text(50, allow_empty=False),
        "project_id": bodies.text(36, nullable=True, allow_empty=False),
        "description": bodies.description,
        "attributes": bodies.texts_by_key(bodies.MAX_ATTRIBUTE),
        "ns_records": NS_RECORDS,
    },
    required=("name",),
)
CHANGES = replace(NEW, name="PoolChanges", required=())


def _new(_call: ApiCall, body: dict[str, Any]) -> PoolDraft:
    bodies.require_members(body, NEW.required)
    return PoolDraft(**bodies.read(body, NEW))


RESOURCE = Resource(
    name="pools",
    singular="a pool",
    path="/pools",
    id_name="pool_id",
    client=_client,
    shape=POOL,
    self_path=lambda pool: f"/pools/{pool.id}",
    sort_keys=("created_at", "id", "updated_at", "name"),
    filters=("name",),
    make_draft=_new,
    create_body=NEW,
    make_patch=lambda _call, body: PoolPatch(**bodies.read(body, CHANGES)),
    update_body=CHANGES,
    updated_codes=(202,),
    has_count=False,
)


def routes() -> list[Route]:
    return RESOURCE.routes()
