"""The scheduler: chooses the pool of a new zone with filters, applied in the configured order.

A filter is a class that is constructed with central's Core and registered by its name under the
entry points `designate.scheduler.filters`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

import sqlalchemy as sa
from oslo_config import cfg
from oslo_utils import strutils
from stevedore import extension

from designate import errors
from designate.central.base import Core, own_target, scope_of
from designate.central.policy import ADMIN, rule
from designate.context import Context
from designate.model.pools import Pool
from designate.storage.sqlalchemy import pools

GROUP = "service:central"
NAMESPACE = "designate.scheduler.filters"
OPTS = [
    cfg.ListOpt(
        "scheduler_filters",
        default=["default_pool"],
        help="Filters that choose the pool of a new zone, applied in this order.",
    ),
]
RULES = (
    rule(
        "zone_create_forced_pool",
        ADMIN,
        "POST /v2/zones",
        "Choose the pool of a zone by its attribute pool_id.",
    ),
)
POOL_ID = "pool_id"
Attributes = Mapping[str, str]


class Filter:
    """Base class of the filters. name: in the option scheduler_filters."""

    name: ClassVar[str]

    def __init__(self, core: Core) -> None:
        self.core = core

    def filter(
        self, context: Context, pools: Sequence[Pool], attributes: Attributes
    ) -> Sequence[Pool]:
        """Return the pools that remain candidates. attributes: of the zone."""
        raise NotImplementedError

    def default(self, pools: Sequence[Pool]) -> list[Pool]:
        """Return the default pool, if it is among these."""
        default_id = self.core.conf[GROUP].default_pool_id
        return [pool for pool in pools if pool.id == default_id]

    def stored(self) -> list[Pool]:
        """Return all pools, for a filter that needs one that others have removed."""
        with self.core.db.read() as connection:
            return _pools(connection)


class DefaultPool(Filter):
    """Selects the default pool, whatever the candidates are."""

    name = "default_pool"

    def filter(
        self, context: Context, pools: Sequence[Pool], attributes: Attributes
    ) -> Sequence[Pool]:
        return self.default(pools) or self.default(self.stored())


class Fallback(Filter):
    """Selects the default pool when there are no candidates."""

    name = "fallback"

    def filter(
        self, context: Context, pools: Sequence[Pool], attributes: Attributes
    ) -> Sequence[Pool]:
        return pools or self.default(self.stored())


class InDoubtDefaultPool(Filter):
    """Selects the default pool when it is one of several candidates."""

    name = "in_doubt_default_pool"

    def filter(
        self, context: Context, pools: Sequence[Pool], attributes: Attributes
    ) -> Sequence[Pool]:
        return (self.default(pools) or pools) if len(pools) > 1 else pools


class Random(Filter):
    """Selects a random candidate."""

    name = "random"

    def filter(
        self, context: Context, pools: Sequence[Pool], attributes: Attributes
    ) -> Sequence[Pool]:
        return [random.choice(pools)] if pools else pools  # noqa: S311 - not for security


class PoolIdAttribute(Filter):
    """Selects the pool that the zone's attribute pool_id names, if policy allows choosing.

    Selects none if the pool does not exist; keeps the candidates if an earlier filter removed the
    pool.
    """

    name = "pool_id_attribute"

    def filter(
        self, context: Context, pools: Sequence[Pool], attributes: Attributes
    ) -> Sequence[Pool]:
        pool_id = attributes.get(POOL_ID)
        if pool_id is None:
            return pools
        chosen = _with_id(pools, pool_id)
        if not chosen and not _with_id(_visible(self.stored(), context), pool_id):
            return []
        self.core.policy.check("zone_create_forced_pool", context, own_target(context))
        return chosen or pools


class Attribute(Filter):
    """Selects pools that have every attribute of the zone, and pools without attributes.

    The attribute pool_id is ignored.
    """

    name = "attribute"

    def filter(
        self, context: Context, pools: Sequence[Pool], attributes: Attributes
    ) -> Sequence[Pool]:
        requested = {(key, _value(value)) for key, value in attributes.items() if key != POOL_ID}
        return [
            pool
            for pool in pools
            if not pool.attributes
            or requested <= {(key, _value(value)) for key, value in pool.attributes.items()}
        ]


def _value(text: str) -> str | bool:
    """Return the value, with all words for true and false as bool."""
    try:
        return bool(strutils.bool_from_string(text, strict=True))
    except ValueError:
        return text


def _with_id(pools: Sequence[Pool], pool_id: str) -> list[Pool]:
    return [pool for pool in pools if pool.id == pool_id.strip().lower()]


def _visible(pools: Sequence[Pool], context: Context) -> list[Pool]:
    """Return the pools of all projects and those of the caller's project."""
    scope = scope_of(context)
    owners = (None, scope.project_id)
    return [pool for pool in pools if scope.all_projects or pool.project_id in owners]


def _pools(connection: sa.Connection) -> list[Pool]:
    return pools.find(connection)


class PoolScheduler:
    """Chooses the pool of a zone with the configured filters. Thread-safe.

    Raises:
        ConfigurationError: No filters are configured, or one does not exist.
    """

    def __init__(self, core: Core) -> None:
        names = core.conf[GROUP].scheduler_filters
        if not names:
            raise errors.ConfigurationError(
                f"[{GROUP}] scheduler_filters is empty", type="no_filters_configured"
            )
        found = {
            plugin.name: plugin.plugin
            for plugin in extension.ExtensionManager(NAMESPACE, invoke_on_load=False)
        }
        unknown = [name for name in names if name not in found]
        if unknown:
            raise errors.ConfigurationError(
                f"[{GROUP}] scheduler_filters: unknown filters: {', '.join(unknown)}"
            )
        self._filters: list[Filter] = [found[name](core) for name in names]

    def choose(self, connection: sa.Connection, context: Context, attributes: Attributes) -> Pool:
        """Return the pool for a zone with these attributes.

        Raises:
            NotFound: No candidate remains; the type is no_valid_pool_found.
            ConfigurationError: Several candidates remain.
        """
        candidates: Sequence[Pool] = _visible(_pools(connection), context)
        for step in self._filters:
            candidates = step.filter(context, candidates, attributes)
        if not candidates:
            raise errors.NotFound(message="No valid pool for this zone", type="no_valid_pool_found")
        if len(candidates) > 1:
            raise errors.ConfigurationError(
                "The scheduler filters leave several pools for this zone",
                type="multiple_pools_found",
            )
        return candidates[0]
