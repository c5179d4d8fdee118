"""The number of SQL statements of a request is the same for one object and for fifty.

Lists, their filters and their sort keys come from the API's routes, so that new ones are tested too.
"""

import contextlib
import threading

import pytest
import sqlalchemy as sa

from designate.api import app
from designate.context import admin_context
from designate.model.services import Heartbeat
from designate.storage.sqlalchemy.listing import result_cache
from designate.storage.sqlalchemy.tables import zone_tasks
from tests.support.deadlines import until
from tests.support.factories.identities import CALLERS, OPS, OWNER, TARGET, World
from tests.support.factories.zone_data import Hidden

FEW, MANY = 1, 50
MOST = 10
LIST_ROUTES = [
    route
    for module in app.RESOURCES
    for route in module.routes()
    if "GET" in route.operations and route.operations["GET"].handler.__name__ == "list"
]
# What each list holds: how to make one more of it.
HOLDS = {
    "zones": "zone!", "recordsets": "rs!", "shared_zones": "share!",
    "transfer_requests": "open!", "transfer_accepts": "accept!", "tlds": "tld!",
    "tsigkeys": "tsigkey!", "blacklists": "blacklist!", "pools": "pool!",
}  # fmt: skip
JOBS = ("imports", "exports")


class Filled:
    """A service with `count` objects of each kind; the statements of the requesting thread are counted."""

    def __init__(self, folder, count):
        addresses = [
            f"one|R|11111111-1111-4111-8111-{n:012}|192.0.2.{n}" for n in range(1, count + 1)
        ]
        self.hidden = Hidden(
            folder,
            **{"DEFAULT": {"network_api": "fake", "quota_recordset_records": -1},
               "network_api:fake": {"floatingips": addresses}},
        )  # fmt: skip
        self._folder = folder
        self.count = count
        self.statements = []
        self._thread = threading.get_ident()

    def __enter__(self):
        self.hidden.__enter__()
        self.call = self.hidden.http()
        self.world = World(self.call)
        self.world.made("POST", "/v2/tlds", {"name": "example"}, OPS)
        self.world.made("POST", "/v2/tlds", {"name": "arpa"}, OPS)
        for what in HOLDS.values():
            for _ in range(self.count):
                self.world.get(what)
        text, zone = OWNER | {"Content-Type": "text/dns"}, self.world.get("zone")["id"]
        for _ in range(self.count):
            file = self.world.zonefile()
            self.world.made("POST", "/v2/zones/tasks/imports", file, text)
            self.world.made("POST", f"/v2/zones/{zone}/tasks/export")
        until(self._idle, 60, "the end of imports and exports")
        for number in range(self.count):
            heartbeat = Heartbeat(service_name="worker", hostname=f"h{number}")
            self.hidden.central.services.heartbeat(admin_context(), heartbeat)
        sa.event.listen(sa.Engine, "before_cursor_execute", self._count)
        return self

    def __exit__(self, *_):
        sa.event.remove(sa.Engine, "before_cursor_execute", self._count)
        self.hidden.__exit__()

    def _count(self, connection, _cursor, statement, *_rest):
        here = str(self._folder) in str(connection.engine.url)
        if here and threading.get_ident() == self._thread:
            self.statements.append(statement)

    def _idle(self):
        waiting = sa.select(zone_tasks.c.id).where(zone_tasks.c.status == "PENDING")
        with self.hidden.database.read() as connection:
            return connection.execute(waiting).first() is None

    def cost(self, method, path, body=None, caller=OPS, *, least=0):
        """Return the statements of the request; its list must have at least `least` items."""
        path = self.world.fill(path)
        if method != "GET":
            # Writers share a transaction, so that another thread might do this one's work.
            until(self._idle, 20, "the end of imports and exports")
        self.statements.clear()
        status, found = self.call(method, path, body, caller)
        assert status < 300, (path, found)
        if least:
            items = next(iter(found.values()))
            assert len(items) >= min(least, self.count), path
        return list(self.statements)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    with contextlib.ExitStack() as stack:
        # No page is slow, however busy the machine is.
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(result_cache, "SLOW_S", 60)
        yield [
            stack.enter_context(Filled(tmp_path_factory.mktemp(f"cost{count}"), count))
            for count in (FEW, MANY)
        ]


def resource_of(route):
    return route.operations["GET"].handler.__self__


def queries(resource):
    """Yield query strings for all items, each filter and each order, and whether all items match."""
    yield "limit=max", True
    for name in resource.filters:
        for value in ("*", "e*", "*e", "ACTIVE", "1"):
            yield f"limit=max&{name}={value}", False
    for key in resource.sort_keys:
        for direction in ("asc", "desc"):
            yield f"limit=max&sort_key={key}&sort_dir={direction}", True


@pytest.mark.parametrize("route", LIST_ROUTES, ids=lambda route: "/".join(route.path))
def test_a_list_costs_the_same_however_long_it_is(both, route):
    resource = resource_of(route)
    path = "/v2/" + "/".join("{zone}" if part.startswith("{") else part for part in route.path)
    for query, full in queries(resource):
        few, many = (
            service.cost("GET", f"{path}?{query}", least=MANY if full else 0) for service in both
        )
        assert len(few) == len(many), (query, many[len(few) :])
        assert 0 < len(many) <= MOST, (query, many)


@pytest.mark.parametrize("route", LIST_ROUTES, ids=lambda route: "/".join(route.path))
def test_a_marker_costs_one_statement_more(both, route):
    resource = resource_of(route)
    path = "/v2/" + "/".join("{zone}" if part.startswith("{") else part for part in route.path)
    many = both[1]
    first = many.call("GET", many.world.fill(f"{path}?limit=1"), None, OPS)[1]
    marker = next(iter(first.values()))[0]["id"]
    for key in resource.sort_keys:
        plain = many.cost("GET", f"{path}?sort_key={key}")
        assert len(many.cost("GET", f"{path}?sort_key={key}&marker={marker}")) == len(plain) + 1


PROJECTS = {"owner": OWNER, "who it is shared with": TARGET, "stranger": CALLERS["memb3"]}


@pytest.mark.parametrize("caller", PROJECTS.values(), ids=PROJECTS)
@pytest.mark.parametrize(
    "path", ["/v2/zones", "/v2/recordsets", "/v2/zones/tasks/transfer_requests"]
)
def test_nor_does_it_matter_who_asks(both, path, caller):
    few, many = (service.cost("GET", f"{path}?limit=max", None, caller) for service in both)

    assert len(few) == len(many) <= MOST


def test_floating_ips_cost_the_same_however_many_have_names(both):
    for service in both:
        for n in range(1, service.count + 1):
            path = f"/v2/reverse/floatingips/R:11111111-1111-4111-8111-{n:012}"
            service.world.made("PATCH", path, {"ptrdname": "a.example."}, OWNER)

    few, many = (
        service.cost("GET", "/v2/reverse/floatingips", None, OWNER, least=MANY) for service in both
    )

    assert len(few) == len(many) <= MOST


IN_ZONE = {"name": "{name!}.{zone.name}", "type": "A", "records": ["192.0.2.1"]}
OTHERS = [
    ("GET", "/v2/zones/{zone}", None),
    ("GET", "/v2/zones/{zone}/nameservers", None),
    ("GET", "/v2/zones/{zone}/recordsets/{rs}", None),
    ("GET", "/v2/zones/{zone}/shares/{shared}", None),
    ("GET", "/v2/limits", None),
    ("GET", "/v2/quotas", None),
    ("POST", "/v2/zones", {"name": "{name!}.example.", "email": "a@example.com"}),
    ("PATCH", "/v2/zones/{zone}", {"description": "x"}),
    ("PATCH", "/v2/zones/{zone}", {"ttl": 77}),
    ("POST", "/v2/zones/{zone}/recordsets", IN_ZONE),
    ("PUT", "/v2/zones/{zone}/recordsets/{rs}", {"records": ["192.0.2.7", "192.0.2.8"]}),
    ("DELETE", "/v2/zones/{zone}/recordsets/{rs!}", None),
    ("POST", "/v2/zones/{zone}/shares", {"target_project_id": "{name!}"}),
    ("POST", "/v2/zones/{zone}/tasks/export", None),
    ("DELETE", "/v2/zones/{private!}", None),
]


@pytest.mark.parametrize(("method", "path", "body"), OTHERS)
def test_nor_does_what_a_request_does_not_touch(both, method, path, body):
    few, many = (
        service.cost(
            method,
            path,
            body
            and {k: service.world.fill(v) if isinstance(v, str) else v for k, v in body.items()},
            OWNER,
        )
        for service in both
    )

    assert len(few) == len(many), many
    assert len(many) <= 20


def test_the_table_knows_every_list():
    names = {resource_of(route).name for route in LIST_ROUTES}
    assert names == {*HOLDS, *JOBS, "service_statuses"}
