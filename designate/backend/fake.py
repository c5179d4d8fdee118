"""A backend without a server: it keeps the zones in memory. For tests and for trying things out."""

from __future__ import annotations

import threading

from designate import errors
from designate.backend.base import Backend
from designate.model.pools import Target
from designate.model.zones import ZoneAnnouncement


class FakeBackend(Backend):
    """calls: (method, zone name) in order. zones: names that exist now.

    fail_next(n) makes the next n calls raise BackendError. Thread-safe.
    """

    KEPT_CALLS = 10_000

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.calls: list[tuple[str, str]] = []
        self.zones: set[str] = set()
        self._failures = 0
        self._lock = threading.Lock()

    def fail_next(self, times: int) -> None:
        with self._lock:
            self._failures = times

    def _called(self, method: str, name: str) -> None:
        with self._lock:
            self.calls.append((method, name))
            del self.calls[: -self.KEPT_CALLS]
            if self._failures > 0:
                self._failures -= 1
                raise errors.BackendError(f"{method} {name}: told to fail")
            if method == "create":
                self.zones.add(name)
            elif method == "delete":
                self.zones.discard(name)

    def create_zone(self, zone: ZoneAnnouncement) -> None:
        self._called("create", zone.name)

    def update_zone(self, zone: ZoneAnnouncement) -> None:
        self._called("update", zone.name)

    def delete_zone(self, zone: ZoneAnnouncement, *, hard_delete: bool) -> None:
        self._called("delete", zone.name)
