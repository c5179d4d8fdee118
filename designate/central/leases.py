"""Groups of processes that divide work among themselves, stored as leases in the database.

A group's generation is the fencing token: work on a share of an older generation is refused. Expiry
uses central's clock, so the clocks of several central hosts must agree within about a heartbeat.
"""

from __future__ import annotations

import logging
from datetime import timedelta

import sqlalchemy as sa

from designate import errors
from designate.central.base import Core
from designate.context import Context
from designate.model.shards import PRODUCERS, GroupMembership
from designate.storage.sqlalchemy import leases
from designate.storage.sqlalchemy.db.transaction import Transaction

LOG = logging.getLogger(__name__)


class LeasesEndpoint:
    """See rpc.interfaces.LeasesApi."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def renew(
        self, context: Context, group: str, member: str, lifetime_s: float
    ) -> GroupMembership:
        now = self._core.now()
        until = now + timedelta(seconds=lifetime_s)
        generation, members = self._core.db.write(
            lambda tx: leases.renew(tx, group, member, now, until)
        )
        return GroupMembership(
            generation=generation, position=members.index(member), members=len(members)
        )

    def release(self, context: Context, group: str, member: str) -> None:
        now = self._core.now()

        def write(tx: Transaction) -> None:
            leases.release(tx, group, member, now)

        self._core.db.write(write)


def require(connection: sa.Connection, generation: int | None) -> None:
    """Raise LeaseLost when the shards were reassigned since that generation; None: not checked."""
    if generation is not None and leases.generation(connection, PRODUCERS) != generation:
        raise errors.LeaseLost("The shards were reassigned")
