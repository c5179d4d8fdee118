"""designate-api's own HTTP server beside other WSGI servers, with one process and 16 threads each.

Usage: `python -m tests.perf.bench wsgi`. All processes are on MariaDB and RabbitMQ; the servers take turns.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import statistics
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

from tests.support.deadlines import until
from tests.support.servers.broker import RabbitMQ
from tests.support.servers.daemons import Daemons
from tests.support.servers.databases import MariaDB
from tests.support.servers.nameservers import Named, free_port

CLIENTS = THREADS = 16
ROUNDS = 5
ROUND_S = 4.0
NUMBERS = itertools.count(1)
KEPT = "designate-api, kept open"
UWSGI = "import pyuwsgi; pyuwsgi.run()"
COMMANDS = {
    "uWSGI": [
        sys.executable, "-c", UWSGI, "--http-socket=127.0.0.1:{port}", "--master", "--lazy-apps",
        "--processes=1", f"--threads={THREADS}", "--enable-threads", "--die-on-term",
        "--buffer-size=65535", "--module=designate.wsgi.api:application", "--disable-logging",
    ],
    "gunicorn": [
        sys.executable, "-m", "gunicorn", "--bind=127.0.0.1:{port}", "--workers=1",
        f"--threads={THREADS}", "designate.wsgi.api:application",
    ],
}  # fmt: skip


def measure(folder: Path) -> None:
    """Print requests per second and the time of a request.

    Each request has a connection of its own; uWSGI's http-socket and gunicorn's default keep none open. Our
    own server is also measured with those that stay open.
    """
    with contextlib.ExitStack() as stack:
        broker = stack.enter_context(RabbitMQ(folder / "rabbitmq"))
        server = stack.enter_context(MariaDB())
        bind = stack.enter_context(Named(folder / "bind"))
        cloud = Daemons(folder / "cloud", server.fresh(), broker.fresh(), bind)
        stack.enter_context(cloud)
        ports = {"designate-api": cloud.api_port, KEPT: cloud.api_port}
        for name, command in COMMANDS.items():
            ports[name] = stack.enter_context(_hosted(command, cloud.folder))
        zone = cloud.call("POST", "/zones", {"name": "wsgi.example.", "email": "a@example.org"})[1]
        found: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
        for _ in range(ROUNDS):
            for what in ("GET /v2/zones", "POST recordset"):
                for name, port in ports.items():
                    load = _load(port, what, zone["id"], keep=name == KEPT)
                    found[what, name].append(load)
    for (what, name), rounds in found.items():
        rates, times_s = zip(*rounds, strict=True)
        print(
            f"{what:<16} {name:<24} {statistics.median(rates):6.0f}/s "
            f"({min(rates):.0f}-{max(rates):.0f}), median {statistics.median(times_s) * 1000:.0f} ms",
            flush=True,
        )


@contextlib.contextmanager
def _hosted(command: list[str], config_dir: Path) -> Iterator[int]:
    port = free_port()
    environment = {**os.environ, "OS_DESIGNATE_CONFIG_DIR": str(config_dir)}
    process = subprocess.Popen(
        [part.format(port=port) for part in command],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip

    def is_up() -> bool:
        try:
            return _Client(port).request("GET", "/v2/zones?limit=1") == 200
        except OSError:
            return False

    try:
        until(is_up, 60, "the first response")
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


class _Client:
    """A client whose connection is kept open or not."""

    def __init__(self, port: int, *, keep: bool = False) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._keep = keep

    def request(self, method: str, path: str, body: Any = None) -> int:
        """Send a request, and return the status of the response."""
        headers = {"Content-Type": "application/json"}
        if not self._keep:
            headers["Connection"] = "close"
        self._connection.request(method, path, body and json.dumps(body), headers)
        response = self._connection.getresponse()
        response.read()
        if not self._keep:
            self._connection.close()
        return response.status


def _load(port: int, what: str, zone_id: str, *, keep: bool) -> tuple[float, float]:
    """Return the requests per second of CLIENTS clients, and the median time of a request."""
    end_s = perf_counter() + ROUND_S
    times_s: list[float] = []

    def work() -> None:
        client = _Client(port, keep=keep)
        while (began_s := perf_counter()) < end_s:
            if what.startswith("GET"):
                status = client.request("GET", "/v2/zones?limit=1")
            else:
                name = f"r{next(NUMBERS)}.wsgi.example."
                body = {"name": name, "type": "A", "records": ["192.0.2.1"]}
                status = client.request("POST", f"/v2/zones/{zone_id}/recordsets", body)
            assert status in (200, 202), status
            times_s.append(perf_counter() - began_s)

    threads = [threading.Thread(target=work) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(times_s) / ROUND_S, statistics.median(times_s)
