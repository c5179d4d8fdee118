"""Filters of enumerations and emails ignore case, in every list of both APIs."""

from __future__ import annotations

import pytest

from designate.api import headers, paging
from tests.support.clients import openapi_checker
from tests.support.factories.identities import OPS, Http, World
from tests.support.servers.standalone import Service

IN_ANY_CASE = {"type", "status", "scope", "algorithm", "service_name", "email"}
# Names, texts, numbers and ids. (Names of DNS ignore case too, see the tests of lists.)
FREE = {
    "name", "description", "ttl", "data", "hostname", "message", "zone_id", "pattern",
    "target_project_id",
}  # fmt: skip
# What makes the items of the lists.
OBJECTS = ("zone", "rs", "open", "accept", "tsigkey", "import", "export", "service")


def filters():
    """Return the path and the name of every filter in the documents of both APIs."""
    found = []
    for root in openapi_checker.ROOTS:
        for path, item in openapi_checker.document(root)["paths"].items():
            parameters = item.get("get", {}).get("parameters", ())
            names = {each["name"] for each in parameters if each.get("in") == "query"}
            names -= paging.PAGING | headers.FLAG_PARAMETERS
            found += [(f"/{root}{path}", name) for name in sorted(names)]
    return found


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    options = {"service:api": {"enable_api_admin": True}}
    with Service(tmp_path_factory.mktemp("filters"), **options) as service:
        call = Http(service)
        world = World(call)
        for what in OBJECTS:
            world.get(what)
        yield world
        call.close()


def test_every_filter_is_known_to_this_test():
    names = {name for _, name in filters()}

    assert names == IN_ANY_CASE | FREE
    assert set(paging.ENUMERATIONS) == IN_ANY_CASE - {"email"}


@pytest.mark.parametrize(
    ("path", "name"), [(path, name) for path, name in filters() if name in IN_ANY_CASE]
)
def test_a_filter_finds_the_same_in_every_case(world, path, name):
    path = path.replace("{zone_id}", world.get("zone")["id"])

    def found(value):
        status, body = world.call("GET", f"{path}?{name}={value}", None, OPS)
        assert status == 200, body
        items = next(iter(body.values()))
        return {item["id"] for item in items}

    first = next(iter(world.made("GET", path, by=OPS).values()))[0]
    value = first[name]
    right = found(value)

    assert first["id"] in right
    for other in (value.lower(), value.upper(), value.capitalize(), value.swapcase()):
        assert found(other) == right, other
    assert found(f"{value[:2].swapcase()}*") >= right
    assert found("nonsense") == set()
