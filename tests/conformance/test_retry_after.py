"""Every 503 and 429 says when to repeat the request, over a real connection and in every class of error.

Those of a Keystone that is away are in test_keystone_outages, of a full disk in test_full_disk.
"""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

import designate
from designate import errors, health
from designate.api.error_responses import error_response
from designate.http.factory import http_server
from designate.rpc import bus
from designate.rpc.clients import WORKER_TOPIC
from designate.rpc.liveness import LiveServices
from tests.support.clients.repeatable import SAYS_SO, assert_repeatable
from tests.support.deadlines import scaled, until
from tests.support.fakes.tcp_proxy import TcpProxy
from tests.support.servers.nameservers import free_port
from tests.support.servers.standalone import Service

CODES = (429, 503)


def all_errors():
    """Return every class of error of the package, whose programs define none."""
    for module in pkgutil.walk_packages(designate.__path__, "designate."):
        if module.name.split(".")[1] not in ("cmd", "wsgi"):
            importlib.import_module(module.name)
    found, todo = [], [errors.DesignateError]
    while todo:
        found.append(todo.pop())
        todo += found[-1].__subclasses__()
    return found


def test_every_class_of_error_with_these_codes_says_when_to_repeat():
    classes = [cls for cls in all_errors() if cls.code in CODES]

    assert {errors.Unavailable, errors.TooManyRequests, bus.RpcTimeout} <= set(classes)
    for cls in classes:
        assert issubclass(cls, errors.RetryLater), cls
        error = cls.__new__(cls)
        errors.RetryLater.__init__(error, "why", retry_after_s=7)
        response = error_response(errors.from_plain(errors.to_plain(error)), "req-1")
        assert response.headers["Retry-After"] == "7", cls
        assert response.json["message"] == f"why; {SAYS_SO}", cls


def get(url, path="/v2/zones", **headers):
    return requests.get(url + path, headers=headers, timeout=scaled(60))


@contextlib.contextmanager
def api_process(folder, broker_url):
    """Run designate-api without any other daemon, and yield its URL."""
    address = f"127.0.0.1:{free_port()}"
    config_file = folder / "designate.conf"
    config_file.write_text(
        f"[DEFAULT]\nrpc_response_timeout = 1\ntransport_url = {broker_url}\n"
        f"[service:api]\nauth_strategy = noauth\nlisten = {address}\n"
        "[heartbeat_emitter]\nemitter_type = noop\n"
    )
    program = Path(sys.executable).with_name("designate-api")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "--config-file", config_file], stdout=log, stderr=log)

    def is_up():
        assert process.poll() is None, (folder / "log").read_text()
        with contextlib.suppress(requests.ConnectionError):
            return get(f"http://{address}", "/healthcheck").status_code == 200

    try:
        until(is_up, 60, "the first response")
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(timeout=scaled(30))


def test_while_nobody_serves_calls(tmp_path, broker):
    with api_process(tmp_path, broker.fresh()) as url:
        assert "reply in time" in assert_repeatable(get(url))


def test_while_the_message_bus_is_away(tmp_path, broker):
    with TcpProxy(broker.port) as proxy:
        broker_url = broker.fresh().replace(f":{broker.port}", f":{proxy.port}")
        with api_process(tmp_path, broker_url) as url:
            proxy.swallow()
            assert_repeatable(get(url))
            proxy.restore()


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("retry")
    options = {"storage:sqlalchemy": {"write_timeout": 1}}
    with Service(folder, **options) as service:
        yield service


def test_while_the_database_is_locked(service):
    with contextlib.closing(sqlite3.connect(service.folder / "designate.sqlite")) as other:
        until(lambda: _lock(other), 20, "the lock")
        body = {"name": "locked.example.", "email": "a@example.org"}
        response = requests.post(f"{service.url}/v2/zones", json=body, timeout=scaled(60))

    assert "database is busy" in assert_repeatable(response).lower()


def _lock(connection):
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return False
    return True


def test_while_the_database_is_away(tmp_path, mariadb):
    url = mariadb.migrated()
    with TcpProxy(mariadb.port) as proxy:
        storage = {"connection": url.replace(f":{mariadb.port}/", f":{proxy.port}/")}
        with Service(tmp_path, **{"storage:sqlalchemy": storage}) as service:
            assert get(service.url).status_code == 200
            proxy.up = lambda _: None
            assert "database is unavailable" in assert_repeatable(get(service.url)).lower()
            proxy.up = lambda data: data


def test_while_processes_are_overloaded(service, monkeypatch):
    """A call that its caller no longer waits for is refused; see the tests of the bus."""
    dispatcher = bus.Dispatcher({})
    with pytest.raises(errors.Unavailable) as caught:
        dispatcher._check_time("zones", "find", time.time() - 1)
    carried = errors.from_plain(errors.to_plain(caught.value))

    def overloaded(*_arguments, **_named):
        raise carried

    monkeypatch.setattr(service.parts.bus, "call", overloaded)
    assert "too busy" in assert_repeatable(get(service.url))


def test_while_no_worker_lives(service, monkeypatch):
    zone = service.zone("nobody.example.")
    monkeypatch.delitem(service.parts.bus._dispatchers, WORKER_TOPIC)

    path = f"/v2/zones/{zone['id']}/nameservers/status"
    assert_repeatable(get(service.url, path))


def test_maintenance(service):
    service.conf.set_override("maintenance_mode", True, "service:api")
    try:
        response = get(service.url, **{"X-Roles": "member"})
    finally:
        service.conf.clear_override("maintenance_mode", "service:api")

    assert (response.status_code, response.headers["Retry-After"]) == (503, "60")


def test_too_many_requests_on_one_connection(service):
    """The server's own bound, before any application."""
    request = b"GET /healthcheck HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.create_connection(service.parts.api_address, timeout=scaled(30)) as sock:
        sock.sendall(request * 2000)
        received = b""
        while part := sock.recv(65536):
            received += part

    _, _, refused = received.partition(b"HTTP/1.1 429 ")
    assert b"\r\nRetry-After: " in refused


def test_the_health_of_a_daemon_and_any_other_application():
    checks = health.HealthChecks(
        quick={"database": lambda: "The database is unavailable"}, slow={}, live=LiveServices(None)
    )
    server = http_server(health.application(checks), "127.0.0.1", 0, 1)
    server.start()
    try:
        response = get("http://{}:{}".format(*server.address), "/healthcheck")
    finally:
        server.stop()

    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) >= 1
