"""Top-level domains below which zones may be created."""

from __future__ import annotations

from dataclasses import replace

import regex

from designate import domain_names, errors
from designate.central.base import Core, with_stored_name
from designate.central.crud_endpoint import CrudEndpoint, crud_rules
from designate.context import Context
from designate.model.codec import UNSET
from designate.model.query import Page, Query
from designate.model.tlds import Tld, TldDraft, TldPatch
from designate.storage.sqlalchemy import tlds as storage
from designate.wire import names

RULES = crud_rules("/v2/tlds", "tld", "tlds", "top-level domain")
_LABELS = regex.compile(r"(?:(?!-)[\w-]{1,63}(?<!-)\.)*(?!-)[\w-]{1,63}(?<!-)", flags=regex.ASCII)


class TldsEndpoint(CrudEndpoint[Tld, TldDraft, TldPatch]):
    """See rpc.interfaces.TldsApi."""

    def __init__(self, core: Core) -> None:
        super().__init__(core, storage.TLDS, "tld", "tlds", Tld, _validate)

    def create(self, context: Context, draft: TldDraft) -> Tld:
        return super().create(context, replace(draft, name=_ascii(draft.name)))

    def find(self, context: Context, query: Query) -> Page[Tld]:
        return super().find(context, with_stored_name(query))

    def get(self, context: Context, tld_id: str) -> Tld:
        return super().get(context, tld_id)

    def update(self, context: Context, tld_id: str, patch: TldPatch) -> Tld:
        if patch.name is not UNSET:
            patch = replace(patch, name=_ascii(patch.name))
        return super().update(context, tld_id, patch)

    def delete(self, context: Context, tld_id: str) -> None:
        super().delete(context, tld_id)


def _ascii(name: str) -> str:
    """Return the name with its U-labels as A-labels; raise InvalidObject for an invalid one."""
    try:
        return domain_names.to_a_labels(name)
    except ValueError as error:
        raise errors.InvalidObject(f"'{name[:100]}' is not a top-level domain: {error}") from None


def _validate(tld: Tld) -> None:
    try:
        if tld.name.endswith(".") or not _LABELS.fullmatch(tld.name):
            raise ValueError
        names.to_wire(tld.name + ".")
    except ValueError:
        raise errors.InvalidObject(
            f"'{tld.name[:100]}' is not a top-level domain; write it without dots at its ends"
        ) from None
