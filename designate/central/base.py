"""The parts and helpers that every aggregate of central shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Protocol, TypeVar

from oslo_config import cfg

from designate import domain_names, errors
from designate.central.policy import Policy
from designate.context import Context
from designate.model.query import Query
from designate.model.quotas import Quotas
from designate.model.zones import Action, Zone
from designate.notifications import Notification, NotificationEmitter
from designate.rpc.interfaces import WorkerApi
from designate.runtime.clock import utcnow
from designate.storage.sqlalchemy.db.engine import Database
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.listing.pagination import Scope

T = TypeVar("T")


class QuotaDriver(Protocol):
    """Decides the quotas of a project; plug-ins have the entry-point group `designate.quota`."""

    def limits(self, conf: cfg.ConfigOpts, overrides: Mapping[str, int]) -> Quotas:
        """Return the quotas of a project; -1 means unlimited.

        Args:
            conf: The configuration, with the defaults of all projects.
            overrides: The quotas that an operator set for this project.
        """
        ...


@dataclass(frozen=True, slots=True)
class Core:
    """The services and the configuration that the endpoints of all aggregates share."""

    conf: cfg.ConfigOpts
    db: Database
    worker: WorkerApi
    policy: Policy
    quotas: QuotaDriver
    now: Callable[[], datetime] = utcnow
    notifier: NotificationEmitter | None = None

    @property
    def notifications_enabled(self) -> bool:
        """Whether notifications are sent at all."""
        return self.notifier is not None and self.notifier.enabled

    def notify(
        self,
        tx: Transaction,
        context: Context,
        event: str,
        after: T,
        before: T | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> T:
        """Emit a notification after the transaction's commit, and return `after`.

        See notifications.Notification for the arguments.
        """
        if self.notifications_enabled and self.notifier is not None:
            tx.after_commit.append(
                partial(self.notifier.put, context, Notification(event, after, before, more))
            )
        return after


def scope_of(context: Context) -> Scope:
    """Return which rows the caller of the request sees."""
    return Scope(project_id=context.project_id, all_projects=context.all_projects)


def target_of(context: Context, zone: Zone) -> dict[str, Any]:
    """Return the policy target of an operation on the zone.

    zone_shared is true only where the zone is another project's and shared with the caller's project,
    not for a caller that sees all projects.
    """
    foreign = zone.project_id != context.project_id and not context.all_projects
    return {
        "zone_id": zone.id,
        "zone_name": zone.name,
        "zone_type": str(zone.type),
        "zone_shared": zone.shared and foreign,
        "project_id": zone.project_id,
        "tenant_id": zone.project_id,
    }


def own_target(context: Context) -> dict[str, Any]:
    """Return the policy target of an operation without an object: the caller's own project."""
    return {"project_id": context.project_id, "tenant_id": context.project_id}


def refuse_pending_delete(zone: Zone) -> None:
    """Raise BadRequest when the zone is being deleted."""
    if zone.action == Action.DELETE:
        raise errors.BadRequest("The zone is being deleted")


def require_project(context: Context) -> str:
    """Return the caller's project; raise Unauthorized for a token without one."""
    if context.project_id is None:
        raise errors.Unauthorized("A project is needed")
    return str(context.project_id)


def page_limit(core: Core, query: Query) -> int:
    """Return how many items the page holds at most: what the query says, else the configured default."""
    return query.limit or int(core.conf["service:api"].default_limit_v2)


def with_stored_name(query: Query) -> Query:
    """Return the query with its filter of names in the form in which names are stored.

    Raises:
        BadRequest: A label of the filter is invalid; the message names it.
    """
    given = query.filters.get("name")
    if given is None:
        return query
    try:
        name = domain_names.search_form(given)
    except ValueError as error:
        raise errors.BadRequest(f"Invalid filter name: {error}") from None
    return replace(query, filters={**query.filters, "name": name})
