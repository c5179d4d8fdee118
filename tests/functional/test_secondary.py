"""Secondary zones from real primaries to a real BIND: BIND, Knot and NSD give, BIND serves."""

import dns.rcode
import pytest

from tests.primaries import BindPrimary, KnotPrimary, NsdPrimary, zone_text
from tests.servers import Named, free_port, until
from tests.service import Service, ask, texts, transferred

QUICK = {
    "service:central": {"secondary_min_refresh": 1},
    "producer_task:periodic_secondary_refresh": {"interval": 0.2},
}


@pytest.fixture(scope="module")
def bind(tmp_path_factory):
    with Named(tmp_path_factory.mktemp("bind")) as bind:
        yield bind


@pytest.fixture(scope="module")
def service(tmp_path_factory, bind):
    folder = tmp_path_factory.mktemp("service")
    with Service(folder, bind, free_port(), **QUICK) as service:
        yield service


def secondary(service, name, *masters):
    status, zone = service.call(
        "POST", "/zones", {"name": name, "type": "SECONDARY", "masters": list(masters)}
    )
    assert status == 202, zone
    return zone


def shown(service, zone):
    return service.call("GET", f"/zones/{zone['id']}")[1]


def with_serial(service, zone, serial, timeout_s=15):
    """The zone once it is ACTIVE with this serial."""

    def look():
        found = shown(service, zone)
        return found if (found["serial"], found["status"]) == (serial, "ACTIVE") else None

    return until(look, timeout_s, f"serial {serial} ACTIVE ({shown(service, zone)})")


def a_records(service, zone):
    _, found = service.call("GET", f"/zones/{zone['id']}/recordsets?type=A&limit=100")
    return {one["name"]: (one["records"], one["ttl"]) for one in found["recordsets"]}


@pytest.mark.parametrize(
    ("server", "notifies"), [(BindPrimary, True), (KnotPrimary, True), (NsdPrimary, False)]
)
def test_a_zone_of_a_real_primary_is_served_and_follows_its_changes(
    tmp_path, service, bind, server, notifies
):
    name = f"{server.program}.example."
    www, also = f"www.{name} 60 IN A 192.0.2.1", f"also.{name} 61 IN A 192.0.2.2"
    notify = service.dns if notifies else None
    with server(tmp_path, name, zone_text(name, 2026010101, www), notify=notify) as primary:
        zone = secondary(service, name, primary.master)
        first = with_serial(service, zone, 2026010101)
        served = texts(ask(("127.0.0.1", bind.port), f"www.{name}", "A"))
        before = a_records(service, zone)
        primary.load(zone_text(name, 2026010102, also))
        if not notifies:
            assert service.call("POST", f"/zones/{zone['id']}/tasks/xfr") == (202, "")
        with_serial(service, zone, 2026010102)

        assert (zone["action"], zone["status"], zone["serial"]) == ("CREATE", "PENDING", 1)
        assert first["action"] == "NONE"
        assert (first["email"], first["ttl"]) == (f"host.master@{name[:-1]}", 300)
        assert first["transferred_at"]
        assert served == {"192.0.2.1"}
        assert before == {
            f"ns1.{name}": (["192.0.2.53"], 300),
            f"www.{name}": (["192.0.2.1"], 60),
        }
        assert a_records(service, zone) == {
            f"ns1.{name}": (["192.0.2.53"], 300),
            f"also.{name}": (["192.0.2.2"], 61),
        }
        assert ask(("127.0.0.1", bind.port), f"www.{name}", "A").rcode() == dns.rcode.NXDOMAIN
        got = transferred(("127.0.0.1", bind.port), name)
        assert got.to_text(sorted=True) == transferred((primary.host, primary.port), name).to_text(
            sorted=True
        )

        assert service.call("DELETE", f"/zones/{zone['id']}")[0] == 202
        service.gone(f"/zones/{zone['id']}")
        assert ask(("127.0.0.1", bind.port), name, "SOA").rcode() == dns.rcode.REFUSED
