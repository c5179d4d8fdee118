"""Messages between central and workers about secondary zones and their transfers in."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from designate.model.zones import PrimaryAddress, ZoneId


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferInKey:
    """A TSIG key for the transfers of one zone. secret: base64; never shown."""

    name: str
    algorithm: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferInPlan:
    """What a worker needs to check and transfer a secondary zone.

    newer_than: only newer serials are of interest; None: any is, because the zone has no content.
    since: an IXFR from this serial can be used; None: only an AXFR. keys: to sign with, the newest
    first; empty: unsigned.
    """

    zone_id: ZoneId
    name: str
    masters: tuple[PrimaryAddress, ...]
    newer_than: int | None = None
    since: int | None = None
    keys: tuple[TransferInKey, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferInContent:
    """A finished transfer.

    serial: the primary's. difference: the changes from the plan's `since`; else the whole zone.
    staged: how many parts were staged under `id`; `tail` follows them.
    """

    id: str
    zone_id: ZoneId
    serial: int
    difference: bool
    tail: bytes = b""
    staged: int = 0


class TransferInOutcome(StrEnum):
    """What became of a transfer.

    STORED: it is the zone's content now. OUTDATED: it is not newer than the zone. UNFIT: the
    difference does not apply to the zone, so a whole transfer is needed.
    """

    STORED = "STORED"
    OUTDATED = "OUTDATED"
    UNFIT = "UNFIT"
