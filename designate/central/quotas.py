"""Quotas: defaults from the configuration, overrides per project, and a project's limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from oslo_config import cfg
from stevedore import driver
from stevedore.exception import NoMatches

from designate import errors
from designate.central.base import Core, QuotaDriver, require_project
from designate.central.policy import ADMIN, ADMIN_OR_READER, LEGACY_OWNER, rule
from designate.context import Context
from designate.model.quotas import ProjectLimits, Quotas
from designate.storage.sqlalchemy import quotas as storage
from designate.storage.sqlalchemy.db.transaction import Transaction

GROUP = "DEFAULT"
NAMESPACE = "designate.quota"
OPTS = [
    cfg.StrOpt(
        "quota_driver",
        default="storage",
        help="Source of the quotas: storage (the options quota_* and the projects' overrides) or noop "
        "(no limits).",
    ),
    cfg.IntOpt(
        "quota_zones", default=10, help="Maximum number of zones of a project; -1: no limit."
    ),
    cfg.IntOpt(
        "quota_zone_recordsets",
        default=500,
        help="Maximum number of recordsets of a zone, including its SOA and NS; -1: no limit.",
    ),
    cfg.IntOpt(
        "quota_zone_records",
        default=500,
        help="Maximum number of records of a zone, without managed ones; -1: no limit.",
    ),
    cfg.IntOpt(
        "quota_recordset_records",
        default=20,
        help="Maximum number of records of a recordset; -1: no limit.",
    ),
    cfg.IntOpt(
        "quota_api_export_size",
        default=1000,
        help="Maximum number of recordsets of a zone to export; -1: no limit.",
    ),
]


def effective(core: Core, connection: sa.Connection, project_id: str | None) -> Quotas:
    """Return the project's quotas: the configured ones with its overrides."""
    return with_overrides(
        core, storage.overrides(connection, project_id) if project_id is not None else {}
    )


def with_overrides(core: Core, overrides: Mapping[str, int]) -> Quotas:
    """Return the quotas of a project with these overrides."""
    return core.quotas.limits(core.conf, overrides)


class StorageQuotas:
    """The configured quotas with the project's overrides."""

    def limits(self, conf: cfg.ConfigOpts, overrides: Mapping[str, int]) -> Quotas:
        limits = {name: getattr(conf, f"quota_{name}") for name in Quotas.__slots__}
        return Quotas(**limits | {k: v for k, v in overrides.items() if k in limits})


class NoQuotas:
    """No limits. Overrides are stored, but have no effect."""

    def limits(self, conf: cfg.ConfigOpts, overrides: Mapping[str, int]) -> Quotas:
        return Quotas(**dict.fromkeys(Quotas.__slots__, -1))


def load(conf: cfg.ConfigOpts) -> QuotaDriver:
    """Return the driver that quota_driver names; raise ConfigurationError for an unknown one."""
    try:
        loaded: QuotaDriver = driver.DriverManager(
            NAMESPACE, conf.quota_driver, invoke_on_load=True
        ).driver
    except NoMatches:
        raise errors.ConfigurationError(
            f"quota_driver: there is no driver {conf.quota_driver!r}"
        ) from None
    return loaded


def require(limits: Quotas, **requested: int) -> None:
    """Raise OverQuota when a quota would be exceeded. requested: the number after the operation."""
    exceeded = [name for name, number in requested.items() if 0 <= getattr(limits, name) < number]
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
    rule("reset_quotas", ADMIN, "DELETE /v2/quotas/{project_id}", "Reset quotas to the defaults."),
)


class QuotasEndpoint:
    """See rpc.interfaces.QuotasApi."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def get(self, context: Context, project_id: str) -> Quotas:
        self._core.policy.check("get_quotas", context, _target(context, project_id))
        _refuse_other_projects(context, project_id)
        with self._core.db.read() as connection:
            return effective(self._core, connection, project_id)

    def set(self, context: Context, project_id: str, quotas: dict[str, int]) -> Quotas:
        core = self._core
        if not context.all_projects:
            require_project(context)
        target = _target(context, project_id)
        core.policy.check("set_quota", context, target)
        for name, limit in quotas.items():
            core.policy.check(
                "set_quota", context, target | {"resource": name, "hard_limit": limit}
            )
        _refuse_other_projects(context, project_id)

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
            quotas = effective(self._core, connection, context.project_id)
        central = conf["service:central"]
        return ProjectLimits(
            max_zones=quotas.zones,
            max_zone_recordsets=quotas.zone_recordsets,
            max_zone_records=quotas.zone_records,
            max_recordset_records=quotas.recordset_records,
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


def _refuse_other_projects(context: Context, project_id: str) -> None:
    if project_id != context.project_id and not context.all_projects:
        raise errors.Forbidden("The quotas are those of another project")
