"""Blacklists: patterns of zone names that are refused."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache

import regex

from designate import domain_names, errors
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
    """Return whether a blacklist's pattern is found in the zone name, or in its lower case.

    The name has the stored form, so that no dot of it is inside a label. Patterns beyond ASCII are also
    searched in the name with its U-labels. A pattern that takes longer than MAX_MATCH_S counts as found:
    the regex engine checks the time itself, so that no pattern blocks the process.
    """
    ascii_texts = dict.fromkeys((name, name.lower()))
    all_texts = dict.fromkeys((*ascii_texts, domain_names.to_u_labels(name.lower())))
    return any(
        _is_found(pattern, ascii_texts if pattern.isascii() else all_texts)
        for pattern in storage.patterns(tx.connection)
    )


def _is_found(pattern: str, texts: Iterable[str]) -> bool:
    # U-labels are in this normal form (RFC 5891 section 4.2.1).
    compiled = _compiled(unicodedata.normalize("NFC", pattern))
    try:
        return any(compiled.search(text, timeout=MAX_MATCH_S) for text in texts)
    except TimeoutError:
        return True


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
