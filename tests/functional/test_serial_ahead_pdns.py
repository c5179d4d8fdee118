"""ACTIVE means that the nameserver serves our data, also where it had other data of the name."""

from __future__ import annotations

import time

import pytest

from tests.support.servers.nameservers import free_port
from tests.support.servers.standalone import Service, ask, texts

DATE_SERIAL = 2026113001
WATCHED_S = 4.0


@pytest.fixture(scope="module")
def service(tmp_path_factory, pdns):
    with Service(tmp_path_factory.mktemp("service"), pdns, free_port()) as service:
        yield service


def make_native(pdns, name, serial):
    """Give PowerDNS a zone of its own."""
    zone = {
        "name": name,
        "kind": "Native",
        "soa_edit_api": "",
        "nameservers": [],
        "rrsets": [
            {"name": name, "type": rtype, "ttl": 300, "records": [{"content": content}]}
            for rtype, content in (
                ("SOA", f"old.{name} hostmaster.{name} {serial} 3600 600 86400 300"),
                ("NS", f"old.{name}"),
                ("A", "198.51.100.1"),
            )
        ],
    }
    answer = pdns.api("POST", "", zone)
    assert answer.status_code == 201, answer.text


def test_a_date_serial_of_others_is_no_proof(service, pdns):
    """A zone of PowerDNS's own has a serial that this service never gave out."""
    name = "fm.test."
    make_native(pdns, name, DATE_SERIAL)
    zone = service.zone(name)
    path = f"/zones/{zone['id']}"
    made = service.recordset(zone, f"www.{name}", "A", ["192.0.2.1"])
    paths = (path, f"{path}/recordsets/{made['id']}")
    wrong = []
    end = time.monotonic() + WATCHED_S
    while time.monotonic() < end:
        shown = [service.call("GET", each)[1]["status"] for each in paths]
        served = texts(ask(("127.0.0.1", pdns.port), f"www.{name}", "A"))
        if "ACTIVE" in shown and served != {"192.0.2.1"}:
            wrong.append((shown, served))

    assert wrong == []
