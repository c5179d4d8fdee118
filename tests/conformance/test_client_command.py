"""Every DNS command of `openstack`, unmodified, with a real Keystone.

It runs in the test's own process, for starting one takes longer than all that it does.
"""

from __future__ import annotations

import json
import os
from importlib import metadata

import pytest

from tests.support.clients import openstack_command
from tests.support.clients.openstack_command import Failed
from tests.support.servers.cloud import (
    CallRecorder,
    Cloud,
    assert_exercised,
    exercised_in,
    exercises,
)
from tests.support.servers.standalone import ask, texts

# What the clients deprecate among themselves is not ours to mend.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
]

COMMANDS = {
    point.name.replace("_", " ") for point in metadata.entry_points(group="openstack.dns.v2")
}
ZONEFILE = """$ORIGIN cliimport.example.
$TTL 300
@ IN SOA ns1.example.org. admin.example.com. 1 3600 600 86400 300
@ IN NS ns1.example.org.
www IN A 192.0.2.1
"""


@pytest.fixture(scope="module")
def cloud(keystone, tmp_path_factory):
    with Cloud(keystone, tmp_path_factory.mktemp("command")) as cloud:
        yield cloud


class Command:
    """`openstack` as one account; called with the words of a command line."""

    def __init__(self, cloud, account, calls):
        self._options = [
            "--os-auth-url", cloud.keystone.url, "--os-username", account.name,
            "--os-password", account.password, "--os-project-id", account.project_id,
            "--os-user-domain-id", "default", "--os-region-name", cloud.region,
        ]  # fmt: skip
        self._calls = calls

    def __call__(self, line, *values):
        """Run a command and return what it prints, decoded if it can print JSON.

        Args:
            line: The words of the command; {} stands for a value with blanks.
            values: The values.

        Raises:
            Failed: The exit status is not 0.
        """
        texts = iter(values)
        words = [next(texts) if word == "{}" else word for word in line.split()]
        name = next(n for n in sorted(COMMANDS, key=len, reverse=True) if line.startswith(n))
        self._calls.names.add(name)
        shape = [] if name in SILENT else ["-f", "json"]
        output = openstack_command.run(*self._options, *words, *shape)
        return json.loads(output) if shape else output


# They print no values.
SILENT = {
    "zone abandon", "zone axfr", "zone move", "zone export delete", "zone import delete",
    "zone transfer request delete", "zone share delete", "zone blacklist delete", "tld delete",
    "tsigkey delete", "ptr record unset", "dns quota reset",
}  # fmt: skip


@pytest.fixture(autouse=True)
def no_settings(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("OS_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def calls(request):
    calls = CallRecorder()
    yield calls
    assert_exercised(request.function, calls)


@pytest.fixture
def owner(cloud, calls):
    return Command(cloud, cloud.owner, calls)


@pytest.fixture
def other(cloud, calls):
    return Command(cloud, cloud.other, calls)


@pytest.fixture
def reader(cloud, calls):
    return Command(cloud, cloud.reader, calls)


@pytest.fixture
def admin(cloud, calls):
    return Command(cloud, cloud.admin, calls)


def names(rows):
    return [row["name"] for row in rows]


def test_no_command_is_left_out():
    assert set(exercised_in(globals())) == COMMANDS


@exercises(
    "zone create", "zone list", "zone show", "zone set", "zone delete", "zone nameservers list"
)
def test_zones(owner, other, reader, admin, cloud):
    made = owner(
        "zone create cli.example. --email admin@example.com --ttl 300 --description {} "
        "--attributes k:v", "with blanks",
    )  # fmt: skip
    cloud.until_active(cloud.owner, f"/zones/{made['id']}")
    owner("zone set cli.example. --ttl 600 --no-description --email hostmaster@example.com")
    shown = reader("zone show cli.example.")

    assert (made["description"], made["status"], made["action"]) == (
        "with blanks", "PENDING", "CREATE",
    )  # fmt: skip
    assert (shown["ttl"], shown["description"], shown["email"]) == (
        600, None, "hostmaster@example.com",
    )  # fmt: skip
    assert shown["project_id"] == cloud.owner.project_id
    assert names(owner("zone list --name cli.* --type PRIMARY --ttl 600 --long")) == [
        "cli.example."
    ]
    assert other("zone list") == admin("zone list") == []
    assert names(admin("zone list --all-projects --name cli.example.")) == ["cli.example."]
    as_owner = f"--sudo-project-id {cloud.owner.project_id}"
    assert "cli.example." in names(admin(f"zone list {as_owner}"))
    assert admin(f"zone show cli.example. {as_owner}")["id"] == made["id"]
    assert [row["hostname"] for row in owner(f"zone nameservers list {made['id']}")] == [
        "ns1.localhost."
    ]
    for refused, line in (
        (reader, "zone set cli.example. --ttl 5"),
        (reader, "zone delete cli.example."),
        (owner, "zone list --all-projects"),
        (other, f"zone list {as_owner}"),
        (other, "zone show cli.example."),
        (owner, "zone create no-dot --email admin@example.com"),
        (owner, "zone create cli.example. --email admin@example.com"),
        (owner, "zone delete cli.example. --hard-delete"),
    ):
        with pytest.raises(Failed):
            refused(line)
    gone = admin(f"zone delete cli.example. --hard-delete {as_owner}")
    assert (gone["action"], gone["status"]) == ("DELETE", "PENDING")


@exercises("zone abandon", "zone axfr", "zone move")
def test_zones_as_a_whole(owner, admin, cloud):
    cloud.zone(cloud.owner, "cliabandon.example.")
    with pytest.raises(Failed):
        owner("zone abandon cliabandon.example.")
    zones = admin(f"zone list --sudo-project-id {cloud.owner.project_id}")
    (kept,) = [row["id"] for row in zones if row["name"] == "cliabandon.example."]
    admin(f"zone abandon {kept} --all-projects")
    secondary = owner("zone create clisecond.example. --type SECONDARY --masters 127.0.0.1:1")
    owner("zone axfr clisecond.example.")
    cloud.zone(cloud.admin, "climove.example.")
    admin(f"zone move climove.example. --pool-id {cloud.second_pool()}")

    assert secondary["masters"] == "127.0.0.1:1"
    assert "cliabandon.example." not in names(owner("zone list"))
    assert admin("zone show climove.example.")["pool_id"] == cloud.second_pool()


@exercises(
    "recordset create", "recordset list", "recordset show", "recordset set", "recordset delete"
)
def test_recordsets(owner, other, reader, admin, cloud):
    zone = cloud.zone(cloud.owner, "cliset.example.")["id"]
    made = owner(
        "recordset create cliset.example. www --type A --record 192.0.2.1 --record 192.0.2.2 "
        "--ttl 60 --description d"
    )
    path = f"/zones/{zone}/recordsets/{made['id']}"
    cloud.until_active(cloud.owner, path)
    owner("recordset set cliset.example. www.cliset.example. --record 192.0.2.7 --no-ttl")
    cloud.until_active(cloud.owner, path)
    shown = reader(f"recordset show {zone} {made['id']}")
    (ns,) = owner("recordset list cliset.example. --type NS")
    as_owner = f"--sudo-project-id {cloud.owner.project_id}"

    assert (made["name"], made["ttl"]) == ("www.cliset.example.", 60)
    assert (shown["records"], shown["ttl"], shown["description"]) == ("192.0.2.7", None, "d")
    assert texts(ask(cloud.service.dns, "www.cliset.example.", "A")) == {"192.0.2.7"}
    assert {row["type"] for row in owner("recordset list cliset.example.")} == {"SOA", "NS", "A"}
    assert names(owner("recordset list all --data 192.0.2.7 --long")) == ["www.cliset.example."]
    assert made["id"] in {row["id"] for row in admin("recordset list all --all-projects")}
    for refused, line in (
        (owner, f"recordset delete {zone} {ns['id']}"),
        (owner, f"recordset delete {zone} {ns['id']} --edit-managed"),
        (reader, f"recordset delete {zone} {made['id']}"),
        (other, f"recordset show {zone} {made['id']}"),
    ):
        with pytest.raises(Failed):
            refused(line)
    assert admin(f"recordset delete {zone} {ns['id']} --edit-managed {as_owner}")["type"] == "NS"
    assert owner(f"recordset delete {zone} {made['id']}")["action"] == "DELETE"


@exercises("zone share create", "zone share list", "zone share show", "zone share delete")
def test_shares(owner, other, cloud):
    cloud.zone(cloud.owner, "clishare.example.")
    share = owner(f"zone share create clishare.example. {cloud.other.project_id}")

    assert [row["id"] for row in owner("zone share list clishare.example.")] == [share["id"]]
    shown = owner(f"zone share show clishare.example. {share['id']}")
    assert shown["target_project_id"] == cloud.other.project_id
    assert "clishare.example." in names(other("zone list"))
    with pytest.raises(Failed):
        owner("zone delete clishare.example.")
    owner(f"zone share delete clishare.example. {share['id']}")
    assert "clishare.example." not in names(other("zone list"))
    owner(f"zone share create clishare.example. {cloud.other.project_id}")
    assert owner("zone delete clishare.example. --delete-shares")["action"] == "DELETE"


@exercises(
    "zone transfer request create", "zone transfer request list", "zone transfer request show",
    "zone transfer request set", "zone transfer request delete",
    "zone transfer accept request", "zone transfer accept list", "zone transfer accept show",
)  # fmt: skip
def test_transfers(owner, other, admin, cloud):
    cloud.zone(cloud.owner, "clitransfer.example.")
    dropped = owner("zone transfer request create clitransfer.example. --description d")
    owner(f"zone transfer request delete {dropped['id']}")
    made = owner(
        "zone transfer request create clitransfer.example. "
        f"--target-project-id {cloud.other.project_id}"
    )
    changed = owner(f"zone transfer request set {made['id']} --description changed")
    listed = other("zone transfer request list")
    with pytest.raises(Failed):
        other(f"zone transfer accept request --transfer-id {made['id']} --key WRONGKEY")
    accepted = other(f"zone transfer accept request --transfer-id {made['id']} --key {made['key']}")

    assert changed["description"] == "changed"
    assert [row["id"] for row in listed] == [made["id"]]
    assert owner(f"zone transfer request show {made['id']}")["status"] == "COMPLETE"
    assert other(f"zone transfer accept show {accepted['id']}")["status"] == "COMPLETE"
    accepts = admin("zone transfer accept list --all-projects")
    assert accepted["id"] in {row["id"] for row in accepts}
    assert other("zone show clitransfer.example.")["project_id"] == cloud.other.project_id


@exercises(
    "zone export create", "zone export list", "zone export show", "zone export showfile",
    "zone export delete",
    "zone import create", "zone import list", "zone import show", "zone import delete",
)  # fmt: skip
def test_imports_and_exports(owner, other, cloud, tmp_path):
    (tmp_path / "zone").write_text(ZONEFILE)
    made = owner(f"zone import create {tmp_path / 'zone'}")
    cloud.until_complete(cloud.owner, f"/zones/tasks/imports/{made['id']}")
    export = owner("zone export create cliimport.example.")
    cloud.until_complete(cloud.owner, f"/zones/tasks/exports/{export['id']}")
    text = owner(f"zone export showfile {export['id']}")["data"]

    assert owner(f"zone import show {made['id']}")["status"] == "COMPLETE"
    assert [row["id"] for row in owner("zone import list --status COMPLETE")] == [made["id"]]
    assert owner(f"zone export show {export['id']}")["status"] == "COMPLETE"
    assert [row["id"] for row in owner("zone export list")] == [export["id"]]
    assert "www.cliimport.example." in text
    assert other("zone import list") == other("zone export list") == []
    owner(f"zone export delete {export['id']}")
    owner(f"zone import delete {made['id']}")
    assert owner("zone export list") == owner("zone import list") == []


@exercises("ptr record list", "ptr record show", "ptr record set", "ptr record unset")
def test_ptr_records(owner, other, cloud):
    key = f"{cloud.region}:{cloud.neutron.has(cloud.owner.project_id, '198.51.100.11')}"
    made = owner(f"ptr record set {key} cli.example. --ttl 120 --description d")
    shown = owner(f"ptr record show {key}")

    assert (made["ptrdname"], made["action"]) == ("cli.example.", "CREATE")
    assert (shown["address"], shown["ttl"], shown["description"]) == ("198.51.100.11", 120, "d")
    assert [row["id"] for row in owner("ptr record list")] == [key]
    assert other("ptr record list") == []
    owner(f"ptr record unset {key}")
    assert owner(f"ptr record show {key}")["ptrdname"] is None


@exercises("dns quota list", "dns quota set", "dns quota reset", "dns limit list")
def test_quotas_and_limits(owner, admin, cloud):
    project = f"--project-id {cloud.other.project_id}"
    changed = admin(f"dns quota set {project} --zones 17 --recordset-records 3 --all-projects")
    shown = admin(f"dns quota list {project} --all-projects")
    admin(f"dns quota reset {project} --all-projects")

    assert (changed["zones"], changed["recordset_records"]) == (17, 3)
    assert (shown["zones"], shown["recordset_records"]) == (17, 3)
    assert admin(f"dns quota list {project} --all-projects")["zones"] == -1
    assert owner("dns quota list")["zones"] == -1
    assert {"Limit": "max_zones", "Value": -1} in owner("dns limit list")
    for line in (
        f"dns quota list {project}",
        "dns quota set --zones 5",
        f"dns quota reset {project}",
    ):
        with pytest.raises(Failed):
            owner(line)


@exercises("dns service list", "dns service show")
def test_services(admin, owner):
    (mdns,) = admin("dns service list --service_name mdns --status UP")

    assert admin(f"dns service show {mdns['id']}")["status"] == "UP"
    with pytest.raises(Failed):
        owner("dns service list")


@exercises("tld create", "tld list", "tld show", "tld set", "tld delete")
def test_tlds(admin, owner):
    admin("tld create --name clitld --description d")
    try:
        changed = admin("tld set clitld --name clitld2 --no-description")
        assert (changed["name"], changed["description"]) == ("clitld2", None)
        assert admin("tld show clitld2")["id"] == changed["id"]
        assert names(admin("tld list --name clitld2")) == ["clitld2"]
        for line in ("tld list", "tld create --name mine"):
            with pytest.raises(Failed):
                owner(line)
    finally:
        for row in admin("tld list"):
            admin(f"tld delete {row['id']}")
    assert admin("tld list") == []


@exercises(
    "zone blacklist create", "zone blacklist list", "zone blacklist show", "zone blacklist set",
    "zone blacklist delete",
)  # fmt: skip
def test_blacklists(admin, owner):
    made = admin(r"zone blacklist create --pattern ^clibad\. --description d")
    changed = admin(f"zone blacklist set {made['id']} --no-description")

    assert (changed["pattern"], changed["description"]) == (r"^clibad\.", None)
    assert admin(f"zone blacklist show {made['id']}")["pattern"] == r"^clibad\."
    assert [row["id"] for row in admin("zone blacklist list")] == [made["id"]]
    for line in ("zone blacklist list", "zone create clibad.example. --email a@example.com"):
        with pytest.raises(Failed):
            owner(line)
    admin(f"zone blacklist delete {made['id']}")
    assert admin("zone blacklist list") == []


@exercises("tsigkey create", "tsigkey list", "tsigkey show", "tsigkey set", "tsigkey delete")
def test_tsigkeys(admin, owner, cloud):
    zone = cloud.zone(cloud.owner, "clikey.example.")["id"]
    made = admin(
        "tsigkey create --name cli. --algorithm hmac-sha256 --secret c2VjcmV0 --scope ZONE "
        f"--resource-id {zone}"
    )
    changed = admin(f"tsigkey set {made['id']} --algorithm hmac-sha512")

    assert (changed["algorithm"], changed["resource_id"]) == ("hmac-sha512", zone)
    assert admin(f"tsigkey show {made['id']}")["name"] == "cli."
    assert names(admin("tsigkey list --name cli. --scope ZONE")) == ["cli."]
    with pytest.raises(Failed):
        owner("tsigkey list")
    admin(f"tsigkey delete {made['id']}")
    assert admin("tsigkey list --name cli.") == []
