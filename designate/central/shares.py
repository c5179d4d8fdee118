"""Shares: other projects' use of a zone."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from designate import errors
from designate.central.base import (
    Core,
    own_target,
    page_limit,
    refuse_pending_delete,
    require_project,
    scope_of,
    target_of,
)
from designate.central.policy import ADMIN, ADMIN_OR_MEMBER, ANYONE, LEGACY_ADMIN, rule
from designate.central.zone_rules import refuse_catalog
from designate.context import Context
from designate.model.query import Page, Query
from designate.model.shares import Share, ShareDraft
from designate.storage.sqlalchemy import shares, zones
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.listing.pagination import Condition, of_project
from designate.storage.sqlalchemy.tables import shared_zones

SHARES = "/v2/zones/{zone_id}/shares"
TARGET = "project_id:%(target_project_id)s"
RULES = (
    rule("share_zone", ADMIN_OR_MEMBER, f"POST {SHARES}", "Share a zone."),
    rule("get_zone_share", ADMIN_OR_MEMBER, f"GET {SHARES}/{{share_id}}", "Show a share."),
    rule("unshare_zone", ADMIN_OR_MEMBER, f"DELETE {SHARES}/{{share_id}}", "End a share."),
    rule("find_zone_shares", ANYONE, f"GET {SHARES}", "List shares.", scope=None),
    rule(
        "find_project_zone_share",
        f"({ADMIN}) or (role:member and {TARGET})",
        f"GET {SHARES}",
        "List shares with a project.",
        legacy=f"{LEGACY_ADMIN} or ({TARGET})",
    ),
)


class SharesEndpoint:
    """See rpc.interfaces.SharesApi."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def create(self, context: Context, zone_id: str, draft: ShareDraft) -> Share:
        core = self._core
        project_id = require_project(context)

        def write(tx: Transaction) -> Share:
            zone = zones.lock_visible(tx, zone_id, scope_of(context)).zone
            core.policy.check("share_zone", context, target_of(context, zone))
            refuse_catalog(zone.type)
            refuse_pending_delete(zone)
            if draft.target_project_id == zone.project_id:
                raise errors.BadRequest("A zone cannot be shared with its own project")
            share = Share(
                id=str(uuid.uuid4()),
                zone_id=zone.id,
                project_id=project_id,
                target_project_id=draft.target_project_id,
                created_at=core.now(),
            )
            shares.SHARES.insert(tx, share)
            return core.notify(tx, context, "dns.zone.share", share)

        return core.db.write(write)

    def get(self, context: Context, zone_id: str, share_id: str) -> Share:
        with self._core.db.read() as connection:
            share = shares.SHARES.get(
                connection, share_id, shared_zones.c.zone_id == zone_id, *_involving_caller(context)
            )
        self._core.policy.check("get_zone_share", context, _target_of_share(share))
        return share

    def find(self, context: Context, zone_id: str, query: Query) -> Page[Share]:
        core = self._core
        core.policy.check("find_zone_shares", context, own_target(context))
        if not context.all_projects:
            requested = query.filters.get("target_project_id", context.project_id)
            target = {
                "project_id": requested,
                "tenant_id": requested,
                "target_project_id": requested,
                "target_tenant_id": requested,
            }
            core.policy.check("find_project_zone_share", context, target)
        with core.db.read() as connection:
            return shares.SHARES.find(
                connection,
                query,
                shared_zones.c.zone_id == zone_id,
                *_involving_caller(context),
                limit=page_limit(core, query),
            )

    def delete(self, context: Context, zone_id: str, share_id: str) -> None:
        core = self._core

        def write(tx: Transaction) -> None:
            share = shares.SHARES.lock(
                tx, share_id, shared_zones.c.zone_id == zone_id, *_involving_caller(context)
            )
            core.policy.check("get_zone_share", context, _target_of_share(share))
            core.policy.check("unshare_zone", context, _target_of_share(share))
            target = share.target_project_id
            if shares.has_child_zones(tx.connection, zone_id, target):
                raise errors.BadRequest(
                    "The project owns zones below this zone", type="shared_zone_has_sub_zone"
                )
            if shares.has_recordsets(tx.connection, zone_id, target):
                raise errors.BadRequest(
                    "The project has recordsets in this zone", type="shared_zone_has_recordsets"
                )
            shares.SHARES.delete(tx, share_id)
            core.notify(tx, context, "dns.zone.unshare", share)

        core.db.write(write)


def _involving_caller(context: Context) -> tuple[Condition, ...]:
    """Return the conditions for the shares that the caller's project made or benefits from."""
    if context.all_projects:
        return ()
    mine = context.project_id
    return (
        sa.or_(
            of_project(shared_zones.c.project_id, mine),
            of_project(shared_zones.c.target_project_id, mine),
        ),
    )


def _target_of_share(share: Share) -> dict[str, Any]:
    return {
        "zone_id": share.zone_id,
        "project_id": share.project_id,
        "tenant_id": share.project_id,
        "target_project_id": share.target_project_id,
        "target_tenant_id": share.target_project_id,
    }
