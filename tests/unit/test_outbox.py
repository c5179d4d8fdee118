"""central.outbox: changes are merged by zone, and the newest one wins."""

from __future__ import annotations

from typing import Any, cast

from designate.central.outbox import Outbox
from designate.context import Context, admin_context
from designate.model.zones import Action, ZoneAnnouncement, ZoneType
from designate.rpc.interfaces import WorkerApi
from tests.support.deadlines import until


class Workers:
    """Records the changes that it gets."""

    def __init__(self) -> None:
        self.changes: list[tuple[str, int]] = []
        self.served: list[str] = []

    def zone_changed(self, _context: Context, change: ZoneAnnouncement) -> None:
        self.changes.append((change.zone_id, change.revision))

    def zone_served(self, _context: Context, zone_id: str, _serial: int, _peer: str) -> None:
        self.served.append(zone_id)


def change(zone_id: str, revision: int) -> ZoneAnnouncement:
    members: dict[str, Any] = {"name": f"{zone_id}.example.", "pool_id": "p", "pool_version": 1}
    return ZoneAnnouncement(
        zone_id=zone_id,
        type=ZoneType.PRIMARY,
        revision=revision,
        serial=revision,
        action=Action.UPDATE,
        created=True,
        hard_delete=False,
        **members,
    )


def outbox(workers: Workers, gap_s: float) -> Outbox:
    return Outbox(cast(WorkerApi, workers), gap_s)


def test_the_first_change_goes_at_once_and_the_rest_as_one() -> None:
    workers = Workers()
    box = outbox(workers, gap_s=0.2)
    box.start()
    box.zone_changed(admin_context(), change("a", 1))
    until(lambda: workers.changes, 5, "the first change")
    for revision in (2, 4, 3):
        box.zone_changed(admin_context(), change("a", revision))
    until(lambda: len(workers.changes) > 1, 5, "the others")
    box.stop()

    assert workers.changes == [("a", 1), ("a", 4)]


def test_zones_do_not_wait_for_each_other() -> None:
    workers = Workers()
    box = outbox(workers, gap_s=60)
    box.start()
    for zone_id in ("a", "b", "c"):
        box.zone_changed(admin_context(), change(zone_id, 1))
    until(lambda: len(workers.changes) == 3, 5, "all zones")
    box.stop()

    assert sorted(workers.changes) == [("a", 1), ("b", 1), ("c", 1)]


def test_what_is_held_goes_at_the_end() -> None:
    workers = Workers()
    box = outbox(workers, gap_s=60)
    box.start()
    box.zone_changed(admin_context(), change("a", 1))
    until(lambda: workers.changes, 5, "the first change")
    box.zone_changed(admin_context(), change("a", 2))
    box.stop()

    assert workers.changes == [("a", 1), ("a", 2)]


def test_everything_else_passes() -> None:
    workers = Workers()

    cast(WorkerApi, outbox(workers, 1)).zone_served(admin_context(), "a", 1, "127.0.0.1")

    assert workers.served == ["a"]
