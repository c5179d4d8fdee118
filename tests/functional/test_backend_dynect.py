"""The dynect backend against a fake of DynECT with zones, sessions and jobs."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

from designate import errors
from designate.backend.dynect import DynectBackend
from designate.model.pools import Target
from designate.model.zones import PrimaryAddress
from tests.support.factories.worker import change
from tests.support.fakes.dynect import Dynect
from tests.support.fakes.nameserver import NanoServer
from tests.support.servers.nameservers import Named
from tests.support.servers.standalone import Service, bind_pool

MASTERS = (PrimaryAddress(host="192.0.2.1", port=53),)


@pytest.fixture
def dyn():
    with Dynect() as dyn:
        yield dyn


def options_of(dyn):
    return {
        "api_endpoint": dyn.web.url,
        "customer_name": Dynect.LOGIN["customer_name"],
        "username": Dynect.LOGIN["user_name"],
        "password": Dynect.LOGIN["password"],
    }


def backend_of(dyn, masters=MASTERS, **options):
    options = {**options_of(dyn), **options}
    return DynectBackend(Target(type="dynect", masters=masters, options=options))


def test_one_session_and_connection_serve_many_calls(dyn):
    backend = backend_of(dyn)
    for number in range(3):
        backend.create_zone(change(name=f"n{number}.example."))

    assert dyn.logins == 1
    assert dyn.web.connections == 1


def test_a_session_that_ended_is_begun_anew(dyn):
    backend = backend_of(dyn)
    backend.create_zone(change(name="one.example."))
    dyn.sessions.clear()

    backend.create_zone(change(name="two.example."))

    assert set(dyn.zones) == {"one.example", "two.example"}
    assert dyn.logins == 2


def test_sessions_that_never_last_are_given_up_and_their_tokens_not_told(dyn):
    backend = backend_of(dyn)
    respond = dyn.respond

    def forgetful(request):
        dyn.sessions.clear()
        return respond(request)

    dyn.respond = forgetful
    with pytest.raises(errors.BackendError, match="login failed") as caught:
        backend.create_zone(change())

    assert dyn.logins == 3
    assert "session-token" not in str(caught.value)


def test_what_becomes_a_job_is_waited_for_one_at_a_time(dyn):
    dyn.slow = True
    backend = backend_of(dyn)
    names = [f"n{number}.example." for number in range(3)]

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda name: backend.create_zone(change(name=name)), names))

    assert {name: zone["active"] for name, zone in dyn.zones.items()} == {
        name.rstrip("."): "Y" for name in names
    }


def test_a_job_that_fails_or_takes_too_long_is_told(dyn):
    dyn.slow = True
    with pytest.raises(errors.BackendError, match="tsig_key_name: No such key"):
        backend_of(dyn, tsig_key_name="nokey").create_zone(change())
    with pytest.raises(errors.BackendError, match="no response in time"):
        backend_of(dyn, api_timeout="0.3").create_zone(change())

    assert not dyn.zones


def test_a_redirection_elsewhere_is_not_followed_with_the_session(dyn):
    dyn.slow, dyn.elsewhere = True, "http://192.0.2.9/away"

    with pytest.raises(errors.BackendError, match="failed with HTTP status 307"):
        backend_of(dyn).create_zone(change())

    assert not dyn.calls("GET")


def test_the_key_and_the_contact_are_handed_on(dyn):
    keyed = backend_of(dyn, contact_nickname="ops")
    keyed.transfer_with("xfr")
    keyed.create_zone(change(name="keyed.example."))

    assert dyn.zones["keyed.example"]["tsig_key_name"] == "xfr"
    assert dyn.zones["keyed.example"]["contact_nickname"] == "ops"


def test_a_zone_that_was_left_inactive_is_activated_and_then_left_alone(dyn):
    dyn.zones["half.example"] = {"zone": "half.example", "active": "N", "masters": ["192.0.2.1"]}
    backend_of(dyn).create_zone(change(name="half.example."))
    changes = dyn.calls("PUT")
    backend_of(dyn).update_zone(change(name="half.example."))

    assert dyn.zones["half.example"]["active"] == "Y"
    assert dyn.calls("PUT") == changes == ["PUT /REST/Secondary/half.example/"]


def test_another_customers_name_is_told(dyn):
    dyn.taken.add("theirs.example")

    with pytest.raises(errors.ForeignZone, match="of another customer"):
        backend_of(dyn).create_zone(change(name="theirs.example."))


def test_a_zone_whose_name_another_customer_has_is_refused_and_deleted(dyn, tmp_path):
    with NanoServer() as nameserver:
        dyn.taken.add("theirs.example")
        nameserver.serials["theirs.example."] = 7
        (pool,) = bind_pool(Named(tmp_path), 53)
        pool["targets"][0] |= {"type": "dynect", "options": options_of(dyn)}
        pool["nameservers"] = [{"host": nameserver.host, "port": nameserver.port}]
        pools_file = tmp_path / "pools.yaml"
        pools_file.write_text(yaml.safe_dump([pool]))
        with Service(tmp_path, pools_file=pools_file) as service:
            zone = service.zone("theirs.example.")
            reason = service.failed(zone)
            service.call("DELETE", f"/zones/{zone['id']}")
            service.gone(f"/zones/{zone['id']}")

    assert "of another customer" in reason


def test_another_port_is_refused(dyn):
    with pytest.raises(errors.ConfigurationError, match="port 5354: only 53"):
        backend_of(dyn, (PrimaryAddress(host="192.0.2.1", port=5354),))
