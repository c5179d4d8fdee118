"""What central and workers say to each other about secondary zones and their primaries."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from designate.model.zones import PrimaryAddress, ZoneId


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferInKey:
    """A TSIG key for transfers of one zone. secret: base64; never shown."""

    name: str
    algorithm: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferInPlan:
    """What a worker has to know to look after a secondary zone.

    newer_than: the serial that a primary must be newer than; None: any is welcome, as there is nothing
    to serve. since: the serial from which a difference can be used; None: the whole zone is needed.
    keys: to sign with, the newest first; none: unsigned.
    """

    zone_id: ZoneId
    name: str
    masters: tuple[PrimaryAddress, ...]
    newer_than: int | None = None
    since: int | None = None
    keys: tuple[TransferInKey, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferInContent:
    """A finished transfer. serial: the primary's. difference: from `since` of the plan; else the whole
    zone. staged: how many chunks were staged under `id`; `tail` comes behind them."""

    id: str
    zone_id: ZoneId
    serial: int
    difference: bool
    tail: bytes = b""
    staged: int = 0


class TransferInOutcome(StrEnum):
    """STORED: it is the zone's content now. OUTDATED: it is not newer than what the zone has. UNFIT: the
    difference does not fit the zone, so that the whole is needed."""

    STORED = "STORED"
    OUTDATED = "OUTDATED"
    UNFIT = "UNFIT"
