"""Zones of others on BIND: neither believed, changed nor removed, and repaired where they are ours."""

import dns.rcode
import pytest
import yaml

from designate import errors
from designate.backend import rndc, rndc_key
from designate.backend.bind9 import Bind9Backend
from designate.model.pools import Target
from designate.model.zones import PrimaryAddress
from tests.support.factories.worker import change
from tests.support.servers.nameservers import Named, free_port
from tests.support.servers.standalone import Service, ask, bind_pool, texts

MASTERS = (PrimaryAddress(host="127.0.0.1", port=5399),)
OTHERS = "127.0.0.1 port 5377"
STATIC = """
$TTL 60
@ SOA ns.theirs. admin.theirs. 3000000000 60 60 600 60
@ NS ns.theirs.
www A 198.51.100.7
"""


class Bind(Named):
    """A BIND that has a primary zone of its own in named.conf."""

    def __enter__(self):
        self.folder.mkdir(parents=True)
        (self.folder / "theirs.db").write_text(STATIC)
        return super().__enter__()

    def rndc(self, command):
        key = rndc_key.load(str(self.key_file), None, "127.0.0.1")
        return rndc.command("127.0.0.1", self.rndc_port, key, command, 5)

    def add(self, name, block):
        reply = self.rndc(f'addzone "{name}" IN {block}')
        assert reply.code == 0, reply

    def shown(self, name):
        reply = self.rndc(f'showzone "{name}" IN')
        return reply.text if reply.code == 0 else ""

    def commands(self, name):
        """Return the control commands about a zone, in order."""
        lines = (self.folder / "named.log").read_text().splitlines()
        words = [line.partition("control channel command '")[2] for line in lines]
        return [word.split()[0] for word in words if f'"{name}"' in word]


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    static = 'zone "static.test" { type primary; file "theirs.db"; };'
    with Bind(tmp_path_factory.mktemp("bind") / "named", more=static) as named:
        yield named


@pytest.fixture(scope="module")
def service(tmp_path_factory, named):
    with Service(tmp_path_factory.mktemp("service"), named, free_port()) as service:
        yield service


def backend_of(named, **options):
    options = {**named.options, **options}
    return Bind9Backend(Target(type="bind9", masters=MASTERS, options=options))


def primary(named):
    return f'{{ type primary; file "{named.folder}/theirs.db"; }};'


def secondary(masters=OTHERS, file="theirs.sec"):
    return f'{{ type slave; masters {{ {masters}; }}; file "{file}"; }};'


def test_a_static_zone_is_neither_believed_nor_removed(service, named):
    address = ("127.0.0.1", named.port)
    zone = service.zone("static.test.")
    error = service.failed(zone)
    made = service.recordset(zone, "new.static.test.", "A", ["192.0.2.1"])
    recordset = service.call("GET", f"/zones/{zone['id']}/recordsets/{made['id']}")[1]
    service.call("DELETE", f"/zones/{zone['id']}")
    service.gone(f"/zones/{zone['id']}")

    assert "that is not ours (type primary); remove it there" in error
    assert recordset["status"] != "ACTIVE"
    assert texts(ask(address, "www.static.test.", "A")) == {"198.51.100.7"}
    assert not {"delzone", "modzone"} & set(named.commands("static.test"))


def test_a_zone_heals_when_the_foreign_one_is_removed(service, named):
    named.add("heals.test", primary(named))
    zone = service.zone("heals.test.")
    service.failed(zone)

    named.rndc('delzone "heals.test" IN')

    service.active(f"/zones/{zone['id']}", 20)
    assert texts(ask(("127.0.0.1", named.port), "heals.test.", "NS")) == {"ns1.example.org."}


def test_the_error_names_server_and_kind(named):
    for name, block, kind in [
        ("kind1.test", primary(named), "type primary"),
        ("kind2.test", secondary(), "type slave, of 127.0.0.1:5377"),
    ]:
        named.add(name, block)
        with pytest.raises(errors.ForeignZone) as caught:
            backend_of(named).create_zone(change(name=f"{name}."))
        assert f"BIND 127.0.0.1:{named.rndc_port}: " in str(caught.value)
        assert f"({kind})" in str(caught.value)
        assert "option adopt" in str(caught.value)


@pytest.mark.parametrize(
    ("number", "masters", "file", "options"),
    [
        (1, "127.0.0.1 port 5399", "leftover.db", {}),
        (2, OTHERS, "leftover.db", {"former_masters": "192.0.2.9:5354, 127.0.0.1:5377"}),
        (3, "::9 port 5377", "leftover.db", {"former_masters": "[::9]:5377"}),
        (4, OTHERS, "slave.ours4.test.{id}", {}),
        (5, OTHERS, "slave.{id}", {}),
    ],
)
def test_what_is_ours_is_repaired_in_place_on_create_and_update(
    named, number, masters, file, options
):
    for verb in ("create", "update"):
        zone = change(name=f"ours{number}.{verb}.test.")
        bare = zone.name.rstrip(".")
        named.add(bare, secondary(masters, file.replace("{id}", zone.zone_id)))

        backend = backend_of(named, **options)
        (backend.create_zone if verb == "create" else backend.update_zone)(zone)

        assert "127.0.0.1 port 5399" in named.shown(bare)
        assert "5377" not in named.shown(bare)
        assert "delzone" not in named.commands(bare)
        backend.delete_zone(zone, hard_delete=False)
        assert named.shown(bare) == ""


def test_a_zone_of_others_stays_whatever_is_called(named):
    zone = change(name="theirs.test.")
    named.add("theirs.test", secondary())
    before = named.shown("theirs.test")
    backend = backend_of(named, former_masters="127.0.0.1:5376")

    for call in (
        lambda: backend.create_zone(zone),
        lambda: backend.update_zone(zone),
        lambda: backend.delete_zone(zone, hard_delete=True),
    ):
        with pytest.raises(errors.ForeignZone):
            call()

    assert named.shown("theirs.test") == before
    assert backend.inspect(zone).is_ours is False


def test_adopt_replaces_a_foreign_zone_and_still_deletes_none(named):
    zone = change(name="adopted.test.")
    named.add("adopted.test", primary(named))
    backend = backend_of(named, adopt="true")

    with pytest.raises(errors.ForeignZone):
        backend.delete_zone(zone, hard_delete=False)
    backend.create_zone(zone)

    assert "127.0.0.1 port 5399" in named.shown("adopted.test")
    assert backend.inspect(zone).is_ours


def test_a_zone_costs_one_command_to_create_and_two_to_delete(named):
    zone = change(name="counted.test.")
    backend_of(named).create_zone(zone)
    backend_of(named).delete_zone(zone, hard_delete=False)

    assert named.commands("counted.test") == ["addzone", "showzone", "delzone"]


def test_a_zone_whose_name_bind_has_in_class_ch_comes_and_goes(service, named):
    zone = service.zone("version.bind.")
    service.active(f"/zones/{zone['id']}")
    service.call("DELETE", f"/zones/{zone['id']}")
    service.gone(f"/zones/{zone['id']}")

    assert ask(("127.0.0.1", named.port), "version.bind.", "SOA").rcode() == dns.rcode.REFUSED


def test_zone_statements_are_added_changed_and_removed(named):
    zone = change(name="signed.test.")
    statements = 'dnssec-policy "default"; inline-signing yes; allow-query { any; };'
    plain, signing = backend_of(named), backend_of(named, zone_statements=statements)

    signing.create_zone(zone)
    created = named.shown("signed.test")
    signing.update_zone(zone)
    plain.update_zone(zone)
    removed = named.shown("signed.test")
    signing.update_zone(zone)

    assert "inline-signing yes;" in created
    assert 'dnssec-policy "default";' in created
    assert "dnssec" not in removed
    assert named.shown("signed.test") == created
    assert named.commands("signed.test").count("modzone") == 2


@pytest.mark.parametrize(
    ("statements", "problem"),
    [
        ("inline-signing yes", "does not end with ;"),
        ("}; }; zone x { type primary;", "brace closes too early"),
        ("allow-query { any;", "brace does not close"),
        ('key-directory "x;', "quotation mark has no partner"),
        ("inline-signing yes;\nserial-query-rate 1;", "line breaks"),
        ("inline-signing yes; # }", "comments"),
        ("type primary;", "type: set by this service"),
    ],
)
def test_zone_statements_that_would_break_the_command_are_refused(named, statements, problem):
    with pytest.raises(errors.ConfigurationError, match=problem):
        backend_of(named, zone_statements=statements)


@pytest.mark.parametrize("text", ["192.0.2.1:x", "192.0.2.1:70000", "[::1", "a b"])
def test_former_masters_that_are_no_addresses_are_refused(named, text):
    with pytest.raises(errors.ConfigurationError, match=r"former_masters.*is not HOST:PORT"):
        backend_of(named, former_masters=text)


def test_a_restarted_service_does_not_believe_a_foreign_zone(tmp_path, named):
    named.add("restarted.test", primary(named))
    port = free_port()
    pools = tmp_path / "pools.yaml"
    pools.write_text(yaml.safe_dump(bind_pool(named, port)))
    listen = {"service:mdns": {"listen": [f"127.0.0.1:{port}"]}}
    with Service(tmp_path, pools_file=pools, **listen) as service:
        zone = service.zone("restarted.test.")
        service.failed(zone)
    with Service(tmp_path, pools_file=pools, **listen) as service:
        service.recordset(zone, "www.restarted.test.", "A", ["192.0.2.1"])
        service.failed(zone)
        named.rndc('delzone "restarted.test" IN')
        service.active(f"/zones/{zone['id']}", 30)
