"""A catalog zone beside a consumer that has another one of its name, with any serial.

The former one is that of another database of the service: of one that is empty now, or was restored.
"""

from __future__ import annotations

import dns.message
import dns.query
import dns.rcode
import dns.tsig
import pytest

from designate.central.base import Core
from designate.central.policy import Policy
from designate.central.quotas import StorageQuotas
from designate.central.zone_change import advance
from designate.rpc.clients import worker_client
from designate.storage.sqlalchemy import zones as stored_zones
from tests.support.deadlines import scaled, until
from tests.support.servers.catalog_pool import CATALOG, CatalogBind, Consumed
from tests.support.servers.secondaries import Knot
from tests.support.servers.standalone import ask, transferred

# By how much the consumer's serial is ahead of the clock, so that a later catalog can be made to have it.
AHEAD = 1000


@pytest.fixture(params=[CatalogBind, Knot])
def consumed(request, tmp_path):
    with Consumed(tmp_path, request.param) as consumed:
        yield consumed


def set_serial(consumed, serial):
    """Move the catalog to a serial, as a number of changes would."""
    parts, conf = consumed.service.parts, consumed.service.conf
    worker = worker_client(parts.bus)
    core = Core(
        conf=conf, db=parts.database, worker=worker, policy=Policy(conf), quotas=StorageQuotas()
    )
    zone_id = consumed.catalog["id"]

    def write(tx):
        return advance(core, tx, stored_zones.lock(tx, zone_id), newer_than=serial - 1)

    assert parts.database.write(write).serial == serial


def served_serial(consumed):
    """Return the catalog's serial on the consumer; Knot answers for a catalog over TCP only."""
    host, port = address_of(consumed)
    query = dns.message.make_query(CATALOG, "SOA")
    answer = dns.query.tcp(query, host, port=port, timeout=scaled(5)).answer
    return answer[0][0].serial if answer else None


def address_of(consumed):
    return "127.0.0.1", consumed.server.port


def rcode(consumed, name):
    return ask(address_of(consumed), name, "SOA").rcode()


def has_our_catalog(consumed):
    key = dns.tsig.Key(CATALOG, consumed.secret, dns.tsig.HMAC_SHA256)
    there = transferred(address_of(consumed), CATALOG)
    return there == transferred(consumed.service.dns, CATALOG, key)


def lead(consumed):
    """Give the catalog and its consumer a serial ahead of the clock; return it."""
    serial = consumed.catalog["serial"] + AHEAD
    set_serial(consumed, serial)
    until(lambda: served_serial(consumed) == serial, 30, "the serial on the consumer")
    return serial


def converge(consumed, zone, *gone):
    """Wait until the consumer has this catalog and the zone, and not those of the former catalog."""
    consumed.service.active(f"/zones/{zone['id']}", 40)
    until(lambda: has_our_catalog(consumed), 40, "the catalog on the consumer")
    for name in gone:
        until(lambda name=name: rcode(consumed, name) == dns.rcode.REFUSED, 40, f"{name} gone")
    until(lambda: consumed.catalog["status"] == "ACTIVE", 40, "the catalog ACTIVE")
    assert rcode(consumed, zone["name"]) == dns.rcode.NOERROR


def test_the_catalog_of_an_empty_database_replaces_a_former_one_of_any_serial(consumed):
    former = consumed.service.zone("former.example.org.")
    consumed.service.active(f"/zones/{former['id']}", 30)
    for position in ("equal", "in our journal", "ahead"):
        serial = lead(consumed)
        consumed.server.stop()
        consumed.renew()
        zone = consumed.service.zone(f"{position.replace(' ', '-')}.example.org.")
        if position != "ahead":
            set_serial(consumed, serial)
        if position == "in our journal":
            zone = consumed.service.zone("later.example.org.")
        consumed.server.start()

        converge(consumed, zone, former["name"])
        former = zone


def test_the_catalog_of_a_restored_database_replaces_the_lost_one(tmp_path):
    with Consumed(tmp_path, Knot) as consumed:
        former = consumed.service.zone("former.example.org.")
        consumed.service.active(f"/zones/{former['id']}", 30)
        lead(consumed)
        copy = tmp_path / "copy.sqlite"
        consumed.back_up(copy)
        last = consumed.service.zone("lost.example.org.")
        consumed.service.active(f"/zones/{last['id']}", 30)
        # At first the serial is the consumer's at the end, then it is one of the journal's.
        for changes in (1, 3):
            consumed.server.stop()
            consumed.renew(copy)
            zones = [
                consumed.service.zone(f"new{changes}{number}.example.org.")
                for number in range(changes)
            ]
            consumed.server.start()

            converge(consumed, zones[-1], last["name"])
            assert rcode(consumed, former["name"]) == dns.rcode.NOERROR
            last = zones[-1]
