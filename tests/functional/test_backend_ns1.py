"""The ns1 backend against a fake of NS1."""

import pytest

from designate import errors
from designate.backend.ns1 import Ns1Backend
from designate.model.pools import Target
from designate.model.zones import PrimaryAddress
from tests.support.factories.worker import change
from tests.support.fakes.ns1 import Ns1

MASTERS = (PrimaryAddress(host="192.0.2.1", port=5354), PrimaryAddress(host="2001:db8::1", port=53))
KEY = {"tsigkey_name": "xfr.", "tsigkey_hash": "hmac-sha256", "tsigkey_value": "c2VjcmV0"}


@pytest.fixture
def ns1():
    with Ns1() as ns1:
        yield ns1


def backend_of(ns1, **options):
    options = {"api_endpoint": ns1.web.url, "api_token": Ns1.TOKEN, **options}
    return Ns1Backend(Target(type="ns1", masters=MASTERS, options=options))


def test_the_key_for_transfers_is_handed_on_with_its_secret(ns1):
    keyed = backend_of(ns1, **KEY)
    keyed.transfer_with("xfr")

    keyed.create_zone(change(name="keyed.example."))

    assert ns1.zones["keyed.example"]["secondary"]["tsig"] == {
        "enabled": True,
        "name": "xfr.",
        "hash": "hmac-sha256",
        "key": "c2VjcmV0",
    }


def test_update_changes_a_key_and_takes_it_away(ns1):
    backend_of(ns1).create_zone(change(name="moved.example."))

    backend_of(ns1, **KEY).update_zone(change(name="moved.example."))
    given = ns1.zones["moved.example"]["secondary"]["tsig"]["enabled"]
    backend_of(ns1).update_zone(change(name="moved.example."))

    assert given
    assert not ns1.zones["moved.example"]["secondary"]["tsig"]["enabled"]


def test_what_is_right_is_left_alone_on_one_connection(ns1):
    backend = backend_of(ns1, **KEY)

    for _ in range(3):
        backend.create_zone(change(name="kept.example."))
        backend.update_zone(change(name="kept.example."))

    assert ns1.calls("PUT", "POST") == ["PUT /v1/zones/kept.example"]
    assert ns1.web.connections == 1


def test_a_refused_key_is_told_without_its_secret(ns1):
    backend = backend_of(ns1, **KEY | {"tsigkey_hash": "md6"})

    with pytest.raises(errors.BackendError, match=r"create no\.example\. failed.*400") as caught:
        backend.create_zone(change(name="no.example."))

    assert "'***'" in str(caught.value)
    assert "c2VjcmV0" not in str(caught.value)


@pytest.mark.parametrize("missing", sorted(KEY))
def test_half_a_key_is_told_when_the_target_is_loaded(ns1, missing):
    with pytest.raises(errors.ConfigurationError, match=missing):
        backend_of(ns1, **{name: text for name, text in KEY.items() if name != missing})


def test_a_pools_key_needs_the_options_that_say_it(ns1):
    with pytest.raises(errors.ConfigurationError, match=r"tsigkey_id needs .* tsigkey_value"):
        backend_of(ns1).transfer_with("xfr")


def test_a_host_alone_is_asked_by_https(ns1):
    backend = backend_of(ns1, api_endpoint=f"127.0.0.1:{ns1.web.port}")

    with pytest.raises(errors.BackendError, match=f"https://127.0.0.1:{ns1.web.port}: TLS"):
        backend.create_zone(change(name="tls.example."))


def test_a_zone_that_another_worker_makes_meanwhile_is_success(ns1):
    zone = change(name="raced.example.")
    first, second = backend_of(ns1), backend_of(ns1)
    respond = ns1.respond

    def late(request):
        if request.method == "PUT" and "raced.example" not in ns1.zones:
            respond(request)
        return respond(request)

    ns1.respond = late
    first.create_zone(zone)
    second.create_zone(zone)

    assert "raced.example" in ns1.zones
