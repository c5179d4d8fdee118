"""Judges how far nameservers are behind the stored zone, and what is wrong with them."""

from __future__ import annotations

from designate.model.zones import NameserverAnswer, NameserverStatus, ServedStatus, Status, Zone
from designate.wire.names import SERIAL_MODULUS, serial_gt


def of_reply(zone: Zone, reply: NameserverAnswer) -> NameserverStatus:
    """Return a nameserver's status from its answer and the zone as it is stored now."""
    serial = reply.serial
    is_right = serial is not None and (reply.signs or serial == zone.serial)
    if is_right and not reply.problem:
        return NameserverStatus(
            host=reply.host, port=reply.port, status=ServedStatus.ACTIVE, serial=serial, lag=0
        )
    return NameserverStatus(
        host=reply.host,
        port=reply.port,
        status=ServedStatus.ERROR if reply.failing else ServedStatus.PENDING,
        serial=serial,
        lag=_lag(zone, reply),
        error=_error(zone, reply),
        since=zone.pending_since or zone.updated_at or zone.created_at,
    )


def _lag(zone: Zone, reply: NameserverAnswer) -> int | None:
    if reply.serial is None or reply.signs or serial_gt(reply.serial, zone.serial):
        return None
    return (zone.serial - reply.serial) % SERIAL_MODULUS


def _error(zone: Zone, reply: NameserverAnswer) -> str:
    text = reply.problem or reply.text
    if reply.serial is not None and not reply.signs and reply.serial != zone.serial:
        where = "ahead of" if serial_gt(reply.serial, zone.serial) else "behind"
        text = f"serial {reply.serial} is {where} the zone's {zone.serial}"
    if zone.status != Status.ERROR or not zone.error:
        return text
    # A target refuses its part, such as a server that has a zone of others under the name.
    return zone.error if text in zone.error else f"{text}; {zone.error}"
