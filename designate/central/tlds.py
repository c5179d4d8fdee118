"""Top-level domains below which zones may be created."""

from __future__ import annotations

import regex

from designate import errors
from designate.central.base import Core
from designate.central.crud_endpoint import CrudEndpoint, crud_rules
from designate.context import Context
from designate.model.tlds import Tld, TldDraft, TldPatch
from designate.storage.sqlalchemy import tlds as storage
from designate.wire import names

RULES = crud_rules("/v2/tlds", "tld", "tlds", "top-level domain")
_LABELS = regex.compile(r"(?:(?!-)[\w-]{1,63}(?<!-)\.)*(?!-)[\w-]{1,63}(?<!-)", flags=regex.ASCII)


class TldsEndpoint(CrudEndpoint[Tld, TldDraft, TldPatch]):
    """See rpc.interfaces.TldsApi."""

    def __init__(self, core: Core) -> None:
        super().__init__(core, storage.TLDS, "tld", "tlds", Tld, _validate)

    def get(self, context: Context, tld_id: str) -> Tld:
        return super().get(context, tld_id)

    def update(self, context: Context, tld_id: str, patch: TldPatch) -> Tld:
        return super().update(context, tld_id, patch)

    def delete(self, context: Context, tld_id: str) -> None:
        super().delete(context, tld_id)


def _validate(tld: Tld) -> None:
    try:
        if tld.name.endswith(".") or not _LABELS.fullmatch(tld.name):
            raise ValueError
        names.to_wire(tld.name + ".")
    except ValueError:
        raise errors.InvalidObject(f"'{tld.name[:100]}' is not a top-level domain") from None
