"""Benchmarks: print the speed targets and the figures of this machine.

Usage: `python -m tests.perf.bench [PART...]`.

Parts: api, own, bind, sizes, default-rate, axfr, servers, creation, restart, flood, lists (on each
database), lists-mariadb, tasks, start, databases, wsgi. Nothing here passes or fails.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

from tests.perf import databases, flood, lists, manyzones, nameservers, seed, wsgi_servers
from tests.perf.client import Client, Process, load, timed
from tests.perf.nameservers import percentiles
from tests.support.deadlines import until


def show(target: str, what: str, peer: str, goal: str, measured: str) -> None:
    print(f"{target:<4} {what:<52} | peer {peer:<20} | goal {goal:<20} | {measured}", flush=True)


def api(folder: Path) -> None:
    with Process(folder) as process:
        client = Client(process.api)
        zone = process.zone(client, "load.example.")
        created: dict[tuple[int, int, int], str] = {}
        for clients, peer in ((1, "31.7"), (4, "36.4"), (16, "30.6")):

            def create(client: Client, number: int, turn: int, clients: int = clients) -> None:
                body = {
                    "name": f"c{clients}-{number}-{turn}.load.example.",
                    "type": "A",
                    "records": ["192.0.2.1"],
                }
                created[clients, number, turn] = client.call(
                    "POST", f"/zones/{zone['id']}/recordsets", body
                )["id"]

            rate, ms = load(process.api, clients, 480 // clients, create)
            show(
                "S17",
                f"recordset create, {clients} clients, one zone",
                f"{peer} req/s",
                "5x / 8x / 10x",
                f"{rate:.0f} req/s {percentiles(ms)}",
            )

        def update(client: Client, number: int, turn: int) -> None:
            client.call(
                "PUT",
                f"/zones/{zone['id']}/recordsets/{created[16, number, turn]}",
                {"records": ["192.0.2.2"]},
            )

        def delete(client: Client, number: int, turn: int) -> None:
            client.call("DELETE", f"/zones/{zone['id']}/recordsets/{created[16, number, turn]}")

        for name, work, peer in (("update", update, "16.8"), ("delete", delete, "20.0")):
            rate, ms = load(process.api, 16, 30, work)
            show(
                "S2",
                f"recordset {name}, 16 clients (standalone)",
                f"{peer} req/s",
                "10x",
                f"{rate:.0f} req/s {percentiles(ms)}",
            )
        for clients, peer in ((1, "6.6"), (16, "3.6")):
            rate, ms = load(
                process.api,
                clients,
                240 // clients,
                lambda client, n, t, c=clients: client.call(
                    "POST", "/zones", {"name": f"z{c}-{n}-{t}.example.", "email": "a@b.c"}
                ),
            )
            show(
                "S3",
                f"zone create, {clients} clients (standalone)",
                f"{peer} req/s",
                "10x / 25x",
                f"{rate:.0f} req/s {percentiles(ms)}",
            )
        rate, ms = load(
            process.api,
            16,
            60,
            lambda client, _number, _turn: client.call("GET", f"/zones/{zone['id']}"),
        )
        show(
            "S4",
            "zone get, 16 clients (standalone)",
            "85 req/s",
            "5x",
            f"{rate:.0f} req/s {percentiles(ms)}",
        )
        rate, ms = load(
            process.api,
            16,
            10,
            lambda client, _number, _turn: client.call(
                "GET", f"/zones/{zone['id']}/recordsets?limit=100"
            ),
        )
        show(
            "S4",
            "list of 100 recordsets, 16 clients (standalone)",
            "10.9 req/s",
            "12x",
            f"{rate:.0f} req/s {percentiles(ms)}",
        )


def minidns(folder: Path) -> None:
    with Process(folder) as process:
        client = Client(process.api)
        zone = process.zone(client, "own.example.")
        served, active = nameservers.propagate(client, zone, process.dns, 40, 0.05)
        show("S17", "change to served by MiniDNS", "4.9 / 5.4 s", "20 / 60 ms", percentiles(served))
        show("S17", "change to ACTIVE", "9.9 / 10.1 s", "50 / 150 ms", percentiles(active))


def bind(folder: Path, rate: int = 1000) -> None:
    with nameservers.setup("BIND", folder, rate) as setup:
        nameservers.changes(show, setup)


def sizes(folder: Path) -> None:
    with nameservers.setup("BIND", folder) as setup:
        nameservers.sizes(show, setup)


def axfr(folder: Path) -> None:
    with nameservers.setup("BIND", folder) as setup:
        nameservers.transfers(show, setup)
        _million(setup.process)


def _million(process: Process) -> None:
    before = process.memory_kib("Rss")
    seed.zone(process.database, "million.example.", 1_000_000, announce=False)
    peak = [before]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            peak.append(process.memory_kib("Rss"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    rrs, size, seconds = nameservers.count_axfr(process.dns, "million.example.")
    done.set()
    watcher.join()
    show(
        "S9",
        "1M RRs: extra memory of the process",
        "",
        "< 100 MB",
        f"{(max(peak) - before) / 1024:.0f} MiB; {rrs / seconds:,.0f} RR/s, {size / 1e6:.0f} MB",
    )


def _zone_file(name: str, size: int) -> str:
    """Return a zone file with `size` records, mostly A, and one MX and one TXT in ten."""
    lines = [
        f"$ORIGIN {name}",
        "$TTL 3600",
        "@ IN SOA ns1.example.org. admin.example.com. 1 3600 600 86400 300",
        "@ IN NS ns1.example.org.",
    ]
    for number in range(size):
        data = f"A 10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        if number % 10 == 8:
            data = f"MX 10 h{number}"
        elif number % 10 == 9:
            data = f'TXT "number {number}"'
        lines.append(f"h{number} IN {data}")
    return "\n".join(lines) + "\n"


def _finished(client: Client, path: str) -> dict[str, Any]:
    until(lambda: client.call("GET", path)["status"] != "PENDING", 120)
    task: dict[str, Any] = client.call("GET", path)
    if task["status"] != "COMPLETE":
        raise RuntimeError(f"{path}: {task['message']}")
    return task


def tasks(folder: Path) -> None:
    """Measure the seconds from the request until the status is COMPLETE."""
    with Process(folder) as process:
        client = Client(process.api)
        for size, peer, goal, repeats in (
            (1000, "23.2 s", "0.3 s", 5),
            (10_000, "413", "2 s", 3),
            (100_000, "-", "15 s", 1),
        ):
            seconds, zone_id = [], ""
            for turn in range(repeats):
                body = {"zonefile": _zone_file(f"import{turn}-{size}.example.", size)}
                begin = perf_counter()
                task = client.call("POST", "/zones/tasks/imports", body)
                done = _finished(client, f"/zones/tasks/imports/{task['id']}")
                seconds.append(perf_counter() - begin)
                zone_id = done["zone_id"]
            show("S11", f"import of {size:,} records to COMPLETE", peer, goal, _best(seconds))
            if size == 10_000:
                _export(client, zone_id)


def _export(client: Client, zone_id: str) -> None:
    seconds = []
    for _ in range(5):
        begin = perf_counter()
        task = client.call("POST", f"/zones/{zone_id}/tasks/export")
        _finished(client, f"/zones/tasks/exports/{task['id']}")
        seconds.append(perf_counter() - begin)
    show("S12", "export of 10,000 records", "0.12 s for 1k", "0.3 s", _best(seconds))


def _best(seconds: list[float]) -> str:
    return f"median {statistics.median(seconds):.2f} best {min(seconds):.2f} s"


def start(folder: Path) -> None:
    process = Process(folder)
    process.start()
    process.stop(15)
    seconds = process.start()
    try:
        show("S16", "second start to first 200", "3.9 s", "1.5 s", f"{seconds:.2f} s")
        client = Client(process.api)
        took = timed(lambda: process.zone(client, "first.example."))
        show("S16", "start to first zone ACTIVE", "9.3 s", "2 s", f"{seconds + took / 1000:.2f} s")
        sleep(2)
        before = process.cpu_s()
        sleep(10)
        show("S16", "idle CPU", "2.7 %", "0.5 %", f"{(process.cpu_s() - before) * 10:.2f} %")
        show(
            "S15",
            "memory, standalone, idle (PSS)",
            "741 MiB (18 processes)",
            "110 MiB",
            f"{process.memory_kib() / 1024:.0f} MiB",
        )
    finally:
        process.stop(15)


PARTS = {
    "api": api,
    "own": minidns,
    "bind": bind,
    "sizes": sizes,
    "servers": lambda folder: nameservers.measure_all(show, folder),
    "default-rate": lambda folder: bind(folder, rate=20),
    "axfr": axfr,
    "flood": lambda folder: flood.measure(show, folder),
    "creation": lambda folder: manyzones.creation(show, folder),
    "restart": lambda folder: manyzones.restart(show, folder),
    "lists": lambda folder: lists.measure(show, folder),
    "lists-mariadb": lambda folder: lists.measure_on("mariadb", show, folder),
    "tasks": tasks,
    "start": start,
    "databases": databases.measure,
    "wsgi": wsgi_servers.measure,
}


def main() -> None:
    for name in sys.argv[1:] or PARTS:
        with tempfile.TemporaryDirectory(prefix="designate-bench-") as folder:
            PARTS[name](Path(folder))


if __name__ == "__main__":
    main()
