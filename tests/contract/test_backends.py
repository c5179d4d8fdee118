"""The contract of every backend, checked against a real server or a fake.

A fake stores its zones and refuses what the product refuses.
"""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from designate import errors
from designate.backend import base
from designate.model import pools_file_dump
from designate.model.pools import Target
from designate.worker.scheduling.executors import MAX_THREADS
from tests.support.deadlines import scaled
from tests.support.factories.worker import change
from tests.support.fakes import backend_peers, hosted_peers
from tests.support.servers.nameservers import free_port

SIDES = backend_peers.SIDES | hosted_peers.SIDES
MANY = 32
NEEDED = hosted_peers.NEEDED | {
    "pdns4": {"api_endpoint": "http://127.0.0.1", "api_token": "t"},
}
ODD_NAMES = [
    "xn--bcher-kva.example.",
    "_sip._tcp.example.",
    "0/25.2.0.192.in-addr.arpa.",
    "0-63.2.0.192.in-addr.arpa.",
    "8.b.d.0.1.0.0.2.ip6.arpa.",
    "x" * 63 + "." + "y" * 63 + "." + "z" * 63 + "." + "w" * 61 + ".",
    "a.very.deep." + "l." * 40 + "example.",
    "UPPER.example.",
    "dot\\046ted.example.",
    "caf\\195\\169.example.",
    "quo\\034ted.example.",
]


@pytest.fixture(scope="module", params=sorted(SIDES))
def side(request, tmp_path_factory):
    made = SIDES[request.param](tmp_path_factory.mktemp(request.param))
    if isinstance(made, hosted_peers.DesignateSide):
        made.keystone = request.getfixturevalue("keystone")
    with made as side:
        yield side


def names(masters):
    return {f"{master.host}:{master.port}" for master in masters}


def test_a_created_zone_is_there_with_the_targets_masters(side):
    side.backend().create_zone(change(name="made.example."))

    assert side.has("made.example.")
    assert side.masters("made.example.") == names(side.MASTERS)


def test_creating_twice_is_success_and_changes_nothing(side):
    backend = side.backend()
    backend.create_zone(change(name="twice.example."))
    backend.create_zone(change(name="twice.example."))
    side.backend().create_zone(change(name="twice.example."))

    assert side.masters("twice.example.") == names(side.MASTERS)


@pytest.mark.parametrize("hard_delete", [False, True])
def test_a_deleted_zone_is_gone_and_deleting_it_again_is_success(side, hard_delete):
    backend, zone = side.backend(), change(name=f"gone{hard_delete}.example.")
    backend.create_zone(zone)
    made = side.has(zone.name)

    backend.delete_zone(zone, hard_delete=hard_delete)
    gone = not side.has(zone.name)
    backend.delete_zone(zone, hard_delete=hard_delete)

    assert made
    assert gone


def test_deleting_what_never_was_is_success_and_leaves_the_others(side):
    backend = side.backend()
    backend.create_zone(change(name="other.example."))

    backend.delete_zone(change(name="never.example."), hard_delete=False)
    backend.delete_zone(change(name="er.example."), hard_delete=False)
    backend.delete_zone(change(name="sub.other.example."), hard_delete=True)

    assert side.has("other.example.")


def test_a_deleted_zone_can_be_created_again(side):
    backend, zone = side.backend(), change(name="again.example.")
    backend.create_zone(zone)
    backend.delete_zone(zone, hard_delete=False)
    gone = not side.has("again.example.")

    backend.create_zone(change(name="again.example.", zone_id="another-zones-id"))

    assert gone
    assert side.has("again.example.")


def test_update_adds_what_the_server_has_lost(side):
    side.backend().update_zone(change(name="lost.example."))

    assert side.has("lost.example.")
    assert side.masters("lost.example.") == names(side.MASTERS)


def test_update_gives_a_zone_the_masters_that_the_target_has_now(side):
    zone = change(name="moved.example.")
    side.backend().create_zone(zone)
    moved = side.backend(side.OTHER_MASTERS)

    moved.update_zone(zone)
    moved.update_zone(zone)

    assert side.masters("moved.example.") == names(side.OTHER_MASTERS)


def test_a_zone_of_others_is_told_and_stays_whatever_is_called(side):
    zone = change(name="theirs.example.")
    side.add_foreign(zone.name)
    backend = side.backend()

    for call in every_call(backend, zone):
        with pytest.raises(errors.ForeignZone, match="that is not ours"):
            call()

    found = backend.inspect(zone)
    assert (found.name, found.is_ours) == (zone.name, False)
    assert side.has_foreign(zone.name)


def test_our_zones_and_missing_ones_are_told(side):
    backend = side.backend()
    backend.create_zone(change(name="mine.example."))

    assert backend.inspect(change(name="mine.example.")).is_ours
    assert backend.inspect(change(name="missing.example.")) is None


@pytest.mark.parametrize("name", ODD_NAMES)
def test_every_name_is_a_zones_or_refused_clearly(side, name):
    backend, zone = side.backend(), change(name=name)
    if name in side.REFUSED_NAMES:
        with pytest.raises(errors.BackendError):
            backend.create_zone(zone)
        backend.delete_zone(zone, hard_delete=False)
        return

    backend.create_zone(zone)
    made = side.has(name)
    backend.create_zone(zone)
    backend.update_zone(zone)
    backend.delete_zone(zone, hard_delete=True)

    assert made
    assert not side.has(name)


def surely(call):
    """Retry as the worker does, since a busy server may refuse."""
    for _ in range(20):
        try:
            call()
        except errors.BackendError:
            continue
        return True
    return False


def test_many_zones_come_and_go_in_parallel(side):
    backend = side.backend()
    zones = [change(name=f"many{number}.example.") for number in range(MANY)]

    def create(zone):
        return surely(lambda: backend.create_zone(zone))

    def delete(zone):
        return surely(lambda: backend.delete_zone(zone, hard_delete=True))

    with ThreadPoolExecutor(MAX_THREADS) as pool:
        created = list(pool.map(create, zones))
        made = list(pool.map(lambda zone: side.has(zone.name), zones))
        deleted = list(pool.map(delete, zones))

    assert all(created)
    assert all(made)
    assert all(deleted)
    assert not any(side.has(zone.name) for zone in zones)


def test_workers_that_do_the_same_at_once_agree(side):
    """Two workers may receive the same change.

    The second one may fail while the first one's work is in progress; a retry then succeeds.
    """
    backends = [side.backend() for _ in range(4)]
    zone = change(name="contested.example.")

    def create(backend):
        return surely(lambda: backend.create_zone(zone))

    def delete(backend):
        return surely(lambda: backend.delete_zone(zone, hard_delete=False))

    with ThreadPoolExecutor(4) as pool:
        created = list(pool.map(create, backends))
        there = side.has(zone.name)
        deleted = list(pool.map(delete, backends))

    assert all(created)
    assert there
    assert all(deleted)
    assert not side.has(zone.name)


def test_zones_outlive_a_restart_and_the_backend_goes_on_after_it(side):
    backend, before = side.backend(), change(name="before.example.")
    backend.create_zone(before)

    side.stop()
    side.start()
    backend.create_zone(change(name="after.example."))

    assert side.has("before.example.")
    assert side.has("after.example.")
    backend.delete_zone(before, hard_delete=False)
    assert not side.has("before.example.")


def every_call(backend, zone):
    return (
        lambda: backend.create_zone(zone),
        lambda: backend.update_zone(zone),
        lambda: backend.delete_zone(zone, hard_delete=False),
    )


def test_a_server_that_is_away_is_told_with_its_address(side):
    port = free_port()
    backend = side.backend(**side.at(port))

    for call in every_call(backend, change(name="away.example.")):
        with pytest.raises(errors.BackendError, match=f"{port}.*Connection refused"):
            call()


def test_a_server_that_hangs_is_given_up_at_the_deadline(side):
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        port = silent.getsockname()[1]
        backend = side.backend(**side.at(port))
        for call in every_call(backend, change(name="hangs.example.")):
            begun = time.monotonic()
            with pytest.raises(errors.BackendError, match=f"{port}.*no (response|reply)"):
                call()
            assert time.monotonic() - begun < scaled(10)


def test_wrong_credentials_are_told_without_showing_them_and_change_nothing(side):
    options, secret = side.wrong()
    there, new = change(name="guarded.example."), change(name="unguarded.example.")
    side.backend().create_zone(there)
    backend = side.backend(**options)

    for call in (*every_call(backend, there), *every_call(backend, new)):
        with pytest.raises(errors.BackendError) as caught:
            call()
        assert secret not in str(caught.value)
        assert len(str(caught.value)) > len("backend: ")

    assert side.has("guarded.example.")
    assert not side.has("unguarded.example.")


def test_no_secret_is_shown_by_the_command_line(side):
    for option in type(side.backend()).OPTIONS:
        assert pools_file_dump.is_secret(option.name) == option.secret, option.name


@pytest.mark.parametrize("type", base.drivers())
def test_every_option_is_explained(type):
    options = base.driver(type).OPTIONS

    assert len({option.name for option in options}) == len(options)
    assert all(len(option.meaning.split()) > 1 for option in options)


@pytest.mark.parametrize("type", base.drivers())
def test_every_backend_is_in_the_suite_or_has_no_server(type):
    assert type in SIDES or type in ("builtin", "catalog", "fake")


@pytest.mark.parametrize("type", base.drivers())
def test_a_backend_names_the_abilities_that_it_has(type):
    driver = base.driver(type)

    assert (driver.inspect is not base.Backend.inspect) == driver.INSPECTS
    assert (driver.find_zones is not base.Backend.find_zones) == driver.LISTS_ZONES
    assert (driver.reconcile is not base.Backend.reconcile) == driver.RECONCILES


@pytest.mark.parametrize("type", base.drivers())
def test_options_of_other_programs_are_no_fault(type):
    """Files of other releases have options that this release does not know."""
    options = {"unheard_of": "x"} | NEEDED.get(type, {})

    assert base.load(Target(type=type, options=options)).target.type == type
