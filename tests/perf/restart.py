"""A worker that starts with ten thousand zones to bring to a nameserver that is away."""

from __future__ import annotations

import re
import signal
import urllib.request
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, sleep

from tests.perf.client import Client, Process, load
from tests.perf.nameservers import serves
from tests.servers import Named

Show = Callable[[str, str, str, str, str], None]
CLIENTS = 8
AWAY_S = 20
LOOK_S = 0.5
PROBES = re.compile(r"designate_server_probes_total\{.*\} (\S+)")


def restart(show: Show, folder: Path, count: int = 10_000) -> None:
    """The service is killed while they are PENDING and started again; BIND comes back later."""
    bind = Named(folder / "bind")
    process = Process.before(bind, folder / "service")
    with bind, process:
        bind.stop()

        def create(own: Client, number: int, turn: int) -> None:
            body = {"name": f"z{number}-{turn}.example.", "email": "a@example.com"}
            own.call("POST", "/zones", body)

        rate, _ = load(process.api, CLIENTS, count // CLIENTS, create)
        show("S3", f"{count} zones, {CLIENTS} clients, BIND away", "3.6", "", f"{rate:.0f} req/s")
        process.stop(signal.SIGKILL)
        process.start()
        started_kib, started_s = process.memory_kib("Rss"), process.cpu_s()
        sleep(AWAY_S)
        cpu = (process.cpu_s() - started_s) / AWAY_S
        away = f"BIND away for {AWAY_S} s after the restart"
        show("", away, "", "", f"{_probes(process):.0f} probes, {cpu:.0%} of a core")
        client = Client(process.api)
        bind.start()
        back = perf_counter()
        while client.call("GET", "/zones?status=PENDING&limit=1")["zones"]:
            sleep(LOOK_S)  # asking takes time from what is measured
        took_s = perf_counter() - back
        grown = (process.memory_kib("Rss") - started_kib) / 1024
        names = [
            f"z{n}-{turn}.example." for n in range(CLIENTS) for turn in range(count // CLIENTS)
        ]
        missing = sum(not serves(bind.port, name, 1) for name in names)
        show(
            "",
            f"all {count} ACTIVE after BIND is back",
            "",
            "minutes",
            f"{took_s:.1f} s, {missing} not served, memory {grown:+.0f} MiB",
        )


def _probes(process: Process) -> float:
    """What was sent to servers that are away."""
    url = f"http://127.0.0.1:{process.monitoring}/metrics"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return sum(float(found) for found in PROBES.findall(answer.read().decode()))
