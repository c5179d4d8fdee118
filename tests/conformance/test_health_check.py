"""/healthcheck: cheap by itself; with ?full it names the services that live."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from oslo_config import cfg

from designate import errors, health
from designate.api import health_check
from designate.context import admin_context
from designate.model.query import Page
from designate.model.services import Heartbeat, ServiceState
from designate.rpc import liveness
from designate.rpc.liveness import LiveServices
from designate.runtime.clock import utcnow
from tests.support.deadlines import scaled, until
from tests.support.factories.zone_data import Hidden


class Clock:
    """Central's clock."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return utcnow() + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cloud(tmp_path: Path, clock: Clock, monkeypatch) -> Iterator[Hidden]:
    monkeypatch.setattr(liveness, "LIFETIME_S", 0.0)
    with Hidden(tmp_path, clock) as hidden:
        yield hidden


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """Return the SQL statements of central from now on."""
    found: list[str] = []

    def executed(_connection, _cursor, text, *_more):
        found.append(text)

    sa.event.listen(sa.Engine, "before_cursor_execute", executed)
    yield found
    sa.event.remove(sa.Engine, "before_cursor_execute", executed)


def beat(cloud: Hidden, name: str, host: str, state: ServiceState = ServiceState.UP) -> None:
    status = Heartbeat(service_name=name, hostname=host, status=state)
    cloud.central.services.heartbeat(admin_context(), status)
    # A cast, which another thread runs.
    until(lambda: (name, host, state) in _states(cloud), 10, "the heartbeat")


def _states(cloud: Hidden) -> set[tuple[str, str, str]]:
    with cloud.database.read() as connection:
        rows = connection.execute(
            sa.text("SELECT service_name, hostname, status FROM service_statuses")
        )
        return {(row[0], row[1], ServiceState(row[2])) for row in rows}


def test_the_cheap_check_needs_no_database(cloud, statements):
    call = cloud.http()
    for _ in range(20):
        assert call("GET", "/healthcheck") == (200, "OK")
        assert call("GET", "/healthcheck?detailed=1") == (200, "OK")

    assert statements == []


def test_the_full_check_names_those_that_live(cloud):
    call = cloud.http()
    beat(cloud, "central", "c1")
    assert call("GET", "/healthcheck?full") == (
        503,
        "central: UP on c1\nworker: none has sent a heartbeat\n",
    )
    beat(cloud, "worker", "w2")
    beat(cloud, "worker", "w1")
    beat(cloud, "producer", "p1")

    assert call("GET", "/healthcheck?full") == (
        200,
        "OK\ncentral: UP on c1\nworker: UP on w1, w2\n",
    )
    assert call("GET", "/healthcheck?full=1&x")[0] == 200
    assert call("GET", "/healthcheck?full", headers={"Accept": "application/json"}) == (
        200,
        {"detailed": True, "reasons": ["OK", "central: UP on c1", "worker: UP on w1, w2"]},
    )


def test_a_stopped_worker_is_named_with_its_last_heartbeat(cloud):
    call = cloud.http()
    beat(cloud, "worker", "w1")
    beat(cloud, "worker", "w2")
    beat(cloud, "worker", "w1", ServiceState.STOPPED)
    assert call("GET", "/healthcheck?full")[0] == 200

    beat(cloud, "worker", "w2", ServiceState.STOPPED)

    status, text = call("GET", "/healthcheck?full")
    assert status == 503
    assert "worker: none lives (w1 STOPPED, last heartbeat 20" in text
    assert "; w2 STOPPED, last heartbeat 20" in text


def test_a_worker_without_heartbeats_is_down(cloud, clock):
    call = cloud.http()
    beat(cloud, "worker", "w1")
    assert call("GET", "/healthcheck?full")[0] == 200

    clock.ahead = timedelta(seconds=31)  # more than three intervals

    status, text = call("GET", "/healthcheck?full")
    assert (status, "w1 DOWN, last heartbeat" in text) == (503, True)


def test_a_file_that_takes_the_api_out_of_service_counts_first(cloud, tmp_path, monkeypatch):
    settings = {**health_check.SETTINGS, "disable_by_file_path": str(tmp_path / "out")}
    monkeypatch.setattr(health_check, "SETTINGS", settings)
    call = cloud.http()
    beat(cloud, "worker", "w1")
    (tmp_path / "out").touch()

    assert call("GET", "/healthcheck")[0] == 503
    assert call("GET", "/healthcheck?full") == (503, "DISABLED BY FILE")


class Central:
    """Replies with no service at all once it is released."""

    def __init__(self) -> None:
        self.calls = 0
        self.release = threading.Event()
        self.error: errors.DesignateError | None = None

    def find(self, _context, _query):
        self.calls += 1
        assert self.release.wait(scaled(20))
        if self.error is not None:
            raise self.error
        return Page(items=())


def test_a_flood_of_full_checks_asks_central_once():
    central = Central()
    live = LiveServices(central)
    results = []
    threads = [threading.Thread(target=lambda: results.append(live.check())) for _ in range(30)]
    for thread in threads:
        thread.start()

    # All but those that wait have their results while central is silent.
    until(lambda: len(results) == len(threads) - liveness.MAX_WAITING, 10)
    assert {(result.healthy, result.lines) for result in results} == {(False, (liveness.BUSY,))}
    central.release.set()
    for thread in threads:
        thread.join(timeout=scaled(10))
    for _ in range(20):
        live.check()

    per_check = 4  # of two services: those that are up, then all
    assert central.calls == per_check


def test_a_central_that_cannot_be_reached_is_the_reason():
    central = Central()
    central.release.set()
    central.error = errors.Unavailable("The service did not reply in time")

    found = LiveServices(central).check()

    assert (found.healthy, found.lines) == (False, ("central: The service did not reply in time",))


def test_the_monitoring_listener_asks_the_database_for_the_full_check_only():
    central, asked = Central(), []
    central.release.set()
    checks = health.HealthChecks(
        quick={"message bus": lambda: None},
        slow={"database": lambda: asked.append(1) or "gone"},
        live=LiveServices(central),
    )
    app = health.application(checks)

    def get(query: str) -> tuple[str, str]:
        started = []
        body = app(
            {"PATH_INFO": "/healthcheck", "QUERY_STRING": query},
            lambda status, _headers: started.append(status),
        )
        return started[0], b"".join(body).decode()

    assert get("") == ("200 OK", "OK")
    assert (asked, central.calls) == ([], 0)
    status, text = get("full")
    assert status.startswith("503")
    assert text.splitlines() == [
        "database: gone",
        "central: replies, but has sent no heartbeat",
        "worker: none has sent a heartbeat",
    ]


@pytest.mark.parametrize("value", ["9110", "localhost", ":9110", "localhost:http", "localhost:"])
def test_a_listener_without_host_and_port_is_an_error(value):
    conf = cfg.ConfigOpts()
    conf.register_opts(health.OPTS, group=health.GROUP)
    conf([])
    conf.set_override("listen", value, health.GROUP)

    with pytest.raises(errors.ConfigurationError, match=r"\[monitoring\] listen = "):
        health.address_of(conf, "central")


def test_each_daemon_has_a_port_by_its_name_or_its_own_option():
    conf = cfg.ConfigOpts()
    conf.register_opts(health.OPTS, group=health.GROUP)
    conf([])
    assert health.address_of(conf, "worker") is None
    conf.set_override("listen_worker", "[::1]:7", health.GROUP)
    assert health.address_of(conf, "worker") == ("::1", 7, "[monitoring] listen_worker")
    assert health.address_of(conf, "central") is None
    conf.set_override("listen", "127.0.0.1:9110", health.GROUP)
    ports = {name: health.address_of(conf, name)[1] for name in (*health.DAEMONS, "standalone")}
    assert ports == {
        "api": 9110,
        "central": 9111,
        "mdns": 9112,
        "producer": 9113,
        "sink": 9114,
        "worker": 7,
        "standalone": 9110,
    }
