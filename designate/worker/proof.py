"""What a nameserver's answer proves about a zone, and what is wrong with it."""

from __future__ import annotations

from designate.model.zones import ZoneAnnouncement, ZoneType
from designate.wire.client import SoaAnswer, SoaState
from designate.wire.names import serial_gt


def is_ahead(change: ZoneAnnouncement, answer: SoaAnswer | None) -> bool:
    """Return whether a nameserver has a newer serial than the change.

    It is a later change's, or this service never assigned it.
    """
    return (
        answer is not None
        and answer.state is SoaState.SERIAL
        and serial_gt(answer.serial, change.serial)
    )


def ahead_text(change: ZoneAnnouncement, answer: SoaAnswer | None) -> str:
    """Return the fault of a serial that is newer than the change's; an empty text for others."""
    if answer is None or not is_ahead(change, answer):
        return ""
    return f"serial {answer.serial} is ahead of the zone's {change.serial}"


def fault_of(change: ZoneAnnouncement, answer: SoaAnswer) -> str:
    """Return the fault of a nameserver's answer for a zone that it was proven to serve.

    Returns:
        "missing", "failing", "behind" or "ahead"; an empty text if it is in order or proves nothing.
    """
    if answer.state is SoaState.ABSENT:
        # A server may refuse queries for a catalog zone, which lists the zones of all projects.
        return "" if change.type is ZoneType.CATALOG else "missing"
    if answer.state is SoaState.FAILED:
        return "failing"
    if answer.state is not SoaState.SERIAL or answer.serial == change.serial:
        return ""
    return "ahead" if is_ahead(change, answer) else "behind"
