"""The akamai_v2 backend against a fake of Edge DNS, which also checks signatures."""

import logging

import pytest

from designate import errors
from designate.backend import akamai
from designate.model.pools import Target
from designate.model.zones import PrimaryAddress
from tests.support.factories.worker import change
from tests.support.fakes.akamai import Akamai

MASTERS = (PrimaryAddress(host="192.0.2.1", port=53), PrimaryAddress(host="2001:db8::1", port=53))
KEY = {
    "tsig_key_name": "xfr.",
    "tsig_key_algorithm": "hmac-sha256",
    "tsig_key_secret": "c2VjcmV0",
}


@pytest.fixture
def edge():
    with Akamai() as edge:
        yield edge


def backend_of(edge, masters=MASTERS, **options):
    options = {
        "akamai_host": edge.web.url,
        "akamai_client_token": Akamai.CLIENT_TOKEN,
        "akamai_client_secret": Akamai.CLIENT_SECRET,
        "akamai_access_token": Akamai.ACCESS_TOKEN,
        "akamai_contract_id": Akamai.CONTRACT,
        **options,
    }
    return akamai.AkamaiBackend(Target(type="akamai_v2", masters=masters, options=options))


def test_contract_group_and_key_are_handed_on(edge):
    keyed = backend_of(edge, akamai_gid="77", **KEY)
    keyed.transfer_with("xfr")

    keyed.create_zone(change(name="keyed.example."))

    assert edge.calls("POST") == ["POST /config-dns/v2/zones?contractId=C-1ABCDE&gid=77"]
    assert edge.zones["keyed.example"]["tsigKey"] == {
        "name": "xfr.",
        "algorithm": "hmac-sha256",
        "secret": "c2VjcmV0",
    }


def test_what_is_right_is_left_alone_and_another_key_is_set(edge):
    backend_of(edge).create_zone(change(name="moved.example."))
    backend_of(edge).update_zone(change(name="moved.example."))
    kept = edge.calls("PUT")
    backend_of(edge, **KEY).update_zone(change(name="moved.example."))

    assert kept == []
    assert edge.zones["moved.example"]["tsigKey"]["name"] == "xfr."


def test_a_client_that_may_not_force_waits_for_the_deletion(edge):
    edge.force = False
    backend_of(edge).create_zone(change(name="slow.example."))

    backend_of(edge).delete_zone(change(name="slow.example."), hard_delete=False)

    assert edge.zones == {}
    assert len(edge.calls("GET")) == 4


def test_a_deletion_that_fails_or_takes_too_long_is_told(edge, monkeypatch):
    monkeypatch.setattr(akamai, "POLLS_S", (0.0, 0.0))
    backend = backend_of(edge)
    backend.create_zone(change(name="held.example."))

    edge.fails = True
    with pytest.raises(errors.BackendError, match=r"delete held\.example\. failed"):
        backend.delete_zone(change(name="held.example."), hard_delete=False)
    edge.fails, edge.force, edge.polls = False, False, 9
    with pytest.raises(errors.BackendError, match="not complete yet"):
        backend.delete_zone(change(name="held.example."), hard_delete=False)

    assert "held.example" in edge.zones


def test_a_name_in_another_contract_is_told(edge):
    edge.taken.add("taken.example")

    with pytest.raises(errors.ForeignZone, match="of another contract"):
        backend_of(edge).create_zone(change(name="taken.example."))


def test_a_wrong_contract_is_told(edge):
    with pytest.raises(errors.BackendError, match=r"403.*this contract"):
        backend_of(edge, akamai_contract_id="C-2").create_zone(change())


@pytest.mark.parametrize("name", ["akamai_client_token", "akamai_access_token"])
def test_each_token_counts_and_is_not_shown(edge, name):
    with pytest.raises(errors.BackendError, match="401") as caught:
        backend_of(edge, **{name: "wrong-word"}).create_zone(change())

    assert "wrong-word" not in str(caught.value)


def test_signing_logs_no_secrets(edge, caplog):
    with caplog.at_level(logging.DEBUG):
        backend_of(edge, **KEY).create_zone(change())

    assert "c2VjcmV0" not in caplog.text
    assert "signing key" not in caplog.text


def test_a_lost_connection_is_signed_anew(edge):
    backend = backend_of(edge)
    backend.create_zone(change(name="one.example."))
    edge.web.drops = 1

    backend.create_zone(change(name="two.example."))

    assert set(edge.zones) == {"one.example", "two.example"}


def test_another_port_is_a_warning(edge, caplog):
    backend_of(edge, (PrimaryAddress(host="192.0.2.1", port=5354),))

    assert "master 192.0.2.1 at port 53, not at port 5354" in caplog.text


def test_a_pools_key_needs_the_options_that_say_it(edge):
    with pytest.raises(errors.ConfigurationError, match="tsig_key_secret"):
        backend_of(edge).transfer_with("xfr")
