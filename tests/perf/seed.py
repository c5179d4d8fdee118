"""Large zones written directly into the database of a running service."""

from __future__ import annotations

import ipaddress
import uuid
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from designate.central import apex_records
from designate.model.zones import Action, Status, Zone, ZoneId, ZoneType
from designate.runtime.clock import utcnow
from designate.storage.sqlalchemy import pools, zones
from designate.storage.sqlalchemy.db.engine import Database
from designate.storage.sqlalchemy.tables import project_usage, records, recordsets
from designate.storage.sqlalchemy.tables import zones as zones_table
from designate.wire import rr

POOL = "794ccc2c-d751-44fe-b57f-8894c9f5c842"
PROJECT = "noauth-project"
BATCH = 20_000


def _zone(name: str, mname: str) -> Zone:
    now = utcnow()
    return Zone(
        id=ZoneId(str(uuid.uuid4())), project_id=PROJECT, name=name, type=ZoneType.PRIMARY,
        email="a@example.com", ttl=3600, serial=1, revision=1, served_revision=0,
        action=Action.CREATE, status=Status.PENDING, pool_id=POOL, mname=mname,
        pending_since=now - timedelta(hours=1), refresh=3600, retry=600, expire=86400,
        minimum=3600, created_at=now,
    )  # fmt: skip


def sqlite(folder: Path) -> str:
    """Return the URL of the database of a standalone service with this state_path."""
    return f"sqlite:///{folder}/designate.sqlite"


def _database(url: str) -> Database:
    return Database(url, write_timeout_s=60)


def zone(url: str, name: str, size: int, *, announce: bool = True, varied: bool = False) -> str:
    """Store a zone with `size` A records, and return its id.

    Args:
        url: The database.
        name: The zone's name.
        size: The number of recordsets.
        announce: The recovery sweep announces the zone to the workers.
        varied: Some recordsets have other TTLs, types and descriptions.
    """
    database = _database(url)
    with database.read() as connection:
        pool = pools.get(connection, POOL)
    new = _zone(name, pool.ns_records[0].hostname)
    if not announce:
        new = replace(
            new, served_revision=1, action=Action.NONE, status=Status.ACTIVE, pending_since=None
        )

    def write(tx) -> None:
        zones.add_to_zone_count(tx, PROJECT, 1)
        initial = apex_records.initial_recordsets(new, pool)
        zones.insert(
            tx,
            new,
            apex_records.soa_wire(new),
            ns_version=pool.ns_version,
            recordset_count=size + 2,
        )
        from designate.storage.sqlalchemy import recordsets as stored

        for recordset, wire in initial:
            stored.insert(tx, recordset, wire, 1)
        for first in range(0, size, BATCH):
            _fill(tx, new, first, min(size, first + BATCH), varied)

    database.write(write)
    database.close()
    return new.id


def _fill(tx, new: Zone, first: int, end: int, varied: bool) -> None:
    rows, texts = [], []
    for n in range(first, end):
        owner = f"h{n}.{new.name}"
        text = str(ipaddress.ip_address(0x0A000000 + n))
        recordset_id = str(uuid.uuid4())
        rows.append(
            {
                "id": recordset_id, "zone_id": new.id, "project_id": PROJECT, "name": owner,
                "name_key": owner, "reverse_key": owner[::-1], "type": "A", "ttl": None,
                "description": None, "texts": [text], "record_count": 1, "changed_revision": 1,
                "wire": rr.rrset(owner, new.name, 1, None, [ipaddress.ip_address(text).packed]),
                "action": "CREATE", "managed": False, "version": 1, "updated_at": None,
                "created_at": new.created_at + timedelta(microseconds=n),
            }
        )  # fmt: skip
        texts.append(
            {
                "recordset_id": recordset_id,
                "position": 0,
                "zone_id": new.id,
                "data": text,
                "data_key": text,
            }
        )
    if varied:
        for n, row in enumerate(rows, first):
            row["ttl"] = 77 if n % 1000 == 7 else 600 if n % 2 else None
            row["description"] = f"number {n % 1000}" if n % 10 == 7 else None
            row["type"] = "TXT" if n % 500 == 3 else "A"
            row["updated_at"] = new.created_at if n % 3 else None
    tx.execute(sa.insert(recordsets), rows)
    tx.execute(sa.insert(records), texts)


def zones_named(tx, count: int, mname: str) -> None:
    for n in range(count):
        new = replace(
            _zone(f"zone{n}.example.", mname), served_revision=1, action=Action.NONE,
            status=Status.ACTIVE, pending_since=None, email=f"u{n % 1000}@example.com",
            ttl=77 if n % 1000 == 7 else 3600,
            description=f"number {n % 1000}" if n % 10 == 7 else None,
        )  # fmt: skip
        zones.insert(tx, new, apex_records.soa_wire(new), ns_version=10**6, recordset_count=0)


def zones_in(url: str, count: int) -> None:
    database = _database(url)

    def write(tx) -> None:
        zones_named(tx, count, "ns1.localhost.")
        tx.execute(
            sa.update(project_usage)
            .where(project_usage.c.project_id == PROJECT)
            .values(zones=project_usage.c.zones + count)
        )

    database.write(write)
    database.close()


def touch(url: str, zone_id: str) -> None:
    """Change the version of the zone's row, as any change of its content does."""
    database = _database(url)
    database.write(lambda tx: zones.update(tx, zone_id))
    database.close()


def vacuum(url: str) -> None:
    """Update PostgreSQL's statistics and visibility map, as its autovacuum would within minutes."""
    if url.startswith("postgresql"):
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sa.text("VACUUM ANALYZE"))
        engine.dispose()


def middle_id(url: str, what: str, zone_id: str) -> str:
    """Return the id in the middle of a list in its default order."""
    database = _database(url)
    table = recordsets if what == "recordsets" else zones_table
    with database.read() as connection:
        query = sa.select(table.c.id).order_by(table.c.created_at, table.c.id)
        if zone_id:
            query = query.where(table.c.zone_id == zone_id)
        ids = connection.execute(query).scalars().all()
    database.close()
    return ids[len(ids) // 2]
