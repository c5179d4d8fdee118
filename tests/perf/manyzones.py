"""Ten thousand zones of one pool: created while BIND transfers them, and while BIND is down."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, sleep

from tests.perf.client import Client, Process, load
from tests.perf.nameservers import serves
from tests.support.deadlines import until
from tests.support.servers.nameservers import Named

Show = Callable[[str, str, str, str, str], None]
COUNT = 10_000
CLIENTS = 8
DOWN_S = 20
MAX_S = 600
# Polling slows down what is measured.
POLL_S = 0.5
# Probes of unreachable servers.
PROBES = re.compile(r"designate_server_probes_total\{.*\} (\S+)")


def creation(show: Show, folder: Path, count: int = COUNT) -> None:
    bind = Named(folder / "bind")
    process = Process.before(bind, folder / "service")
    with bind, process:
        before_kib = process.memory_kib("Rss")
        rate = _created(process, count)
        show("S3", f"{count} zones, {CLIENTS} clients", "3.6 req/s", "", f"{rate:.0f} req/s")
        grown = (process.memory_kib("Rss") - before_kib) / 1024
        show("", "memory meanwhile", "", "", f"{grown:+.0f} MiB")
        client = Client(process.api)
        show("", "the rest ACTIVE after the last answer", "", "", _all_active(client, bind, count))


def restart(show: Show, folder: Path, count: int = COUNT) -> None:
    """Kill and restart the service while the zones are PENDING; start BIND afterwards."""
    bind = Named(folder / "bind")
    process = Process.before(bind, folder / "service")
    with bind, process:
        bind.stop()
        rate = _created(process, count)
        what = f"{count} zones, {CLIENTS} clients, BIND down"
        show("S3", what, "3.6 req/s", "", f"{rate:.0f} req/s")
        process.stop(signal.SIGKILL)
        process.start()
        started_kib, started_s = process.memory_kib("Rss"), process.cpu_s()
        sleep(DOWN_S)  # CPU and probes are counted over this time
        cpu = (process.cpu_s() - started_s) / DOWN_S
        label = f"BIND down for {DOWN_S} s after the restart"
        show("", label, "", "", f"{process.metric(PROBES):.0f} probes, {cpu:.0%} of a core")
        client = Client(process.api)
        bind.start()
        took = _all_active(client, bind, count)
        grown = (process.memory_kib("Rss") - started_kib) / 1024
        show(
            "",
            f"{count} ACTIVE after BIND is back",
            "",
            "minutes",
            f"{took}, memory {grown:+.0f} MiB",
        )


def _created(process: Process, count: int) -> float:
    """Create the zones, and return how many per second."""

    def create(client: Client, number: int, turn: int) -> None:
        body = {"name": f"z{number}-{turn}.example.", "email": "a@example.com"}
        client.call("POST", "/zones", body)

    return load(process.api, CLIENTS, count // CLIENTS, create)[0]


def _all_active(client: Client, bind: Named, count: int) -> str:
    """Wait until all zones are ACTIVE; return the time, and how many are not served."""
    began = perf_counter()
    path = "/zones?status=PENDING&limit=1"
    until(lambda: not client.call("GET", path)["zones"], MAX_S, "all ACTIVE", POLL_S)
    took_s = perf_counter() - began
    names = [f"z{n}-{turn}.example." for n in range(CLIENTS) for turn in range(count // CLIENTS)]
    missing = sum(not serves(bind.port, name, 1) for name in names)
    return f"{took_s:.1f} s, {missing} not served"
