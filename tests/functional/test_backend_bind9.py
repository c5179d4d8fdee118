"""The bind9 backend against a real BIND: control channel, zones and refusals."""

import base64
import secrets
import uuid
from dataclasses import replace

import dns.rcode
import pytest

from designate import errors
from designate.backend import rndc, rndc_key
from designate.backend.bind9 import Bind9Backend
from designate.model.pools import Target
from designate.model.zones import Action, PrimaryAddress, ZoneAnnouncement, ZoneId, ZoneType
from tests.support.deadlines import until
from tests.support.factories.zone_data import Hidden
from tests.support.servers.nameservers import Named, free_port
from tests.support.servers.standalone import ask

MASTERS = (PrimaryAddress(host="127.0.0.1", port=5399), PrimaryAddress(host="::1", port=5398))


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    keys = "".join(
        f'key "{name}" {{ algorithm hmac-sha256; secret "c2VjcmV0"; }};'
        for name in ("one", "ab.cd")
    )
    with Named(tmp_path_factory.mktemp("named"), more=keys) as named:
        yield named


def backend_of(named, masters=MASTERS, **options):
    return Bind9Backend(Target(type="bind9", masters=masters, options={**named.options, **options}))


def zone_of(name):
    return ZoneAnnouncement(
        zone_id=ZoneId(str(uuid.uuid4())),
        name=name,
        type=ZoneType.PRIMARY,
        pool_id="p",
        pool_version=1,
        revision=1,
        serial=1,
        action=Action.CREATE,
    )


def shown(named, name):
    """Return BIND's description of a zone, or "" where there is none."""
    key = rndc_key.load(str(named.key_file), None, "127.0.0.1")
    reply = rndc.command("127.0.0.1", named.rndc_port, key, f'showzone "{name}"', 5)
    return reply.text if reply.code == 0 else ""


def rcode(named, name):
    return ask(("127.0.0.1", named.port), name, "SOA").rcode()


def test_a_created_zone_is_a_secondary_of_the_targets_masters(named):
    backend_of(named).create_zone(zone_of("made.example."))
    text = shown(named, "made.example")

    assert "slave" in text or "secondary" in text
    assert "127.0.0.1 port 5399" in text
    assert "::1 port 5398" in text
    # Known, though its content has not arrived: nobody listens on the masters' ports.
    assert rcode(named, "made.example.") == dns.rcode.SERVFAIL


def test_creating_twice_and_deleting_twice_is_success(named):
    backend, zone = backend_of(named), zone_of("twice.example.")

    backend.create_zone(zone)
    backend.create_zone(zone)
    made = shown(named, "twice.example")
    backend.delete_zone(zone, hard_delete=False)
    backend.delete_zone(zone, hard_delete=True)

    assert made
    assert shown(named, "twice.example") == ""
    assert rcode(named, "twice.example.") == dns.rcode.REFUSED


@pytest.mark.parametrize(
    "name",
    [
        "1/2.0.2.192.in-addr.arpa.",
        "_sip._tcp.example.",
        "x" * 63 + "." + "y" * 63 + "." + "z" * 63 + ".example.",
        "0.8.b.d.0.1.0.0.2.ip6.arpa.",
        "up\\.\\.\\/etc.example.",
    ],
)
def test_every_name_makes_a_zone_with_a_harmless_file(named, name):
    backend, zone = backend_of(named), zone_of(name)

    backend.create_zone(zone)
    text = shown(named, name.rstrip("."))
    backend.delete_zone(zone, hard_delete=True)

    assert f'file "slave.{zone.zone_id}"' in text
    assert shown(named, name.rstrip(".")) == ""


def test_update_adds_a_missing_zone_and_gives_an_old_one_the_new_masters(named):
    zone = zone_of("moved.example.")
    moved = backend_of(named, (PrimaryAddress(host="127.0.0.1", port=5397),))

    backend_of(named).update_zone(zone)
    added = shown(named, "moved.example")
    moved.update_zone(zone)
    changed = shown(named, "moved.example")
    moved.update_zone(zone)

    assert "5399" in added
    assert "127.0.0.1 port 5397" in changed
    assert "5399" not in changed
    assert shown(named, "moved.example") == changed


def test_master_names_become_addresses(named):
    backend_of(named, (PrimaryAddress(host="localhost", port=5396),)).create_zone(
        zone_of("named.example.")
    )

    assert "127.0.0.1 port 5396" in shown(named, "named.example")


def test_zones_are_pulled_with_the_targets_key_and_update_gives_it_to_old_ones(named):
    zone = zone_of("keyed.example.")
    backends = {name: backend_of(named) for name in ("one.", "ab.cd.")}
    for name, backend in backends.items():
        backend.transfer_with(name)

    backend_of(named).create_zone(zone)
    plain = shown(named, "keyed.example")
    backends["ab.cd."].update_zone(zone)
    keyed = shown(named, "keyed.example")
    backends["ab.cd."].update_zone(zone)
    again = shown(named, "keyed.example")
    backends["one."].update_zone(zone)
    changed = shown(named, "keyed.example")

    assert "key" not in plain.replace("keyed", "")
    assert '127.0.0.1 port 5399 key "ab.cd"' in keyed
    assert '::1 port 5398 key "ab.cd"' in keyed
    log = (named.folder / "named.log").read_text()
    assert again == keyed
    # The second update found nothing to change.
    assert log.count('command \'modzone "keyed.example"') == 2
    assert 'key "one"' in changed


def test_a_wrong_view_is_an_error_for_creation_and_for_deletion(named):
    backend, zone = backend_of(named, view="nowhere"), zone_of("view.example.")

    with pytest.raises(errors.BackendError, match="no matching view"):
        backend.create_zone(zone)
    with pytest.raises(errors.BackendError, match="no matching view"):
        backend.delete_zone(zone, hard_delete=False)


def test_the_default_view_can_be_named(named):
    backend, zone = backend_of(named, view="_default"), zone_of("inview.example.")

    backend.create_zone(zone)
    text = shown(named, "inview.example")
    backend.delete_zone(zone, hard_delete=False)

    assert zone.zone_id in text


def test_a_target_without_masters_cannot_create(named):
    with pytest.raises(errors.BackendError, match="no master"):
        backend_of(named, ()).create_zone(zone_of("nomaster.example."))


def test_a_wrong_key_is_told_without_showing_it(named, tmp_path):
    secret = base64.b64encode(secrets.token_bytes(32)).decode()
    path = tmp_path / "wrong.key"
    path.write_text(f'key "rndc-key" {{ algorithm hmac-sha256; secret "{secret}"; }};')

    with pytest.raises(errors.BackendError, match="check the key") as caught:
        backend_of(named, rndc_key_file=str(path)).create_zone(zone_of("wrong.example."))

    assert secret not in str(caught.value)
    assert shown(named, "wrong.example") == ""


def test_a_dead_control_port_is_told(named):
    port = free_port()

    with pytest.raises(errors.BackendError, match=f"127.0.0.1:{port}: Connection refused"):
        backend_of(named, rndc_port=str(port)).create_zone(zone_of("dead.example."))


@pytest.mark.parametrize("digest", rndc_key.DIGESTS)
def test_bind_accepts_every_signature(tmp_path, digest):
    secret = base64.b64encode(secrets.token_bytes(64)).decode()
    with Named(tmp_path / "n", algorithm=f"hmac-{digest}", secret=secret) as named:
        key = rndc_key.load(str(named.key_file), None, "127.0.0.1")

        reply = rndc.command("127.0.0.1", named.rndc_port, key, "status", 5)

    assert (reply.code, key.digest) == (0, digest)
    assert "server is up and running" in reply.text


TWO_VIEWS = """
view "inside" { match-recursive-only yes; };
view "outside" { };
"""


def test_of_two_views_the_zone_is_in_the_configured_one_alone(tmp_path):
    with Named(tmp_path / "n", more=TWO_VIEWS) as named:
        key = rndc_key.load(str(named.key_file), None, "127.0.0.1")

        def has(view):
            text = f'showzone "viewed.example" IN {view}'
            return rndc.command("127.0.0.1", named.rndc_port, key, text, 5).code == 0

        backends = {view: backend_of(named, view=view) for view in ("inside", "outside")}
        zone = zone_of("viewed.example.")
        backends["inside"].create_zone(zone)
        first = has("inside"), has("outside")
        backends["outside"].create_zone(zone)
        both = has("inside"), has("outside")
        backends["inside"].delete_zone(zone, hard_delete=False)
        last = has("inside"), has("outside")

    assert (first, both, last) == ((True, False), (True, True), (False, True))


@pytest.mark.parametrize(
    ("clean", "hard_delete", "is_kept"),
    [("false", False, True), ("true", False, False), ("false", True, False)],
)
def test_a_zones_file_stays_unless_it_is_to_be_removed(
    named, tmp_path, clean, hard_delete, is_kept
):
    with Hidden(tmp_path) as hidden:
        zone = hidden.zone("filed.example.")
        host, port = hidden.address
        backend = backend_of(named, (PrimaryAddress(host=host, port=port),), clean_zonefile=clean)
        change = replace(zone_of(zone.name), zone_id=zone.id)
        backend.create_zone(change)
        file = named.folder / f"slave.{zone.id}"
        until(file.exists, 10, "the transferred zone's file")
        backend.delete_zone(change, hard_delete=hard_delete)

        # BIND removes it a moment after its answer.
        until(lambda: rcode(named, zone.name) == dns.rcode.REFUSED, 10, "the deletion")
        if not is_kept:
            until(lambda: not file.exists(), 10, "the file's end")
        assert file.exists() is is_kept
