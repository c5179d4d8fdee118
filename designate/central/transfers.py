"""Transfers of zones between projects: requests and acceptances.

Longer than 300 lines: the two sides of one aggregate, with their many policy rules.
"""

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
from designate.central.base import (
    Core,
    own_target,
    page_limit,
    refuse_pending_delete,
    require_project,
    scope_of,
    target_of,
)
from designate.central.policy import (
    ADMIN,
    ADMIN_OR_MEMBER,
    ADMIN_OR_READER,
    ANYONE,
    LEGACY_OWNER,
    rule,
)
from designate.central.zone_rules import refuse_catalog
from designate.context import Context
from designate.model.codec import UNSET
from designate.model.query import Page, Query
from designate.model.transfers import (
    TransferAccept,
    TransferAcceptDraft,
    TransferRequest,
    TransferRequestDraft,
    TransferRequestPatch,
    TransferStatus,
)
from designate.model.zones import Zone
from designate.storage.sqlalchemy import transfers, zones
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.listing.pagination import Condition, of_project
from designate.storage.sqlalchemy.tables import transfer_accepts, transfer_requests

REQUESTS = "/v2/zones/tasks/transfer_requests"
ACCEPTS = "/v2/zones/tasks/transfer_accepts"
TARGET = "project_id:%(target_project_id)s"
FOR_ANYONE = "None:%(target_project_id)s"

RULES = (
    rule(
        "create_zone_transfer_request",
        ADMIN_OR_MEMBER,
        "POST /v2/zones/{zone_id}/tasks/transfer_requests",
        "Create a zone transfer request.",
    ),
    rule(
        "get_zone_transfer_request",
        f"{ADMIN_OR_MEMBER} or ({TARGET}) or ({FOR_ANYONE})",
        f"GET {REQUESTS}/{{id}}",
        "Show a zone transfer request.",
        legacy=LEGACY_OWNER,
    ),
    rule(
        "get_zone_transfer_request_detailed",
        ADMIN_OR_READER,
        f"GET {REQUESTS}/{{id}}",
        "Show the details of a zone transfer request, its key included.",
    ),
    rule(
        "find_zone_transfer_requests",
        ANYONE,
        f"GET {REQUESTS}",
        "List zone transfer requests.",
        scope=None,
    ),
    rule(
        "update_zone_transfer_request",
        ADMIN_OR_MEMBER,
        f"PATCH {REQUESTS}/{{id}}",
        "Change a zone transfer request.",
    ),
    rule(
        "delete_zone_transfer_request",
        ADMIN_OR_MEMBER,
        f"DELETE {REQUESTS}/{{id}}",
        "Delete a zone transfer request.",
    ),
    rule(
        "create_zone_transfer_accept",
        f"{ADMIN_OR_MEMBER} or ({TARGET}) or ({FOR_ANYONE})",
        f"POST {ACCEPTS}",
        "Accept a zone transfer request.",
        legacy=LEGACY_OWNER,
    ),
    rule(
        "get_zone_transfer_accept",
        ADMIN_OR_READER,
        f"GET {ACCEPTS}/{{id}}",
        "Show a zone transfer acceptance.",
    ),
    rule("find_zone_transfer_accepts", ADMIN, f"GET {ACCEPTS}", "List zone transfer acceptances."),
)

KEY_LENGTH = 8
KEY_LETTERS = string.ascii_uppercase + string.digits
MAX_WRONG_KEYS = 20


class TransferRequestsEndpoint:
    """See rpc.interfaces.TransferRequestsApi."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def create(
        self, context: Context, zone_id: str, draft: TransferRequestDraft
    ) -> TransferRequest:
        core = self._core
        require_project(context)

        def write(tx: Transaction) -> TransferRequest:
            zone = zones.lock_visible(tx, zone_id, scope_of(context)).zone
            core.policy.check("get_zone", context, target_of(context, zone))
            refuse_pending_delete(zone)
            core.policy.check("create_zone_transfer_request", context, target_of(context, zone))
            refuse_catalog(zone.type)
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
            transfers.REQUESTS.insert(tx, request, active_zone_id=zone.id, refusals=0)
            return core.notify(tx, context, "dns.zone_transfer_request.create", request)

        try:
            return core.db.write(write)
        except errors.Duplicate:
            raise errors.Duplicate(
                message="The zone has an open transfer request",
                type="duplicate_zone_transfer_request",
            ) from None

    def get(self, context: Context, request_id: str) -> TransferRequest:
        with self._core.db.read() as connection:
            request = transfers.REQUESTS.get(connection, request_id)
        self._core.policy.check("get_zone_transfer_request", context, _target_of_request(request))
        return self._visible_part(context, request)

    def _visible_part(self, context: Context, request: TransferRequest) -> TransferRequest:
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
            page = transfers.REQUESTS.find(
                connection, query, *conditions, limit=page_limit(core, query)
            )
        return replace(page, items=tuple(self._visible_part(context, item) for item in page.items))

    def update(
        self, context: Context, request_id: str, patch: TransferRequestPatch
    ) -> TransferRequest:
        core = self._core

        def write(tx: Transaction) -> TransferRequest:
            before = transfers.REQUESTS.lock(tx, request_id)
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
            transfers.REQUESTS.update(tx, request_id, **columns, updated_at=core.now())
            after = transfers.REQUESTS.get(tx.connection, request_id)
            return core.notify(tx, context, "dns.zone_transfer_request.update", after, before)

        return self._visible_part(context, core.db.write(write))

    def delete(self, context: Context, request_id: str) -> None:
        """Delete a request, also that of a deleted zone: clients delete both, in either order."""
        core = self._core

        def write(tx: Transaction) -> None:
            request = transfers.ALL_REQUESTS.lock(tx, request_id)
            if not context.all_projects and context.project_id not in (
                request.project_id,
                request.target_project_id,
            ):
                raise errors.NotFound("zone_transfer_request")
            core.policy.check("delete_zone_transfer_request", context, _target_of_request(request))
            transfers.REQUESTS.delete(tx, request_id)
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
        project_id = require_project(context)
        self._check_key(context, draft)

        def write(tx: Transaction) -> TransferAccept:
            request = transfers.REQUESTS.lock(tx, draft.zone_transfer_request_id)
            _require_active(request)
            zone = zones.lock(tx, request.zone_id).zone
            refuse_pending_delete(zone)
            if zone.project_id != project_id:
                self._change_owner(tx, zone, project_id)
                moved = replace(zone, project_id=project_id, updated_at=core.now())
                core.notify(tx, context, "dns.zone.update", moved, zone)
            transfers.REQUESTS.update(
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
            transfers.ACCEPTS.insert(tx, accept)
            return core.notify(tx, context, "dns.zone_transfer_accept.create", accept)

        return core.db.write(write)

    def _check_key(self, context: Context, draft: TransferAcceptDraft) -> None:
        """Raise Forbidden for a wrong key, and for any key after MAX_WRONG_KEYS wrong ones.

        Wrong keys are counted in a transaction of their own, which is committed although the call
        fails, so that keys cannot be guessed.
        """
        core = self._core

        def write(tx: Transaction) -> errors.DesignateError | None:
            request = transfers.REQUESTS.lock(tx, draft.zone_transfer_request_id)
            _require_active(request)
            target = {
                "target_project_id": request.target_project_id,
                "target_tenant_id": request.target_project_id,
            }
            # Checked first, so that other projects cannot use up the attempts.
            core.policy.check("create_zone_transfer_accept", context, target)
            wrong = not hmac.compare_digest(request.key.encode(), draft.key.encode())
            if wrong or transfers.wrong_key_count(tx.connection, request.id) >= MAX_WRONG_KEYS:
                transfers.count_wrong_key(tx, request.id)
                return errors.Forbidden("The key is not the request's", type="invalid_key")
            return None

        error = core.db.write(write)
        if error is not None:
            raise error

    def _change_owner(self, tx: Transaction, zone: Zone, project_id: str) -> None:
        limits = quotas.effective(self._core, tx.connection, project_id)
        quotas.require(limits, zones=zones.add_to_zone_count(tx, project_id, 1))
        if zone.project_id is not None:
            zones.add_to_zone_count(tx, zone.project_id, -1)
        zones.update(tx, zone.id, project_id=project_id, updated_at=self._core.now())
        transfers.change_owner(tx, zone.id, zone.project_id, project_id)

    def get(self, context: Context, accept_id: str) -> TransferAccept:
        with self._core.db.read() as connection:
            accept = transfers.ACCEPTS.get(connection, accept_id, *_own_accepts(context))
        target = {"project_id": accept.project_id, "tenant_id": accept.project_id}
        self._core.policy.check("get_zone_transfer_accept", context, target)
        return accept

    def find(self, context: Context, query: Query) -> Page[TransferAccept]:
        core = self._core
        core.policy.check("find_zone_transfer_accepts", context, own_target(context))
        with core.db.read() as connection:
            return transfers.ACCEPTS.find(
                connection,
                query,
                *_own_accepts(context),
                limit=page_limit(core, query),
                count=True,
            )


def _own_accepts(context: Context) -> tuple[Condition, ...]:
    if context.all_projects:
        return ()
    return (of_project(transfer_accepts.c.project_id, context.project_id),)


def _require_active(request: TransferRequest) -> None:
    if request.status is not TransferStatus.ACTIVE:
        raise errors.BadRequest(
            "The request has been used already", type="invalid_zone_transfer_request"
        )
