"""Pools."""

from __future__ import annotations

from typing import ClassVar, Protocol

from designate.context import Context
from designate.model.pools import Pool, PoolChange, PoolDraft, PoolPatch, PoolSpec
from designate.model.query import Page, Query
from designate.rpc.interfaces.base import Interface


class PoolsApi(Interface, Protocol):
    """Pools: for administrators, `designate-manage` and workers.

    list, show, create, update and delete are the API's; get and find are for workers and
    designate-manage.
    """

    NAMESPACE: ClassVar[str] = "pools"
    VERSION: ClassVar[str] = "1.0"

    def get(self, context: Context, pool_id: str) -> Pool:
        """Return a pool with its targets and the secrets in their options."""
        ...

    def find(self, context: Context) -> tuple[Pool, ...]:
        """Return all pools with their targets and the secrets in their options."""
        ...

    def list(self, context: Context, query: Query) -> Page[Pool]:
        """Return a page of the pools, for the API."""
        ...

    def show(self, context: Context, pool_id: str) -> Pool:
        """Return a pool, for the API; raise NotFound when there is none."""
        ...

    def create(self, context: Context, draft: PoolDraft) -> Pool:
        """Create a pool without targets; raise Duplicate for a name that exists."""
        ...

    def update(self, context: Context, pool_id: str, patch: PoolPatch) -> Pool:
        """Change the given members and return the pool."""
        ...

    def delete(self, context: Context, pool_id: str) -> None:
        """Delete a pool that holds no zones."""
        ...

    def apply(
        self, context: Context, pools: tuple[PoolSpec, ...], delete: bool, dry_run: bool
    ) -> tuple[PoolChange, ...]:
        """Make the stored pools equal to these in one transaction and return the differences.

        Args:
            context: Of the request.
            pools: As pools.yaml describes them.
            delete: Delete pools that are not among them; refused while they hold zones.
            dry_run: Only return the differences.
        """
        ...
