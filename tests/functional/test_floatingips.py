"""PTR records of floating IPs through the REST API, with a fake Neutron and real DNS queries."""

import itertools
import json
import logging
import subprocess
import uuid
import warnings
from concurrent.futures import ThreadPoolExecutor

import dns.query
import dns.xfr
import pytest
import requests
import sqlalchemy as sa

from designate import errors
from designate.api.resources import floatingips as resource
from designate.central import network
from designate.central.neutron import Neutron as NeutronApi
from designate.context import Context
from designate.model.floatingips import NetworkEndpoint
from designate.model.recordsets import RecordSetDraft
from designate.model.zones import ZoneDraft
from designate.storage.sqlalchemy import recordsets
from designate.storage.sqlalchemy.tables import zone_journal
from tests.support.deadlines import scaled, until
from tests.support.fakes.neutron import Neutron
from tests.support.servers.nameservers import free_port
from tests.support.servers.standalone import Service, ask, make_conf, texts, transferred

MEMBERS = ["id", "description", "address", "ptrdname", "ttl", "action", "status", "links"]
NOBODYS = "00000000-0000-0000-0000-000000000000"
ANY_ID = "8a5b0f4e-6c55-4f0c-9d53-0e2f6e1b7a11"
REGION = "RegionOne"
PATH = "/reverse/floatingips"
SECRET = "gAAAA-a-token-that-nobody-may-read"
networks = itertools.count(1)
projects = itertools.count(1)


@pytest.fixture(scope="module")
def neutron():
    with Neutron() as neutron:
        yield neutron


@pytest.fixture(scope="module")
def service(neutron, tmp_path_factory):
    """A service with the default quota of ten zones per project."""
    options = {"endpoints": [f"{REGION}|{neutron.url}"], "timeout": 3}
    folder = tmp_path_factory.mktemp("floatingips")
    overrides = {"network_api:neutron": options, "DEFAULT": {"quota_zones": 10}}
    with Service(folder, **overrides) as service:
        yield service


@pytest.fixture(autouse=True)
def healthy(neutron):
    yield
    neutron.behave = None
    neutron.page_size = 1000


class Project:
    """An API client with its own project."""

    def __init__(self, service, neutron, roles="reader"):
        self.service, self.neutron = service, neutron
        self.id = f"project{next(projects)}"
        self.token = f"token-of-{self.id}"
        neutron.tokens[self.token] = self.id
        self.headers = {
            "X_Auth_Project_ID": self.id, "X_Auth_Token": self.token, "X_Roles": roles,
        }  # fmt: skip

    def call(self, method, path="", body=None, **more):
        return self.service.call(method, f"{PATH}{path}", body, **{**self.headers, **more})

    def has(self, address, id=None):
        return f"{REGION}:{self.neutron.has(self.id, address, id)}"

    def show(self, key):
        status, found = self.call("GET", f"/{key}")
        assert status == 200, found
        return found

    def set(self, key, name, **more):
        status, found = self.call("PATCH", f"/{key}", {"ptrdname": name, **more})
        assert status == 202, found
        return found


@pytest.fixture
def mine(service, neutron):
    return Project(service, neutron)


@pytest.fixture
def other(service, neutron):
    return Project(service, neutron)


@pytest.fixture
def net():
    """The first three octets of addresses that no other test uses."""
    return f"10.77.{next(networks)}"


def reverse_of(address):
    return ".".join(reversed(address.split("."))) + ".in-addr.arpa."


def resolved(service, address):
    return texts(ask(service.dns, reverse_of(address), "PTR"))


def zones_of(service, name):
    status, found = service.call("GET", f"/zones?name={name}", X_Auth_All_Projects="true")
    assert status == 200
    return found["zones"]


# -- reading ---------------------------------------------------------------------------------------


def test_a_floating_ip_without_a_name_is_inactive(mine, net):
    key = mine.has(f"{net}.1")

    found = mine.show(key)

    assert list(found) == MEMBERS
    assert found["links"]["self"].endswith(f"/v2{PATH}/{key}")
    assert {k: v for k, v in found.items() if k != "links"} == {
        "id": key, "address": f"{net}.1", "description": None, "ptrdname": None, "ttl": None,
        "action": "NONE", "status": "INACTIVE",
    }  # fmt: skip


def test_the_list_holds_all_of_the_project_and_nothing_else(mine, other, net):
    named, bare = mine.has(f"{net}.1"), mine.has(f"{net}.2")
    other.has(f"{net}.3")
    mine.set(named, "www.example.com.")

    status, body = mine.call("GET", "?limit=1&marker=x&ptrdname=no")

    assert status == 200
    assert list(body) == ["floatingips", "links"]
    assert list(body["links"]) == ["self"]
    assert {item["id"]: item["ptrdname"] for item in body["floatingips"]} == {
        named: "www.example.com.", bare: None,
    }  # fmt: skip


def test_an_empty_list(mine):
    status, body = mine.call("GET")

    assert (status, body["floatingips"]) == (200, [])


def test_all_pages_of_neutron_are_read(mine, neutron, net):
    neutron.page_size = 3
    keys = {mine.has(f"{net}.{n}") for n in range(1, 9)}
    neutron.requests.clear()

    status, body = mine.call("GET")

    assert status == 200
    assert {item["id"] for item in body["floatingips"]} == keys
    assert len(body["floatingips"]) == 8
    assert len(neutron.requests) == 3


def test_one_floating_ip_is_one_question_for_it_alone(mine, neutron, net):
    mine.has(f"{net}.1")
    key = mine.has(f"{net}.2")
    neutron.requests.clear()

    mine.show(key)

    (asked,) = neutron.requests
    assert f"id={key.split(':')[1]}" in asked
    assert f"project_id={mine.id}" in asked


def test_the_list_costs_the_same_statements_however_long(service, mine, net):
    """One query per thousand addresses, by the index of managed_extra."""
    seen = []
    keys = [mine.has(f"{net}.{n}") for n in range(1, 4)]
    mine.set(keys[0], "a.example.com.")
    engine = service.parts.database.engine

    def executed(_connection, _cursor, statement, *_):
        if "managed_extra IN" in statement:
            seen.append(statement)

    sa.event.listen(engine, "before_cursor_execute", executed)
    try:
        mine.call("GET")
        few = len(seen)
        for n in range(4, 60):
            mine.has(f"{net}.{n}")
        seen.clear()
        mine.call("GET")
    finally:
        sa.event.remove(engine, "before_cursor_execute", executed)
    assert (few, len(seen)) == (1, 1)


@pytest.mark.parametrize("by", ["extra", "resource_id"])
def test_managed_recordsets_are_found_by_an_index(service, mine, net, by):
    """The database never scans the whole table."""
    key = mine.has(f"{net}.1")
    mine.set(key, "a.example.com.")
    wanted = {"extra": f"{net}.1", "resource_id": key.split(":")[1]}[by]
    plans = []
    engine = service.parts.database.engine

    def executed(connection, _cursor, statement, parameters, *_):
        if statement.startswith("SELECT") and "managed_resource_type = " in statement:
            raw = connection.connection.cursor()
            plan = raw.execute("EXPLAIN QUERY PLAN " + statement, parameters).fetchall()
            plans.extend(row[-1] for row in plan)

    sa.event.listen(engine, "before_cursor_execute", executed)
    try:
        with service.parts.database.read() as connection:
            found = recordsets.find_managed(connection, "ptr:floatingip", by, [wanted, "none"])
    finally:
        sa.event.remove(engine, "before_cursor_execute", executed)

    ((stored, zone_ttl),) = found
    assert (stored.recordset.managed_by.extra, zone_ttl) == (f"{net}.1", 3600)
    assert any(f"ix_recordsets_managed_{by}" in step for step in plans)
    assert not any(step.startswith("SCAN") for step in plans)


@pytest.mark.parametrize(
    "key",
    [
        "x", "RegionOne", ":", f":{ANY_ID}", "RegionOne:", "RegionOne:not-a-uuid",
        f"RegionOne:{ANY_ID.replace('-', '')}", f"Reg ion:{ANY_ID}", f"{'r' * 101}:{ANY_ID}",
        f"RegionOne:{ANY_ID}x", f"a:b:{ANY_ID}", ANY_ID,
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_a_key_of_another_shape_is_a_bad_request(mine, method, key):
    body = {"ptrdname": "www.example.com."} if method == "PATCH" else None

    status, found = mine.call(method, f"/{key}", body)

    assert (status, found["type"]) == (400, "bad_request")


@pytest.mark.parametrize("body", [{"ptrdname": "www.example.com."}, {"ptrdname": None}, None])
def test_what_the_project_does_not_have_is_not_found(mine, other, net, body):
    foreign = other.has(f"{net}.1")
    unknown = [f"{REGION}:{uuid.uuid4()}", f"Elsewhere:{foreign.split(':')[1]}", foreign]
    for key in unknown:
        status, found = mine.call("PATCH" if body else "GET", f"/{key}", body)

        assert (status, found["type"]) == (404, "not_found")
    assert other.show(foreign)["status"] == "INACTIVE"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", PATH), ("DELETE", PATH), ("PATCH", PATH), ("PUT", PATH),
        ("POST", f"{PATH}/{REGION}:{NOBODYS}"), ("DELETE", f"{PATH}/{REGION}:{NOBODYS}"),
        ("PUT", f"{PATH}/{REGION}:{NOBODYS}"), ("GET", "/reverse"), ("POST", "/reverse"),
    ],
)  # fmt: skip
def test_other_methods_are_not_allowed(service, mine, method, path):
    status, found = service.call(method, path, {}, **mine.headers)

    assert (status, found["type"]) == (405, "method_not_allowed")


def test_an_administrator_acts_for_a_project(service, neutron, mine, net):
    key = mine.has(f"{net}.1")
    mine.set(key, "www.example.com.")
    neutron.tokens["boss"] = Neutron.ADMIN
    boss = {"X_Auth_Project_ID": "bosses", "X_Auth_Token": "boss", "X_Roles": "admin"}
    path = f"{PATH}/{key}"

    assert service.call("GET", path, **boss)[0] == 404
    assert service.call("GET", path, **boss, X_Auth_All_Projects="true")[0] == 404
    status, found = service.call("GET", path, **boss, X_Auth_Sudo_Project_ID=mine.id)
    assert (status, found["ptrdname"]) == (200, "www.example.com.")


# -- setting ---------------------------------------------------------------------------------------


def test_a_name_is_set_and_answers_in_dns(service, mine, net):
    key = mine.has(f"{net}.9")

    found = mine.set(key, "www.example.com.", ttl=300, description="a description")

    assert list(found) == MEMBERS
    assert (found["id"], found["address"]) == (key, f"{net}.9")
    assert (found["action"], found["status"]) == ("CREATE", "PENDING")
    assert (found["ptrdname"], found["ttl"]) == ("www.example.com.", 300)
    assert found["description"] == "a description"
    now = until(lambda: (f := mine.show(key))["status"] == "ACTIVE" and f, 10, "ACTIVE")
    assert now == {**found, "action": "NONE", "status": "ACTIVE"}
    answer = ask(service.dns, reverse_of(f"{net}.9"), "PTR")
    assert texts(answer) == {"www.example.com."}
    assert answer.answer[0].ttl == 300


def test_a_change_resets_what_is_left_out(service, mine, net):
    key = mine.has(f"{net}.9")
    mine.set(key, "www.example.com.", ttl=300, description="a description")

    found = mine.set(key, "mail.example.com.")

    assert (found["action"], found["status"]) == ("UPDATE", "PENDING")
    assert (found["ptrdname"], found["ttl"], found["description"]) == (
        "mail.example.com.", 3600, None,
    )  # fmt: skip
    until(lambda: resolved(service, f"{net}.9") == {"mail.example.com."}, 10, "the new name")
    until(lambda: mine.show(key)["status"] == "ACTIVE", 10, "ACTIVE")
    assert ask(service.dns, reverse_of(f"{net}.9"), "PTR").answer[0].ttl == 3600


def test_a_ttl_alone_changes_what_dns_says(service, mine, net):
    key = mine.has(f"{net}.9")
    mine.set(key, "www.example.com.", ttl=300)
    mine.set(key, "www.example.com.", ttl="77")

    def ttl():
        answer = ask(service.dns, reverse_of(f"{net}.9"), "PTR").answer
        return answer and answer[0].ttl == 77

    until(ttl, 10, "TTL 77")


def test_a_name_is_unset(service, mine, net):
    key = mine.has(f"{net}.9")
    mine.set(key, "www.example.com.")
    until(lambda: resolved(service, f"{net}.9"), 10, "the name")

    assert mine.call("PATCH", f"/{key}", {"ptrdname": None}) == (202, None)

    found = mine.show(key)
    assert (found["status"], found["ptrdname"], found["ttl"]) == ("INACTIVE", None, None)
    until(lambda: not resolved(service, f"{net}.9"), 10, "no name")
    status, body = mine.call("PATCH", f"/{key}", {"ptrdname": None})
    assert (status, body["type"]) == (404, "not_found")
    assert mine.set(key, "again.example.com.")["action"] == "CREATE"


@pytest.mark.parametrize("body", [{}, {"ttl": 5}, {"description": "x", "ttl": None}])
def test_without_ptrdname_nothing_changes(mine, net, body):
    key = mine.has(f"{net}.9")
    mine.set(key, "www.example.com.", ttl=300, description="d")

    assert mine.call("PATCH", f"/{key}", body) == (202, None)

    found = mine.show(key)
    assert (found["ptrdname"], found["ttl"], found["description"]) == ("www.example.com.", 300, "d")


NAME = {"ptrdname": "www.example.com."}


@pytest.mark.parametrize(
    "body",
    [
        {"ptrdname": "www.example.com"}, {"ptrdname": ""}, {"ptrdname": "@!.example.com."},
        {"ptrdname": 5}, {"ptrdname": ["www.example.com."]}, {"ptrdname": "a" * 5000 + "."},
        {**NAME, "ttl": -10}, {**NAME, "ttl": 2**31}, {**NAME, "ttl": "soon"},
        {**NAME, "description": "d" * 161}, {"description": "d" * 5000}, {"ttl": -1},
        {**NAME, "address": "192.0.2.1"}, {**NAME, "status": "ACTIVE"}, {"nope": 1},
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_body_is_an_invalid_object(mine, net, body):
    key = mine.has(f"{net}.9")

    status, found = mine.call("PATCH", f"/{key}", body)

    assert (status, found["type"]) == (400, "invalid_object")
    assert found["message"]
    assert mine.show(key)["status"] == "INACTIVE"


def test_a_ttl_below_the_minimum(service, mine, net):
    key = mine.has(f"{net}.9")
    service.conf.set_override("min_ttl", 60, "service:central")
    try:
        status, found = mine.call("PATCH", f"/{key}", {**NAME, "ttl": 59})
        assert (status, found["type"]) == (400, "invalid_ttl")
        assert mine.set(key, "www.example.com.", ttl=60)["ttl"] == 60
    finally:
        service.conf.clear_override("min_ttl", "service:central")


# -- zones -----------------------------------------------------------------------------------------


def test_the_zone_is_the_managed_projects_and_the_recordset_the_callers(service, mine, net):
    key = mine.has(f"{net}.9")
    mine.set(key, "www.example.com.")

    (zone,) = zones_of(service, reverse_of(net))
    assert (zone["project_id"], zone["email"]) == (NOBODYS, "hostmaster@example.com")
    headers = {**mine.headers, "X_Roles": "reader"}
    assert service.call("GET", f"/zones/{zone['id']}", **headers)[0] == 404
    _, found = service.call("GET", "/recordsets?type=PTR", **headers)
    ((recordset),) = found["recordsets"]
    assert (recordset["name"], recordset["project_id"]) == (reverse_of(f"{net}.9"), mine.id)
    admin = {"X_Roles": "admin", "X_Auth_All_Projects": "true"}
    path = f"/zones/{zone['id']}/recordsets/{recordset['id']}"
    status, body = service.call("PUT", path, {"records": ["evil.example.com."]}, **admin)
    assert (status, body["type"]) == (400, "bad_request")
    status, body = service.call("DELETE", path, **admin)
    assert (status, body["type"]) == (400, "bad_request")


def test_what_a_recordset_stands_for_is_stored(service, mine, net):
    key = mine.has(f"{net}.9")
    mine.set(key, "www.example.com.")

    with service.parts.database.read() as connection:
        ((stored, _),) = recordsets.find_managed(
            connection, "ptr:floatingip", "extra", [f"{net}.9"]
        )

    managed = stored.recordset.managed_by
    assert (managed.plugin_name, managed.plugin_type) == ("neutron", "network_api")
    assert f"{managed.resource_region}:{managed.resource_id}" == key
    assert (managed.extra, managed.project_id) == (f"{net}.9", mine.id)


def test_the_default_quota_of_zones_is_no_limit(service, mine):
    for n in range(12):
        mine.set(mine.has(f"10.78.{n}.1"), "www.example.com.")

    assert len(zones_of(service, "*.78.10.in-addr.arpa.")) == 12


def test_a_quota_given_to_the_managed_project_is_kept(service, mine, net):
    path = f"/quotas/{NOBODYS}"
    admin = {"X_Auth_All_Projects": "true"}
    assert service.call("PATCH", path, {"zones": 0}, **admin)[0] == 200
    try:
        status, found = mine.call("PATCH", f"/{mine.has(f'{net}.9')}", NAME)
        assert (status, found["type"]) == (413, "over_quota")
    finally:
        service.call("DELETE", path, **admin)
    assert zones_of(service, reverse_of(net)) == []


def managed_zone(service, name):
    context = Context(project_id=NOBODYS, roles=["member"])
    draft = ZoneDraft(name=name, email="a@example.com")
    service.conf.set_override("quota_zones", -1)
    try:
        return service.parts.central.zones.create(context, draft)
    finally:
        service.conf.set_override("quota_zones", 10)


def test_an_enclosing_zone_of_the_managed_project_is_used(service, mine):
    wide = managed_zone(service, "79.10.in-addr.arpa.")
    key = mine.has("10.79.3.4")

    mine.set(key, "www.example.com.")

    assert zones_of(service, "3.79.10.in-addr.arpa.") == []
    with service.parts.database.read() as connection:
        ((stored, _),) = recordsets.find_managed(
            connection, "ptr:floatingip", "extra", ["10.79.3.4"]
        )
    assert (stored.recordset.zone_id, stored.recordset.project_id) == (wide.id, mine.id)
    until(lambda: resolved(service, "10.79.3.4") == {"www.example.com."}, 10, "the name")


def test_a_nearer_zone_made_later_takes_the_name_over(service, mine):
    managed_zone(service, "80.10.in-addr.arpa.")
    key = mine.has("10.80.3.4")
    mine.set(key, "old.example.com.")
    near = managed_zone(service, "3.80.10.in-addr.arpa.")

    found = mine.set(key, "new.example.com.")

    assert found["action"] == "CREATE"
    with service.parts.database.read() as connection:
        ((stored, _),) = recordsets.find_managed(
            connection, "ptr:floatingip", "extra", ["10.80.3.4"]
        )
    assert stored.recordset.zone_id == near.id
    until(lambda: resolved(service, "10.80.3.4") == {"new.example.com."}, 10, "the new name")


def test_another_projects_reverse_zone_is_not_written_to(service, mine, net):
    zone = service.zone(reverse_of(net))
    status, found = mine.call("PATCH", f"/{mine.has(f'{net}.9')}", NAME)

    assert (status, found["type"]) == (409, "duplicate_zone")
    _, held = service.call("GET", f"/zones/{zone['id']}/recordsets?type=PTR")
    assert held["recordsets"] == []


def test_a_name_that_is_somebodys_own_recordset_is_left_alone(service, mine, net):
    zone = managed_zone(service, reverse_of(net))
    context = Context(project_id=NOBODYS, roles=["member"])
    draft = RecordSetDraft(name=reverse_of(f"{net}.9"), type="PTR", records=("by.hand.example.",))
    service.parts.central.recordsets.create(context, zone.id, draft)

    status, found = mine.call("PATCH", f"/{mine.has(f'{net}.9')}", NAME)

    assert (status, found["type"]) == (409, "duplicate_recordset")
    until(lambda: resolved(service, f"{net}.9") == {"by.hand.example."}, 10, "their name")


@pytest.mark.parametrize(
    ("path", "body"),
    [("/blacklists", {"pattern": r"^.*\.in-addr\.arpa\.$"}), ("/tlds", {"name": "com"})],
)
def test_rules_for_zone_names_hold(service, mine, net, path, body):
    status, rule = service.call("POST", path, body)
    assert status == 201
    try:
        status, found = mine.call("PATCH", f"/{mine.has(f'{net}.9')}", NAME, X_Roles="admin")
        assert (status, found["type"]) == (400, "invalid_zone_name")
    finally:
        service.call("DELETE", f"{path}/{rule['id']}")
    assert zones_of(service, reverse_of(net)) == []


def test_a_tld_list_with_arpa_lets_reverse_zones_be(service, mine, net):
    status, tld = service.call("POST", "/tlds", {"name": "arpa"})
    assert status == 201
    try:
        assert mine.set(mine.has(f"{net}.9"), "www.example.com.")["status"] == "PENDING"
    finally:
        service.call("DELETE", f"/tlds/{tld['id']}")


def test_an_ipv6_address_stands_in_a_zone_of_64_bits(service, mine):
    key = mine.has("2001:DB8:0:7:0:0:0:1f")

    found = mine.set(key, "six.example.com.")

    zone = "7.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."
    assert found["address"] == "2001:db8:0:7::1f"
    assert [z["name"] for z in zones_of(service, zone)] == [zone]
    name = "f.1." + "0." * 14 + zone
    until(lambda: texts(ask(service.dns, name, "PTR")) == {"six.example.com."}, 10, "the IPv6 name")
    mine.set(mine.has("2001:db8:0:7:ffff::1"), "more.example.com.")
    assert len(zones_of(service, "*.8.b.d.0.1.0.0.2.ip6.arpa.")) == 1


def test_many_at_once_make_one_zone(service, mine, net):
    keys = [mine.has(f"{net}.{n}") for n in range(1, 9)]

    def put(key):
        headers = {name.replace("_", "-"): value for name, value in mine.headers.items()}
        return requests.patch(
            f"{service.url}/v2{PATH}/{key}", json=NAME, headers=headers, timeout=scaled(30)
        )

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(put, keys * 2))

    assert {answer.status_code for answer in answers} == {202}
    (zone,) = zones_of(service, reverse_of(net))
    path = f"/zones/{zone['id']}/recordsets?type=PTR"
    _, held = service.call("GET", path, X_Auth_All_Projects="true")
    assert held["metadata"]["total_count"] == 8
    until(lambda: all(resolved(service, f"{net}.{n}") for n in range(1, 9)), 10, "all names")


# -- change of owner -------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["list", "show", "unset"])
def test_a_name_goes_when_its_address_is_seen_with_another_project(
    service, neutron, mine, other, net, how
):
    key = mine.has(f"{net}.9")
    mine.set(key, "mine.example.com.")
    until(lambda: resolved(service, f"{net}.9"), 10, "the name")
    neutron.release(key.split(":")[1])
    theirs = other.has(f"{net}.9")

    if how == "list":
        ((found),) = other.call("GET")[1]["floatingips"]
        assert (found["ptrdname"], found["status"]) == (None, "INACTIVE")
    elif how == "show":
        found = other.show(theirs)
        assert (found["ptrdname"], found["status"]) == (None, "INACTIVE")
    else:
        assert other.call("PATCH", f"/{theirs}", {"ptrdname": None})[0] == 404

    until(lambda: not resolved(service, f"{net}.9"), 10, "no name")
    assert service.call("GET", "/recordsets?type=PTR", **mine.headers)[1]["recordsets"] == []


def test_names_that_go_together_go_in_one_change(service, neutron, mine, other, net):
    keys = [mine.has(f"{net}.{n}") for n in (1, 2, 3)]
    for key in keys:
        mine.set(key, "mine.example.com.")
    (zone,) = zones_of(service, reverse_of(net))
    until(lambda: len(resolved(service, f"{net}.3")) == 1, 10, "the names")
    held = transferred(service.dns, zone["name"])
    for n, key in enumerate(keys, 1):
        neutron.release(key.split(":")[1])
        other.has(f"{net}.{n}")

    assert len(other.call("GET")[1]["floatingips"]) == 3

    until(lambda: not resolved(service, f"{net}.1"), 10, "no name")
    query, _ = dns.xfr.make_query(held)
    dns.query.inbound_xfr(
        service.dns[0], held, query=query, port=service.dns[1], timeout=scaled(20)
    )
    assert [name for name, _ in held.iterate_rdatasets("PTR")] == []
    with service.parts.database.read() as connection:
        count = sa.select(sa.func.count()).where(zone_journal.c.zone_id == zone["id"])
        # One for each PTR record that was set.
        assert connection.execute(count).scalar_one() == len(keys) + 1


def test_a_new_owner_sets_a_name_of_its_own(service, neutron, mine, other, net):
    key = mine.has(f"{net}.9")
    mine.set(key, "mine.example.com.", ttl=300, description="mine")
    neutron.release(key.split(":")[1])
    theirs = other.has(f"{net}.9")

    found = other.set(theirs, "theirs.example.com.")

    assert (found["action"], found["ttl"], found["description"]) == ("CREATE", 3600, None)
    until(lambda: resolved(service, f"{net}.9") == {"theirs.example.com."}, 10, "the new name")
    assert mine.call("PATCH", f"/{key}", {"ptrdname": None})[0] == 404
    assert other.show(theirs)["ptrdname"] == "theirs.example.com."


def test_the_former_owner_can_no_longer_touch_it(neutron, mine, other, net):
    key = mine.has(f"{net}.9")
    mine.set(key, "mine.example.com.")
    neutron.release(key.split(":")[1])
    theirs = other.has(f"{net}.9")
    other.set(theirs, "theirs.example.com.")

    assert mine.call("GET")[1]["floatingips"] == []
    assert other.show(theirs)["ptrdname"] == "theirs.example.com."


def test_an_address_that_comes_back_to_its_project_keeps_its_name(neutron, mine, net):
    key = mine.has(f"{net}.9")
    mine.set(key, "www.example.com.")
    neutron.release(key.split(":")[1])
    again = mine.has(f"{net}.9")

    assert mine.show(again)["ptrdname"] == "www.example.com."
    assert mine.set(again, "new.example.com.")["action"] == "UPDATE"
    assert mine.call("PATCH", f"/{again}", {"ptrdname": None}) == (202, None)


# -- failing network service -----------------------------------------------------------------------


PAGE = {"floatingips": [{"id": "x"}]}
EMPTY = b'{"floatingips": []}'
FAILURES = {
    "hangs": lambda neutron: neutron.hang,
    "trickles": lambda neutron: neutron.trickle,
    "500": lambda neutron: neutron.says(500, b"oops"),
    "503": lambda neutron: neutron.says(503, b"oops"),
    "403": lambda neutron: neutron.says(403, b"{}"),
    "404": lambda neutron: neutron.says(404, b"{}"),
    "redirect": lambda neutron: neutron.says(302, Location=f"{neutron.url}/v2.0/floatingips"),
    "no JSON": lambda neutron: neutron.says(200, b"<html>"),
    "no object": lambda neutron: neutron.says(200, b"[]"),
    "no list": lambda neutron: neutron.says(200, b'{"floatingips": {}}'),
    "no floating IP": lambda neutron: neutron.says(200, json.dumps(PAGE).encode()),
    "too much": lambda neutron: neutron.says(200, b" " * (9 * 1024 * 1024) + EMPTY),
}


@pytest.mark.parametrize("how", FAILURES)
def test_a_failing_network_service_is_a_504_and_loses_nothing(neutron, mine, net, how):
    key = mine.has(f"{net}.9")
    mine.set(key, "www.example.com.")

    neutron.behave = FAILURES[how](neutron)
    answers = [mine.call("GET", f"/{key}")]
    if how not in ("hangs", "trickles"):
        answers.append(mine.call("GET"))
        answers.append(mine.call("PATCH", f"/{key}", {"ptrdname": None}))
        answers.append(mine.call("PATCH", f"/{key}", {"ptrdname": "x.example.com."}))
    neutron.behave = None

    assert {(status, body["type"]) for status, body in answers} == {
        (504, "neutron_communication_failure")
    }
    assert mine.show(key)["ptrdname"] == "www.example.com."


def test_a_token_that_neutron_refuses_is_no_empty_list(mine, net, caplog):
    mine.has(f"{net}.9")

    with caplog.at_level(logging.DEBUG):
        status, body = mine.call("GET", X_Auth_Token=SECRET)

    assert (status, body["type"]) == (504, "neutron_communication_failure")
    assert SECRET not in json.dumps(body)
    assert caplog.records
    assert SECRET not in caplog.text


def test_rows_of_other_projects_are_left_out_whatever_neutron_filters(mine, neutron, net):
    rows = [{"id": str(uuid.uuid4()), "project_id": "another", "floating_ip_address": f"{net}.9"}]
    neutron.behave = neutron.says(200, json.dumps({"floatingips": rows}).encode())

    assert mine.call("GET")[1]["floatingips"] == []


def test_a_next_page_without_end_ends(mine, neutron):
    row = {"id": "1", "project_id": mine.id, "floating_ip_address": "192.0.2.1"}
    page = {"floatingips": [row], "floatingips_links": [{"rel": "next", "href": "x"}]}
    neutron.behave = neutron.says(200, json.dumps(page).encode())

    assert mine.call("GET")[0] == 504


# -- endpoints -------------------------------------------------------------------------------------


def floatingips(conf, *catalog, token="token", region=None):
    query = network.FloatingIpQuery(project_id="p", token=token, catalog=catalog, region=region)
    return network.load(conf).floatingips(query)


def endpoint(url, region=REGION, interface="publicURL"):
    return NetworkEndpoint(region=region, interface=interface, url=url)


@pytest.fixture
def conf(tmp_path, neutron):
    neutron.tokens["token"] = "p"
    conf = make_conf(tmp_path)
    conf.set_override("timeout", 3, "network_api:neutron")
    return conf


@pytest.fixture
def address(neutron, net):
    id = neutron.has("p", f"{net}.1")
    yield f"{net}.1"
    neutron.release(id)


@pytest.mark.parametrize("suffix", ["", "/", "/v2.0", "/v2.0/"])
def test_the_catalogues_endpoint_is_asked(conf, neutron, address, suffix):
    (found,) = floatingips(conf, endpoint(neutron.url + suffix, "Here"))

    assert (found.region, found.address) == ("Here", address)


@pytest.mark.usefixtures("address")
def test_the_configured_kind_of_endpoint_is_taken(conf, neutron):
    public = endpoint(f"http://127.0.0.1:{free_port()}")
    internal = endpoint(neutron.url, interface="internalURL")
    conf.set_override("endpoint_type", "internalURL", "network_api:neutron")

    assert len(floatingips(conf, public, internal)) == 1


@pytest.mark.usefixtures("address")
def test_configured_endpoints_stand_before_the_catalogue(conf, neutron):
    conf.set_override("endpoints", [f"Mine|{neutron.url}"], "network_api:neutron")

    (found,) = floatingips(conf, endpoint(f"http://127.0.0.1:{free_port()}"))

    assert found.region == "Mine"


@pytest.mark.usefixtures("address")
def test_every_region_is_asked_and_one_alone_when_it_is_named(conf, neutron):
    both = [endpoint(neutron.url, "One"), endpoint(neutron.url, "Two")]

    assert [found.region for found in floatingips(conf, *both)] == ["One", "Two"]
    assert [found.region for found in floatingips(conf, *both, region="Two")] == ["Two"]
    assert floatingips(conf, *both, region="Three") == []


@pytest.mark.usefixtures("address")
def test_one_region_that_is_away_spoils_the_whole_list(conf, neutron):
    away = endpoint(f"http://127.0.0.1:{free_port()}", "Away")

    with pytest.raises(errors.DeadlineExceeded) as raised:
        floatingips(conf, endpoint(neutron.url, "Here"), away)

    assert (raised.value.code, raised.value.type) == (504, "neutron_communication_failure")
    assert "Away" in str(raised.value)


@pytest.mark.parametrize("catalog", [(), (endpoint("http://x", interface="adminURL"),)])
def test_without_an_endpoint_nobody_can_be_asked(conf, catalog):
    with pytest.raises(errors.Forbidden) as raised:
        floatingips(conf, *catalog)

    assert raised.value.type == "no_endpoint"


def test_a_catalogue_that_the_caller_made_up_is_not_believed(tmp_path, neutron):
    catalog = [{"type": "network", "endpoints": [{"region": "R", "publicURL": neutron.url}]}]
    neutron.requests.clear()
    with Service(tmp_path) as service:
        status, body = service.call(
            "GET", PATH, X_Auth_Token="t", X_Service_Catalog=json.dumps(catalog)
        )

    assert (status, body["type"]) == (403, "no_endpoint")
    assert neutron.requests == []


def test_the_catalogue_of_a_validated_token_is_read():
    catalog = [
        {"type": "dns", "endpoints": [{"region": "R", "publicURL": "http://dns"}]},
        {
            "type": "network",
            "endpoints": [
                {"region": "R", "publicURL": "http://pub", "internalURL": "http://int"},
                {"region": "S", "publicURL": "http://s"},
                {"publicURL": "http://nowhere"},
            ],
        },
    ]

    assert resource.endpoints(json.dumps(catalog)) == (
        endpoint("http://pub", "R"), endpoint("http://int", "R", "internalURL"),
        endpoint("http://s", "S"),
    )  # fmt: skip


@pytest.mark.parametrize("text", ["{", "5", "[5]", '[{"type": "network"}]'])
def test_a_catalogue_that_cannot_be_read_holds_no_endpoint(text):
    with pytest.raises(errors.Forbidden) as raised:
        resource.endpoints(text)

    assert raised.value.type == "no_endpoint"


@pytest.mark.parametrize("text", ["no-bar", "|http://x", "R|"])
def test_an_endpoint_that_cannot_be_used_is_a_configuration_error(conf, text):
    conf.set_override("endpoints", [text], "network_api:neutron")

    with pytest.raises(errors.ConfigurationError):
        network.load(conf)


def test_an_unknown_plug_in_is_a_configuration_error(conf):
    conf.set_override("network_api", "nothing")

    with pytest.raises(errors.ConfigurationError, match="nothing"):
        network.load(conf)


def certificate(folder):
    """One PEM file with a self-signed certificate for 127.0.0.1 and its key."""
    pem = folder / "neutron.pem"
    subject = ["-subj", "/CN=neutron", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "1", "-keyout", pem, "-out", folder / "cert.pem", *subject],
        check=True, capture_output=True, timeout=scaled(30),
    )  # fmt: skip
    pem.write_text(pem.read_text() + (folder / "cert.pem").read_text())
    return str(pem)


@pytest.mark.parametrize(
    ("option", "trusted"),
    [(None, False), ("ca_certificates_file", True), ("insecure", True)],
)
def test_certificates_are_checked_as_configured(conf, tmp_path, option, trusted):
    pem = certificate(tmp_path)
    values = {"ca_certificates_file": str(tmp_path / "cert.pem"), "insecure": True}
    if option:
        conf.set_override(option, values[option], "network_api:neutron")
    with Neutron(pem) as secure, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Unverified HTTPS request")
        secure.tokens["token"] = "p"
        secure.has("p", "192.0.2.1")
        if trusted:
            assert len(floatingips(conf, endpoint(secure.url))) == 1
        else:
            with pytest.raises(network.NetworkFailure):
                floatingips(conf, endpoint(secure.url))
            assert secure.requests == []


def test_neutron_is_the_default(conf):
    assert isinstance(network.load(conf), NeutronApi)


def test_floating_ips_that_the_operator_wrote_down(tmp_path):
    id = str(uuid.uuid4())
    fake = {"floatingips": [f"p|R|{id}|192.0.2.7", f"q|R|{uuid.uuid4()}|192.0.2.8"]}
    with Service(
        tmp_path, **{"DEFAULT": {"network_api": "fake"}, "network_api:fake": fake}
    ) as cloud:
        _, body = cloud.call("GET", PATH, X_Auth_Project_ID="p")
        status, found = cloud.call("PATCH", f"{PATH}/R:{id}", NAME, X_Auth_Project_ID="p")

        assert [item["address"] for item in body["floatingips"]] == ["192.0.2.7"]
        assert (status, found["ptrdname"]) == (202, "www.example.com.")
        until(lambda: resolved(cloud, "192.0.2.7") == {"www.example.com."}, 10, "the name")
