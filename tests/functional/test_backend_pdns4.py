"""The pdns4 backend against a real PowerDNS: API, zones, refusals and the whole path."""

import dns.rcode
import pytest

from designate import errors
from designate.backend.pdns4 import Pdns4Backend
from designate.model.pools import Target
from designate.model.zones import PrimaryAddress
from tests.support.deadlines import until
from tests.support.factories.worker import change
from tests.support.servers.nameservers import free_port
from tests.support.servers.secondaries import Pdns
from tests.support.servers.standalone import (
    Service,
    ask,
    post_change_and_delete,
    texts,
    transferred,
)

MASTERS = (PrimaryAddress(host="127.0.0.1", port=5399), PrimaryAddress(host="::1", port=53))


@pytest.fixture(scope="module")
def service(tmp_path_factory, pdns):
    with Service(tmp_path_factory.mktemp("service"), pdns, free_port()) as service:
        yield service


def backend_of(pdns, masters=MASTERS, **options):
    return Pdns4Backend(Target(type="pdns4", masters=masters, options={**pdns.options, **options}))


def shown(pdns, name):
    answer = pdns.api("GET", f"/{name}?rrsets=false")
    return answer.json() if answer.status_code == 200 else None


def requests_for(pdns, name):
    """Return the method of each API call for the zone, or for creating any."""
    lines = [line for line in pdns.log.read_text().splitlines() if "[webserver]" in line]
    return [line.split('"')[1].split()[0] for line in lines if f"zones/{name}" in line]


def test_powerdns_serves_what_was_posted_changed_and_deleted(service, pdns):
    address = ("127.0.0.1", pdns.port)

    posted, changed = post_change_and_delete(service, "pdns.example.", address)

    assert posted == {"192.0.2.1", "192.0.2.2"}
    assert changed
    assert ask(address, "pdns.example.", "SOA").rcode() == dns.rcode.REFUSED
    assert shown(pdns, "pdns.example.") is None


def test_changes_travel_as_whole_zones(service, pdns):
    zone = service.zone("axfr.example.")
    service.active(f"/zones/{zone['id']}")
    for number in range(3):
        made = service.recordset(zone, f"n{number}.axfr.example.", "A", ["192.0.2.1"])
        service.active(f"/zones/{zone['id']}/recordsets/{made['id']}")

    log = [line for line in pdns.log.read_text().splitlines() if "'axfr.example'" in line]

    assert not any("IXFR" in line for line in log), log
    assert transferred(("127.0.0.1", pdns.port), "axfr.example.") == transferred(
        service.dns, "axfr.example."
    )


def test_a_change_is_asked_for_by_the_api(service, pdns):
    """PowerDNS handles NOTIFY only once a second."""
    zone = service.zone("hasty.example.")
    service.active(f"/zones/{zone['id']}")
    made = service.recordset(zone, "www.hasty.example.", "A", ["192.0.2.1"])
    service.active(f"/zones/{zone['id']}/recordsets/{made['id']}")

    log = pdns.log.read_text()
    assert "PUT /api/v1/servers/localhost/zones/hasty.example./axfr-retrieve" in log


def test_a_zone_that_is_not_there_cannot_be_hastened(pdns):
    with pytest.raises(errors.BackendError, match=r"transfer nowhere\.example\. failed"):
        backend_of(pdns).trigger_transfer(change(name="nowhere.example."))


def test_a_created_zone_is_a_secondary_of_the_targets_masters(pdns):
    backend_of(pdns).create_zone(change(name="made.example."))
    made = shown(pdns, "made.example.")
    metadata = pdns.api("GET", "/made.example./metadata/IXFR").json()

    assert (made["kind"], made["account"]) == ("Slave", "designate")
    assert set(made["masters"]) == {"127.0.0.1:5399", "::1"}
    assert metadata["metadata"] == []


def test_an_existing_zone_keeps_its_data_when_it_is_created_again(service, pdns):
    zone = service.zone("kept.example.")
    service.active(f"/zones/{zone['id']}")
    masters = (PrimaryAddress(host="127.0.0.1", port=service.dns[1]),)

    backend_of(pdns, masters).create_zone(change(name="kept.example."))

    assert ask(("127.0.0.1", pdns.port), "kept.example.", "SOA").rcode() == dns.rcode.NOERROR
    assert "DELETE" not in requests_for(pdns, "kept.example.")
    assert "PUT /api/v1/servers/localhost/zones/kept.example. " not in pdns.log.read_text()


def test_update_notices_other_masters_and_adds_a_missing_zone(pdns):
    zone = change(name="moved.example.")
    moved = backend_of(pdns, (PrimaryAddress(host="127.0.0.1", port=5397),))

    backend_of(pdns).update_zone(zone)
    added = shown(pdns, "moved.example.")["masters"]
    moved.update_zone(zone)
    changed = shown(pdns, "moved.example.")["masters"]

    assert set(added) == {"127.0.0.1:5399", "::1"}
    assert changed == ["127.0.0.1:5397"]


def test_the_key_for_transfers_is_set_and_an_unknown_one_is_told(pdns):
    pdns.api_root("POST", "/tsigkeys", {"name": "xfr.", "algorithm": "hmac-sha256"})
    keyed = backend_of(pdns, tsigkey_name="xfr.")

    keyed.create_zone(change(name="keyed.example."))
    keyed.update_zone(change(name="keyed.example."))

    other = backend_of(pdns)
    other.transfer_with("xfr")
    other.create_zone(change(name="keyed2.example."))

    assert shown(pdns, "keyed.example.")["slave_tsig_key_ids"] == ["xfr."]
    assert shown(pdns, "keyed2.example.")["slave_tsig_key_ids"] == ["xfr."]
    with pytest.raises(errors.BackendError, match="failed with HTTP status 422"):
        backend_of(pdns, tsigkey_name="nokey.").create_zone(change(name="nokey.example."))


def test_a_wrong_token_is_an_error_for_creation_and_for_deletion(pdns):
    backend_of(pdns).create_zone(change(name="guarded.example."))
    wrong = backend_of(pdns, api_token="not-the-token")

    for call in (
        lambda: wrong.create_zone(change(name="guarded.example.")),
        lambda: wrong.delete_zone(change(name="guarded.example."), hard_delete=False),
        lambda: wrong.update_zone(change(name="guarded.example.")),
    ):
        with pytest.raises(errors.BackendError, match="401: check the credentials") as caught:
            call()
        assert "not-the-token" not in str(caught.value)

    assert shown(pdns, "guarded.example.") is not None


def test_a_server_rebuilt_empty_gets_its_zones_and_their_data_again(tmp_path):
    with Pdns(tmp_path / "pdns") as pdns, Service(tmp_path, pdns, free_port()) as service:
        zone = service.zone("rebuilt.example.")
        service.active(f"/zones/{zone['id']}")
        pdns.stop()
        pdns.wipe()
        pdns.start()
        made = service.recordset(zone, "www.rebuilt.example.", "A", ["192.0.2.1"])
        service.active(f"/zones/{zone['id']}/recordsets/{made['id']}", 20)

        assert until(lambda: texts(ask(("127.0.0.1", pdns.port), "www.rebuilt.example.", "A")))
