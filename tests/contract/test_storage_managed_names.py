"""Events of cloud resources, on every database."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from designate.context import admin_context
from designate.model.recordsets import Managed, RecordSetDraft
from designate.storage.sqlalchemy import managed_names
from tests.support.factories.zone_data import Hidden

NOON = datetime(2026, 11, 1, 12, 0, 0, 123456)
SECOND = timedelta(seconds=1)
ID = "0c8a3a4e-7c1f-4d0a-9a39-6a5b1c4d2e3f"


def instance(plugin: str = "nova_fixed", id: str = ID) -> Managed:
    return Managed(
        plugin_type="handler", plugin_name=plugin, resource_type="instance", resource_id=id
    )


def test_only_what_is_newer_is_news(hidden: Hidden) -> None:
    zone = hidden.zone("news.example.org.")

    def news(at: datetime, resource: Managed) -> bool:
        return hidden.database.write(
            lambda tx: managed_names.record_event(tx, zone.id, resource, at)
        )

    assert news(NOON, instance())
    assert news(NOON, instance())
    assert not news(NOON - timedelta(microseconds=1), instance())
    assert news(NOON - SECOND, instance("another"))
    assert news(NOON - SECOND, instance(id="other"))
    assert news(NOON + SECOND, instance())
    hidden.database.write(
        lambda tx: managed_names.prune_events(
            tx, zone.id, NOON + managed_names.EVENT_RETENTION + SECOND / 2
        )
    )
    assert not news(NOON, instance())
    assert news(NOON - 2 * SECOND, instance("another"))


@pytest.mark.parametrize("keep", [False, True])
def test_a_declaration_is_what_the_resource_has(hidden: Hidden, keep: bool) -> None:
    zone = hidden.zone(f"declared-{keep}.example.org.".lower())

    def declare(*names: str) -> tuple[list[str], tuple[str, ...]]:
        drafts = tuple(
            RecordSetDraft(name=f"{name}.{zone.name}", type="A", records=("192.0.2.1",))
            for name in names
        )
        central = hidden.central.managed_names
        done = central.declare(admin_context(), zone.id, instance(), drafts, None, keep)
        return [one.name.partition(".")[0] for one in done.recordsets], done.refused

    hidden.add(zone, "taken", "A", "192.0.2.9")
    made, refused = declare("one", "two", "taken")
    assert made == ["one", "two"]
    assert len(refused) == 1
    count = hidden.central.zones.get(hidden.context, zone.id).revision
    assert declare("two", "three")[0] == ["two", "three"]
    assert hidden.central.zones.get(hidden.context, zone.id).revision == count + 1
    assert (declare("one")[0], _names(hidden, zone.id)) == (
        ["one"],
        {"one", "two", "three", "taken"} if keep else {"one", "taken"},
    )


def _names(hidden: Hidden, zone_id: str) -> set[str]:
    with hidden.database.read() as connection:
        rows = connection.exec_driver_sql(
            f"SELECT name FROM recordsets WHERE type = 'A' AND zone_id = '{zone_id}'"
        )
        return {row[0].partition(".")[0] for row in rows}
