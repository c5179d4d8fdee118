"""Which shards are this producer's: its place among the producers that live.

`Leases` keeps the members in the database, through central, and is what serves without a coordination
service; `producer.coordination` asks tooz. Either way a producer that cannot renew its membership stops
working on its own before another one takes its shards over.
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
        help="tooz URL of the coordination service that says which producers live, such as "
        "memcached://127.0.0.1:11211 or redis://127.0.0.1:6379. Unset: leases in the database, "
        "which need nothing more.",
    ),
    cfg.FloatOpt(
        "heartbeat_interval",
        default=5.0,
        min=0.1,
        help="Seconds between two renewals of a producer's lease. After three of them without one "
        "its shards go to the others, so that a dead producer is replaced within 15 to 25 seconds "
        "by default.",
    ),
    cfg.FloatOpt(
        "run_watchers_interval",
        default=10.0,
        min=0.1,
        help="Seconds between two looks at the members that the coordination service knows.",
    ),
]

# A lease lives for as many renewals.
RENEWALS = 3
RETRY_S = 0.5


class Membership(Protocol):
    """Thread-safe."""

    def start(self) -> None: ...

    def close(self) -> None:
        """Hold no shards any more and wake whoever waits."""
        ...

    def stop(self) -> None:
        """Leave, so that the others need not wait. After close()."""
        ...

    def shards(self) -> Shards | None:
        """This producer's just now; None: unknown, so that nothing may be worked on."""
        ...

    def wait(self, seen: Shards | None, timeout_s: float) -> None:
        """Until the shards are others than those seen, the membership ends, or timeout_s is over."""
        ...

    def doubt(self) -> None:
        """Central refused the shards: find out soon."""
        ...


def member_id(conf: cfg.ConfigOpts) -> str:
    return f"{conf.host}:{uuid.uuid4()}"


class Place:
    """Shards that are true for a while. Thread-safe."""

    def __init__(self, lifetime_s: float) -> None:
        self._lifetime_s = lifetime_s
        self._changed = threading.Condition()
        self._shards: Shards | None = None
        self._until = 0.0
        self._closed = False

    def set(self, shards: Shards | None, asked_at: float) -> None:
        """asked_at: the moment of time.monotonic() from which on they are true."""
        with self._changed:
            if self._closed:
                return
            news = shards != self._shards
            self._shards = shards
            self._until = asked_at + self._lifetime_s
            if news:
                self._changed.notify_all()
        if news and shards is not None:
            LOG.info("shards %d to %d are this producer's", shards.first, shards.last)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._shards = None
            self._changed.notify_all()

    def shards(self) -> Shards | None:
        with self._changed:
            return self._shards if monotonic() < self._until else None

    def wait(self, seen: Shards | None, timeout_s: float) -> None:
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or (self._shards is not None and self._shards != seen),
                timeout_s,
            )


class Alone:
    """The only producer: all shards, always."""

    def __init__(self) -> None:
        self._place = Place(lifetime_s=float("inf"))
        self.shards = self._place.shards
        self.wait = self._place.wait
        self.close = self._place.close

    def start(self) -> None:
        self._place.set(Shards(), monotonic())

    def stop(self) -> None:
        """There is nobody to tell."""

    def doubt(self) -> None:
        """There is nobody else."""


class Leases:
    """Membership by leases in the database. Central counts generations and refuses work on shards of
    an older one, so two producers never work on a zone at once, whatever their clocks do."""

    def __init__(self, conf: cfg.ConfigOpts, central: CentralClient) -> None:
        self._interval_s = float(conf[GROUP].heartbeat_interval)
        self._central = central
        self._lifetime_s = RENEWALS * self._interval_s
        self._member = member_id(conf)
        self._place = Place(self._lifetime_s)
        self._timer = Periodic("membership", self._interval_s, self._renew)
        self.shards = self._place.shards
        self.wait = self._place.wait
        self.close = self._place.close

    def start(self) -> None:
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()
        self._central.leases.release(admin_context(), PRODUCERS, self._member)

    def doubt(self) -> None:
        self._timer.hurry()

    def _renew(self) -> float | None:
        asked_at = monotonic()
        try:
            place = self._central.leases.renew(
                admin_context(), PRODUCERS, self._member, self._lifetime_s
            )
        except errors.DesignateError as error:
            LOG.warning("the lease was not renewed: %s", error)
            return min(RETRY_S, self._interval_s)
        self._place.set(share(place.position, place.members, place.generation), asked_at)
        return None
