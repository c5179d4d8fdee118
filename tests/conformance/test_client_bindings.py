"""Every method of python-designateclient's bindings of API v2, unmodified, with a real Keystone."""

from __future__ import annotations

import inspect

import pytest
from designateclient import exceptions
from designateclient.v2 import base, client
from keystoneauth1 import session
from keystoneauth1.identity import v3

from tests.support.deadlines import scaled
from tests.support.servers.cloud import (
    CallRecorder,
    Cloud,
    assert_exercised,
    exercised_in,
    exercises,
)
from tests.support.servers.standalone import ask, texts

# Deprecation warnings that the clients cause among themselves.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
]

ZONEFILE = """$ORIGIN {name}
$TTL 300
@ IN SOA ns1.example.org. admin.example.com. 1 3600 600 86400 300
@ IN NS ns1.example.org.
www IN A 192.0.2.1
"""


@pytest.fixture(scope="module")
def cloud(keystone, tmp_path_factory):
    with Cloud(keystone, tmp_path_factory.mktemp("bindings")) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def connect(cloud):
    """Return a function that connects the bindings as an account, with request flags as keywords."""
    sessions = {}

    def connect(account, **flags):
        if account.id not in sessions:
            auth = v3.Password(**cloud.keystone.cloud(account, cloud.region)["auth"])
            sessions[account.id] = session.Session(auth=auth)
        return client.Client(
            session=sessions[account.id], region_name=cloud.region, timeout=scaled(30), **flags
        )

    return connect


def managers(bindings):
    return {
        name: found
        for name, found in vars(bindings).items()
        if isinstance(found, base.V2Controller)
    }


@pytest.fixture
def calls(request):
    calls = CallRecorder()
    yield calls
    assert_exercised(request.function, calls)


@pytest.fixture
def noted(connect, calls):
    def noted(account, **flags):
        bindings = connect(account, **flags)
        return calls.of(bindings, parts=tuple(managers(bindings)))

    return noted


@pytest.fixture
def owner(noted, cloud):
    return noted(cloud.owner)


@pytest.fixture
def other(noted, cloud):
    return noted(cloud.other)


@pytest.fixture
def admin(noted, cloud):
    return noted(cloud.admin)


@pytest.fixture
def reader(noted, cloud):
    return noted(cloud.reader)


def test_no_method_of_the_bindings_is_left_out(connect, cloud):
    known = {
        f"{name}.{method}"
        for name, manager in managers(connect(cloud.owner)).items()
        for method, _ in inspect.getmembers(type(manager), inspect.isfunction)
        if method in vars(type(manager)) and not method.startswith("_")
    }

    assert set(exercised_in(globals())) == known


@exercises(
    "zones.create", "zones.list", "zones.get", "zones.update", "zones.delete", "zones.nameservers",
    "nameservers.list",
)  # fmt: skip
def test_zones(owner, other, reader, admin, noted, cloud):
    made = owner.zones.create(
        "dczone.example.",
        email="admin@example.com",
        ttl=300,
        description="d",
        attributes={"k": "v"},
    )
    cloud.until_active(cloud.owner, f"/zones/{made['id']}")
    owner.zones.update("dczone.example.", {"ttl": 600})
    shown = reader.zones.get("dczone.example.")
    everywhere = noted(cloud.admin, all_projects=True)
    as_owner = noted(cloud.admin, sudo_project_id=cloud.owner.project_id)

    assert (made["status"], made["action"], made["attributes"]) == ("PENDING", "CREATE", {"k": "v"})
    assert (shown["ttl"], shown["project_id"]) == (600, cloud.owner.project_id)
    assert [zone["name"] for zone in owner.zones.list({"name": "dczone.*"})] == ["dczone.example."]
    assert admin.zones.list() == other.zones.list() == []
    assert [zone["id"] for zone in everywhere.zones.list({"name": "dczone.*"})] == [made["id"]]
    assert as_owner.zones.get("dczone.example.")["id"] == made["id"]
    hostnames = [{"hostname": "ns1.localhost.", "priority": 1}]
    assert owner.zones.nameservers(made["id"]) == hostnames
    assert owner.nameservers.list(made["id"]) == hostnames
    with pytest.raises(exceptions.Forbidden):
        reader.zones.update(made["id"], {"ttl": 5})
    with pytest.raises(exceptions.Forbidden):
        noted(cloud.owner, all_projects=True).zones.list()
    with pytest.raises(exceptions.Forbidden):
        noted(cloud.other, sudo_project_id=cloud.owner.project_id).zones.list()
    with pytest.raises(exceptions.NotFound):
        other.zones.get(made["id"])
    with pytest.raises(exceptions.Conflict):
        owner.zones.create("dczone.example.", email="admin@example.com")
    with pytest.raises(exceptions.BadRequest):
        owner.zones.create("no-dot", email="admin@example.com")
    assert owner.zones.delete(made["id"])["action"] == "DELETE"


@exercises("zones.list")
def test_pages_of_zones_follow_their_links(owner):
    for number in range(5):
        owner.zones.create(f"dcpage{number}.example.", email="admin@example.com")
    first = owner.zones.list({"name": "dcpage*"}, limit=3)
    second = owner.zones.list(first.next_link_criterion)

    assert (len(first), first.next_page, len(second)) == (3, True, 2)
    assert len({zone["id"] for zone in [*first, *second]}) == 5


@exercises("zones.abandon", "zones.axfr", "zones.pool_move")
def test_what_happens_to_zones_as_a_whole(owner, admin, noted, cloud):
    cloud.zone(cloud.owner, "dcabandon.example.")
    as_owner = noted(cloud.admin, sudo_project_id=cloud.owner.project_id)
    with pytest.raises(exceptions.Forbidden):
        owner.zones.abandon("dcabandon.example.")
    as_owner.zones.abandon("dcabandon.example.")
    secondary = owner.zones.create(
        "dcsecondary.example.", type_="SECONDARY", masters=["127.0.0.1:1"]
    )
    owner.zones.axfr(secondary["id"])
    moved = cloud.zone(cloud.admin, "dcmove.example.")
    admin.zones.pool_move(moved["id"], {"pool_id": cloud.second_pool()})

    with pytest.raises(exceptions.NotFound):
        owner.zones.get("dcabandon.example.")
    assert secondary["masters"] == ["127.0.0.1:1"]
    assert admin.zones.get(moved["id"])["pool_id"] == cloud.second_pool()


@exercises(
    "recordsets.create", "recordsets.list", "recordsets.list_all_zones", "recordsets.get",
    "recordsets.update", "recordsets.delete",
)  # fmt: skip
def test_recordsets(owner, reader, other, noted, cloud):
    zone = cloud.zone(cloud.owner, "dcset.example.")["id"]
    made = owner.recordsets.create(
        "dcset.example.", "www", "A", ["192.0.2.1"], description="d", ttl=60
    )
    path = f"/zones/{zone}/recordsets/{made['id']}"
    cloud.until_active(cloud.owner, path)
    owner.recordsets.update(zone, "www.dcset.example.", {"records": ["192.0.2.2"]})
    cloud.until_active(cloud.owner, path)
    managed = owner.recordsets.list(zone, {"type": "NS"})[0]["id"]

    assert (made["name"], made["ttl"], made["description"]) == ("www.dcset.example.", 60, "d")
    assert reader.recordsets.get(zone, made["id"])["records"] == ["192.0.2.2"]
    assert texts(ask(cloud.service.dns, "www.dcset.example.", "A")) == {"192.0.2.2"}
    assert {found["type"] for found in owner.recordsets.list(zone)} == {"SOA", "NS", "A"}
    assert made["id"] in {found["id"] for found in owner.recordsets.list_all_zones({"type": "A"})}
    assert other.recordsets.list_all_zones() == []
    with pytest.raises(exceptions.BadRequest):
        owner.recordsets.delete(zone, managed)
    with pytest.raises(exceptions.Forbidden):
        noted(cloud.owner, edit_managed=True).recordsets.delete(zone, managed)
    managing = noted(cloud.admin, edit_managed=True, sudo_project_id=cloud.owner.project_id)
    assert managing.recordsets.delete(zone, managed)["type"] == "NS"
    with pytest.raises(exceptions.NotFound):
        other.recordsets.get(zone, made["id"])
    assert owner.recordsets.delete(zone, made["id"])["action"] == "DELETE"


@exercises("zones.delete")
def test_zones_are_deleted_with_their_files_and_shares(owner, noted, cloud):
    zone = cloud.zone(cloud.owner, "dchard.example.")["id"]
    owner.zone_share.create(zone, cloud.other.project_id)
    with pytest.raises(exceptions.BadRequest):
        owner.zones.delete(zone)
    with pytest.raises(exceptions.Forbidden):
        noted(cloud.owner, hard_delete=True).zones.delete(zone, delete_shares=True)
    hard = noted(cloud.admin, hard_delete=True, all_projects=True)

    assert hard.zones.delete(zone, delete_shares=True)["action"] == "DELETE"


@exercises(
    "zone_transfers.create_request", "zone_transfers.get_request", "zone_transfers.list_requests",
    "zone_transfers.update_request", "zone_transfers.delete_request",
    "zone_transfers.accept_request", "zone_transfers.get_accept", "zone_transfers.list_accepts",
)  # fmt: skip
def test_transfers(owner, other, noted, cloud):
    zone = cloud.zone(cloud.owner, "dctransfer.example.")["id"]
    dropped = owner.zone_transfers.create_request(zone, None, description="dropped")
    owner.zone_transfers.delete_request(dropped["id"])
    asked = owner.zone_transfers.create_request("dctransfer.example.", cloud.other.project_id)
    changed = owner.zone_transfers.update_request(asked["id"], {"description": "for you"})
    seen = other.zone_transfers.get_request(asked["id"])
    listed = other.zone_transfers.list_requests({"status": "ACTIVE"})
    with pytest.raises(exceptions.Forbidden):
        other.zone_transfers.accept_request(asked["id"], "WRONGKEY")
    accepted = other.zone_transfers.accept_request(asked["id"], asked["key"])

    assert (changed["description"], seen["zone_id"]) == ("for you", zone)
    assert "key" not in seen
    assert [found["id"] for found in listed] == [asked["id"]]
    assert other.zone_transfers.get_accept(accepted["id"])["status"] == "COMPLETE"
    accepts = noted(cloud.admin, all_projects=True).zone_transfers.list_accepts()
    assert accepted["id"] in {found["id"] for found in accepts}
    assert other.zones.get(zone)["project_id"] == cloud.other.project_id


@exercises("zone_share.create", "zone_share.list", "zone_share.get", "zone_share.delete")
def test_shares(owner, other, cloud):
    zone = cloud.zone(cloud.owner, "dcshare.example.")["id"]
    share = owner.zone_share.create("dcshare.example.", cloud.other.project_id)

    assert owner.zone_share.get(zone, share["id"])["target_project_id"] == cloud.other.project_id
    assert [found["id"] for found in owner.zone_share.list(zone)] == [share["id"]]
    assert other.zones.get("dcshare.example.")["shared"] is True
    owner.zone_share.delete(zone, share["id"])
    assert owner.zone_share.list(zone) == []


@exercises(
    "zone_exports.create", "zone_exports.get_export_record", "zone_exports.list",
    "zone_exports.get_export", "zone_exports.delete",
    "zone_imports.create", "zone_imports.get_import_record", "zone_imports.list",
    "zone_imports.delete",
)  # fmt: skip
def test_imports_and_exports(owner, cloud):
    made = owner.zone_imports.create(ZONEFILE.format(name="dcimport.example."))
    done = cloud.until_complete(cloud.owner, f"/zones/tasks/imports/{made['id']}")
    routed = owner.zone_imports.create(
        ZONEFILE.format(name="dcrouted.example."), attributes={"k": "v"}
    )
    cloud.until_complete(cloud.owner, f"/zones/tasks/imports/{routed['id']}")
    export = owner.zone_exports.create(done["zone_id"])
    cloud.until_complete(cloud.owner, f"/zones/tasks/exports/{export['id']}")
    text = owner.zone_exports.get_export(export["id"])

    assert owner.zone_imports.get_import_record(made["id"])["status"] == "COMPLETE"
    assert len(owner.zone_imports.list({"status": "COMPLETE"})) == 2
    assert owner.zones.get("dcrouted.example.")["attributes"] == {"k": "v"}
    assert owner.zone_exports.get_export_record(export["id"])["status"] == "COMPLETE"
    assert [found["id"] for found in owner.zone_exports.list()] == [export["id"]]
    assert text.splitlines()[:2] == ["$ORIGIN dcimport.example.", "$TTL 300"]
    assert "www.dcimport.example." in text
    owner.zone_exports.delete(export["id"])
    owner.zone_imports.delete(made["id"])
    assert owner.zone_exports.list() == []
    with pytest.raises(exceptions.NotFound):
        owner.zone_imports.get_import_record(made["id"])


@exercises("floatingips.set", "floatingips.list", "floatingips.get", "floatingips.unset")
def test_floating_ips(owner, other, cloud):
    key = f"{cloud.region}:{cloud.neutron.has(cloud.owner.project_id, '198.51.100.9')}"
    set_ = owner.floatingips.set(key, "dc.example.", description="d", ttl=120)
    shown = owner.floatingips.get(key)

    assert (set_["ptrdname"], set_["action"], shown["ttl"]) == ("dc.example.", "CREATE", 120)
    assert [found["id"] for found in owner.floatingips.list()] == [key]
    assert other.floatingips.list() == []
    owner.floatingips.unset(key)
    assert owner.floatingips.get(key)["ptrdname"] is None


@exercises("limits.get", "quotas.list", "quotas.update", "quotas.reset")
def test_limits_and_quotas(owner, noted, cloud):
    project = cloud.other.project_id
    everywhere = noted(cloud.admin, all_projects=True)
    changed = everywhere.quotas.update(project, {"zones": 17})
    shown = everywhere.quotas.list(project)
    everywhere.quotas.reset(project)

    assert owner.limits.get()["max_zones"] == owner.quotas.list()["zones"] == -1
    assert (changed["zones"], shown["zones"]) == (17, 17)
    assert everywhere.quotas.list(project)["zones"] == -1
    with pytest.raises(exceptions.Forbidden):
        owner.quotas.update(cloud.owner.project_id, {"zones": 17})


@exercises("limits.get")
def test_a_quota_that_is_used_up_is_an_error_of_its_own(other, noted, cloud):
    everywhere = noted(cloud.admin, all_projects=True)
    everywhere.quotas.update(cloud.other.project_id, {"zones": 0})
    try:
        assert other.limits.get()["max_zones"] == 0
        with pytest.raises(exceptions.OverQuota):
            other.zones.create("dcquota.example.", email="admin@example.com")
    finally:
        everywhere.quotas.reset(cloud.other.project_id)


@exercises("service_statuses.list", "service_statuses.get", "pools.list")
def test_what_administrators_look_at(admin, owner):
    (mdns,) = admin.service_statuses.list({"service_name": "mdns"})

    assert admin.service_statuses.get(mdns["id"])["status"] == "UP"
    assert "default" in {pool["name"] for pool in admin.pools.list()}
    for refused in (owner.service_statuses.list, owner.pools.list):
        with pytest.raises(exceptions.Forbidden):
            refused()


@exercises("tlds.create", "tlds.list", "tlds.get", "tlds.update", "tlds.delete")
def test_tlds(admin, owner):
    made = admin.tlds.create("dctld", description="d")
    try:
        changed = admin.tlds.update("dctld", {"description": "e"})
        assert (changed["description"], admin.tlds.get("dctld")["id"]) == ("e", made["id"])
        assert [found["name"] for found in admin.tlds.list({"name": "dctld"})] == ["dctld"]
        with pytest.raises(exceptions.Forbidden):
            owner.tlds.list()
    finally:
        admin.tlds.delete(made["id"])
    assert admin.tlds.list({"name": "dctld"}) == []


@exercises(
    "blacklists.create", "blacklists.list", "blacklists.get", "blacklists.update",
    "blacklists.delete",
)  # fmt: skip
def test_blacklists(admin, owner):
    made = admin.blacklists.create(r"^dcbad\.", description="d")
    changed = admin.blacklists.update(made["id"], {"description": "e"})

    assert (admin.blacklists.get(made["id"])["pattern"], changed["description"]) == (
        r"^dcbad\.", "e",
    )  # fmt: skip
    assert [found["id"] for found in admin.blacklists.list()] == [made["id"]]
    with pytest.raises(exceptions.BadRequest):
        owner.zones.create("dcbad.example.", email="admin@example.com")
    admin.blacklists.delete(made["id"])
    assert admin.blacklists.list() == []


@exercises("tsigkeys.create", "tsigkeys.list", "tsigkeys.get", "tsigkeys.update", "tsigkeys.delete")
def test_tsigkeys(admin, cloud):
    zone = cloud.zone(cloud.owner, "dckey.example.")["id"]
    made = admin.tsigkeys.create("dc.", "hmac-sha256", "c2VjcmV0", "ZONE", zone)
    changed = admin.tsigkeys.update(made["id"], {"algorithm": "hmac-sha512"})

    assert changed["algorithm"] == "hmac-sha512"
    assert admin.tsigkeys.get(made["id"])["resource_id"] == zone
    assert [found["id"] for found in admin.tsigkeys.list({"name": "dc."})] == [made["id"]]
    admin.tsigkeys.delete(made["id"])
    assert admin.tsigkeys.list({"name": "dc."}) == []
