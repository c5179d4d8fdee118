"""Recordsets that the service manages for resources of the cloud."""

from __future__ import annotations

from dataclasses import dataclass

from designate.model.recordsets import RecordSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """The result of a declaration.

    recordsets: those of the resource now. refused: why others were refused, a line for each.
    outdated: a newer event of the resource came before, so nothing was done.
    """

    recordsets: tuple[RecordSet, ...] = ()
    refused: tuple[str, ...] = ()
    outdated: bool = False
