"""The designate backend against another service behind a real Keystone."""

from types import SimpleNamespace

import pytest

from designate import errors
from tests.support.deadlines import until
from tests.support.factories.worker import change
from tests.support.fakes.hosted_peers import DesignateSide
from tests.support.fakes.http_server import Response, Weblet
from tests.support.servers.nameservers import free_port
from tests.support.servers.standalone import Service, ask, texts, transferred


@pytest.fixture(scope="module")
def remote(tmp_path_factory, keystone):
    made = DesignateSide(tmp_path_factory.mktemp("remote"))
    made.keystone = keystone
    with made as side:
        yield side


def remote_zone(remote, body):
    return remote.service.call("POST", "/zones", body, **remote.token)[1]


def test_the_other_service_serves_what_was_posted_changed_and_deleted(remote, tmp_path):
    host, port = address = remote.service.dns
    options = {**remote.options, "host": host, "port": str(port)}
    server = SimpleNamespace(TYPE="designate", port=port, options=options, SIGNS=False)
    with Service(tmp_path, server, free_port()) as service:
        zone = service.zone("linked.example.")
        service.active(f"/zones/{zone['id']}")
        made = service.recordset(zone, "www.linked.example.", "A", ["192.0.2.1"])
        path = f"/zones/{zone['id']}/recordsets/{made['id']}"
        service.active(path)
        posted = texts(ask(address, "www.linked.example.", "A"))
        service.call("PUT", path, {"records": ["192.0.2.3"]})
        service.active(path)
        equal = transferred(address, "linked.example.") == transferred(
            service.dns, "linked.example."
        )
        service.call("DELETE", f"/zones/{zone['id']}")
        service.gone(f"/zones/{zone['id']}")

        assert posted == {"192.0.2.1"}
        assert equal
        assert not remote.has("linked.example.")


def test_a_zone_of_another_project_there_is_refused_and_left_alone(remote):
    account = remote.keystone.account("remote-stranger", "member")
    token = {"X-Auth-Token": remote.keystone.token(account)}
    body = {"name": "theirs.example.", "email": "a@example.com"}
    assert remote.service.call("POST", "/zones", body, **token)[0] == 202

    with pytest.raises(errors.ForeignZone, match="of another project"):
        remote.backend().create_zone(change(name="theirs.example."))
    remote.backend().delete_zone(change(name="theirs.example."), hard_delete=False)

    assert len(remote.service.call("GET", "/zones?name=theirs.example.", **token)[1]["zones"]) == 1


def test_a_primary_zone_there_is_told_and_left_alone(remote):
    remote_zone(remote, {"name": "primary.example.", "email": "a@example.com"})

    for call in (remote.backend().create_zone, remote.backend().update_zone):
        with pytest.raises(errors.ForeignZone, match="type PRIMARY"):
            call(change(name="primary.example."))
    with pytest.raises(errors.ForeignZone, match="type PRIMARY"):
        remote.backend().delete_zone(change(name="primary.example."), hard_delete=False)


def test_a_catalogue_without_the_service_is_told(remote):
    with pytest.raises(errors.BackendError, match="service_type, region_name"):
        remote.backend(region_name="nowhere").create_zone(change())


def test_one_token_and_one_connection_serve_many_calls(remote):
    before = remote.keystone.requests()
    backend = remote.backend()
    for number in range(3):
        backend.create_zone(change(name=f"n{number}.many.example."))
        backend.update_zone(change(name=f"n{number}.many.example."))
    mine = remote.keystone.requests() - before

    # One is this backend's; the others are the service's own, which asks who a token is.
    assert mine <= 4


@pytest.fixture
def front(remote):
    """Run a server in place of the other Designate's API."""
    seen = []

    def answer(request):
        seen.append(request.headers["x-auth-token"])
        if seen[-1] == seen[0]:
            return Response(status=401)
        return Response(status=202, body={"zones": []})

    with Weblet(answer) as web:
        region = f"{remote.region}-front-{web.port}"
        remote.keystone.region(region, dns=f"{web.url}/dns/v2")
        yield SimpleNamespace(web=web, seen=seen, region=region)
        remote.keystone.withdraw(region)


def test_a_token_that_is_no_longer_believed_is_replaced(remote, front):
    backend = remote.backend(region_name=front.region)

    backend.create_zone(change())
    backend.delete_zone(change(), hard_delete=False)

    assert len(front.seen) == 3
    assert front.seen[0] != front.seen[1] == front.seen[2]
    assert [request.path for request in front.web.requests] == ["/dns/v2/zones"] * 3
    assert front.web.connections == 1


def test_an_api_that_hangs_is_given_up_at_the_deadline(remote, front):
    front.web.hold.clear()
    backend = remote.backend(region_name=front.region, api_timeout="0.5")

    with pytest.raises(errors.BackendUnavailable, match=f"{front.web.port}: no response in time"):
        backend.create_zone(change())
    until(lambda: front.seen, 5, "the request")
