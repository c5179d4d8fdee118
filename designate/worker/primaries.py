"""Chooses the primaries of a secondary zone and the keys to use with them."""

from __future__ import annotations

import logging
import random

from designate import errors
from designate.model.secondary import TransferInPlan
from designate.model.zones import PrimaryAddress
from designate.wire import resolver, tsig_keys
from designate.wire.client import SoaAnswer, SoaState
from designate.wire.names import serial_gt

LOG = logging.getLogger(__name__)


def signing_keys(plan: TransferInPlan) -> list[tsig_keys.SigningKey | None]:
    """Return the keys to try in order; only [None] where the zone has none.

    Raises:
        BadRequest: the zone has keys, and none of them can be used.
    """
    keys: list[tsig_keys.SigningKey | None] = []
    for key in plan.keys:
        try:
            keys.append(tsig_keys.make_key(key.name, key.algorithm, key.secret))
        except ValueError as error:
            LOG.warning("zone %s: TSIG key unusable: %s", plan.zone_id, error)
    if plan.keys and not keys:
        raise errors.BadRequest("None of the zone's TSIG keys can be used")
    return keys or [None]


def transfer_order(
    answers: dict[PrimaryAddress, SoaAnswer],
    newer_than: int | None,
    source: str | None,
    is_current: bool,
) -> list[PrimaryAddress]:
    """Return the primaries to transfer from, best first.

    Those with the newest serial come first; among equals the source of the NOTIFY, then a random order.
    Those without a serial come last, as they may serve transfers only, and not at all when another
    primary has confirmed the current content. Those that the rules refuse are left out.
    """
    newer: list[tuple[int, bool, float, PrimaryAddress]] = []
    without_serial: list[tuple[bool, float, PrimaryAddress]] = []
    serials = [a.serial for a in answers.values() if a.state is SoaState.SERIAL]
    for master, answer in answers.items():
        if answer.refused:
            continue
        other = source is None or source not in resolver.addresses(master.host)
        chance = random.random()  # noqa: S311 - spreads load, guards nothing
        if answer.state is SoaState.SERIAL:
            if newer_than is None or serial_gt(answer.serial, newer_than):
                rank = sum(serial_gt(serial, answer.serial) for serial in serials)
                newer.append((rank, other, chance, master))
        elif not is_current:
            without_serial.append((other, chance, master))
    ordered = [item[-1] for item in sorted(newer, key=lambda item: item[:-1])]
    return ordered + [item[-1] for item in sorted(without_serial, key=lambda item: item[:-1])]
