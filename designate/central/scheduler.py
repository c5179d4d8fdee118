"""Which pool a new zone goes to: filters in the operator's order, each narrowing the choice down.

A filter is a class, made with central's Core and registered by its name in `designate.scheduler.filters`.
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
        help="Filters that choose the pool of a new zone, in this order.",
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
    """Base of the filters."""

    name: ClassVar[str]

    def __init__(self, core: Core) -> None:
        self.core = core

    def filter(
        self, context: Context, pools: Sequence[Pool], attributes: Attributes
    ) -> Sequence[Pool]:
        """The pools that are still to be chosen from. attributes: of the zone."""
        raise NotImplementedError

    def default(self, pools: Sequence[Pool]) -> list[Pool]:
        """The default pool, if it is among these."""
        wanted = self.core.conf[GROUP].default_pool_id
        return [pool for pool in pools if pool.id == wanted]

    def stored(self) -> list[Pool]:
        """All pools, for a filter that needs one that is no longer among those left."""
        with self.core.db.read() as connection:
            return _pools(connection)


class DefaultPool(Filter):
    """The default pool, whatever is left."""

    name = "default_pool"

    def filter(
        self, context: Context, pools: Sequence[Pool], attributes: Attributes
    ) -> Sequence[Pool]:
        return self.default(pools) or self.default(self.stored())


class Fallback(Filter):
    """The default pool, where nothing else is left."""

    name = "fallback"

    def filter(
        self, context: Context, pools: Sequence[Pool], attributes: Attributes
    ) -> Sequence[Pool]:
        return pools or self.default(self.stored())


class InDoubtDefaultPool(Filter):
    """The default pool, where it is one of several."""

    name = "in_doubt_default_pool"

    def filter(
        self, context: Context, pools: Sequence[Pool], attributes: Attributes
    ) -> Sequence[Pool]:
        return (self.default(pools) or pools) if len(pools) > 1 else pools


class Random(Filter):
    name = "random"

    def filter(
        self, context: Context, pools: Sequence[Pool], attributes: Attributes
    ) -> Sequence[Pool]:
        return [random.choice(pools)] if pools else pools  # noqa: S311 - spreads, guards nothing


class PoolIdAttribute(Filter):
    """The pool that the zone's attribute pool_id names, for those who may choose. None for a pool that
    does not exist; what is left stays where a filter before this one has dropped the pool."""

    name = "pool_id_attribute"

    def filter(
        self, context: Context, pools: Sequence[Pool], attributes: Attributes
    ) -> Sequence[Pool]:
        wanted = attributes.get(POOL_ID)
        if wanted is None:
            return pools
        chosen = _named(pools, wanted)
        if not chosen and not _named(_visible(self.stored(), context), wanted):
            return []
        self.core.policy.check("zone_create_forced_pool", context, own_target(context))
        return chosen or pools


class Attribute(Filter):
    """Pools that have every attribute of the zone; pools without any take every zone. The attribute
    pool_id is another filter's."""

    name = "attribute"

    def filter(
        self, context: Context, pools: Sequence[Pool], attributes: Attributes
    ) -> Sequence[Pool]:
        wanted = {(key, _value(value)) for key, value in attributes.items() if key != POOL_ID}
        return [
            pool
            for pool in pools
            if not pool.attributes
            or wanted <= {(key, _value(value)) for key, value in pool.attributes.items()}
        ]


def _value(text: str) -> str | bool:
    """Words for yes and no are equal, whichever they are."""
    try:
        return bool(strutils.bool_from_string(text, strict=True))
    except ValueError:
        return text


def _named(pools: Sequence[Pool], pool_id: str) -> list[Pool]:
    return [pool for pool in pools if pool.id == pool_id.strip().lower()]


def _visible(pools: Sequence[Pool], context: Context) -> list[Pool]:
    """Everybody's and the caller's."""
    scope = scope_of(context)
    owners = (None, scope.project_id)
    return [pool for pool in pools if scope.all_projects or pool.project_id in owners]


def _pools(connection: sa.Connection) -> list[Pool]:
    return pools.find(connection)


class Scheduler:
    """Thread-safe. Raises ConfigurationError for filters that do not exist."""

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
                f"[{GROUP}] scheduler_filters: there is no filter {', '.join(unknown)}"
            )
        self._filters: list[Filter] = [found[name](core) for name in names]

    def choose(self, connection: sa.Connection, context: Context, attributes: Attributes) -> Pool:
        """The pool of a zone with these attributes. Raises NotFound of type no_valid_pool_found."""
        left: Sequence[Pool] = _visible(_pools(connection), context)
        for step in self._filters:
            left = step.filter(context, left, attributes)
        if not left:
            raise errors.NotFound(message="No valid pool for this zone", type="no_valid_pool_found")
        if len(left) > 1:
            raise errors.ConfigurationError(
                "Several pools are left to choose from", type="multiple_pools_found"
            )
        return left[0]
