"""The API hosted by foreign WSGI servers, as deployment tools start them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

import designate.wsgi
from tests.support.deadlines import scaled, until
from tests.support.servers.broker import RabbitMQ
from tests.support.servers.daemons import Daemons
from tests.support.servers.nameservers import Named, free_port

UWSGI = (sys.executable, "-c", "import pyuwsgi; pyuwsgi.run()")
SCRIPT = Path(sys.executable).parent / "designate-api-wsgi"
TIMEOUT_S = 60
PROCESSES = 2
# What kolla-ansible and openstack-helm write, but for addresses and folders.
INI = """\
[uwsgi]
{application}
http = 127.0.0.1:{port}
processes = 2
master = true
lazy-apps = true
enable-threads = true
thunder-lock = true
die-on-term = true
buffer-size = 65535
socket-timeout = 30
worker-reload-mercy = 80
add-header = Connection: close
http-chunked-input = true
procname-prefix-spaced = designate-api:
"""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory, broker: RabbitMQ) -> Iterator[Daemons]:
    folder = tmp_path_factory.mktemp("cloud")
    with (
        Named(tmp_path_factory.mktemp("bind")) as bind,
        Daemons(folder, f"sqlite:///{folder}/db.sqlite", broker.fresh(), bind) as daemons,
    ):
        yield daemons


@pytest.fixture
def config_dir(cloud: Daemons, tmp_path: Path) -> Path:
    """Return a folder whose designate.conf lacks the broker: that is in designate.conf.d."""
    whole = cloud.conf_file.read_text()
    transport = next(line for line in whole.splitlines() if line.startswith("transport_url"))
    folder = tmp_path / "etc"
    (folder / "designate.conf.d").mkdir(parents=True)
    kept = whole.replace(transport, f"log_dir = {tmp_path}")
    (folder / "designate.conf").write_text(kept)
    (folder / "designate.conf.d" / "bus.conf").write_text(f"[DEFAULT]\n{transport}\n")
    return folder


@contextmanager
def hosted(
    command: list[str], config_dir: Path, log: Path, port: int, ready: str = ""
) -> Iterator[str]:
    """Run the server until the block ends, then stop it in order; yield the URL of its zones.

    ready: what each worker process logs when it serves. uWSGI's ignore SIGTERM before.
    """
    environment = {**os.environ, "OS_DESIGNATE_CONFIG_DIR": str(config_dir)}
    with log.open("wb") as output:
        server = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    url = f"http://127.0.0.1:{port}/v2/zones"

    def is_up() -> bool:
        assert server.poll() is None, log.read_text()
        try:
            is_served = requests.get(url, timeout=scaled(20)).status_code == 200
            return is_served and (not ready or log.read_text().count(ready) == PROCESSES)
        except requests.ConnectionError:
            return False

    try:
        until(is_up, TIMEOUT_S, "the server's first response")
        yield url
    finally:
        server.terminate()
        try:
            assert server.wait(timeout=scaled(30)) == 0, log.read_text()
        finally:
            server.kill()


def creates_a_zone(url: str, name: str) -> None:
    body = {"name": name, "email": "a@example.org"}
    response = requests.post(url, json=body, timeout=scaled(20))
    assert response.status_code == 202, response.text


def test_gunicorn_hosts_the_module(config_dir: Path, tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--workers=2", f"--bind=127.0.0.1:{port}"]
    command.append("designate.wsgi.api:application")

    with hosted(command, config_dir, tmp_path / "server.log", port) as url:
        creates_a_zone(url, "gunicorn.example.")


def test_processes_of_a_server_share_metrics_and_write_reports(
    config_dir: Path, tmp_path: Path
) -> None:
    port, monitoring, request = free_port(), free_port(), tmp_path / "report"
    request.touch(0o640)
    (config_dir / "designate.conf.d" / "more.conf").write_text(
        f"[monitoring]\nlisten_api = 127.0.0.1:{monitoring}\n"
        f"[oslo_reports]\nfile_event_handler = {request}\n"
    )
    command = [sys.executable, "-m", "gunicorn", "--workers=2", f"--bind=127.0.0.1:{port}"]
    command += ["--preload", "designate.wsgi.api:application"]
    log = tmp_path / "server.log"

    with hosted(command, config_dir, log, port) as url:

        def both_serve() -> bool:
            requests.get(url, timeout=scaled(20))  # a process begins with its first request
            metrics = requests.get(f"http://127.0.0.1:{monitoring}/metrics", timeout=scaled(20))
            return bool(
                re.search(r'^designate_processes{daemon="api",.*} 2.0$', metrics.text, re.M)
            )

        until(both_serve, 30, "the metrics of both processes")

        def reported() -> bool:
            request.touch()
            return log.read_text().count("Guru Meditation") >= PROCESSES

        until(reported, 30, "a report of each process")
    assert "transport_url = ***" in log.read_text()


@pytest.mark.parametrize("kind", ["module", "script", "copy of the script", "copy of the module"])
def test_uwsgi_hosts(kind: str, config_dir: Path, tmp_path: Path) -> None:
    copied = tmp_path / "cgi-bin" / "app"
    copied.parent.mkdir()
    application = {
        "module": "module = designate.wsgi.api:application",
        "script": f"wsgi-file = {SCRIPT}",
    }.get(kind, f"wsgi-file = {copied}")
    if kind == "copy of the script":
        shutil.copy(SCRIPT, copied)
    elif kind == "copy of the module":
        shutil.copy(Path(designate.wsgi.__file__).with_name("api.py"), copied)
    port = free_port()
    ini = tmp_path / "designate-api-uwsgi.ini"
    ini.write_text(INI.format(application=application, port=port))

    command, log = [*UWSGI, "--ini", str(ini)], tmp_path / "server.log"
    with hosted(command, config_dir, log, port, ready="WSGI app 0 ") as url:
        creates_a_zone(url, f"{kind.replace(' ', '-')}.example.")
        host = url.removesuffix("/v2/zones")
        assert requests.get(f"{host}/healthcheck", timeout=scaled(10)).status_code == 200
        assert 200 <= requests.get(f"{host}/", timeout=scaled(10)).status_code < 400
        # oslo.log's own name would be that of the file that was executed.
        assert {path.name for path in tmp_path.glob("*.log")} == {"designate-api.log", "server.log"}


def test_script_defines_the_application_as_main_too(config_dir: Path) -> None:
    """As a server that gives the executed file this name; uWSGI is recognised by its module."""
    program = (
        "import runpy, sys, types; sys.modules['uwsgi'] = types.ModuleType('uwsgi'); "
        "print(callable(runpy.run_path(sys.argv[1], run_name='__main__')['application']))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, SCRIPT],
        env={**os.environ, "OS_DESIGNATE_CONFIG_DIR": str(config_dir)},
        capture_output=True,
        text=True,
        timeout=scaled(TIMEOUT_S),
    )

    assert ended.stdout == "True\n", ended.stderr


def test_script_run_by_a_person_says_who_executes_it() -> None:
    ended = subprocess.run([SCRIPT], capture_output=True, text=True, timeout=scaled(TIMEOUT_S))

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("designate-api-wsgi: a WSGI server executes this file")
    assert ended.stderr.count("\n") == 1
