"""Back ends with which the worker's tests reach rare states."""

from __future__ import annotations

from collections.abc import Callable

from designate import errors
from designate.backend.base import Backend, FoundZone
from designate.model.pools import Target
from designate.model.zones import ZoneAnnouncement
from tests.support.fakes.nameserver import NanoServer


class SlowBackend(Backend):
    """A back end during whose creations other things happen.

    Attributes:
        during_creation: called in the middle of a creation.
        ended: the calls, in the order in which they ended.
    """

    def __init__(self) -> None:
        super().__init__(Target(type="slow"))
        self.during_creation: Callable[[], object] = lambda: None
        self.ended: list[str] = []

    def create_zone(self, zone: ZoneAnnouncement) -> None:  # noqa: ARG002 - part of the interface
        self.during_creation()
        self.ended.append("create")

    def delete_zone(
        self,
        zone: ZoneAnnouncement,  # noqa: ARG002 - part of the interface
        *,
        hard_delete: bool,  # noqa: ARG002 - part of the interface
    ) -> None:
        self.ended.append("delete")


class UnavailableBackend(Backend):
    """A back end whose server gives no reply while `unavailable` is set.

    Attributes:
        unavailable: set at first.
        calls: the number of calls, successful or not.
        zones: the names of the created zones.
    """

    def __init__(self) -> None:
        super().__init__(Target(type="unavailable"))
        self.unavailable = True
        self.calls = 0
        self.zones: set[str] = set()

    def create_zone(self, zone: ZoneAnnouncement) -> None:
        self._call()
        self.zones.add(zone.name)

    def delete_zone(
        self,
        zone: ZoneAnnouncement,
        *,
        hard_delete: bool,  # noqa: ARG002 - part of the interface
    ) -> None:
        self._call()
        self.zones.discard(zone.name)

    def _call(self) -> None:
        self.calls += 1
        if self.unavailable:
            raise errors.BackendUnavailable("no reply from the server")


class TriggeredBackend(Backend):
    """A back end whose server follows only when a transfer is triggered.

    Attributes:
        server: the server.
        error: raised instead of a transfer, if set.
        transfers_triggered: the zones of the calls.
    """

    TRIGGERS_TRANSFER = True

    def __init__(self, server: NanoServer) -> None:
        super().__init__(Target(type="triggered"))
        self.server = server
        self.error: Exception | None = None
        self.transfers_triggered: list[ZoneAnnouncement] = []

    def create_zone(self, zone: ZoneAnnouncement) -> None:
        """Do nothing: the server has the zones."""

    def delete_zone(self, zone: ZoneAnnouncement, *, hard_delete: bool) -> None:
        """Do nothing: the server keeps the zones."""

    def trigger_transfer(self, zone: ZoneAnnouncement) -> None:
        self.transfers_triggered.append(zone)
        if self.error is not None:
            raise self.error
        self.server.serials[zone.name] = zone.serial


class ForeignBackend(Backend):
    """A back end on whose server others have the zone while `foreign_zone` is set.

    Attributes:
        foreign_zone: set at first.
        calls: the methods called.
    """

    def __init__(self) -> None:
        super().__init__(Target(type="foreign"))
        self.foreign_zone = True
        self.calls: list[str] = []

    def create_zone(self, zone: ZoneAnnouncement) -> None:  # noqa: ARG002 - part of the interface
        self._call("create")

    def update_zone(self, zone: ZoneAnnouncement) -> None:  # noqa: ARG002 - part of the interface
        self._call("update")

    def delete_zone(
        self,
        zone: ZoneAnnouncement,  # noqa: ARG002 - part of the interface
        *,
        hard_delete: bool,  # noqa: ARG002 - part of the interface
    ) -> None:
        self._call("delete")

    def _call(self, method: str) -> None:
        self.calls.append(method)
        if self.foreign_zone:
            raise self.foreign("server", "type primary")


class HostedAccount(Backend):
    """A back end of a product whose nameservers serve the zones of other accounts too.

    Attributes:
        zones: the names of the account's zones.
        pending: the product has accepted deletions and not made them.
        error: raised by `inspect`, if set.
    """

    REWRITES_ANSWERS = True
    INSPECTS = True

    def __init__(self, *zones: str, pending: bool = False) -> None:
        super().__init__(Target(type="hosted"))
        self.zones = set(zones)
        self.pending = pending
        self.error: Exception | None = None

    def create_zone(self, zone: ZoneAnnouncement) -> None:
        self.zones.add(zone.name)

    def delete_zone(
        self,
        zone: ZoneAnnouncement,
        *,
        hard_delete: bool,  # noqa: ARG002 - part of the interface
    ) -> None:
        if not self.pending:
            self.zones.discard(zone.name)

    def inspect(self, zone: ZoneAnnouncement) -> FoundZone | None:
        if self.error is not None:
            raise self.error
        if zone.name not in self.zones:
            return None
        return FoundZone(name=zone.name, kind="secondary", is_ours=True)
