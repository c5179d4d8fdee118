"""Quotas: defaults from the configuration, overrides per project, and the limits document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from oslo_config import cfg
from stevedore import driver
from stevedore.exception import NoMatches

from designate import errors
from designate.central.base import Core, QuotaDriver
from designate.central.policy import ADMIN, ADMIN_OR_READER, LEGACY_OWNER, rule
from designate.context import Context
from designate.model.quotas import ProjectLimits, Quotas
from designate.storage.sqlalchemy import quotas as storage
from designate.storage.sqlalchemy.db.engine import Transaction

GROUP = "DEFAULT"
NAMESPACE = "designate.quota"
OPTS = [
    cfg.StrOpt(
        "quota_driver",
        default="storage",
        help="Where the quotas come from: storage (the options quota_*, and what a project was given "
        "instead) or noop (nothing is limited).",
    ),
    cfg.IntOpt("quota_zones", default=10, help="Zones that a project may own; -1: no limit."),
    cfg.IntOpt(
        "quota_zone_recordsets",
        default=500,
        help="Recordsets that a zone may hold, its SOA and NS included; -1: no limit.",
    ),
    cfg.IntOpt(
        "quota_zone_records",
        default=500,
        help="Records that a zone may hold, managed ones not counted; -1: no limit.",
    ),
    cfg.IntOpt(
        "quota_recordset_records",
        default=20,
        help="Records that one recordset may hold; -1: no limit.",
    ),
    cfg.IntOpt(
        "quota_api_export_size",
        default=1000,
        help="Recordsets of a zone that may be exported through the API; -1: no limit.",
    ),
]


def effective(core: Core, connection: sa.Connection, project_id: str | None) -> Quotas:
    """The project's quotas: the configured ones and what it has been given instead."""
    return with_overrides(
        core, storage.overrides(connection, project_id) if project_id is not None else {}
    )


def with_overrides(core: Core, overrides: Mapping[str, int]) -> Quotas:
    """The quotas of a project that was given these."""
    return core.quotas.limits(core.conf, overrides)


class StorageQuotas:
    """The configured quotas, and what a project was given in their stead."""

    def limits(self, conf: cfg.ConfigOpts, overrides: Mapping[str, int]) -> Quotas:
        limits = {name: getattr(conf, f"quota_{name}") for name in Quotas.__slots__}
        return Quotas(**limits | {k: v for k, v in overrides.items() if k in limits})


class NoQuotas:
    """Nothing is limited. What projects are given is kept for another driver."""

    def limits(self, conf: cfg.ConfigOpts, overrides: Mapping[str, int]) -> Quotas:
        return Quotas(**dict.fromkeys(Quotas.__slots__, -1))


def load(conf: cfg.ConfigOpts) -> QuotaDriver:
    """The driver of the option quota_driver. Raises ConfigurationError for an unknown one."""
    try:
        made: QuotaDriver = driver.DriverManager(
            NAMESPACE, conf.quota_driver, invoke_on_load=True
        ).driver
    except NoMatches:
        raise errors.ConfigurationError(f"quota_driver: no {conf.quota_driver!r}") from None
    return made


def require(limits: Quotas, **wanted: int) -> None:
    """Refuse what would exceed a quota. wanted: quota name to the number after the operation."""
    exceeded = [name for name, number in wanted.items() if 0 <= getattr(limits, name) < number]
    if exceeded:
        exceeded.sort(key=len)
        raise errors.OverQuota(f"Quota exceeded for {', '.join(exceeded)}.")


RULES = (
    rule(
        "get_quotas",
        f"{ADMIN_OR_READER} or ('True':%(all_tenants)s and role:reader)",
        "GET /v2/quotas/{project_id}",
        "Show quotas.",
        legacy=LEGACY_OWNER,
    ),
    rule("set_quota", ADMIN, "PATCH /v2/quotas/{project_id}", "Change quotas."),
    rule("reset_quotas", ADMIN, "DELETE /v2/quotas/{project_id}", "Back to default quotas."),
)


class QuotasEndpoint:
    """See rpc.interfaces.QuotasApi."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def get(self, context: Context, project_id: str) -> Quotas:
        self._core.policy.check("get_quotas", context, _target(context, project_id))
        _refuse_others(context, project_id)
        with self._core.db.read() as connection:
            return effective(self._core, connection, project_id)

    def set(self, context: Context, project_id: str, quotas: dict[str, int]) -> Quotas:
        core = self._core
        if context.project_id is None and not context.all_projects:
            raise errors.Unauthorized("A project is needed")
        target = _target(context, project_id)
        core.policy.check("set_quota", context, target)
        for name, limit in quotas.items():
            core.policy.check(
                "set_quota", context, target | {"resource": name, "hard_limit": limit}
            )
        _refuse_others(context, project_id)

        def write(tx: Transaction) -> Quotas:
            storage.set_limits(tx, project_id, quotas)
            return effective(core, tx.connection, project_id)

        return core.db.write(write)

    def reset(self, context: Context, project_id: str) -> None:
        self._core.policy.check("reset_quotas", context, _target(context, project_id))
        self._core.db.write(lambda tx: storage.reset(tx, project_id))

    def limits(self, context: Context) -> ProjectLimits:
        conf = self._core.conf
        with self._core.db.read() as connection:
            mine = effective(self._core, connection, context.project_id)
        central = conf["service:central"]
        return ProjectLimits(
            max_zones=mine.zones,
            max_zone_recordsets=mine.zone_recordsets,
            max_zone_records=mine.zone_records,
            max_recordset_records=mine.recordset_records,
            min_ttl=central.min_ttl,
            max_zone_name_length=central.max_zone_name_len,
            max_recordset_name_length=central.max_recordset_name_len,
            max_page_limit=conf["service:api"].max_limit_v2,
        )


def _target(context: Context, project_id: str) -> dict[str, Any]:
    return {
        "project_id": project_id,
        "tenant_id": project_id,
        "all_tenants": context.all_projects,
    }


def _refuse_others(context: Context, project_id: str) -> None:
    if project_id != context.project_id and not context.all_projects:
        raise errors.Forbidden("Quotas of another project")
