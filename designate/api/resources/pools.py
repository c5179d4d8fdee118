"""The resource /v2/pools: pools as administrators see and change them; targets are in pools.yaml."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from designate import errors
from designate.api import body as bodies
from designate.api import fields
from designate.api.identifiers import MAX_PROJECT_ID
from designate.api.paging import DATE_SORT_KEYS
from designate.api.resource import Resource
from designate.api.routing import Route
from designate.api.shape import (
    DOMAIN,
    INTEGER,
    STRING,
    STRING_MAP,
    Body,
    BodyField,
    Shape,
    closed_object,
    member,
    nullable,
    stored_object,
)
from designate.context import Context
from designate.model.pools import NsRecord, Pool, PoolDraft, PoolPatch
from designate.model.query import Page, Query
from designate.rpc.clients import CentralClient
from designate.rpc.interfaces import PoolsApi


@dataclass(frozen=True, slots=True)
class _PoolsClient:
    """Central's pools for administrators, under the method names that a Resource calls."""

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


def _client(central: CentralClient) -> _PoolsClient:
    return _PoolsClient(central.pools)


NS_RECORD = Shape(
    "PoolNsRecord",
    {
        "priority": member(INTEGER, "Records are listed in ascending order of priority."),
        "hostname": member(DOMAIN, "With the trailing dot."),
    },
)
POOL = stored_object(
    "Pool",
    project_id=member(nullable(STRING), "The project that owns the pool; null: all may use it."),
    name=member(STRING),
    description=member(nullable(STRING)),
    attributes=member(STRING_MAP, "What the scheduler selects the pool by."),
    ns_records=member(
        {"type": "array", "items": NS_RECORD.schema},
        "The apex NS records of its zones.",
        value_of=lambda pool: [NS_RECORD.render(record) for record in pool.ns_records],
    ),
)
NS_MEMBERS = {"hostname": fields.domain, "priority": fields.integer(1, 10000)}


def _ns_records(name: str, value: Any) -> tuple[NsRecord, ...]:
    if not isinstance(value, list):
        raise errors.InvalidObject(f"Field '{name}' must be a list")
    found = []
    for item in value:
        if not isinstance(item, dict):
            raise errors.InvalidObject(f"Field '{name}' must be a list of objects")
        members = bodies.read(item, NS_MEMBERS)
        bodies.require_properties(members, NS_MEMBERS)
        found.append(NsRecord(**members))
    return tuple(found)


NS_RECORDS = BodyField(
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
        "name": fields.text(50, allow_empty=False),
        "project_id": fields.text(MAX_PROJECT_ID, nullable=True, allow_empty=False),
        "description": fields.description,
        "attributes": fields.string_map(fields.MAX_ATTRIBUTE),
        "ns_records": NS_RECORDS,
    },
    required=("name",),
)
CHANGES = replace(NEW, name="PoolChanges", required=())
POOLS = Resource(
    name="pools",
    singular="a pool",
    path="/pools",
    id_name="pool_id",
    client=_client,
    shape=POOL,
    self_path=lambda pool: f"/pools/{pool.id}",
    sort_keys=(*DATE_SORT_KEYS, "name"),
    filters=("name",),
    make_draft=bodies.draft_maker(PoolDraft, NEW),
    create_body=NEW,
    make_patch=bodies.patch_maker(PoolPatch, CHANGES),
    update_body=CHANGES,
    updated_codes=(202,),
    has_count=False,
)


def routes() -> list[Route]:
    """Return the routes of this resource."""
    return POOLS.routes()
