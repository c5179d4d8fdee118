"""Resources of the cloud that have names in a zone."""

from __future__ import annotations

from dataclasses import dataclass

from designate.model.recordsets import RecordSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What came of a declaration. recordsets: those that stand for the resource now. refused: why others
    do not, a line for each. outdated: a newer event of the resource came first, nothing was done."""

    recordsets: tuple[RecordSet, ...] = ()
    refused: tuple[str, ...] = ()
    outdated: bool = False
