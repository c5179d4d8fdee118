"""Nameservers that sign: their serials run ahead with every re-sign, and ACTIVE is proven by data."""

from __future__ import annotations

import contextlib
from functools import partial

import pytest

from designate import metrics
from designate.context import admin_context
from designate.model.shards import SHARDS
from tests.support.deadlines import until
from tests.support.factories.identities import OPS
from tests.support.servers.catalog_pool import Consumed
from tests.support.servers.nameservers import free_port
from tests.support.servers.signers import SigningBind, SigningKnot
from tests.support.servers.standalone import Service, ask, texts

ZONE = "signed.test."
RESIGNS = 2


@contextlib.contextmanager
def knot(folder):
    with Consumed(folder, SigningKnot) as consumed:
        yield consumed.service, consumed.server


@contextlib.contextmanager
def bind(folder):
    with SigningBind(folder / "server") as server, Service(folder, server, free_port()) as service:
        yield service, server


def serial_of(address):
    (rrset,) = ask(address, ZONE, "SOA").answer
    return rrset[0].serial


def has_keys(address):
    return bool(ask(address, ZONE, "DNSKEY").answer)


@pytest.mark.parametrize("start", [knot, bind])
def test_changes_are_active_and_served_before_and_after_each_resign(start, tmp_path):
    with start(tmp_path) as (service, server):
        address = ("127.0.0.1", server.port)
        zone = service.zone(ZONE)
        path = f"/zones/{zone['id']}"
        service.active(path, 30)
        until(partial(has_keys, address), 30, "a signed zone")
        seen = []
        for number in range(RESIGNS + 1):
            if number:
                before = serial_of(address)
                server.resign(ZONE)
                until(lambda before=before: serial_of(address) != before, 30, "a re-signed zone")
            name = f"n{number}.{ZONE}"
            made = service.recordset(zone, name, "A", [f"192.0.2.{number}"])
            record = f"{path}/recordsets/{made['id']}"
            service.active(record, 30)
            added = texts(ask(address, name, "A"))
            service.call("PUT", record, {"records": ["198.51.100.1"], "ttl": 77})
            service.active(record, 30)
            changed = texts(ask(address, name, "A"))
            (status,) = service.call("GET", f"{path}/nameservers/status", **OPS)[1]["nameservers"]
            seen.append((added, changed, status["status"], status["last_error"]))
        shown = service.active(path)
        ahead = serial_of(address)
        service.call("DELETE", f"{path}/recordsets/{made['id']}")
        service.active(path, 30)
        deleted = texts(ask(address, name, "A"))
        service.call("PATCH", path, {"email": "other@example.com"})
        service.active(path, 30)
        (soa,) = ask(address, ZONE, "SOA").answer
        service.call("DELETE", path)
        service.gone(path, 30)

    assert seen == [
        ({f"192.0.2.{number}"}, {"198.51.100.1"}, "ACTIVE", None) for number in range(RESIGNS + 1)
    ]
    assert ahead != shown["serial"], "it has a serial of its own"
    assert deleted == set()
    assert soa[0].rname.to_text() == "other.example.com."


@pytest.mark.parametrize("start", [knot, bind])
def test_the_zone_of_a_signer_never_moves_past_its_serial(start, tmp_path):
    with start(tmp_path) as (service, server):
        address = ("127.0.0.1", server.port)
        zone = service.zone(ZONE)
        path = f"/zones/{zone['id']}"
        service.active(path, 30)
        until(partial(has_keys, address), 30, "a signed zone")
        for _ in range(RESIGNS):
            before = serial_of(address)
            server.resign(ZONE)
            until(lambda before=before: serial_of(address) != before, 30, "a re-signed zone")
        checked = metrics.CHECKED.labels("default", f"127.0.0.1:{server.port}")._value
        count = checked.get()
        service.parts.central.sweeps.reconcile(admin_context(), 0, SHARDS - 1, 100, "")
        until(lambda: checked.get() > count, 10, "a comparison")
        (status,) = service.call("GET", f"{path}/nameservers/status", **OPS)[1]["nameservers"]
        after = service.active(path)

    assert (status["status"], status["lag"]) == ("ACTIVE", 0)
    assert status["serial"] != after["serial"]
    assert after["serial"] == zone["serial"]
