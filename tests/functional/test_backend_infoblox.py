"""The infoblox backend against a fake of a grid."""

import pytest

from designate import errors
from designate.backend import nios
from designate.backend.infoblox import InfobloxBackend
from designate.model.pools import Target
from designate.model.zones import PrimaryAddress
from tests.support.factories.worker import change
from tests.support.fakes.infoblox import Infoblox

MASTERS = (PrimaryAddress(host="192.0.2.1", port=53),)


@pytest.fixture
def grid():
    with Infoblox() as grid:
        yield grid


def backend_of(grid, masters=MASTERS, **options):
    options = {
        "wapi_url": f"{grid.web.url}{Infoblox.BASE}",
        "username": Infoblox.USER,
        "password": Infoblox.PASSWORD,
        "ns_group": "minidns",
        **options,
    }
    return InfobloxBackend(Target(type="infoblox", masters=masters, options=options))


def test_zones_of_one_name_in_two_views_are_told_apart(grid):
    outer, inner = backend_of(grid), backend_of(grid, dns_view="internal")
    outer.create_zone(change(name="split.example."))
    inner.create_zone(change(name="split.example."))

    outer.delete_zone(change(name="split.example."), hard_delete=False)

    assert grid.named("split.example") is None
    assert grid.named("split.example", "internal")


def test_every_change_is_taken_up_by_a_restart(grid):
    backend = backend_of(grid)
    for call in (
        lambda: backend.create_zone(change()),
        lambda: backend_of(grid, ns_group="other").update_zone(change()),
        lambda: backend.delete_zone(change(), hard_delete=False),
    ):
        call()
        assert grid.pending == 0

    assert grid.web.requests


def test_a_refused_restart_is_a_warning(grid, caplog):
    grid.restarts = False

    backend_of(grid).create_zone(change(name="kept.example."))

    assert grid.named("kept.example")
    assert "restart of the grid's services failed with HTTP status 400" in caplog.text


@pytest.mark.parametrize("option", ["dns_view", "ns_group"])
def test_an_unknown_view_or_group_is_told(grid, option):
    with pytest.raises(errors.BackendError, match="nowhere not found"):
        backend_of(grid, **{option: "nowhere"}).create_zone(change())


def test_other_ports_and_views_for_each_project_are_refused(grid):
    with pytest.raises(errors.ConfigurationError, match="port 5354: only 53"):
        backend_of(grid, (PrimaryAddress(host="192.0.2.1", port=5354),))
    with pytest.raises(errors.ConfigurationError, match="multi_tenant"):
        backend_of(grid, multi_tenant="1")
    backend_of(grid, multi_tenant="0")


@pytest.mark.parametrize("url", ["https://grid.example", "grid/wapi/v2.1", "https://g/wapi/v"])
def test_another_url_is_refused(grid, url):
    with pytest.raises(errors.ConfigurationError):
        backend_of(grid, wapi_url=url)


def test_one_connection_serves_many_calls_and_what_is_right_is_left_alone(grid):
    backend = backend_of(grid)
    for _ in range(3):
        backend.update_zone(change(name="kept.example."))

    changes = [call for call in grid.calls("POST", "PUT") if "restartservices" not in call]
    assert changes == ["POST /wapi/v2.10/zone_auth"]
    assert grid.web.connections == 1


@pytest.mark.parametrize(
    ("name", "fqdn", "prefix"),
    [
        ("10.in-addr.arpa.", "10.0.0.0/8", None),
        ("2.0.192.in-addr.arpa.", "192.0.2.0/24", None),
        ("64/26.2.0.192.in-addr.arpa.", "192.0.2.64/26", "64/26"),
        ("64-127.2.0.192.in-addr.arpa.", "192.0.2.64/26", "64-127"),
        ("0.8.b.d.0.1.0.0.2.ip6.arpa.", "2001:db8::/36", None),
        ("in-addr.arpa.example.", "in-addr.arpa.example", None),
    ],
)
def test_reverse_zones_are_named_by_their_network(name, fqdn, prefix):
    place = nios.zone_address(name)

    assert (place.fqdn, place.prefix) == (fqdn, prefix)


@pytest.mark.parametrize(
    "name",
    ["a.2.0.192.in-addr.arpa.", "256.in-addr.arpa.", "1-63.2.0.192.in-addr.arpa.",
     "0-62.2.0.192.in-addr.arpa.", "ab.1.ip6.arpa.", "x.ip6.arpa.", "9-0.2.0.192.in-addr.arpa."],
)  # fmt: skip
def test_a_reverse_zone_of_no_network_is_told_and_its_deletion_is_success(grid, name):
    with pytest.raises(errors.BackendError, match="without a network"):
        backend_of(grid).create_zone(change(name=name))
    backend_of(grid).delete_zone(change(name=name), hard_delete=True)

    assert not grid.zones


def test_a_zone_that_another_worker_deletes_meanwhile_is_success(grid):
    backend_of(grid).create_zone(change(name="raced.example."))
    respond = grid.respond

    def late(request):
        if request.method == "DELETE":
            respond(request)
        return respond(request)

    grid.respond = late
    backend_of(grid).delete_zone(change(name="raced.example."), hard_delete=False)

    assert not grid.zones
