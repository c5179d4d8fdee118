"""Zones and recordsets of unusual names, transferred in from a real primary."""

import pytest

from tests.support.deadlines import until
from tests.support.servers.primaries import BindPrimary, zone_text
from tests.support.servers.standalone import Service, ask, texts

QUICK = {"producer_task:periodic_secondary_refresh": {"interval": 0.2}}
ZONE = "in\\.side.example."
# As the primary has them, and as they are stored; the wire permits more than clients may write.
OWNERS = {
    "dot\\.ted": "dot\\046ted",
    '\\000\\"\\;': "\\000\\034\\059",
    "a+b": "a\\043b",
    "-edge-": "-edge-",
    "st*r.*.x": "st*r.*.x",
    "*.Wild": "*.Wild",
    "/sla/sh/": "/sla/sh/",
    "\\108ow": "low",
}


@pytest.fixture
def service(tmp_path):
    (tmp_path / "service").mkdir()
    with Service(tmp_path / "service", **QUICK) as service:
        yield service


def records(*owners):
    return [f'{owner}.{ZONE} 60 IN TXT "{number}"' for number, owner in enumerate(owners)]


def test_a_transferred_zone_has_its_names_in_the_stored_form(tmp_path, service):
    lines = records(*OWNERS)
    with BindPrimary(
        tmp_path / "primary", ZONE, zone_text(ZONE, 1, *lines[:-1]), notify=service.dns
    ) as primary:
        body = {"name": ZONE, "type": "SECONDARY", "masters": [primary.master]}
        status, zone = service.call("POST", "/zones", body)
        assert status == 202, zone
        path = f"/zones/{zone['id']}"

        def listed():
            found = service.call("GET", f"{path}/recordsets?type=TXT&limit=100")[1]["recordsets"]
            return {one["name"].removesuffix(f".{zone['name']}"): one["records"] for one in found}

        stored = {owner: [f'"{n}"'] for n, owner in enumerate(OWNERS.values())}
        expected = dict(list(stored.items())[:-1])
        until(lambda: listed() == expected, 20, "the zone's content")
        service.active(path, 20)
        primary.load(zone_text(ZONE, 2, *lines[1:]))
        del expected[next(iter(stored))]
        until(lambda: listed() == expected | dict([list(stored.items())[-1]]), 20, "the change")

    for number, owner in list(enumerate(OWNERS))[1:]:
        found = ask(service.dns, f"{owner}.{ZONE}".replace("*.Wild", "any.wild"), "TXT")
        assert texts(found) == {f'"{number}"'}
