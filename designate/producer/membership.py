"""The membership of producers, which determines the shards of each of them.

`LeaseMembership` stores leases in the database, through central, and is the default;
`producer.coordination` uses tooz. With either, a producer that cannot renew its membership stops
working before another one takes over its shards.
"""

from __future__ import annotations

import logging
import threading
import uuid
from time import monotonic
from typing import Protocol

from oslo_config import cfg

from designate import errors
from designate.context import admin_context
from designate.model.shards import PRODUCERS, Shards, share
from designate.rpc.clients import CentralClient
from designate.runtime.periodic import Periodic

LOG = logging.getLogger(__name__)

GROUP = "coordination"
OPTS = [
    cfg.StrOpt(
        "backend_url",
        secret=True,
        help="tooz URL of the coordination service that knows the running producers, such as "
        "memcached://127.0.0.1:11211 or redis://127.0.0.1:6379. Unset: leases in the database, "
        "without a further service.",
    ),
    cfg.FloatOpt(
        "heartbeat_interval",
        default=5.0,
        min=0.1,
        help="Seconds between two renewals of a producer's lease. After three intervals without a "
        "renewal its shards go to the other producers; by default a failed producer is replaced "
        "within 15 to 25 seconds.",
    ),
    cfg.FloatOpt(
        "run_watchers_interval",
        default=10.0,
        min=0.1,
        help="Seconds between two polls of the members at the coordination service.",
    ),
]

# The lifetime of a lease in renewal intervals.
LIFETIME_RENEWALS = 3
RETRY_S = 0.5


class ShardMembership(Protocol):
    """The membership of this producer. Thread-safe."""

    def start(self) -> None:
        """Join the producers."""
        ...

    def close(self) -> None:
        """Give up the shards and wake all waiters."""
        ...

    def stop(self) -> None:
        """Leave, so that the others take over at once; call it after close()."""
        ...

    def shards(self) -> Shards | None:
        """Return the current shards of this producer; None if unknown, so that no work is allowed."""
        ...

    def wait(self, seen: Shards | None, timeout_s: float) -> None:
        """Wait until the shards differ from `seen`, the membership is closed, or timeout_s has passed."""
        ...

    def refresh_soon(self) -> None:
        """Renew the membership soon, because central refused the shards."""
        ...


def member_id(conf: cfg.ConfigOpts) -> str:
    """Return a new id of a member."""
    return f"{conf.host}:{uuid.uuid4()}"


class ExpiringShards:
    """The shards of a producer, which expire unless they are renewed. Thread-safe."""

    def __init__(self, lifetime_s: float) -> None:
        self._lifetime_s = lifetime_s
        self._changed = threading.Condition()
        self._shards: Shards | None = None
        self._until = 0.0
        self._closed = False

    def set(self, shards: Shards | None, asked_at: float) -> None:
        """Store the shards; their lifetime starts at asked_at, a moment of time.monotonic()."""
        with self._changed:
            if self._closed:
                return
            changed = shards != self._shards
            self._shards = shards
            self._until = asked_at + self._lifetime_s
            if changed:
                self._changed.notify_all()
        if changed and shards is not None:
            LOG.info("producer: shards %d to %d assigned", shards.first, shards.last)

    def close(self) -> None:
        """Drop the shards, refuse others and wake all waiters."""
        with self._changed:
            self._closed = True
            self._shards = None
            self._changed.notify_all()

    def shards(self) -> Shards | None:
        """Return the shards, or None if they are unknown or have expired."""
        with self._changed:
            return self._shards if monotonic() < self._until else None

    def wait(self, seen: Shards | None, timeout_s: float) -> None:
        """Wait until there are other shards than `seen`, or close(), at most timeout_s."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or (self._shards is not None and self._shards != seen),
                timeout_s,
            )


class SoleMembership:
    """The membership of the only producer, which always has all shards."""

    def __init__(self) -> None:
        self._current = ExpiringShards(lifetime_s=float("inf"))
        self.shards = self._current.shards
        self.wait = self._current.wait
        self.close = self._current.close

    def start(self) -> None:
        """Take all shards."""
        self._current.set(Shards(), monotonic())

    def stop(self) -> None:
        """Do nothing: there are no other producers."""

    def refresh_soon(self) -> None:
        """Do nothing: there are no other producers."""


class LeaseMembership:
    """Membership by leases in the database.

    Central counts generations and refuses work on the shards of an older one, so two producers never
    process the same zone at once, even if their clocks differ.
    """

    def __init__(self, conf: cfg.ConfigOpts, central: CentralClient) -> None:
        self._interval_s = float(conf[GROUP].heartbeat_interval)
        self._central = central
        self._lifetime_s = LIFETIME_RENEWALS * self._interval_s
        self._member = member_id(conf)
        self._current = ExpiringShards(self._lifetime_s)
        self._timer = Periodic("membership", self._interval_s, self._renew)
        self.shards = self._current.shards
        self.wait = self._current.wait
        self.close = self._current.close

    def start(self) -> None:
        """Take a lease and renew it periodically."""
        self._timer.start()

    def stop(self) -> None:
        """Release the lease."""
        self._timer.stop()
        self._central.leases.release(admin_context(), PRODUCERS, self._member)

    def refresh_soon(self) -> None:
        """Renew the lease soon."""
        self._timer.run_soon()

    def _renew(self) -> float | None:
        asked_at = monotonic()
        try:
            place = self._central.leases.renew(
                admin_context(), PRODUCERS, self._member, self._lifetime_s
            )
        except errors.DesignateError as error:
            LOG.warning("producer: lease not renewed: %s", error)
            return min(RETRY_S, self._interval_s)
        self._current.set(share(place.position, place.members, place.generation), asked_at)
        return None
