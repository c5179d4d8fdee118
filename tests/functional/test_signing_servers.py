"""Nameservers that sign: their serials run ahead with every re-sign, and ACTIVE is proven by data."""

from __future__ import annotations

import contextlib
import subprocess
from dataclasses import replace
from functools import partial

import pytest
import yaml

from designate import metrics
from designate.backend import rndc, rndc_key
from designate.context import admin_context
from designate.model.pools import PoolSpec
from designate.model.shards import SHARDS
from tests.support.deadlines import scaled, until
from tests.support.factories.identities import OPS
from tests.support.servers.catalog_pool import POOL, Consumed
from tests.support.servers.nameservers import Named, free_port
from tests.support.servers.secondaries import Knot
from tests.support.servers.standalone import Service, ask, bind_pool, texts

ZONE = "signed.test."
RESIGNS = 2


class SigningKnot(Knot):
    """A Knot that signs all members of the catalog, with the default serial policy."""

    def prepare(self) -> None:
        super().prepare()
        path = self.folder / "knot.conf"
        text = path.read_text()
        path.write_text(
            text.replace("    acl: mdns\nzone:", "    acl: mdns\n    dnssec-signing: on\nzone:")
        )
        assert "dnssec-signing" in path.read_text()

    def resign(self, zone: str) -> None:
        socket = self.folder / "knot.sock"
        subprocess.run(
            ["/usr/sbin/knotc", "-b", "-s", str(socket), "zone-sign", zone],
            check=True,
            capture_output=True,
            timeout=scaled(20),
        )


class SigningBind(Named):
    """A BIND whose zones are signed in place of the transferred ones."""

    @property
    def options(self) -> dict[str, str]:
        signing = "dnssec-policy default; inline-signing yes;"
        return {**super().options, "zone_statements": signing}

    def resign(self, zone: str) -> None:
        key = rndc_key.load(str(self.key_file), None, "127.0.0.1")
        reply = rndc.command("127.0.0.1", self.rndc_port, key, f"sign {zone}", scaled(10))
        assert not reply.code, reply


@contextlib.contextmanager
def knot(folder):
    with Consumed(folder, SigningKnot) as consumed:
        declare_signing(consumed.service.parts.central.pools)
        yield consumed.service, consumed.server


def declare_signing(pools):
    """Say in the stored pool that its nameserver signs."""
    stored = pools.get(admin_context(), POOL)
    members = {name: getattr(stored, name) for name in PoolSpec.__slots__ if hasattr(stored, name)}
    signing = tuple(replace(server, signs=True) for server in stored.nameservers)
    pools.apply(admin_context(), (PoolSpec(**members | {"nameservers": signing}),), False, False)


@contextlib.contextmanager
def bind(folder):
    port = free_port()
    with SigningBind(folder / "server") as server:
        (pool,) = bind_pool(server, port)
        pool["targets"][0]["signs"] = True
        (folder / "pools.yaml").write_text(yaml.safe_dump([pool]))
        mdns = {"service:mdns": {"listen": [f"127.0.0.1:{port}"]}}
        with Service(folder, pools_file=folder / "pools.yaml", **mdns) as service:
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
