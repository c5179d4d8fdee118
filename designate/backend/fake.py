"""A backend without a server, which stores the zones in memory. For tests and experiments."""

from __future__ import annotations

import threading
from typing import ClassVar

from designate import errors
from designate.backend.base import Backend
from designate.model.pools import Target
from designate.model.zones import ZoneAnnouncement


class FakeBackend(Backend):
    """Records the calls and the existing zones. Thread-safe.

    Attributes:
        calls: (method, zone name) in order, the last MAX_CALLS.
        zones: names of the zones that exist.
    """

    MAX_CALLS = 10_000
    REWRITES_ANSWERS: ClassVar[bool] = True

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.calls: list[tuple[str, str]] = []
        self.zones: set[str] = set()
        self._failures = 0
        self._lock = threading.Lock()

    def fail_next(self, times: int) -> None:
        """Make the next calls raise BackendError."""
        with self._lock:
            self._failures = times

    def _called(self, method: str, name: str) -> None:
        with self._lock:
            self.calls.append((method, name))
            del self.calls[: -self.MAX_CALLS]
            if self._failures > 0:
                self._failures -= 1
                raise errors.BackendError(f"{method} {name}: made to fail by fail_next")
            if method == "create":
                self.zones.add(name)
            elif method == "delete":
                self.zones.discard(name)

    def create_zone(self, zone: ZoneAnnouncement) -> None:
        self._called("create", zone.name)

    def update_zone(self, zone: ZoneAnnouncement) -> None:
        self._called("update", zone.name)

    def delete_zone(
        self,
        zone: ZoneAnnouncement,
        *,
        hard_delete: bool,  # noqa: ARG002 - part of the interface
    ) -> None:
        self._called("delete", zone.name)
