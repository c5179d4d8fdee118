"""A real nameserver with the zone's serial and SOA, and other data: PENDING, with the reason."""

from __future__ import annotations

import pytest
import yaml

from designate.context import Context
from tests.support.deadlines import until
from tests.support.factories.identities import OPS
from tests.support.servers.nameservers import Named, free_port
from tests.support.servers.standalone import Service, transferred

ZONE = "tampered.test."
WWW = f"www.{ZONE}"


class Static(Named):
    """A BIND that serves a zone file that a test writes."""

    def __init__(self, folder):
        super().__init__(folder, more=f'zone "{ZONE}" {{ type primary; file "{ZONE}db"; }};')

    def serve(self, text):
        """Restart the server with this zone file."""
        self.stop()
        (self.folder / f"{ZONE}db").write_text(text)
        self.start()


@pytest.fixture
def parts(tmp_path):
    """Return a service and a nameserver that never transfers from it."""
    port = free_port()
    with Static(tmp_path / "bind") as bind:
        pool = {
            "name": "default",
            "id": "794ccc2c-d751-44fe-b57f-8894c9f5c842",
            "ns_records": [{"hostname": "ns1.example.org.", "priority": 1}],
            "nameservers": [{"host": "127.0.0.1", "port": bind.port}],
            "targets": [{"type": "builtin"}],
        }
        (tmp_path / "pools.yaml").write_text(yaml.safe_dump([pool]))
        mdns = {"service:mdns": {"listen": [f"127.0.0.1:{port}"]}}
        with Service(tmp_path, pools_file=tmp_path / "pools.yaml", **mdns) as service:
            yield service, bind


def content_of(service):
    return transferred(service.dns, ZONE).to_text()


def reason(service, zone):
    """Return what is wrong with the nameserver, and the zone's status."""
    path = f"/zones/{zone['id']}"
    (one,) = service.call("GET", f"{path}/nameservers/status", **OPS)[1]["nameservers"]
    return one["status"], one["last_error"], service.call("GET", path)[1]["status"]


@pytest.mark.parametrize(
    ("old", "new", "difference"),
    [
        ("192.0.2.1", "198.51.100.1", f"other data: {WWW} A differs"),
        ("www 3600 IN A 192.0.2.1", "www 60 IN A 192.0.2.1", f"other data: {WWW} A differs"),
        ("www 3600 IN A", "other 3600 IN A", f"other data: {WWW} A is missing"),
        (
            "ns1.example.org. admin",
            "old.example.org. admin",
            "other data: its SOA is not the zone's",
        ),
    ],
)
def test_the_right_serial_with_other_data_is_not_active(parts, old, new, difference):
    service, bind = parts
    zone = service.zone(ZONE)
    service.recordset(zone, WWW, "A", ["192.0.2.1"])
    right = content_of(service)
    assert old in right
    bind.serve(right.replace(old, new))

    wrong = until(lambda: _named(reason(service, zone)), 20, "the reason")
    error = until(lambda: difference in (_error_of(service, zone) or ""), 20, "the zone's reason")
    bind.serve(right)
    service.active(f"/zones/{zone['id']}", 30)

    assert wrong[0] == "PENDING"
    assert wrong[2] != "ACTIVE"
    assert difference in wrong[1]
    assert error
    assert reason(service, zone) == ("ACTIVE", None, "ACTIVE")


def _named(found):
    return found if found[1] and "other data" in found[1] else None


def _error_of(service, zone):
    context = Context(roles=["admin"], all_projects=True)
    return service.parts.central.zones.get(context, zone["id"]).error


def test_a_deleted_recordset_that_is_still_served_is_named(parts):
    service, bind = parts
    zone = service.zone(ZONE)
    made = service.recordset(zone, WWW, "A", ["192.0.2.1"])
    service.call("DELETE", f"/zones/{zone['id']}/recordsets/{made['id']}")
    right = content_of(service)
    bind.serve(f"{right}www 3600 IN A 192.0.2.1\n")

    wrong = until(lambda: _named(reason(service, zone)), 20, "the reason")
    bind.serve(right)
    service.active(f"/zones/{zone['id']}", 30)

    assert f"other data: {WWW} A is still there" in wrong[1]
