"""Rows that are read as JSON are the same as those that the driver reads, on every database."""

from __future__ import annotations

import uuid

import pytest
import sqlalchemy as sa

from designate.context import Context
from designate.model.recordsets import RecordSetDraft, RecordSetPatch
from designate.model.shares import ShareDraft
from designate.model.zones import ZoneDraft
from designate.storage.sqlalchemy.db.json_rows import PYTHON_DRIVERS, JsonRow, JsonRows
from designate.storage.sqlalchemy.tables import records, recordsets, zones
from designate.storage.sqlalchemy.zone_rows import POOL_VERSION, SHARED

HOSTILE = "".join(map(chr, range(1, 128))) + "é\u2028\ud7ff\U0001f600"


@pytest.fixture
def zone(hidden):
    context = Context(project_id=uuid.uuid4().hex, roles=["member", "reader"], user_id="u")
    draft = ZoneDraft(
        name=f"p{uuid.uuid4().hex}.example.", email="a@example.com", description=HOSTILE
    )
    return hidden.central.zones.create(context, draft)


def add(hidden, zone, **more):
    context = Context(project_id=zone.project_id, roles=["member", "reader"], user_id="u")
    draft = RecordSetDraft(**{"name": f"n.{zone.name}", "type": "TXT", **more})
    return hidden.central.recordsets.create(context, zone.id, draft)


def plain_and_packed(connection, *columns, where):
    """Return the rows as mappings, as the driver reads them and as JSON."""
    dialect = connection.dialect.name
    packed = JsonRows(*columns)
    plain = connection.execute(sa.select(*columns).where(where).order_by(columns[0])).mappings()
    statement = sa.select(*packed.columns(dialect)).where(where).order_by(columns[0])
    rows = packed.rows(connection.execute(statement), dialect)
    return [dict(row) for row in plain], [row._asdict() for row in rows]


def alike(plain, packed):
    return plain == packed and [list(map(type, row.values())) for row in plain] == [
        list(map(type, row.values())) for row in packed
    ]


def test_every_column_of_a_recordset_comes_back_with_its_type(hidden, zone):
    texts = tuple(
        f'"{text}"' for text in ("a\\\\b", "\\000\\255", '\\"', "[1,{}", "null", "x" * 200)
    )
    add(hidden, zone, records=texts, ttl=300, description=HOSTILE)
    empty = add(hidden, zone, name=f"empty.{zone.name}")
    context = Context(project_id=zone.project_id, roles=["member"], user_id="u")
    patch = RecordSetPatch(description=None)
    hidden.central.recordsets.update(context, zone.id, empty.id, patch)

    with hidden.database.read() as connection:
        plain, packed = plain_and_packed(
            connection, *recordsets.c, where=recordsets.c.zone_id == zone.id
        )

    assert len(plain) == 4
    assert {row["description"] for row in packed} == {None, HOSTILE}
    assert alike(plain, packed)


def test_every_column_of_a_zone_comes_back_with_its_type_and_what_is_asked_for_beside_it(
    hidden, zone
):
    share = ShareDraft(target_project_id=uuid.uuid4().hex)
    context = Context(project_id=zone.project_id, roles=["member"], user_id="u")
    columns = (*zones.c, SHARED, POOL_VERSION)

    for shared in (False, True):
        if shared:
            hidden.central.shares.create(context, zone.id, share)
        with hidden.database.read() as connection:
            plain, packed = plain_and_packed(connection, *columns, where=zones.c.id == zone.id)
        [found] = plain
        found["shared"] = bool(found["shared"])  # drivers differ
        assert alike([found], packed)
        assert packed[0]["shared"] is shared
        assert packed[0]["pool_version"] >= 1


def test_a_page_of_large_rows_is_whole(hidden, zone):
    many = tuple(f'"{number:04}{"x" * 240}"' for number in range(20))
    for number in range(40):
        add(hidden, zone, name=f"n{number}.{zone.name}", records=many)

    with hidden.database.read() as connection:
        where = recordsets.c.zone_id == zone.id
        plain, packed = plain_and_packed(connection, *recordsets.c, where=where)

    assert sum(len(row["texts"]) for row in packed) == 40 * len(many) + 1
    assert alike(plain, packed)


@pytest.mark.usefixtures("zone")
def test_rows_without_a_packed_column_and_answers_without_a_row(hidden):
    with hidden.database.read() as connection:
        lookup = JsonRow(sa.select(recordsets.c.wire).where(recordsets.c.id == sa.bindparam("id")))
        nothing = JsonRows(records.c.data)
        statement = sa.select(*nothing.columns(connection.dialect.name)).where(sa.false())
        dialect = connection.dialect.name

        assert lookup.first(connection.execute, dialect, {"id": "none"}) is None
        assert list(nothing.rows(connection.execute(statement), dialect)) == []


def test_a_lookup_asks_a_slow_driver_for_one_text_and_the_blobs(hidden, zone):
    lookup = JsonRow(sa.select(*zones.c).where(zones.c.id == sa.bindparam("id")))
    seen: list[sa.CursorResult] = []

    def run(statement, values):
        seen.append(connection.execute(statement, values))
        return seen[-1]

    with hidden.database.read() as connection:
        row = lookup.first(run, connection.dialect.name, {"id": zone.id})
        wide = 2 if connection.dialect.name in PYTHON_DRIVERS else len(zones.c)

    assert (row.id, row.name) == (zone.id, zone.name)
    assert row.soa_wire.startswith(b"\x03ns1")
    assert [len(result.keys()) for result in seen] == [wide]
