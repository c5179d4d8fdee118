"""How far nameservers are behind the stored zone."""

from __future__ import annotations

from designate.model.zones import NameserverAnswer, NameserverStatus, ServedStatus, Zone
from designate.wire.names import SERIAL_MODULUS, serial_gt


def of_reply(zone: Zone, reply: NameserverAnswer) -> NameserverStatus:
    """Compare the serial that a nameserver serves with the zone's."""
    serial = reply.serial
    status = ServedStatus.PENDING
    own_serial = reply.signs and serial is not None
    if not reply.problem and (serial == zone.serial or own_serial):
        status = ServedStatus.ACTIVE
    elif reply.failing:
        status = ServedStatus.ERROR
    ahead = serial is not None and not own_serial and serial_gt(serial, zone.serial)
    known = serial is not None and not ahead
    wrong = status is not ServedStatus.ACTIVE
    text = reply.problem or reply.text
    if ahead:
        text = f"serial {serial} is ahead of the zone's {zone.serial}"
    return NameserverStatus(
        host=reply.host,
        port=reply.port,
        status=status,
        serial=serial,
        lag=(0 if own_serial else (zone.serial - (serial or 0)) % SERIAL_MODULUS)
        if known
        else None,
        error=text if wrong else None,
        since=zone.pending_since if wrong else None,
    )
