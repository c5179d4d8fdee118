"""What administrators keep: TLDs, blacklists and TSIG keys. Collections with the same five operations."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import fields, replace
from functools import lru_cache
from typing import Generic, TypeVar

import regex
from oslo_config import cfg
from oslo_policy import policy

from designate import errors
from designate.central.base import Core, own_target
from designate.central.policy import ADMIN, rule
from designate.context import Context
from designate.errors import Reason
from designate.model.blacklists import Blacklist, BlacklistDraft, BlacklistPatch
from designate.model.codec import UNSET
from designate.model.query import Page, Query
from designate.model.tlds import Tld, TldDraft, TldPatch
from designate.model.tsigkeys import TsigKey, TsigKeyDraft, TsigKeyPatch, TsigScope
from designate.storage.sqlalchemy import admin as storage
from designate.storage.sqlalchemy import pools
from designate.storage.sqlalchemy.db.engine import Transaction
from designate.storage.sqlalchemy.db.rows import Rows
from designate.wire import names, tsig_keys

GROUP = "service:api"
OPTS = [
    cfg.BoolOpt(
        "allow_empty_secrets_for_tsig",
        default=True,
        help="Take TSIG keys whose secret is empty.",
    ),
]


def _rules(path: str, one: str, many: str, words: str) -> tuple[policy.RuleDefault, ...]:
    single = f"{path}/{{{one}_id}}"
    return (
        rule(f"create_{one}", ADMIN, f"POST {path}", f"Create a {words}."),
        rule(f"find_{many}", ADMIN, f"GET {path}", f"List the {words}s."),
        rule(f"get_{one}", ADMIN, f"GET {single}", f"Show a {words}."),
        rule(f"update_{one}", ADMIN, f"PATCH {single}", f"Change a {words}."),
        rule(f"delete_{one}", ADMIN, f"DELETE {single}", f"Delete a {words}."),
    )


RULES = (
    *_rules("/v2/tlds", "tld", "tlds", "top-level domain"),
    *_rules("/v2/blacklists", "blacklist", "blacklists", "blacklist"),
    *_rules("/v2/tsigkeys", "tsigkey", "tsigkeys", "TSIG key"),
    rule(
        "use_blacklisted_zone",
        ADMIN,
        "POST /v2/zones",
        "Create a zone whose name is on a blacklist.",
    ),
)

V = TypeVar("V")
D = TypeVar("D")
P = TypeVar("P")


class Collection(Generic[V, D, P]):
    """One kind of object. make: a value from a draft's members. shape: refuses what no value may be,
    whoever asks. check: refuses what a value must not be now; it is called inside the transaction that
    stores it. changed: what else a change or deletion of the object with this id changes, in its
    transaction."""

    def __init__(
        self,
        core: Core,
        rows: Rows[V],
        one: str,
        many: str,
        make: Callable[..., V],
        shape: Callable[[V], None],
        check: Callable[[Core, Transaction, V], None] = lambda *_: None,
        changed: Callable[[Core, Transaction, str], None] | None = None,
    ) -> None:
        self._core = core
        self._rows = rows
        self._one = one
        self._many = many
        self._make = make
        self._shape = shape
        self._check = check
        self._changed = changed

    def create(self, context: Context, draft: D) -> V:
        members = {field.name: getattr(draft, field.name) for field in fields(draft)}  # type: ignore[arg-type]  # a dataclass
        value = self._make(id=str(uuid.uuid4()), created_at=self._core.now(), **members)
        self._shape(value)
        self._allowed(context, f"create_{self._one}")

        def write(tx: Transaction) -> V:
            self._check(self._core, tx, value)
            self._rows.insert(tx, value)
            return self._core.notify(tx, context, f"dns.{self._one}.create", value)

        return self._core.db.write(write)

    def get(self, context: Context, id: str) -> V:
        self._allowed(context, f"get_{self._one}")
        with self._core.db.read() as connection:
            return self._rows.get(connection, id)

    def find(self, context: Context, query: Query) -> Page[V]:
        self._allowed(context, f"find_{self._many}")
        limit = query.limit or self._core.conf["service:api"].default_limit_v2
        with self._core.db.read() as connection:
            return self._rows.find(connection, query, limit=limit)

    def update(self, context: Context, id: str, patch: P) -> V:
        self._allowed(context, f"get_{self._one}")
        members = {
            field.name: value
            for field in fields(patch)  # type: ignore[arg-type]  # a dataclass
            if (value := getattr(patch, field.name)) is not UNSET
        }

        def write(tx: Transaction) -> V:
            before = self._rows.lock(tx, id)
            self._allowed(context, f"update_{self._one}")
            self._rows.update(tx, id, **members, updated_at=self._core.now())
            value = self._rows.get(tx.connection, id)
            self._shape(value)
            self._check(self._core, tx, value)
            if self._changed is not None:
                self._changed(self._core, tx, id)
            return self._core.notify(tx, context, f"dns.{self._one}.update", value, before)

        return self._core.db.write(write)

    def delete(self, context: Context, id: str) -> None:
        self._allowed(context, f"delete_{self._one}")

        def write(tx: Transaction) -> None:
            before = self._rows.lock(tx, id)
            self._rows.delete(tx, id)
            if self._changed is not None:
                self._changed(self._core, tx, id)
            self._core.notify(tx, context, f"dns.{self._one}.delete", before)

        self._core.db.write(write)

    def _allowed(self, context: Context, rule: str) -> None:
        self._core.policy.check(rule, context, own_target(context))


class TldsEndpoint(Collection[Tld, TldDraft, TldPatch]):
    """See rpc.interfaces.TldsApi."""

    def __init__(self, core: Core) -> None:
        super().__init__(core, storage.TLDS, "tld", "tlds", Tld, _shape_of_tld)

    def get(self, context: Context, tld_id: str) -> Tld:
        return super().get(context, tld_id)

    def update(self, context: Context, tld_id: str, patch: TldPatch) -> Tld:
        return super().update(context, tld_id, patch)

    def delete(self, context: Context, tld_id: str) -> None:
        super().delete(context, tld_id)


class BlacklistsEndpoint(Collection[Blacklist, BlacklistDraft, BlacklistPatch]):
    """See rpc.interfaces.BlacklistsApi."""

    def __init__(self, core: Core) -> None:
        super().__init__(
            core, storage.BLACKLISTS, "blacklist", "blacklists", Blacklist, _shape_of_blacklist
        )

    def get(self, context: Context, blacklist_id: str) -> Blacklist:
        return super().get(context, blacklist_id)

    def update(self, context: Context, blacklist_id: str, patch: BlacklistPatch) -> Blacklist:
        return super().update(context, blacklist_id, patch)

    def delete(self, context: Context, blacklist_id: str) -> None:
        super().delete(context, blacklist_id)


class TsigKeysEndpoint(Collection[TsigKey, TsigKeyDraft, TsigKeyPatch]):
    """See rpc.interfaces.TsigKeysApi."""

    def __init__(self, core: Core) -> None:
        super().__init__(
            core,
            storage.TSIGKEYS,
            "tsigkey",
            "tsigkeys",
            TsigKey,
            _shape_of_tsigkey,
            _check_tsigkey,
            _renew_pools,
        )

    def get(self, context: Context, tsigkey_id: str) -> TsigKey:
        return super().get(context, tsigkey_id)

    def update(self, context: Context, tsigkey_id: str, patch: TsigKeyPatch) -> TsigKey:
        return super().update(context, tsigkey_id, patch)

    def delete(self, context: Context, tsigkey_id: str) -> None:
        super().delete(context, tsigkey_id)


def _shape_of_tld(tld: Tld) -> None:
    try:
        if tld.name.endswith(".") or not _LABELS.fullmatch(tld.name):
            raise ValueError
        names.to_wire(tld.name + ".")
    except ValueError:
        raise errors.InvalidObject(f"'{tld.name[:100]}' is not a top-level domain") from None


_LABELS = regex.compile(r"(?:(?!-)[\w-]{1,63}(?<!-)\.)*(?!-)[\w-]{1,63}(?<!-)", flags=regex.ASCII)
LONGEST_MATCH_S = 0.02


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> regex.Pattern[str]:
    return regex.compile(pattern)


def _shape_of_blacklist(blacklist: Blacklist) -> None:
    if not blacklist.pattern:
        raise errors.InvalidObject("'pattern' must not be empty")
    try:
        _compiled(blacklist.pattern)
    except (regex.error, OverflowError, RecursionError, MemoryError) as error:
        raise errors.InvalidObject(f"'pattern' is not a regular expression: {error}") from None


def is_blacklisted(tx: Transaction, name: str) -> bool:
    """Whether a pattern is found in the zone name. A pattern that takes longer than 20 ms counts as
    found; the engine looks at the clock itself, so that no pattern can hold the process up."""
    for pattern in storage.blacklist_patterns(tx.connection):
        try:
            if _compiled(pattern).search(name, timeout=LONGEST_MATCH_S):
                return True
        except TimeoutError:
            return True
    return False


def _shape_of_tsigkey(key: TsigKey) -> None:
    try:
        tsig_keys.key_name(key.name)
    except ValueError:
        raise errors.InvalidObject(f"'{key.name[:100]}' is not a key name") from None


def _check_tsigkey(core: Core, tx: Transaction, key: TsigKey) -> None:
    if not key.secret and not core.conf[GROUP].allow_empty_secrets_for_tsig:
        raise errors.InvalidObject(
            reasons=(Reason(("type",), "'secret' should not be empty", "value", ["secret"]),)
        )
    if storage.has_namesake(tx.connection, key.id, tsig_keys.key_name(key.name)):
        # In a message they would be the same.
        raise errors.Duplicate("tsigkey")
    kind = "pool" if key.scope is TsigScope.POOL else "zone"
    if not storage.resource_exists(tx.connection, kind, key.resource_id):
        raise errors.BadRequest(
            f"There is no {kind} with the id of resource_id", type="invalid_tsigkey"
        )


def _renew_pools(core: Core, tx: Transaction, key_id: str) -> None:
    """Give the pools that sign with the key a new version, so that workers read it again."""
    for pool in pools.find(tx.connection):
        if key_id in pool.key_ids:
            pools.update(tx, replace(pool, version=pool.version + 1, updated_at=core.now()))
