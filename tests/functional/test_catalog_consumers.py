"""Real nameservers that create their zones from a catalog zone (RFC 9432)."""

import dns.rcode
import pytest

from tests.support.deadlines import until
from tests.support.servers.catalog_pool import CatalogBind, Consumed
from tests.support.servers.secondaries import Knot
from tests.support.servers.standalone import ask, texts


@pytest.fixture(params=[CatalogBind, Knot])
def consumed(request, tmp_path):
    with Consumed(tmp_path, request.param) as consumed:
        yield consumed


def test_zones_come_and_go_with_the_catalog_and_no_backend_is_called(consumed):
    service = consumed.service
    address = ("127.0.0.1", consumed.server.port)
    zones = [service.zone(f"member{n}.example.org.") for n in range(3)]
    for zone in zones:
        service.active(f"/zones/{zone['id']}", 30)
    www = service.recordset(zones[0], "www.member0.example.org.", "A", ["192.0.2.1"])
    service.active(f"/zones/{zones[0]['id']}/recordsets/{www['id']}", 30)

    assert texts(ask(address, "www.member0.example.org.", "A")) == {"192.0.2.1"}

    service.call("DELETE", f"/zones/{zones[1]['id']}")
    service.gone(f"/zones/{zones[1]['id']}", 30)

    assert ask(address, zones[1]["name"], "SOA").rcode() == dns.rcode.REFUSED
    assert ask(address, zones[2]["name"], "SOA").rcode() == dns.rcode.NOERROR
    until(lambda: consumed.catalog["status"] == "ACTIVE", 30, f"the catalog: {consumed.catalog}")


class RefusingKnot(Knot):
    """A Knot that answers nobody's queries for the catalog, and permits no transfers."""

    def prepare(self):
        super().prepare()
        path = self.folder / "knot.conf"
        path.write_text(path.read_text().replace("action: [notify, transfer]", "action: notify"))


def test_a_consumer_that_refuses_queries_is_believed_by_notify_and_named(tmp_path):
    with Consumed(tmp_path, RefusingKnot) as consumed:
        zone = consumed.service.zone("member.example.org.")
        consumed.service.active(f"/zones/{zone['id']}", 30)
        until(
            lambda: consumed.catalog["status"] == "ACTIVE", 30, f"the catalog: {consumed.catalog}"
        )
        path = f"/zones/{consumed.catalog['id']}/nameservers/status"
        _, found = consumed.service.call("GET", path, x_auth_all_projects="true")

    (server,) = found["nameservers"]
    assert (server["status"], server["serial"]) == ("PENDING", None)
    assert server["last_error"] == (
        "REFUSED: the serial there is unknown; let the worker query or transfer the catalog zone"
    )
