"""Prints the speed targets beside what this machine gives: `python -m tests.perf.bench [PART...]`.

Parts: api, own, bind, sizes, default-rate, axfr, lists, tasks, start, databases. Nothing here passes
or fails.
"""

from __future__ import annotations

import re
import socket
import statistics
import struct
import sys
import tempfile
import threading
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

from designate.wire import client as dns_client
from tests.perf import databases, lists, seed
from tests.perf.client import Client, Process, load, spread, timed
from tests.servers import Named, until


def show(target: str, what: str, peer: str, wanted: str, measured: str) -> None:
    print(
        f"{target:<4} {what:<52} | peer {peer:<20} | wanted {wanted:<20} | {measured}", flush=True
    )


def three(figures: list[float]) -> str:
    p50, p95, p99 = spread(figures)
    return f"p50 {p50:.1f} p95 {p95:.1f} p99 {p99:.1f} ms"


def api(folder: Path) -> None:
    with Process(folder) as process:
        client = Client(process.api)
        zone = process.zone(client, "load.example.")
        made: dict[tuple[int, int, int], str] = {}
        for clients, peer in ((1, "31.7"), (4, "36.4"), (16, "30.6")):

            def create(own: Client, number: int, turn: int, clients: int = clients) -> None:
                body = {
                    "name": f"c{clients}-{number}-{turn}.load.example.",
                    "type": "A",
                    "records": ["192.0.2.1"],
                }
                made[clients, number, turn] = own.call(
                    "POST", f"/zones/{zone['id']}/recordsets", body
                )["id"]

            rate, ms = load(process.api, clients, 480 // clients, create)
            show(
                "S17",
                f"recordset create, {clients} clients, one zone",
                f"{peer} req/s",
                "5x / 8x / 10x",
                f"{rate:.0f} req/s {three(ms)}",
            )

        def update(own: Client, number: int, turn: int) -> None:
            own.call(
                "PUT",
                f"/zones/{zone['id']}/recordsets/{made[16, number, turn]}",
                {"records": ["192.0.2.2"]},
            )

        def delete(own: Client, number: int, turn: int) -> None:
            own.call("DELETE", f"/zones/{zone['id']}/recordsets/{made[16, number, turn]}")

        for name, work, peer in (("update", update, "16.8"), ("delete", delete, "20.0")):
            rate, ms = load(process.api, 16, 30, work)
            show(
                "S2",
                f"recordset {name}, 16 clients (standalone)",
                f"{peer} req/s",
                "10x",
                f"{rate:.0f} req/s {three(ms)}",
            )
        for clients, peer in ((1, "6.6"), (16, "3.6")):
            rate, ms = load(
                process.api,
                clients,
                240 // clients,
                lambda own, n, t, c=clients: own.call(
                    "POST", "/zones", {"name": f"z{c}-{n}-{t}.example.", "email": "a@b.c"}
                ),
            )
            show(
                "S3",
                f"zone create, {clients} clients (standalone)",
                f"{peer} req/s",
                "10x / 25x",
                f"{rate:.0f} req/s {three(ms)}",
            )
        rate, ms = load(
            process.api, 16, 60, lambda own, n, t: own.call("GET", f"/zones/{zone['id']}")
        )
        show(
            "S4",
            "zone get, 16 clients (standalone)",
            "85 req/s",
            "5x",
            f"{rate:.0f} req/s {three(ms)}",
        )
        rate, ms = load(
            process.api,
            16,
            10,
            lambda own, n, t: own.call("GET", f"/zones/{zone['id']}/recordsets?limit=100"),
        )
        show(
            "S4",
            "list of 100 recordsets, 16 clients (standalone)",
            "10.9 req/s",
            "12x",
            f"{rate:.0f} req/s {three(ms)}",
        )


def _serves(port: int, zone: str, serial: int) -> bool:
    answer = dns_client.query_soa("127.0.0.1", port, zone, 2.0)
    return answer.state is dns_client.SoaState.SERIAL and answer.serial >= serial


def _propagate(
    client: Client, zone: dict[str, Any], port: int, turns: int, gap_s: float
) -> tuple[list[float], list[float]]:
    served, active = [], []
    path = f"/zones/{zone['id']}"
    recordset = client.call(
        "POST",
        path + "/recordsets",
        {"name": f"p.{zone['name']}", "type": "A", "records": ["192.0.2.1"]},
    )
    until(lambda: client.call("GET", path)["status"] == "ACTIVE", 30)
    for turn in range(turns):
        sleep(gap_s)
        client.call(
            "PUT",
            f"{path}/recordsets/{recordset['id']}",
            {"records": [f"192.0.2.{turn % 250 + 1}"]},
        )
        started = perf_counter()
        serial = client.call("GET", path)["serial"]
        until(lambda: _serves(port, zone["name"], serial), 30)
        served.append((perf_counter() - started) * 1000)
        until(lambda: client.call("GET", path)["status"] == "ACTIVE", 30)
        active.append((perf_counter() - started) * 1000)
    return served, active


def own(folder: Path) -> None:
    with Process(folder) as process:
        client = Client(process.api)
        zone = process.zone(client, "own.example.")
        served, active = _propagate(client, zone, process.dns, 40, 0.05)
        show("S17", "change to served by MiniDNS", "4.9 / 5.4 s", "20 / 60 ms", three(served))
        show("S17", "change to ACTIVE", "9.9 / 10.1 s", "50 / 150 ms", three(active))


def bind(folder: Path, rate: int = 1000) -> None:
    label = "" if rate == 1000 else f" (serial-query-rate {rate})"
    with Named(folder / "bind", rate=rate) as named, Process(folder / "service", named) as process:
        client = Client(process.api)
        zone = process.zone(client, "prop.example.")
        served, active = _propagate(client, zone, named.port, 40, 0.05)
        show("S5", "change to served by BIND" + label, "4.9 / 5.4 s", "20 / 60 ms", three(served))
        show("S6", "change to ACTIVE, BIND" + label, "9.9 / 10.1 s", "50 / 150 ms", three(active))
        served, active = [], []
        for turn in range(15):
            name = f"new{turn}.example."
            made = client.call("POST", "/zones", {"name": name, "email": "a@b.c"})
            started = perf_counter()
            until(lambda: _serves(named.port, name, 1), 30)
            served.append((perf_counter() - started) * 1000)
            until(lambda: client.call("GET", f"/zones/{made['id']}")["status"] == "ACTIVE", 30)
            active.append((perf_counter() - started) * 1000)
        show("S7", "new zone to served by BIND" + label, "0.27 s", "p50 100 ms", three(served))
        show("S7", "new zone to ACTIVE, BIND" + label, "5.2 s", "p50 200 ms", three(active))
        bursts = []
        for turn in range(3):
            for n in range(200):
                client.call(
                    "POST",
                    f"/zones/{zone['id']}/recordsets",
                    {"name": f"b{turn}-{n}.prop.example.", "type": "A", "records": ["192.0.2.1"]},
                )
            bursts.append(
                timed(
                    lambda: until(
                        lambda: client.call("GET", f"/zones/{zone['id']}")["status"] == "ACTIVE", 30
                    )
                )
            )
        show(
            "S8",
            "200 recordsets back to back, to all ACTIVE" + label,
            "6.2 s",
            "300 ms",
            " ".join(f"{ms:.0f}" for ms in bursts) + " ms",
        )


def sizes(folder: Path) -> None:
    with Named(folder / "bind") as named, Process(folder / "service", named) as process:
        for size in (1_000, 100_000):
            name = f"big{size}.example."
            seed.zone(folder / "service", name, size)
            client = Client(process.api)
            until(lambda: _serves(named.port, name, 1), 120)
            big = client.call("GET", f"/zones?name={name}")["zones"][0]
            until(lambda: client.call("GET", f"/zones/{big['id']}")["status"] == "ACTIVE", 60)
            served, active = _propagate(client, big, named.port, 20, 0.05)
            change = f"one change in a zone of {size} RRs:"
            show("S10", f"{change} served", "13.5 s", "20 ms", three(served))
            show("S10", f"{change} ACTIVE", "never", "50 ms", three(active))
            first, *rest = received_bytes(named, name)
            show(
                "S10",
                f"{change} moved",
                "-",
                "< 2048 bytes",
                f"at most {max(rest)} bytes in {len(rest)} transfers; the first: {first:,} bytes",
            )


def received_bytes(named: Named, zone: str) -> list[int]:
    """The bytes of each transfer of the zone, in order, as BIND counts and logs them."""
    log = (named.folder / "named.log").read_text()
    name = re.escape(zone.rstrip("."))
    line = rf"transfer of '{name}/IN' from .*Transfer completed: .* (\d+) bytes"
    return [int(found) for found in re.findall(line, log)]


def count_axfr(port: int, zone: str) -> tuple[int, int, float]:
    """(RRs, bytes, seconds) of a transfer by a client that only counts."""
    labels = (
        b"".join(bytes([len(label)]) + label.encode() for label in zone.rstrip(".").split("."))
        + b"\0"
    )
    query = struct.pack(">6H", 7, 0, 1, 0, 0, 0) + labels + struct.pack(">2H", 252, 1)
    rrs = size = soas = 0
    started = perf_counter()
    with socket.create_connection(("127.0.0.1", port), timeout=60) as sock:
        sock.sendall(struct.pack(">H", len(query)) + query)
        stream = sock.makefile("rb", buffering=2**20)
        final = b"\0\x06\0\x01"
        while soas < 2:
            length = int.from_bytes(stream.read(2))
            message = stream.read(length)
            rrs += int.from_bytes(message[6:8])
            size += length
            # The first message begins with a SOA and the last one ends with one.
            soas += (soas == 0) + (final in message[-120:] and rrs > 1)
    return rrs, size, perf_counter() - started


def axfr(folder: Path) -> None:
    with Named(folder / "bind") as named, Process(folder / "service", named) as process:
        seed.zone(folder / "service", "big.example.", 100_000)
        client = Client(process.api)
        # BIND has it once it has transferred it, which also warms MiniDNS: so cold is measured after
        # a change, which moves the zone's revision.
        until(lambda: _serves(named.port, "big.example.", 1), 120)
        big = client.call("GET", "/zones?name=big.example.")["zones"][0]
        cold, warm, theirs = [], [], []
        for turn in range(5):
            client.call(
                "POST",
                f"/zones/{big['id']}/recordsets",
                {"name": f"x{turn}.big.example.", "type": "A", "records": ["192.0.2.1"]},
            )
            until(lambda: client.call("GET", f"/zones/{big['id']}")["status"] == "ACTIVE", 60)
            for found, port in ((cold, process.dns), (warm, process.dns), (theirs, named.port)):
                rrs, _, seconds = count_axfr(port, "big.example.")
                found.append(rrs / seconds)
        theirs_best, peer = max(theirs), "11,300-13,600 RR/s"
        show("S9", "AXFR of 100k RRs from BIND", "", "", f"{theirs_best:,.0f} RR/s")
        show(
            "S9",
            "AXFR of 100k RRs, warm",
            peer,
            ">= BIND",
            f"{max(warm):,.0f} RR/s = {max(warm) / theirs_best:.2f} of BIND",
        )
        show(
            "S9",
            "AXFR of 100k RRs, from the database",
            peer,
            ">= 40 % of BIND",
            f"{max(cold):,.0f} RR/s = {max(cold) / theirs_best:.2f} of BIND",
        )
        before = process.memory_kib("Rss")
        seed.zone(folder / "service", "million.example.", 1_000_000, announce=False)
        peak = [before]
        done = threading.Event()

        def watch() -> None:
            while not done.wait(0.02):
                peak.append(process.memory_kib("Rss"))

        watcher = threading.Thread(target=watch)
        watcher.start()
        rrs, size, seconds = count_axfr(process.dns, "million.example.")
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
    """size records: of addresses mostly, with a mail exchanger and a text for every ten."""
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
    """Seconds from the request to the first answer that says COMPLETE."""
    with Process(folder) as process:
        client = Client(process.api)
        for size, peer, wanted, turns in (
            (1000, "23.2 s", "0.3 s", 5),
            (10_000, "413", "2 s", 3),
            (100_000, "-", "15 s", 1),
        ):
            seconds, zone_id = [], ""
            for turn in range(turns):
                body = {"zonefile": _zone_file(f"import{turn}-{size}.example.", size)}
                begin = perf_counter()
                made = client.call("POST", "/zones/tasks/imports", body)
                done = _finished(client, f"/zones/tasks/imports/{made['id']}")
                seconds.append(perf_counter() - begin)
                zone_id = done["zone_id"]
            show("S11", f"import of {size:,} records to COMPLETE", peer, wanted, _best(seconds))
            if size == 10_000:
                _export(client, zone_id)


def _export(client: Client, zone_id: str) -> None:
    seconds = []
    for _ in range(5):
        begin = perf_counter()
        made = client.call("POST", f"/zones/{zone_id}/tasks/export")
        _finished(client, f"/zones/tasks/exports/{made['id']}")
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
    "own": own,
    "bind": bind,
    "sizes": sizes,
    "default-rate": lambda folder: bind(folder, rate=20),
    "axfr": axfr,
    "lists": lambda folder: lists.measure(show, folder),
    "tasks": tasks,
    "start": start,
    "databases": databases.all_of_them,
}


def main() -> None:
    for name in sys.argv[1:] or PARTS:
        with tempfile.TemporaryDirectory(prefix="designate-bench-") as folder:
            PARTS[name](Path(folder))


if __name__ == "__main__":
    main()
