"""openstacksdk, unmodified, through a real Keystone: every method of its DNS proxy."""

from __future__ import annotations

import inspect

import openstack
import pytest
from openstack import exceptions
from openstack.dns.v2 import _proxy

from tests.support.deadlines import scaled
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

ZONEFILE = """$ORIGIN sdkimport.example.
$TTL 300
@ IN SOA ns1.example.org. admin.example.com. 1 3600 600 86400 300
@ IN NS ns1.example.org.
www IN A 192.0.2.1
"""


def sent(call, *arguments, **named):
    """Return the result of the call; None if this release of the SDK itself fails.

    Some releases leave parts of a URL out (KeyError), write others twice (NotFoundException), or do not
    expect a null response (AttributeError).
    """
    try:
        return call(*arguments, **named)
    except (KeyError, AttributeError, exceptions.NotFoundException):
        return None


@pytest.fixture(scope="module")
def cloud(keystone, tmp_path_factory):
    with Cloud(keystone, tmp_path_factory.mktemp("sdk")) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def connections(cloud):
    accounts = {name: getattr(cloud, name) for name in ("admin", "owner", "other", "reader")}
    made = {
        name: openstack.connect(
            load_yaml_config=False,
            load_envvars=False,
            **cloud.keystone.cloud(account, cloud.region),
        )
        for name, account in accounts.items()
    }
    yield made
    for connection in made.values():
        connection.close()


@pytest.fixture
def calls(request):
    calls = CallRecorder()
    yield calls
    assert_exercised(request.function, calls)


@pytest.fixture
def owner(connections, calls):
    return calls.of(connections["owner"].dns)


@pytest.fixture
def admin(connections, calls):
    return calls.of(connections["admin"].dns)


@pytest.fixture
def other(connections, calls):
    return calls.of(connections["other"].dns)


@pytest.fixture
def reader(connections, calls):
    return calls.of(connections["reader"].dns)


def test_no_method_of_the_proxy_is_left_out():
    known = {
        name
        for name, _ in inspect.getmembers(_proxy.Proxy, inspect.isfunction)
        if name in vars(_proxy.Proxy) and not name.startswith("_")
    }

    assert set(exercised_in(globals())) == known


@exercises(
    "create_zone", "get_zone", "find_zone", "zones", "update_zone", "delete_zone",
    "wait_for_status", "wait_for_delete", "zone_nameservers",
)  # fmt: skip
def test_zones(owner, other, reader, admin):
    made = owner.create_zone(
        name="sdkzone.example.", email="admin@example.com", ttl=300, attributes={"k": "v"}
    )
    active = owner.wait_for_status(made, "ACTIVE", interval=0.02, wait=20)
    changed = owner.update_zone(made, description="changed", ttl=600)
    owner.wait_for_status(changed, "ACTIVE", interval=0.02, wait=20)
    shown = reader.get_zone(made.id)

    assert (active.status, active.action) == ("ACTIVE", "NONE")
    assert (shown.name, shown.ttl, shown.description) == ("sdkzone.example.", 600, "changed")
    assert shown.attributes == {"k": "v"}
    assert shown.project_id
    assert owner.find_zone("sdkzone.example.").id == made.id
    assert owner.find_zone(made.id).id == made.id
    assert other.find_zone("sdkzone.example.") is None
    assert [zone.id for zone in owner.zones(name="sdkzone.example.")] == [made.id]
    assert list(other.zones()) == []
    assert [zone.id for zone in admin.zones(all_projects=True, name="sdkzone.*")] == [made.id]
    assert [zone.id for zone in admin.zones(project_id=shown.project_id, name="sdkzone.*")] == [
        made.id
    ]
    assert [ns.hostname for ns in owner.zone_nameservers(made)] == ["ns1.localhost."]
    with pytest.raises(exceptions.ForbiddenException):
        reader.update_zone(made, description="no")
    with pytest.raises(exceptions.NotFoundException):
        other.delete_zone(made, ignore_missing=False)
    owner.delete_zone(made)
    owner.wait_for_delete(made, interval=0.02, wait=20)
    assert owner.find_zone("sdkzone.example.") is None


@exercises("zones")
def test_all_pages_of_zones(owner):
    names = {f"sdkpage{number}.example." for number in range(7)}
    for name in names:
        owner.create_zone(name=name, email="admin@example.com")

    listed = [zone.name for zone in owner.zones(limit=3, name="sdkpage*")]

    assert len(listed) == 7
    assert set(listed) == names


@exercises("abandon_zone", "xfr_zone")
def test_what_administrators_do_with_zones(admin, owner, cloud):
    kept = cloud.zone(cloud.owner, "sdkabandon.example.")
    with pytest.raises(exceptions.ForbiddenException):
        owner.abandon_zone(kept["id"])
    mine = cloud.zone(cloud.admin, "sdkabandoned.example.")
    admin.abandon_zone(mine["id"])
    secondary = owner.create_zone(
        name="sdksecondary.example.", type="SECONDARY", masters=["127.0.0.1:1"]
    )
    owner.xfr_zone(secondary)

    assert admin.find_zone("sdkabandoned.example.") is None
    assert secondary.masters == ["127.0.0.1:1"]
    with pytest.raises(exceptions.BadRequestException):
        owner.xfr_zone(kept["id"])


@exercises(
    "create_recordset", "get_recordset", "find_recordset", "recordsets", "update_recordset",
    "delete_recordset",
)  # fmt: skip
def test_recordsets(owner, reader, other, cloud):
    zone = cloud.zone(cloud.owner, "sdkset.example.")["id"]
    made = owner.create_recordset(
        zone, name="www.sdkset.example.", type="A", records=["192.0.2.1"], ttl=60, description="d"
    )
    path = f"/zones/{zone}/recordsets/{made.id}"
    cloud.until_active(cloud.owner, path)
    changed = owner.update_recordset(made, records=["192.0.2.2", "192.0.2.3"], zone_id=zone)
    cloud.until_active(cloud.owner, path)
    served = texts(ask(cloud.service.dns, "www.sdkset.example.", "A"))
    shown = reader.get_recordset(made.id, zone)

    assert (changed.action, changed.ttl, changed.description) == ("UPDATE", 60, "d")
    assert sorted(shown.records) == ["192.0.2.2", "192.0.2.3"]
    assert served == {"192.0.2.2", "192.0.2.3"}
    assert owner.find_recordset(zone, "www.sdkset.example.").id == made.id
    assert {found.type for found in owner.recordsets(zone)} == {"SOA", "NS", "A"}
    assert [found.id for found in owner.recordsets(zone, data="192.0.2.3")] == [made.id]
    everywhere = sent(lambda: [found.id for found in owner.recordsets()])
    assert everywhere is None or made.id in everywhere
    with pytest.raises(exceptions.NotFoundException):
        other.get_recordset(made.id, zone)
    owner.delete_recordset(made, zone)
    assert owner.find_recordset(zone, "www.sdkset.example.") is None


@exercises("create_zone_import", "get_zone_import", "zone_imports", "delete_zone_import")
def test_imports(owner, cloud):
    """This version of the SDK sends no zone file: its import ends with what is missing."""
    made = owner.create_zone_import()
    path = f"/zones/tasks/imports/{made.id}"
    token = {"X-Auth-Token": cloud.token(cloud.owner)}
    sent = cloud.service.http.post(
        f"{cloud.service.url}/v2/zones/tasks/imports",
        data=ZONEFILE,
        headers={**token, "Content-Type": "text/dns"},
        timeout=scaled(10),
    ).json()
    done = cloud.until_complete(cloud.owner, f"/zones/tasks/imports/{sent['id']}")
    shown = owner.get_zone_import(sent["id"])

    assert (shown.status, shown.zone_id) == ("COMPLETE", done["zone_id"])
    assert {made.id, sent["id"]} <= {found.id for found in owner.zone_imports()}
    assert [found.id for found in owner.zone_imports(zone_id=shown.zone_id)] == [sent["id"]]
    owner.delete_zone_import(made)
    assert cloud.call(cloud.owner, "GET", path)[0] == 404


@exercises(
    "create_zone_export", "get_zone_export", "get_zone_export_text", "zone_exports",
    "delete_zone_export",
)  # fmt: skip
def test_exports(owner, cloud):
    zone = cloud.zone(cloud.owner, "sdkexport.example.")["id"]
    if made := sent(owner.create_zone_export, zone):
        export_id = made.id
    else:
        export_id = cloud.call(cloud.owner, "POST", f"/zones/{zone}/tasks/export")[1]["id"]
    cloud.until_complete(cloud.owner, f"/zones/tasks/exports/{export_id}")
    shown = owner.get_zone_export(export_id)
    text = sent(owner.get_zone_export_text, export_id)

    assert (shown.status, shown.zone_id) == ("COMPLETE", zone)
    assert text is None or text.id == export_id
    assert export_id in {found.id for found in owner.zone_exports()}
    assert [found.id for found in owner.zone_exports(zone_id=zone)] == [export_id]
    owner.delete_zone_export(export_id)
    assert owner.find_zone("sdkexport.example.") is not None
    assert cloud.call(cloud.owner, "GET", f"/zones/tasks/exports/{export_id}")[0] == 404


@exercises("floating_ips", "get_floating_ip", "update_floating_ip", "unset_floating_ip")
def test_floating_ips(owner, other, cloud):
    address_id = cloud.neutron.has(cloud.owner.project_id, "198.51.100.7")
    key = f"{cloud.region}:{address_id}"
    assert [found.id for found in owner.floating_ips()] == [key]
    set_ = owner.update_floating_ip(key, ptrdname="sdk.example.", ttl=120, description="d")
    shown = owner.get_floating_ip(key)

    assert (set_.ptrdname, set_.action) == ("sdk.example.", "CREATE")
    assert (shown.address, shown.ptrdname, shown.ttl, shown.description) == (
        "198.51.100.7", "sdk.example.", 120, "d",
    )  # fmt: skip
    assert list(other.floating_ips()) == []
    with pytest.raises(exceptions.NotFoundException):
        other.get_floating_ip(key)
    sent(owner.unset_floating_ip, key)
    assert owner.get_floating_ip(key).ptrdname is None


@exercises(
    "create_zone_transfer_request", "get_zone_transfer_request", "zone_transfer_requests",
    "update_zone_transfer_request", "delete_zone_transfer_request",
    "create_zone_transfer_accept", "get_zone_transfer_accept", "zone_transfer_accepts",
)  # fmt: skip
def test_transfers(owner, other, admin, cloud):
    zone = cloud.zone(cloud.owner, "sdktransfer.example.")["id"]
    body = {"target_project_id": cloud.other.project_id}
    asked = []
    for _ in range(2):
        made = sent(owner.create_zone_transfer_request, zone, **body)
        path = f"/zones/{zone}/tasks/transfer_requests"
        asked.append(made or cloud.call(cloud.owner, "POST", path, body)[1])
        if len(asked) == 1:
            owner.delete_zone_transfer_request(asked[0]["id"])
    asked = owner.get_zone_transfer_request(asked[1]["id"])
    changed = owner.update_zone_transfer_request(asked, description="for you")
    seen = other.get_zone_transfer_request(asked.id)
    requests = [found.id for found in other.zone_transfer_requests(status="ACTIVE")]
    accepted = other.create_zone_transfer_accept(key=asked.key, zone_transfer_request_id=asked.id)
    shown = other.get_zone_transfer_accept(accepted.id)

    assert (changed.description, seen.zone_id, requests) == ("for you", zone, [asked.id])
    assert (accepted.status, shown.zone_id) == ("COMPLETE", zone)
    assert other.get_zone(zone).project_id == cloud.other.project_id
    with pytest.raises(exceptions.NotFoundException):
        owner.get_zone(zone)
    assert accepted.id in {found.id for found in admin.zone_transfer_accepts(all_projects=True)}
    with pytest.raises(exceptions.ForbiddenException):
        list(other.zone_transfer_accepts())


@exercises(
    "create_zone_share", "get_zone_share", "find_zone_share", "zone_shares", "delete_zone_share",
)  # fmt: skip
def test_shares(owner, other, cloud):
    zone = cloud.zone(cloud.owner, "sdkshare.example.")["id"]
    share = owner.create_zone_share(zone, target_project_id=cloud.other.project_id)
    shown = owner.get_zone_share(zone, share.id)
    set_ = other.create_recordset(
        zone, name="theirs.sdkshare.example.", type="A", records=["192.0.2.9"]
    )

    assert shown.target_project_id == cloud.other.project_id
    assert owner.find_zone_share(zone, share.id).id == share.id
    assert [found.id for found in owner.zone_shares(zone)] == [share.id]
    assert other.get_zone(zone).id == zone
    other.delete_recordset(set_, zone)
    owner.delete_zone_share(zone, share.id)
    assert list(owner.zone_shares(zone)) == []
    with pytest.raises(exceptions.NotFoundException):
        other.get_zone(zone)


@exercises("limits", "quotas", "get_quota", "update_quota", "delete_quota")
def test_limits_and_quotas(owner, admin, cloud):
    project = cloud.other.project_id
    (limits,) = owner.limits()
    (own,) = owner.quotas()
    changed = admin.update_quota(project, zones=17)
    shown = admin.get_quota(project)
    admin.delete_quota(project)

    assert limits.max_zones == own.zones == -1
    assert (changed.zones, shown.zones) == (17, 17)
    assert admin.get_quota(project).zones == -1
    with pytest.raises(exceptions.ForbiddenException):
        owner.update_quota(cloud.owner.project_id, zones=1000)


@exercises("service_statuses", "get_service_status")
def test_service_statuses(admin, owner):
    found = {status.service_name: status for status in admin.service_statuses()}

    assert {"api", "central", "mdns", "producer", "worker"} <= set(found)
    assert admin.get_service_status(found["mdns"].id).status == "UP"
    with pytest.raises(exceptions.ForbiddenException):
        list(owner.service_statuses())


@exercises("create_tld", "get_tld", "find_tld", "tlds", "update_tld", "delete_tld")
def test_tlds(admin, owner):
    for needed in ("example", "arpa"):
        admin.create_tld(name=needed)
    made = admin.create_tld(name="sdktld", description="d")
    changed = admin.update_tld(made, description="e")

    assert (admin.get_tld(made.id).description, changed.name) == ("e", "sdktld")
    assert admin.find_tld("sdktld").id == made.id
    assert [found.id for found in admin.tlds(name="sdktld")] == [made.id]
    with pytest.raises(exceptions.ForbiddenException):
        owner.create_tld(name="mine")
    with pytest.raises(exceptions.BadRequestException):
        owner.create_zone(name="zone.elsewhere.", email="admin@example.com")
    for found in list(admin.tlds()):
        admin.delete_tld(found)
    assert admin.find_tld("sdktld") is None


@exercises("create_tsigkey", "get_tsigkey", "find_tsigkey", "tsigkeys", "delete_tsigkey")
def test_tsigkeys(admin, owner, cloud):
    zone = cloud.zone(cloud.owner, "sdkkey.example.")["id"]
    made = admin.create_tsigkey(
        name="sdk.", algorithm="hmac-sha256", secret="c2VjcmV0", scope="ZONE", resource_id=zone
    )

    assert admin.get_tsigkey(made.id).resource_id == zone
    assert admin.find_tsigkey("sdk.").id == made.id
    assert [found.id for found in admin.tsigkeys(name="sdk.")] == [made.id]
    with pytest.raises(exceptions.ForbiddenException):
        list(owner.tsigkeys())
    admin.delete_tsigkey(made)
    assert admin.find_tsigkey("sdk.") is None


@exercises(
    "create_blacklist", "get_blacklist", "blacklists", "update_blacklist", "delete_blacklist"
)
def test_blacklists(admin, owner):
    made = admin.create_blacklist(pattern=r"^sdkbad\.", description="d")
    changed = admin.update_blacklist(made, description="e")

    assert (admin.get_blacklist(made.id).pattern, changed.description) == (r"^sdkbad\.", "e")
    assert made.id in {found.id for found in admin.blacklists()}
    with pytest.raises(exceptions.BadRequestException):
        owner.create_zone(name="sdkbad.example.", email="admin@example.com")
    with pytest.raises(exceptions.ForbiddenException):
        list(owner.blacklists())
    admin.delete_blacklist(made)
    assert owner.create_zone(name="sdkbad.example.", email="admin@example.com").id
