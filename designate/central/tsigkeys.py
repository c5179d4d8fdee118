"""TSIG keys for the transfers of a pool's zones or of one zone."""

from __future__ import annotations

from dataclasses import replace

from oslo_config import cfg

from designate import errors
from designate.central.base import Core
from designate.central.crud_endpoint import CrudEndpoint, crud_rules
from designate.context import Context
from designate.errors import Reason
from designate.model.tsigkeys import ALL_POOLS, TsigKey, TsigKeyDraft, TsigKeyPatch, TsigScope
from designate.storage.sqlalchemy import pools
from designate.storage.sqlalchemy import tsigkeys as storage
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.wire import tsig_keys

GROUP = "service:api"
OPTS = [
    cfg.BoolOpt(
        "allow_empty_secrets_for_tsig",
        default=True,
        help="Accept TSIG keys whose secret is empty.",
    ),
]
RULES = crud_rules("/v2/tsigkeys", "tsigkey", "tsigkeys", "TSIG key")


class TsigKeysEndpoint(CrudEndpoint[TsigKey, TsigKeyDraft, TsigKeyPatch]):
    """See rpc.interfaces.TsigKeysApi."""

    def __init__(self, core: Core) -> None:
        super().__init__(
            core,
            storage.TSIGKEYS,
            "tsigkey",
            "tsigkeys",
            TsigKey,
            _validate,
            _check,
            _update_pool_versions,
        )

    def get(self, context: Context, tsigkey_id: str) -> TsigKey:
        return super().get(context, tsigkey_id)

    def update(self, context: Context, tsigkey_id: str, patch: TsigKeyPatch) -> TsigKey:
        return super().update(context, tsigkey_id, patch)

    def delete(self, context: Context, tsigkey_id: str) -> None:
        super().delete(context, tsigkey_id)


def _validate(key: TsigKey) -> None:
    try:
        tsig_keys.key_name(key.name)
    except ValueError:
        raise errors.InvalidObject(f"'{key.name[:100]}' is not a key name") from None


def _check(core: Core, tx: Transaction, key: TsigKey) -> None:
    if not key.secret and not core.conf[GROUP].allow_empty_secrets_for_tsig:
        raise errors.InvalidObject(
            reasons=(Reason(("type",), "'secret' should not be empty", "value", ["secret"]),)
        )
    if storage.name_is_taken(tx.connection, key.id, tsig_keys.key_name(key.name)):
        # A DNS message could not tell them apart.
        raise errors.Duplicate("tsigkey")
    if key.scope is TsigScope.POOL and key.resource_id == ALL_POOLS:
        return
    kind = "pool" if key.scope is TsigScope.POOL else "zone"
    if not storage.resource_exists(tx.connection, kind, key.resource_id):
        raise errors.BadRequest(
            f"There is no {kind} with the id of resource_id", type="invalid_tsigkey"
        )


def _update_pool_versions(core: Core, tx: Transaction, key_id: str) -> None:
    """Give the pools that sign with the key a new version, so that workers read them again."""
    for pool in pools.find(tx.connection):
        if key_id in pool.key_ids:
            pools.update(tx, replace(pool, version=pool.version + 1, updated_at=core.now()))
