"""Who else may use a zone, and how it changes hands."""

from __future__ import annotations

import hmac
import secrets
import string
import uuid
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from designate import errors
from designate.central import quotas
from designate.central.base import Core, own_target, refuse_pending_delete, scope_of, target_of
from designate.central.policy import (
    ADMIN,
    ADMIN_OR_MEMBER,
    ADMIN_OR_READER,
    ANYONE,
    LEGACY_ADMIN,
    LEGACY_OWNER,
    rule,
)
from designate.context import Context
from designate.model.codec import UNSET
from designate.model.query import Page, Query
from designate.model.shares import Share, ShareDraft
from designate.model.transfers import (
    TransferAccept,
    TransferAcceptDraft,
    TransferRequest,
    TransferRequestDraft,
    TransferRequestPatch,
    TransferStatus,
)
from designate.model.zones import Zone, ZoneType
from designate.storage.sqlalchemy import ownership, zones
from designate.storage.sqlalchemy.db.engine import Transaction
from designate.storage.sqlalchemy.listing.pagination import Condition, of_project
from designate.storage.sqlalchemy.tables import shared_zones, transfer_accepts, transfer_requests

SHARES = "/v2/zones/{zone_id}/shares"
REQUESTS = "/v2/zones/tasks/transfer_requests"
ACCEPTS = "/v2/zones/tasks/transfer_accepts"
TARGET = "project_id:%(target_project_id)s"
FOR_ANYONE = "None:%(target_project_id)s"

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
    rule(
        "create_zone_transfer_request",
        ADMIN_OR_MEMBER,
        "POST /v2/zones/{zone_id}/tasks/transfer_requests",
        "Offer a zone.",
    ),
    rule(
        "get_zone_transfer_request",
        f"{ADMIN_OR_MEMBER} or ({TARGET}) or ({FOR_ANYONE})",
        f"GET {REQUESTS}/{{id}}",
        "Show an offer.",
        legacy=LEGACY_OWNER,
    ),
    rule(
        "get_zone_transfer_request_detailed",
        ADMIN_OR_READER,
        f"GET {REQUESTS}/{{id}}",
        "Show all of an offer.",
    ),
    rule("find_zone_transfer_requests", ANYONE, f"GET {REQUESTS}", "List offers.", scope=None),
    rule(
        "update_zone_transfer_request",
        ADMIN_OR_MEMBER,
        f"PATCH {REQUESTS}/{{id}}",
        "Change an offer.",
    ),
    rule(
        "delete_zone_transfer_request",
        ADMIN_OR_MEMBER,
        f"DELETE {REQUESTS}/{{id}}",
        "Withdraw an offer.",
    ),
    rule(
        "create_zone_transfer_accept",
        f"{ADMIN_OR_MEMBER} or ({TARGET}) or ({FOR_ANYONE})",
        f"POST {ACCEPTS}",
        "Take a zone over.",
        legacy=LEGACY_OWNER,
    ),
    rule("get_zone_transfer_accept", ADMIN_OR_READER, f"GET {ACCEPTS}/{{id}}", "Show a take-over."),
    rule("find_zone_transfer_accepts", ADMIN, f"GET {ACCEPTS}", "List take-overs."),
)

KEY_LENGTH = 8
KEY_LETTERS = string.ascii_uppercase + string.digits
MOST_WRONG_KEYS = 20


def _project(context: Context) -> str:
    if context.project_id is None:
        raise errors.Unauthorized("A project is needed")
    return str(context.project_id)


def _limit(core: Core, query: Query) -> int:
    return query.limit or int(core.conf["service:api"].default_limit_v2)


class SharesEndpoint:
    """See rpc.interfaces.SharesApi."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def create(self, context: Context, zone_id: str, draft: ShareDraft) -> Share:
        core = self._core
        project_id = _project(context)

        def write(tx: Transaction) -> Share:
            zone = zones.lock_visible(tx, zone_id, scope_of(context)).zone
            core.policy.check("share_zone", context, target_of(context, zone))
            _refuse_catalog(zone)
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
            ownership.SHARES.insert(tx, share)
            return core.notify(tx, context, "dns.zone.share", share)

        return core.db.write(write)

    def get(self, context: Context, zone_id: str, share_id: str) -> Share:
        with self._core.db.read() as connection:
            share = ownership.SHARES.get(
                connection, share_id, shared_zones.c.zone_id == zone_id, *_party(context)
            )
        self._core.policy.check("get_zone_share", context, _target_of_share(share))
        return share

    def find(self, context: Context, zone_id: str, query: Query) -> Page[Share]:
        core = self._core
        core.policy.check("find_zone_shares", context, own_target(context))
        if not context.all_projects:
            asked = query.filters.get("target_project_id", context.project_id)
            target = {
                "project_id": asked,
                "tenant_id": asked,
                "target_project_id": asked,
                "target_tenant_id": asked,
            }
            core.policy.check("find_project_zone_share", context, target)
        with core.db.read() as connection:
            return ownership.SHARES.find(
                connection,
                query,
                shared_zones.c.zone_id == zone_id,
                *_party(context),
                limit=_limit(core, query),
            )

    def delete(self, context: Context, zone_id: str, share_id: str) -> None:
        core = self._core

        def write(tx: Transaction) -> None:
            share = ownership.SHARES.lock(
                tx, share_id, shared_zones.c.zone_id == zone_id, *_party(context)
            )
            core.policy.check("get_zone_share", context, _target_of_share(share))
            core.policy.check("unshare_zone", context, _target_of_share(share))
            target = share.target_project_id
            if ownership.has_child_zones(tx.connection, zone_id, target):
                raise errors.BadRequest(
                    "The project owns zones below this zone", type="shared_zone_has_sub_zone"
                )
            if ownership.has_recordsets(tx.connection, zone_id, target):
                raise errors.BadRequest(
                    "The project has recordsets in this zone", type="shared_zone_has_recordsets"
                )
            ownership.SHARES.delete(tx, share_id)
            core.notify(tx, context, "dns.zone.unshare", share)

        core.db.write(write)


def _party(context: Context) -> tuple[Condition, ...]:
    """Shares that the caller made or profits from."""
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


class TransferRequestsEndpoint:
    """See rpc.interfaces.TransferRequestsApi."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def create(
        self, context: Context, zone_id: str, draft: TransferRequestDraft
    ) -> TransferRequest:
        core = self._core
        _project(context)

        def write(tx: Transaction) -> TransferRequest:
            zone = zones.lock_visible(tx, zone_id, scope_of(context)).zone
            core.policy.check("get_zone", context, target_of(context, zone))
            refuse_pending_delete(zone)
            core.policy.check("create_zone_transfer_request", context, target_of(context, zone))
            _refuse_catalog(zone)
            assert zone.project_id is not None  # noqa: S101 - only catalog zones have none
            request = TransferRequest(
                id=str(uuid.uuid4()),
                zone_id=zone.id,
                zone_name=zone.name,
                project_id=zone.project_id,
                key="".join(secrets.choice(KEY_LETTERS) for _ in range(KEY_LENGTH)),
                status=TransferStatus.ACTIVE,
                created_at=core.now(),
                target_project_id=draft.target_project_id,
                description=draft.description,
            )
            ownership.REQUESTS.insert(tx, request, active_zone_id=zone.id, refusals=0)
            return core.notify(tx, context, "dns.zone_transfer_request.create", request)

        try:
            return core.db.write(write)
        except errors.Duplicate:
            raise errors.Duplicate(type="duplicate_zone_transfer_request") from None

    def get(self, context: Context, request_id: str) -> TransferRequest:
        with self._core.db.read() as connection:
            request = ownership.REQUESTS.get(connection, request_id)
        self._core.policy.check("get_zone_transfer_request", context, _target_of_request(request))
        return self._shown(context, request)

    def _shown(self, context: Context, request: TransferRequest) -> TransferRequest:
        detailed = self._core.policy.allows(
            "get_zone_transfer_request_detailed", context, _target_of_request(request)
        )
        return replace(request, detailed=detailed, key=request.key if detailed else "")

    def find(self, context: Context, query: Query) -> Page[TransferRequest]:
        core = self._core
        core.policy.check("find_zone_transfer_requests", context, own_target(context))
        conditions: tuple[Condition, ...] = ()
        if not context.all_projects:
            mine = context.project_id
            conditions = (
                sa.or_(
                    of_project(transfer_requests.c.project_id, mine),
                    of_project(transfer_requests.c.target_project_id, mine),
                ),
            )
        with core.db.read() as connection:
            page = ownership.REQUESTS.find(
                connection, query, *conditions, limit=_limit(core, query)
            )
        return replace(page, items=tuple(self._shown(context, item) for item in page.items))

    def update(
        self, context: Context, request_id: str, patch: TransferRequestPatch
    ) -> TransferRequest:
        core = self._core

        def write(tx: Transaction) -> TransferRequest:
            before = ownership.REQUESTS.lock(tx, request_id)
            target = _target_of_request(before)
            core.policy.check("get_zone_transfer_request", context, target)
            core.policy.check("update_zone_transfer_request", context, target)
            columns: dict[str, Any] = {}
            if patch.description is not UNSET:
                columns["description"] = patch.description
            if patch.target_project_id not in (UNSET, before.target_project_id):
                if before.target_project_id is not None:
                    raise errors.InvalidObject("'target_project_id' cannot be changed")
                columns["target_project_id"] = patch.target_project_id
            ownership.REQUESTS.update(tx, request_id, **columns, updated_at=core.now())
            after = ownership.REQUESTS.get(tx.connection, request_id)
            return core.notify(tx, context, "dns.zone_transfer_request.update", after, before)

        return self._shown(context, core.db.write(write))

    def delete(self, context: Context, request_id: str) -> None:
        """Also after its zone: clients that clean up delete both, in whatever order, and a zone may be
        gone sooner than they can ask."""
        core = self._core

        def write(tx: Transaction) -> None:
            request = ownership.ALL_REQUESTS.lock(tx, request_id)
            if not context.all_projects and context.project_id not in (
                request.project_id,
                request.target_project_id,
            ):
                raise errors.NotFound("zone_transfer_request")
            core.policy.check("delete_zone_transfer_request", context, _target_of_request(request))
            ownership.REQUESTS.delete(tx, request_id)
            core.notify(tx, context, "dns.zone_transfer_request.delete", request)

        core.db.write(write)


def _target_of_request(request: TransferRequest) -> dict[str, Any]:
    return {
        "zone_id": request.zone_id,
        "project_id": request.project_id,
        "tenant_id": request.project_id,
        "target_project_id": request.target_project_id,
        "target_tenant_id": request.target_project_id,
    }


class TransferAcceptsEndpoint:
    """See rpc.interfaces.TransferAcceptsApi."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def create(self, context: Context, draft: TransferAcceptDraft) -> TransferAccept:
        core = self._core
        project_id = _project(context)
        self._check_key(context, draft)

        def write(tx: Transaction) -> TransferAccept:
            request = ownership.REQUESTS.lock(tx, draft.zone_transfer_request_id)
            _refuse_used(request)
            zone = zones.lock(tx, request.zone_id).zone
            refuse_pending_delete(zone)
            if zone.project_id != project_id:
                self._move(tx, zone, project_id)
                moved = replace(zone, project_id=project_id, updated_at=core.now())
                core.notify(tx, context, "dns.zone.update", moved, zone)
            ownership.REQUESTS.update(
                tx,
                request.id,
                status=TransferStatus.COMPLETE,
                active_zone_id=None,
                updated_at=core.now(),
            )
            accept = TransferAccept(
                id=str(uuid.uuid4()),
                zone_transfer_request_id=request.id,
                zone_id=zone.id,
                project_id=project_id,
                status=TransferStatus.COMPLETE,
                created_at=core.now(),
                key=draft.key,
            )
            ownership.ACCEPTS.insert(tx, accept)
            return core.notify(tx, context, "dns.zone_transfer_accept.create", accept)

        return core.db.write(write)

    def _check_key(self, context: Context, draft: TransferAcceptDraft) -> None:
        """Raises what refuses the key. Wrong ones are counted in a transaction of their own, which
        stays when the request is refused: nobody may go on guessing."""
        core = self._core

        def write(tx: Transaction) -> errors.DesignateError | None:
            request = ownership.REQUESTS.lock(tx, draft.zone_transfer_request_id)
            _refuse_used(request)
            target = {
                "target_project_id": request.target_project_id,
                "target_tenant_id": request.target_project_id,
            }
            # First of all, so that nobody can use up the tries of those whom it is meant for.
            core.policy.check("create_zone_transfer_accept", context, target)
            wrong = not hmac.compare_digest(request.key.encode(), draft.key.encode())
            if wrong or ownership.wrong_key_count(tx.connection, request.id) >= MOST_WRONG_KEYS:
                ownership.count_wrong_key(tx, request.id)
                return errors.Forbidden("The key is not the request's", type="invalid_key")
            return None

        refused = core.db.write(write)
        if refused is not None:
            raise refused

    def _move(self, tx: Transaction, zone: Zone, project_id: str) -> None:
        limits = quotas.effective(self._core, tx.connection, project_id)
        quotas.require(limits, zones=zones.add_to_zone_count(tx, project_id, 1))
        if zone.project_id is not None:
            zones.add_to_zone_count(tx, zone.project_id, -1)
        zones.update(tx, zone.id, project_id=project_id, updated_at=self._core.now())
        ownership.change_owner(tx, zone.id, zone.project_id, project_id)

    def get(self, context: Context, accept_id: str) -> TransferAccept:
        conditions: tuple[Condition, ...] = ()
        if not context.all_projects:
            conditions = (of_project(transfer_accepts.c.project_id, context.project_id),)
        with self._core.db.read() as connection:
            accept = ownership.ACCEPTS.get(connection, accept_id, *conditions)
        target = {"project_id": accept.project_id, "tenant_id": accept.project_id}
        self._core.policy.check("get_zone_transfer_accept", context, target)
        return accept

    def find(self, context: Context, query: Query) -> Page[TransferAccept]:
        core = self._core
        core.policy.check("find_zone_transfer_accepts", context, own_target(context))
        conditions: tuple[Condition, ...] = ()
        if not context.all_projects:
            conditions = (of_project(transfer_accepts.c.project_id, context.project_id),)
        with core.db.read() as connection:
            return ownership.ACCEPTS.find(
                connection, query, *conditions, limit=_limit(core, query), count=True
            )


def _refuse_used(request: TransferRequest) -> None:
    if request.status is not TransferStatus.ACTIVE:
        raise errors.BadRequest(
            "The request has been used already", type="invalid_zone_transfer_request"
        )


def _refuse_catalog(zone: Zone) -> None:
    if zone.type == ZoneType.CATALOG:
        raise errors.Forbidden("This operation is not allowed for catalog zones")
