"""Contents of transfers for central without a network, made by the transfer assembler."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

import dns.name
import dns.rrset

from designate.context import admin_context
from designate.model.secondary import TransferInContent, TransferInOutcome
from designate.model.zones import PrimaryAddress, Zone, ZoneDraft, ZoneType
from designate.wire.transfer_assembler import TransferAssembler, TransferKind
from tests.support.factories.zone_data import Hidden
from tests.support.fakes.scripted_primary import CONTENT, ZONE, soa


def secondary(hidden: Hidden, name: str = ZONE, *masters: PrimaryAddress) -> Zone:
    draft = ZoneDraft(
        name=name, type=ZoneType.SECONDARY, masters=masters or (PrimaryAddress(host="192.0.2.53"),)
    )
    return hidden.central.zones.create(hidden.context, draft)


def content(
    zone: Zone, records: Iterable[dns.rrset.RRset], *, since: int | None = None, **more: Any
) -> TransferInContent:
    """Return the content that a worker would send for a transfer of these records."""
    assembler = TransferAssembler(dns.name.from_text(zone.name), since, None)
    wire = b"".join(
        assembler.take(rrset.name, rrset.ttl, rdata) for rrset in records for rdata in rrset
    )
    assert assembler.done
    members: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "zone_id": zone.id,
        "serial": assembler.serial,
        "difference": assembler.kind is TransferKind.DIFFERENCE,
        "tail": wire,
    }
    return TransferInContent(**members | more)


def bring(
    hidden: Hidden,
    zone: Zone,
    serial: int,
    records: Iterable[dns.rrset.RRset] = CONTENT,
    **timers: int,
) -> TransferInOutcome:
    """Return the records of a whole zone with this serial."""
    framing = soa(serial, zone.name, **timers)
    made = content(zone, [framing, *records, framing])
    return hidden.central.secondary.replace_content(admin_context(), made)
