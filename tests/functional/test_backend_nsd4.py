"""The nsd4 backend against a real NSD: control channel, zones and the whole path."""

import dns.rcode
import pytest

from designate import errors
from designate.backend.nsd4 import Nsd4Backend
from designate.model.pools import Target
from tests.support.deadlines import until
from tests.support.factories.worker import change
from tests.support.servers.nameservers import free_port
from tests.support.servers.secondaries import Nsd
from tests.support.servers.standalone import (
    Service,
    ask,
    post_change_and_delete,
    texts,
)


@pytest.fixture(scope="module")
def nsd(tmp_path_factory):
    with Nsd(tmp_path_factory.mktemp("nsd"), free_port()) as nsd:
        yield nsd


@pytest.fixture(scope="module")
def service(tmp_path_factory, nsd):
    with Service(tmp_path_factory.mktemp("service"), nsd, nsd.master_port) as service:
        yield service


def backend_of(nsd, **options):
    return Nsd4Backend(Target(type="nsd4", options={**nsd.options, **options}))


def test_nsd_serves_what_was_posted_changed_and_deleted(service, nsd):
    address = ("127.0.0.1", nsd.port)

    posted, changed = post_change_and_delete(service, "nsd.example.", address)

    assert posted == {"192.0.2.1", "192.0.2.2"}
    assert changed
    assert ask(address, "nsd.example.", "SOA").rcode() == dns.rcode.REFUSED
    assert "not configured" in nsd.control("zonestatus", "nsd.example.")


def test_a_created_zone_has_the_targets_pattern(nsd):
    backend_of(nsd).create_zone(change(name="made.example."))
    backend_of(nsd).create_zone(change(name="made.example."))

    assert "pattern: slave" in nsd.control("zonestatus", "made.example.")


def test_an_unknown_pattern_is_told(nsd):
    with pytest.raises(errors.BackendError, match="pattern nowhere does not exist"):
        backend_of(nsd, pattern="nowhere").create_zone(change(name="nopattern.example."))


def test_update_adds_a_missing_zone_and_changes_a_former_pattern(nsd):
    zone = change(name="moved.example.")

    backend_of(nsd).update_zone(zone)
    added = nsd.control("zonestatus", "moved.example.")
    backend_of(nsd, pattern="other", former_patterns="older, slave").update_zone(zone)
    changed = nsd.control("zonestatus", "moved.example.")

    assert "pattern: slave" in added
    assert "pattern: other" in changed


def test_update_has_a_zone_transferred_that_nsd_would_leave_for_long(tmp_path):
    """Its masters were unreachable, so NSD waits for a minute or more before it queries again."""
    with Nsd(tmp_path / "nsd", free_port()) as waiting:
        backend_of(waiting).create_zone(change(name="waits.example."))
        until(
            lambda: 'wait: "' in waiting.control("zonestatus", "waits.example."), 10, "NSD waiting"
        )
        listen = {"listen": [f"127.0.0.1:{waiting.master_port}"]}
        with Service(tmp_path, **{"service:mdns": listen}) as service:
            service.zone("waits.example.")
            backend_of(waiting).update_zone(change(name="waits.example."))
            address = ("127.0.0.1", waiting.port)
            until(lambda: texts(ask(address, "waits.example.", "SOA")), 15, "the zone served")


def test_a_certificate_of_somebody_else_is_refused_by_both_sides(nsd, tmp_path):
    with Nsd(tmp_path / "other", free_port(), fresh=True) as other:
        wrong_client = backend_of(
            nsd, certfile=other.options["certfile"], keyfile=other.options["keyfile"]
        )
        wrong_server = backend_of(nsd, ca_certs=other.options["ca_certs"])
        for backend in (wrong_client, wrong_server):
            with pytest.raises(errors.BackendError, match="TLS failed") as caught:
                backend.create_zone(change(name="guarded.example."))
            assert not isinstance(caught.value, errors.BackendUnavailable)

    assert "not configured" in nsd.control("zonestatus", "guarded.example.")


def test_the_hosts_name_is_checked_unless_told_otherwise(nsd):
    """The certificate of nsd-control-setup names no host."""
    with pytest.raises(errors.BackendError, match="TLS failed: CERTIFICATE_VERIFY_FAILED"):
        backend_of(nsd, check_hostname="1").create_zone(change(name="named.example."))
    backend_of(nsd, verify_ssl="0", check_hostname="1", ca_certs="").create_zone(
        change(name="named.example.")
    )

    assert "pattern: slave" in nsd.control("zonestatus", "named.example.")


def test_files_that_are_missing_are_named(nsd, tmp_path):
    with pytest.raises(errors.BackendError, match=r"none\.pem.*No such file"):
        backend_of(nsd, certfile=str(tmp_path / "none.pem")).create_zone(change())


def test_a_server_rebuilt_empty_gets_its_zones_and_their_data_again(tmp_path):
    with (
        Nsd(tmp_path / "nsd", free_port()) as nsd,
        Service(tmp_path, nsd, nsd.master_port) as service,
    ):
        zone = service.zone("rebuilt.example.")
        service.active(f"/zones/{zone['id']}")
        nsd.stop()
        nsd.wipe()
        nsd.start()
        made = service.recordset(zone, "www.rebuilt.example.", "A", ["192.0.2.1"])
        service.active(f"/zones/{zone['id']}/recordsets/{made['id']}", 20)

        assert texts(ask(("127.0.0.1", nsd.port), "www.rebuilt.example.", "A"))
