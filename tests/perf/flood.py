"""Requests beside thousands of connections that are silent or send a byte now and then."""

from __future__ import annotations

import contextlib
import resource
import socket
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from time import perf_counter

from tests.perf.client import Process
from tests.perf.nameservers import percentiles

SILENT, TRICKLING = 5000, 500
INTERVAL_S = 5.0
REQUESTS = 300
REQUEST = b"GET /v2/zones HTTP/1.1\r\nHost: localhost\r\n" + b"X: 1\r\n" * 1000


def measure(show: Callable[..., None], folder: Path) -> None:
    """Print the latencies of both ports without and beside the connections, and the threads in use."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with Process(folder) as process:
        for label, port, paths in (
            ("API", process.api, ("/healthcheck", "/v2/zones")),
            ("monitoring", process.monitoring, ("/healthcheck",)),
        ):
            before = {path: _latencies(port, path) for path in paths}
            threads = _threads(process.pid)
            with _flood(port):
                beside = {path: _latencies(port, path) for path in paths}
                more = _threads(process.pid) - threads
            for path in paths:
                what = f"{label}: GET {path} beside {SILENT} silent, {TRICKLING} trickling"
                measured = f"{percentiles(beside[path])} (without: {percentiles(before[path])})"
                show("", what, "-", "p95 at most twice", f"{measured}, {more} threads more")
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _latencies(port: int, path: str) -> list[float]:
    """Return the milliseconds of requests, each on its own connection."""
    found = []
    for _ in range(REQUESTS):
        began = perf_counter()
        client = HTTPConnection("127.0.0.1", port, timeout=60)
        client.request("GET", path)
        client.getresponse().read()
        client.close()
        found.append((perf_counter() - began) * 1000)
    return found


def _threads(process_id: int) -> int:
    return len(list(Path(f"/proc/{process_id}/task").iterdir()))


@contextlib.contextmanager
def _flood(port: int) -> Iterator[None]:
    """Keep the connections open; one that the server closes is opened again, as an attacker would."""
    stop, ready = threading.Event(), threading.Event()

    def connected() -> socket.socket:
        return socket.create_connection(("127.0.0.1", port), timeout=60)

    def trickle() -> None:
        sockets = [connected() for _ in range(TRICKLING)]
        ready.set()
        sent = 0
        while not stop.is_set():
            for place, sock in enumerate(sockets):
                try:
                    sock.send(REQUEST[sent : sent + 1])
                except OSError:
                    sock.close()
                    sockets[place] = connected()
                stop.wait(INTERVAL_S / TRICKLING)
            sent += 1
        for sock in sockets:
            sock.close()

    silent = [connected() for _ in range(SILENT)]
    trickling = threading.Thread(target=trickle)
    trickling.start()
    assert ready.wait(60)
    try:
        yield
    finally:
        stop.set()
        trickling.join()
        for sock in silent:
            sock.close()
