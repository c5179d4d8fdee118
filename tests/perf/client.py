"""The standalone service as a process, and a client that is cheap enough not to distort figures."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import yaml

from tests.perf import seed
from tests.support.deadlines import until
from tests.support.servers.nameservers import Named, free_port
from tests.support.servers.standalone import bind_pool

CONF = """
[DEFAULT]
quota_zones = -1
quota_zone_recordsets = -1
quota_zone_records = -1
quota_recordset_records = -1
quota_api_export_size = -1
"""


class Client:
    """An API client with one keep-alive connection."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json"} if data else {}
        self._connection.request(method, "/v2" + path, data, headers)
        response = self._connection.getresponse()
        raw = response.read()
        if response.status >= 400:
            raise RuntimeError(f"{method} {path}: {response.status} {raw[:300]!r}")
        return json.loads(raw) if raw else None


class Process:
    """The standalone service as a process: its pid, and its ports of API, DNS and monitoring.

    pools: The content of pools.yaml, whose masters have dns_port. database: The URL of the database; by
    default SQLite in the folder.
    """

    def __init__(
        self,
        folder: Path,
        pools: list[dict[str, Any]] | None = None,
        dns_port: int | None = None,
        database: str | None = None,
    ) -> None:
        self.folder = folder
        self.database = database or seed.sqlite(folder)
        self.api, self.dns, self.monitoring = free_port(), dns_port or free_port(), free_port()
        folder.mkdir(parents=True, exist_ok=True)
        monitoring = f"[monitoring]\nlisten = 127.0.0.1:{self.monitoring}\n"
        storage = f"[storage:sqlalchemy]\nconnection = {self.database}\n"
        (folder / "designate.conf").write_text(CONF + monitoring + storage)
        self._arguments = [
            sys.executable, "-m", "designate.cmd.standalone", "--state-dir", str(folder),
            "--api", f"127.0.0.1:{self.api}", "--dns", f"127.0.0.1:{self.dns}",
            "--config-file", str(folder / "designate.conf"),
        ]  # fmt: skip
        if pools is not None:
            file = folder / "pools.yaml"
            file.write_text(yaml.safe_dump(pools))
            self._arguments += ["--pools", str(file)]
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def before(cls, server: Named, folder: Path) -> Process:
        """Return a service with one pool of one server, which transfers zones from the service."""
        port = free_port()
        return cls(folder, bind_pool(server, port), port)

    def __enter__(self) -> Process:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(signal.SIGTERM)

    def start(self) -> float:
        """Start it, and return the seconds until the first 200."""
        started = perf_counter()
        with (self.folder / "out.log").open("ab") as log:
            self._process = subprocess.Popen(self._arguments, stdout=log, stderr=log)
        until(self._responds, 30, "the first response")
        return perf_counter() - started

    def _responds(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "out.log").read_text()[-2000:]
        with contextlib.suppress(OSError, http.client.HTTPException):
            Client(self.api).call("GET", "/limits")
            return True
        return False

    def stop(self, signal_number: int) -> None:
        if self._process is not None:
            os.kill(self._process.pid, signal_number)
            self._process.wait(timeout=30)
            self._process = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def memory_kib(self, what: str = "Pss") -> int:
        """Return Pss or Rss of the process, from smaps_rollup."""
        text = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        return int(
            next(line for line in text.splitlines() if line.startswith(what + ":")).split()[1]
        )

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def metric(self, pattern: re.Pattern[str]) -> float:
        """Return the sum of the numbers that the pattern finds in the metrics; 0.0 if there are none."""
        url = f"http://127.0.0.1:{self.monitoring}/metrics"
        with urllib.request.urlopen(url, timeout=10) as response:
            return sum((float(found) for found in pattern.findall(response.read().decode())), 0.0)

    def zone(self, client: Client, name: str) -> dict[str, Any]:
        zone = client.call("POST", "/zones", {"name": name, "email": "a@example.com"})
        until(lambda: client.call("GET", f"/zones/{zone['id']}")["status"] == "ACTIVE", 30, name)
        return zone


def timed(work: Callable[[], object]) -> float:
    """Run the work, and return the milliseconds that it took."""
    started = perf_counter()
    work()
    return (perf_counter() - started) * 1000


def spread(figures: list[float]) -> tuple[float, float, float]:
    """Return p50, p95 and p99."""
    ordered = sorted(figures)
    pick = [ordered[min(len(ordered) - 1, int(len(ordered) * q))] for q in (0.95, 0.99)]
    return statistics.median(ordered), pick[0], pick[1]


def load(
    port: int, clients: int, per_client: int, work: Callable[[Client, int, int], object]
) -> tuple[float, list[float]]:
    """Run concurrent clients; return the requests per second and the milliseconds of each request."""
    took: list[list[float]] = [[] for _ in range(clients)]
    ready = threading.Barrier(clients + 1)

    def run(number: int) -> None:
        client = Client(port)
        ready.wait()
        for turn in range(per_client):
            took[number].append(timed(lambda: work(client, number, turn)))

    threads = [threading.Thread(target=run, args=(n,)) for n in range(clients)]
    for thread in threads:
        thread.start()
    ready.wait()
    started = perf_counter()
    for thread in threads:
        thread.join()
    seconds = perf_counter() - started
    return clients * per_client / seconds, [ms for found in took for ms in found]


def rows() -> Iterator[str]:
    yield f"{'target':<6} {'what':<58} {'peer':>22} {'wanted':>20}  measured"
