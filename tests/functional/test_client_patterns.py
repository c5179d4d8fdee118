"""What programs on top of the clients call, in their order: Ansible's modules, acme.sh and Rally.

The libraries are unmodified: openstacksdk, the command `openstack` and python-designateclient.
"""

from __future__ import annotations

import os

import openstack
import pytest
from designateclient import exceptions as designate_errors
from designateclient.v2 import client as designate
from keystoneauth1 import noauth, session
from openstack import exceptions as sdk_errors

from tests.support.clients import openstack_command
from tests.support.deadlines import scaled, until
from tests.support.servers.standalone import Service, ask, texts

# What the clients deprecate among themselves is not ours to mend.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
]


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with Service(tmp_path_factory.mktemp("patterns")) as service:
        yield service


# -- Ansible: openstack.cloud through openstacksdk -------------------------------------------------


def connect(service):
    return openstack.connect(
        load_yaml_config=False,
        load_envvars=False,
        auth_type="none",
        endpoint=service.url,
        dns_endpoint_override=service.url,
    )


@pytest.fixture(scope="module")
def cloud(service):
    connection = connect(service)
    yield connection
    connection.close()


def dns_zone(cloud, name, **wanted):
    """Bring a zone to the wanted state, and return whether that was a change, and the zone."""
    zone = cloud.get_zone(name)
    if zone is None:
        zone = cloud.create_zone(name=name, **wanted)
        changed = True
    else:
        changes = {key: value for key, value in wanted.items() if key != "zone_type"}
        changed = any(zone[key] != value for key, value in changes.items())
        if changed:
            zone = cloud.update_zone(name, **changes)
    until(lambda: cloud.get_zone(zone.id).status == "ACTIVE", 20, "the zone ACTIVE")
    return changed, zone


def recordset(cloud, zone_name, name, **wanted):
    """As dns_zone; no wanted members: the recordset is to be absent."""
    zone = cloud.dns.find_zone(name_or_id=zone_name, ignore_missing=False)
    found = cloud.dns.find_recordset(zone, name)
    if not wanted:
        if found is not None:
            cloud.dns.delete_recordset(found)
        return found is not None, None
    if found is None:
        return True, cloud.dns.create_recordset(zone, name=name, **wanted)
    if any(found[key] != value for key, value in wanted.items()):
        return True, cloud.dns.update_recordset(found, **wanted)
    return False, found


def test_ansible_keeps_a_zone_and_a_recordset_in_a_state(service, cloud):
    wanted = {"zone_type": "primary", "email": "admin@example.com", "ttl": 3600}
    first = dns_zone(cloud, "ansible.example.", **wanted)
    again = dns_zone(cloud, "ansible.example.", **wanted)
    changed = dns_zone(cloud, "ansible.example.", **wanted | {"ttl": 600})

    assert (first[0], again[0], changed[0], changed[1].ttl) == (True, False, True, 600)

    name, address = "www.ansible.example.", {"type": "A", "records": ["192.0.2.1"], "ttl": 300}
    made = recordset(cloud, "ansible.example.", name, **address)
    again = recordset(cloud, "ansible.example.", name, **address)
    changed = recordset(cloud, "ansible.example.", name, **address | {"records": ["192.0.2.2"]})
    until(lambda: texts(ask(service.dns, name, "A")) == {"192.0.2.2"}, 20, "the new address")
    gone = recordset(cloud, "ansible.example.", name)
    gone_again = recordset(cloud, "ansible.example.", name)

    assert (made[0], again[0], changed[0], gone[0], gone_again[0]) == (
        True, False, True, True, False,
    )  # fmt: skip
    cloud.delete_zone("ansible.example.")
    until(lambda: cloud.get_zone("ansible.example.") is None, 20, "the end of the zone")


@pytest.mark.parametrize(
    "criteria",
    [
        {"type": "primary"},
        {"type": "primary", "email": "Admin@Example.COM"},
        {"name": "INFO.example.", "type": "primary"},
        {"description": "of dns_zone_info", "ttl": 3600},
    ],
)
def test_ansible_dns_zone_info_finds_zones_by_what_it_may_ask_for(cloud, service, criteria):
    if cloud.dns.find_zone("info.example.") is None:
        service.zone("info.example.", description="of dns_zone_info", ttl=3600)

    found = [zone.to_dict(computed=False) for zone in cloud.dns.zones(**criteria)]

    assert "info.example." in [zone["name"] for zone in found]
    assert {zone["type"] for zone in found} == {"PRIMARY"}
    assert list(cloud.dns.zones(**criteria | {"type": "secondary"})) == []


@pytest.mark.parametrize(
    ("name", "records", "told"),
    [
        ("www.faults.example", ["192.0.2.1"], "does not end with a dot"),
        ("www.faults.example.", ["1.2", "3"], "'1.2' is not a valid IPv4 address"),
        ("www.other.example.", ["192.0.2.1"], "must end with faults.example."),
    ],
)
def test_ansible_shows_the_reason_of_a_refusal_once(cloud, service, name, records, told):
    zone = cloud.dns.find_zone("faults.example.") or service.zone("faults.example.")

    with pytest.raises(sdk_errors.BadRequestException) as caught:
        cloud.dns.create_recordset(zone["id"], name=name, type="A", records=records)

    assert str(caught.value).count(told) == 1


def test_openstacksdk_shows_a_rate_limit(tmp_path):
    with Service(tmp_path, **{"service:api": {"rate_limit": 1}}) as service:
        connection = connect(service)
        assert list(connection.dns.zones()) == []
        with pytest.raises(sdk_errors.HttpException) as caught:
            list(connection.dns.zones())
        connection.close()

    assert caught.value.status_code == 429
    assert "1 requests per minute; the request can be repeated" in str(caught.value)


# -- acme.sh: the command `openstack` ---------------------------------------------------------------


@pytest.fixture
def command(service, monkeypatch):
    """Return a function that runs `openstack` and returns its output as a shell's $(...) does."""
    for name in [name for name in os.environ if name.startswith("OS_")]:
        monkeypatch.delenv(name)
    options = ("--os-auth-type", "none", "--os-endpoint", f"{service.url}/v2")

    def run(line, *more):
        return openstack_command.run(*options, *line.split(), *more).rstrip("\n")

    return run


class Acme:
    """Adds and removes challenges as the hook of acme.sh does."""

    def __init__(self, command, domain):
        self._run = command
        self._name = f"_acme-challenge.{domain}."
        self._zone = self._find_zone(domain)

    def _find_zone(self, domain):
        listed = self._run("zone list -c id -c name -f value").splitlines()
        ids = {name: zone_id for zone_id, name in map(str.split, listed)}
        labels = domain.split(".")
        parents = [".".join(labels[number:]) + "." for number in range(len(labels))]
        return next(ids[name] for name in parents if name in ids)

    def _id(self):
        return self._run(f"recordset list -c id -f value --name {self._name} {self._zone}")

    def _records(self):
        return self._run(f"recordset show -c records -f value {self._zone} {self._name}").split()

    def _set(self, values):
        arguments = [f"--record={value}" for value in values]
        words = f"recordset set -c id -f value {' '.join(arguments)}"
        return self._run(f"{words} {self._zone} {self._name}")

    def add(self, value):
        if self._id():
            made = self._set([value, *self._records()])
        else:
            words = f"recordset create -c id -f value --type TXT --record={value}"
            made = self._run(f"{words} {self._zone} {self._name}")
        show = f"recordset show -c status -f value {self._zone} {made}"
        until(lambda: self._run(show) == "ACTIVE", 30, "the challenge ACTIVE")

    def remove(self, value):
        assert self._id()
        others = [each for each in self._records() if each != value]
        if others:
            self._set(others)
        else:
            self._run(f"recordset delete {self._zone} {self._name}")


def test_acme_sh_adds_and_removes_two_challenges_of_one_name(service, command):
    zone = service.zone("acme.example.")
    service.active(f"/zones/{zone['id']}")
    acme = Acme(command, "www.acme.example")
    name, values = "_acme-challenge.www.acme.example.", ("XKrxpRBo_dIKFzxW", "-second_value")

    for value in values:
        acme.add(value)
    both = texts(ask(service.dns, name, "TXT"))
    acme.remove(values[0])
    until(lambda: len(texts(ask(service.dns, name, "TXT"))) == 1, 20, "one challenge")
    acme.remove(values[1])
    until(lambda: not texts(ask(service.dns, name, "TXT")), 20, "no challenge")

    assert both == {f'"{value}"' for value in values}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("zone create --email nobody cli.example.", "'nobody' in the field 'email'"),
        ("zone create --email a@example.org cli.example", "does not end with a dot"),
        ("recordset create --type MX --record mail shown.example. www", "the form is"),
    ],
)
def test_the_command_shows_the_reason_of_a_refusal_once(service, command, line, told):
    if service.call("GET", "/zones?name=shown.example.")[1]["zones"] == []:
        service.zone("shown.example.")

    with pytest.raises(openstack_command.Failed) as caught:
        command(line)

    assert str(caught.value).count(told) == 1, caught.value


def test_the_command_filters_in_lower_case(service, command):
    zone = service.zone("lower.example.")
    service.active(f"/zones/{zone['id']}")

    zones = command("zone list --status active --email ADMIN@example.com -f value -c name")
    recordsets = command("recordset list --type ns -f value -c name", zone["id"])

    assert "lower.example." in zones.splitlines()
    assert recordsets == "lower.example."


# -- Rally and others: python-designateclient ---------------------------------------------------------


@pytest.fixture(scope="module")
def bindings(service):
    plain = session.Session(auth=noauth.NoAuth(endpoint=f"{service.url}/v2"))
    return designate.Client(session=plain, timeout=scaled(30))


def test_rally_creates_lists_and_deletes(service, bindings):
    zone = bindings.zones.create(
        name="s-rally-1aB2cD3e-4fG5hI6j.name.", type_="PRIMARY", email="root@random.name",
        description=None, ttl=None,
    )  # fmt: skip
    name = f"s-rally-9zY8xW7v-6uT5sR4q.{zone['name']}"
    made = bindings.recordsets.create(zone["id"], type_="A", name=name, records=["10.0.0.1"])
    listed = bindings.recordsets.list(zone["id"], criterion=None, marker=None, limit=None)

    assert zone["id"] in {each["id"] for each in bindings.zones.list()}
    assert made["id"] in {each["id"] for each in listed}
    bindings.recordsets.delete(zone["id"], made["id"])
    bindings.zones.delete(zone["id"])
    service.gone(f"/zones/{zone['id']}")


@pytest.mark.parametrize("records", [["mail"], ["a", "b"]])
def test_designateclient_shows_every_reason_once(service, bindings, records):
    if service.call("GET", "/zones?name=reasons.example.")[1]["zones"] == []:
        service.zone("reasons.example.")

    with pytest.raises(designate_errors.BadRequest) as caught:
        bindings.recordsets.create("reasons.example.", "www", "MX", records)

    reasons = [reason["message"] for reason in caught.value.errors["errors"]]
    assert str(caught.value) == ". ".join(reasons)
    for record in records:
        assert str(caught.value).count(f"'{record}' is not a 'MX' Record") == 1
    assert str(caught.value).count("the form is: <preference> <exchange>") == len(records)


def test_designateclient_shows_that_a_request_can_be_repeated(service, bindings, monkeypatch):
    monkeypatch.setattr(service.parts.bus, "_dispatchers", {})

    with pytest.raises(designate_errors.Unknown, match="the request can be repeated") as caught:
        bindings.zones.list()

    assert (caught.value.code, caught.value.type) == (503, "service_unavailable")
