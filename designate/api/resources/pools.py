"""/v2/pools: what administrators see and may change of pools. Targets are pools.yaml's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from designate import errors
from designate.api import body as bodies
from designate.api.resource import Call, Resource, Route
from designate.context import Context
from designate.model.codec import timestamp
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


def view(pool: Pool) -> dict[str, Any]:
    return {
        "id": pool.id,
        "project_id": pool.project_id,
        "name": pool.name,
        "description": pool.description,
        "attributes": pool.attributes,
        "ns_records": [
            {"priority": record.priority, "hostname": record.hostname} for record in pool.ns_records
        ],
        "created_at": timestamp(pool.created_at),
        "updated_at": pool.updated_at and timestamp(pool.updated_at),
    }


def _ns_records(name: str, value: Any) -> tuple[NsRecord, ...]:
    if not isinstance(value, list):
        raise errors.InvalidObject(f"Field '{name}' must be a list")
    readers: dict[str, bodies.Reader] = {
        "hostname": bodies.text(255),
        "priority": bodies.integer(1, 10000),
    }
    found = []
    for item in value:
        if not isinstance(item, dict):
            raise errors.InvalidObject(f"Field '{name}' must hold objects")
        members = bodies.read(item, readers)
        for member in readers:
            if member not in members:
                bodies.required(member)
        found.append(NsRecord(**members))
    return tuple(found)


MEMBERS: dict[str, bodies.Reader] = {
    "name": bodies.text(50, empty=False),
    "project_id": bodies.text(36, null=True, empty=False),
    "description": bodies.description,
    "attributes": bodies.texts_by_key(bodies.LONGEST_ATTRIBUTE),
    "ns_records": _ns_records,
}


def _new(_call: Call, body: dict[str, Any]) -> PoolDraft:
    bodies.need(body, ("name",))
    return PoolDraft(**bodies.read(body, MEMBERS))


RESOURCE = Resource(
    name="pools",
    path="/pools",
    item="pool_id",
    client=_client,
    view=view,
    self_path=lambda pool: f"/pools/{pool.id}",
    sort_keys=("created_at", "id", "updated_at", "name"),
    filters=("name",),
    new=_new,
    changes=lambda _call, body: PoolPatch(**bodies.read(body, MEMBERS)),
    updated_status=lambda _: 202,
    counted=False,
)


def routes() -> list[Route]:
    return RESOURCE.routes()
