"""MiniDNS reads whole zones from a replica of the database, and never older ones than it could have.

The replica is a second database to which the test copies what a replication would.
"""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from designate.storage.sqlalchemy.db.engine import Database
from designate.storage.sqlalchemy.tables import recordsets, zones
from tests.support.factories.zone_data import Hidden
from tests.support.fakes.tcp_proxy import TcpProxy
from tests.support.servers.standalone import transferred

REAL, MARKED = bytes([192, 0, 2, 1]), bytes([192, 0, 2, 99])


class Replica:
    """A replica whose data have 192.0.2.99 where the database itself has 192.0.2.1."""

    def __init__(self, url: str) -> None:
        self._database = Database(url)

    def catch_up(self, source: Database, zone_id: str) -> None:
        with source.read() as connection:
            rows = {
                table: [
                    dict(row._mapping)
                    for row in connection.execute(sa.select(table).where(column == zone_id))
                ]
                for table, column in ((zones, zones.c.id), (recordsets, recordsets.c.zone_id))
            }
        for row in rows[recordsets]:
            row["wire"] = bytes(row["wire"]).replace(REAL, MARKED)

        def write(tx):
            tx.execute(sa.delete(zones).where(zones.c.id == zone_id))
            for table, found in rows.items():
                tx.execute(sa.insert(table), found)

        self._database.write(write)

    def close(self) -> None:
        self._database.close()


@pytest.fixture(scope="module", params=[0, 2**26], ids=["streamed", "kept"])
def parts(request, databases, tmp_path_factory):
    """MiniDNS with a replica, and the replica."""
    replica_url = databases.migrated()
    storage = {
        "connection": databases.migrated(),
        "slave_connection": replica_url,
        "connect_timeout": 2,
    }
    replica = Replica(replica_url)
    options = {"storage:sqlalchemy": storage, "service:mdns": {"zone_cache_bytes": request.param}}
    with Hidden(tmp_path_factory.mktemp("replica"), **options) as hidden:
        yield hidden, replica
    replica.close()


def addresses(hidden, zone):
    copy = transferred(hidden.address, zone.name)
    return {rdata.address for _, _, rdata in copy.iterate_rdatas("A")}, copy.get_soa().serial


def test_a_zone_that_the_replica_has_is_read_there(parts):
    hidden, replica = parts
    zone = hidden.zone("current.example.")
    hidden.add(zone, "www", "A", "192.0.2.1")
    replica.catch_up(hidden.database, zone.id)

    assert addresses(hidden, zone) == ({"192.0.2.99"}, hidden.fresh(zone).serial)


def test_a_replica_that_lags_or_lacks_the_zone_is_passed_over(parts):
    hidden, replica = parts
    zone = hidden.zone("lagging.example.")
    hidden.add(zone, "www", "A", "192.0.2.1")
    lacking = addresses(hidden, zone)
    first = hidden.fresh(zone).serial
    replica.catch_up(hidden.database, zone.id)
    hidden.add(zone, "more", "A", "192.0.2.2")
    lagging = addresses(hidden, zone)
    second = hidden.fresh(zone).serial
    hidden.add(zone, "most", "A", "192.0.2.3")
    replica.catch_up(hidden.database, zone.id)
    caught_up = addresses(hidden, zone)

    assert lacking == ({"192.0.2.1"}, first)
    assert lagging == ({"192.0.2.1", "192.0.2.2"}, second)
    assert caught_up == ({"192.0.2.99", "192.0.2.2", "192.0.2.3"}, hidden.fresh(zone).serial)


def test_a_replica_that_is_away_is_passed_over(mariadb, tmp_path):
    with TcpProxy(mariadb.port) as proxy:
        replica_url = mariadb.migrated()
        replica = Replica(replica_url)
        storage = {
            "connection": mariadb.migrated(),
            "slave_connection": replica_url.replace(f":{mariadb.port}/", f":{proxy.port}/"),
            "statement_timeout": 2,
            "connect_timeout": 2,
        }
        with Hidden(tmp_path, **{"storage:sqlalchemy": storage}) as hidden:
            zone = hidden.zone("away.example.")
            hidden.add(zone, "www", "A", "192.0.2.1")
            replica.catch_up(hidden.database, zone.id)
            proxy.swallow()
            found, _ = addresses(hidden, zone)
            proxy.restore()
        replica.close()

    assert found == {"192.0.2.1"}
