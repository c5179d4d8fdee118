"""Quotas: defaults from the configuration, overrides per project, and the limits document."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from oslo_config import cfg

from designate import errors
from designate.central.base import Core
from designate.context import Context
from designate.model.quotas import Limits, Quotas
from designate.storage import quotas

GROUP = "DEFAULT"
OPTS = [
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
        core, quotas.overrides(connection, project_id) if project_id is not None else {}
    )


def with_overrides(core: Core, overrides: Mapping[str, int]) -> Quotas:
    """The configured quotas with these in their stead."""
    conf = core.conf
    limits = {name: getattr(conf, f"quota_{name}") for name in Quotas.__slots__}
    return Quotas(**limits | {k: v for k, v in overrides.items() if k in limits})


def require(limits: Quotas, **wanted: int) -> None:
    """Refuse what would exceed a quota. wanted: quota name to the number after the operation."""
    exceeded = [name for name, number in wanted.items() if 0 <= getattr(limits, name) < number]
    if exceeded:
        exceeded.sort(key=len)
        raise errors.OverQuota(f"Quota exceeded for {', '.join(exceeded)}.")


class QuotasEndpoint:
    """See rpc.interfaces.QuotasApi."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def limits(self, context: Context) -> Limits:
        conf = self._core.conf
        with self._core.db.read() as connection:
            mine = effective(self._core, connection, context.project_id)
        central = conf["service:central"]
        return Limits(
            max_zones=mine.zones,
            max_zone_recordsets=mine.zone_recordsets,
            max_zone_records=mine.zone_records,
            max_recordset_records=mine.recordset_records,
            min_ttl=central.min_ttl,
            max_zone_name_length=central.max_zone_name_len,
            max_recordset_name_length=central.max_recordset_name_len,
            max_page_limit=conf["service:api"].max_limit_v2,
        )
