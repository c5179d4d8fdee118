"""Which centrals and workers live, as their heartbeats show, for health checks."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass

from designate import errors
from designate.context import admin_context
from designate.model.query import Query
from designate.model.services import ServiceState, ServiceStatus
from designate.rpc import interfaces
from designate.runtime import deadline

CENTRAL, WORKER = "central", "worker"
DEADLINE_S = 5.0
LIFETIME_S = 2.0
MAX_WAITING = 2
MAX_HOSTS = 100
BUSY = "central: a check has not ended yet"


@dataclass(frozen=True, slots=True)
class Liveness:
    """The result of a check: a line for each service, and whether all of them live."""

    lines: tuple[str, ...]
    healthy: bool


class LiveServices:
    """Asks central which services live; results are kept for LIFETIME_S. Thread-safe.

    However many ask, MAX_WAITING threads at most wait for central, as long as DEADLINE_S; others get
    the last result, or BUSY.
    """

    def __init__(self, services: interfaces.ServicesApi) -> None:
        self._services = services
        self._waiting = threading.Semaphore(MAX_WAITING)
        self._asking = threading.Lock()
        self._last = Liveness((BUSY,), healthy=False)
        self._asked_s = -math.inf

    def check(self) -> Liveness:
        """Return which services live."""
        if self._age_s() < LIFETIME_S:
            return self._last
        if not self._waiting.acquire(blocking=False):
            return self._recent()
        try:
            if not self._asking.acquire(timeout=DEADLINE_S):
                return self._recent()
            try:
                if self._age_s() >= LIFETIME_S:
                    self._last = self._ask()
                    self._asked_s = time.monotonic()
                return self._last
            finally:
                self._asking.release()
        finally:
            self._waiting.release()

    def _age_s(self) -> float:
        return time.monotonic() - self._asked_s

    def _recent(self) -> Liveness:
        recent = self._age_s() < LIFETIME_S + DEADLINE_S
        return self._last if recent else Liveness((BUSY,), healthy=False)

    def _ask(self) -> Liveness:
        try:
            with deadline.until(time.time() + DEADLINE_S):
                found = {name: self._statuses(name) for name in (CENTRAL, WORKER)}
        except errors.DesignateError as error:
            return Liveness((f"central: {error.message or error.type}",), healthy=False)
        hosts = {name: [s.hostname for s in found[name] if _is_up(s)] for name in found}
        lines = tuple(
            f"{name}: UP on {', '.join(sorted(hosts[name]))}"
            if hosts[name]
            else _reason(name, statuses)
            for name, statuses in found.items()
        )
        # Central has replied, whatever became of its heartbeats.
        return Liveness(lines, healthy=bool(hosts[WORKER]))

    def _statuses(self, name: str) -> tuple[ServiceStatus, ...]:
        """Return those that are up, or if there are none all others."""
        for more in ({"status": str(ServiceState.UP)}, {}):
            query = Query(filters={"service_name": name, **more}, limit=MAX_HOSTS)
            items = self._services.find(admin_context(), query).items
            if items:
                return items
        return ()


def _is_up(status: ServiceStatus) -> bool:
    return status.status is ServiceState.UP


def _reason(name: str, statuses: tuple[ServiceStatus, ...]) -> str:
    if name == CENTRAL:
        return "central: replies, but has sent no heartbeat"
    if not statuses:
        return f"{name}: none has sent a heartbeat"
    seen = (f"{s.hostname} {s.status}, last heartbeat {s.heartbeated_at}" for s in statuses)
    return f"{name}: none lives ({'; '.join(sorted(seen))})"
