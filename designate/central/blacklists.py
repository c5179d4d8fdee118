"""Blacklists: patterns of zone names that are refused."""

from __future__ import annotations

from functools import lru_cache

import regex

from designate import errors
from designate.central.base import Core
from designate.central.crud_endpoint import CrudEndpoint, crud_rules
from designate.central.policy import ADMIN, rule
from designate.context import Context
from designate.model.blacklists import Blacklist, BlacklistDraft, BlacklistPatch
from designate.storage.sqlalchemy import blacklists as storage
from designate.storage.sqlalchemy.db.transaction import Transaction

RULES = (
    *crud_rules("/v2/blacklists", "blacklist", "blacklists", "blacklist"),
    rule(
        "use_blacklisted_zone",
        ADMIN,
        "POST /v2/zones",
        "Create a zone whose name is on a blacklist.",
    ),
)
MAX_MATCH_S = 0.02


class BlacklistsEndpoint(CrudEndpoint[Blacklist, BlacklistDraft, BlacklistPatch]):
    """See rpc.interfaces.BlacklistsApi."""

    def __init__(self, core: Core) -> None:
        super().__init__(core, storage.BLACKLISTS, "blacklist", "blacklists", Blacklist, _validate)

    def get(self, context: Context, blacklist_id: str) -> Blacklist:
        return super().get(context, blacklist_id)

    def update(self, context: Context, blacklist_id: str, patch: BlacklistPatch) -> Blacklist:
        return super().update(context, blacklist_id, patch)

    def delete(self, context: Context, blacklist_id: str) -> None:
        super().delete(context, blacklist_id)


def is_blacklisted(tx: Transaction, name: str) -> bool:
    """Return whether a blacklist's pattern is found in the zone name.

    A pattern that takes longer than MAX_MATCH_S counts as found: the regex engine checks the time
    itself, so that no pattern blocks the process.
    """
    for pattern in storage.patterns(tx.connection):
        try:
            if _compiled(pattern).search(name, timeout=MAX_MATCH_S):
                return True
        except TimeoutError:
            return True
    return False


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> regex.Pattern[str]:
    return regex.compile(pattern)


def _validate(blacklist: Blacklist) -> None:
    if not blacklist.pattern:
        raise errors.InvalidObject("'pattern' must not be empty")
    try:
        _compiled(blacklist.pattern)
    except (regex.error, OverflowError, RecursionError, MemoryError) as error:
        raise errors.InvalidObject(f"'pattern' is not a regular expression: {error}") from None
