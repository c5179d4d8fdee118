"""Unmodified clients against the standalone service: openstacksdk and the openstack command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import openstack
import pytest

from tests.support.deadlines import scaled
from tests.support.servers.standalone import Service, ask, texts

# What the clients deprecate among themselves is not ours to mend.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
]


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with Service(tmp_path_factory.mktemp("clients")) as service:
        yield service


@pytest.fixture
def sdk(service):
    connection = openstack.connect(
        load_yaml_config=False,
        load_envvars=False,
        auth_type="none",
        endpoint=service.url,
        dns_endpoint_override=service.url,
    )
    yield connection
    connection.close()


def openstack_cli(service, *arguments):
    """Return the command's JSON output, or None when it prints nothing."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OS_")}
    program = Path(sys.executable).with_name("openstack")
    shape = ["-f", "json"] if arguments[1] != "delete" else []
    done = subprocess.run(
        [
            program,
            "--os-auth-type",
            "none",
            "--os-endpoint",
            f"{service.url}/v2",
            *arguments,
            *shape,
        ],
        env=environment,
        capture_output=True,
        text=True,
        timeout=scaled(60),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if shape else None


def test_openstacksdk_creates_lists_shows_changes_and_deletes_zones(service, sdk):
    zone = sdk.dns.create_zone(name="sdk.example.", email="admin@example.com", ttl=300)
    shown = sdk.dns.get_zone(zone.id)
    found = sdk.dns.find_zone("sdk.example.")
    changed = sdk.dns.update_zone(zone, description="changed")
    listed = [item.name for item in sdk.dns.zones()]
    sdk.dns.delete_zone(zone)
    service.gone(f"/zones/{zone.id}")

    assert (shown.name, shown.ttl, found.id) == ("sdk.example.", 300, zone.id)
    assert changed.description == "changed"
    assert "sdk.example." in listed
    assert sdk.dns.find_zone("sdk.example.") is None


def test_openstacksdk_creates_lists_shows_changes_and_deletes_recordsets(service, sdk):
    zone = sdk.dns.create_zone(name="sdkrecords.example.", email="admin@example.com")
    made = sdk.dns.create_recordset(
        zone, name="www.sdkrecords.example.", type="A", records=["192.0.2.1"]
    )
    service.active(f"/zones/{zone.id}/recordsets/{made.id}")
    sdk.dns.update_recordset(made, records=["192.0.2.2"], zone_id=zone.id)
    service.active(f"/zones/{zone.id}/recordsets/{made.id}")
    shown = sdk.dns.get_recordset(made.id, zone)
    listed = {item.type for item in sdk.dns.recordsets(zone)}
    served = texts(ask(service.dns, "www.sdkrecords.example.", "A"))
    sdk.dns.delete_recordset(made, zone)

    assert shown.records == ["192.0.2.2"]
    assert listed == {"SOA", "NS", "A"}
    assert served == {"192.0.2.2"}
    assert service.call("GET", f"/zones/{zone.id}/recordsets/{made.id}")[0] == 404


def test_openstacksdk_pages_through_all_zones(service, sdk):
    for number in range(25):
        service.zone(f"page{number}.example.")

    listed = [zone.name for zone in sdk.dns.zones(limit=10)]

    assert {f"page{number}.example." for number in range(25)} <= set(listed)
    assert len(listed) == len(set(listed))


def test_the_openstack_command_manages_a_zone_and_its_recordsets(service):
    zone = openstack_cli(service, "zone", "create", "--email", "admin@example.com", "cli.example.")
    made = openstack_cli(
        service, "recordset", "create", "cli.example.", "www.cli.example.",
        "--type", "A", "--record", "192.0.2.1",
    )  # fmt: skip
    service.active(f"/zones/{zone['id']}/recordsets/{made['id']}")
    changed = openstack_cli(
        service, "recordset", "set", "cli.example.", "www.cli.example.", "--record", "192.0.2.7"
    )
    service.active(f"/zones/{zone['id']}/recordsets/{made['id']}")
    served = texts(ask(service.dns, "www.cli.example.", "A"))
    zones = openstack_cli(service, "zone", "list")
    recordsets = openstack_cli(service, "recordset", "list", "cli.example.")
    shown = openstack_cli(service, "zone", "show", "cli.example.")
    set_zone = openstack_cli(service, "zone", "set", "cli.example.", "--ttl", "77")
    openstack_cli(service, "recordset", "delete", "cli.example.", "www.cli.example.")
    openstack_cli(service, "zone", "delete", "cli.example.")
    service.gone(f"/zones/{zone['id']}")

    assert changed["records"] == "192.0.2.7"
    assert served == {"192.0.2.7"}
    assert "cli.example." in [item["name"] for item in zones]
    assert {item["type"] for item in recordsets} == {"SOA", "NS", "A"}
    assert shown["name"] == "cli.example."
    assert set_zone["ttl"] == 77
