"""How soon each nameserver serves what changed: S5 to S10 with BIND, PowerDNS, NSD and Knot."""

from __future__ import annotations

import base64
import contextlib
import re
import secrets
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

from designate.wire import client as dns_client
from tests.perf import seed
from tests.perf.client import Client, Process, spread, timed
from tests.support.deadlines import until
from tests.support.servers.nameservers import Named, free_port
from tests.support.servers.secondaries import Knot, Nsd, Pdns
from tests.support.servers.standalone import bind_pool

Show = Callable[[str, str, str, str, str], None]

KINDS = ("BIND", "PowerDNS", "NSD", "Knot")
POOL = "794ccc2c-d751-44fe-b57f-8894c9f5c842"
MOVED = re.compile(r'designate_transfer_bytes_total\{kind="ixfr"\} (\S+)')


@dataclass(frozen=True)
class Side:
    """A nameserver and the service whose default pool it serves. gaps_s: between changes."""

    label: str
    process: Process
    port: int
    server: Any = None
    gaps_s: tuple[float, ...] = (0.05,)

    def serves(self, zone: str, serial: int) -> bool:
        return serves(self.port, zone, serial)

    def moved(self) -> float:
        """Bytes of incremental transfers so far."""
        return self.process.metric(MOVED)


def serves(port: int, zone: str, serial: int) -> bool:
    answer = dns_client.query_soa("127.0.0.1", port, zone, 2.0)
    return answer.state is dns_client.SoaState.SERIAL and answer.serial >= serial


def three(figures: list[float]) -> str:
    p50, p95, p99 = spread(figures)
    return f"p50 {p50:.1f} p95 {p95:.1f} p99 {p99:.1f} ms"


@contextlib.contextmanager
def side(kind: str, folder: Path, rate: int = 1000) -> Iterator[Side]:
    """rate: BIND's serial-query-rate."""
    port = free_port()
    if kind == "Knot":
        with _knot(folder, port) as found:
            yield found
        return
    server: Any = {
        "BIND": lambda where: Named(where, rate=rate),
        "PowerDNS": Pdns,
        "NSD": lambda where: Nsd(where, port),
    }[kind](folder / "server")
    label = f"{kind}, serial-query-rate {rate}" if rate != 1000 else kind
    with server, Process(folder / "service", bind_pool(server, port), port) as process:
        yield Side(label, process, server.port, server)


@contextlib.contextmanager
def _knot(folder: Path, port: int) -> Iterator[Side]:
    """Knot makes its zones from the pool's catalog; its transfers are signed."""
    secret = base64.b64encode(secrets.token_bytes(32)).decode()
    with Knot(folder / "server", port, secret) as server:
        (pool,) = bind_pool(server, port)
        pool["catalog_zone"] = {
            "catalog_zone_fqdn": "catalog.example.",
            "catalog_zone_refresh": 60,
            "catalog_zone_tsig_key": secret,
            "catalog_zone_tsig_algorithm": "hmac-sha256",
        }
        with Process(folder / "service", [pool], port) as process:
            key = {
                "name": "pool", "algorithm": "hmac-sha256", "secret": secret,
                "scope": "POOL", "resource_id": POOL,
            }  # fmt: skip
            Client(process.api).call("POST", "/tsigkeys", key)
            # Some changes within a second of the zone's last one wait in Knot till it is over.
            yield Side("Knot", process, server.port, server, gaps_s=(0.05, 1.2))


# -- S5 to S8 ------------------------------------------------------------------------------------


def propagate(
    client: Client, zone: dict[str, Any], port: int, turns: int, gap_s: float
) -> tuple[list[float], list[float]]:
    """Milliseconds from the answer to a change until it is served, and until it is ACTIVE."""
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
        until(lambda: serves(port, zone["name"], serial), 30)
        served.append((perf_counter() - started) * 1000)
        until(lambda: client.call("GET", path)["status"] == "ACTIVE", 30)
        active.append((perf_counter() - started) * 1000)
    return served, active


def changes(show: Show, on: Side) -> None:
    """S5 to S8."""
    client = Client(on.process.api)
    zone = on.process.zone(client, "prop.example.")
    for gap_s in on.gaps_s:
        served, active = propagate(client, zone, on.port, 40, gap_s)
        what = f"{on.label}, {gap_s} s apart"
        show("S5", f"change to served, {what}", "4.9 / 5.4 s", "20 / 60 ms", three(served))
        show("S6", f"change to ACTIVE, {what}", "9.9 / 10.1 s", "50 / 150 ms", three(active))
    _new_zones(show, on, client)
    _bursts(show, on, client, zone)


def _new_zones(show: Show, on: Side, client: Client) -> None:
    served, active = [], []
    for turn in range(15):
        name = f"new{turn}.example."
        made = client.call("POST", "/zones", {"name": name, "email": "a@b.c"})
        started = perf_counter()
        until(lambda: on.serves(name, 1), 30)
        served.append((perf_counter() - started) * 1000)
        until(lambda: client.call("GET", f"/zones/{made['id']}")["status"] == "ACTIVE", 30)
        active.append((perf_counter() - started) * 1000)
    show("S7", f"new zone to served, {on.label}", "0.27 s", "p50 100 ms", three(served))
    show("S7", f"new zone to ACTIVE, {on.label}", "5.2 s", "p50 200 ms", three(active))


def _bursts(show: Show, on: Side, client: Client, zone: dict[str, Any]) -> None:
    path = f"/zones/{zone['id']}"
    bursts = []
    for turn in range(3):
        for n in range(200):
            body = {"name": f"b{turn}-{n}.prop.example.", "type": "A", "records": ["192.0.2.1"]}
            client.call("POST", path + "/recordsets", body)
        bursts.append(
            timed(lambda: until(lambda: client.call("GET", path)["status"] == "ACTIVE", 30))
        )
    show(
        "S8",
        f"200 recordsets back to back, to all ACTIVE, {on.label}",
        "6.2 s",
        "300 ms",
        " ".join(f"{ms:.0f}" for ms in bursts) + " ms",
    )


# -- S10 -----------------------------------------------------------------------------------------


def sizes(show: Show, on: Side, counts: tuple[int, ...] = (1_000, 100_000)) -> None:
    """S10: the cost of one change, whatever the zone's size."""
    client = Client(on.process.api)
    for size in counts:
        name = f"big{size}.example."
        seed.zone(on.process.database, name, size)
        until(lambda: on.serves(name, 1), 180, f"{name} served")
        big = client.call("GET", f"/zones?name={name}")["zones"][0]
        until(lambda: client.call("GET", f"/zones/{big['id']}")["status"] == "ACTIVE", 60)
        before = on.moved()
        served, active = propagate(client, big, on.port, 20, 0.05)
        moved = on.moved() - before
        change = f"one change, {size} RRs, {on.label}:"
        show("S10", f"{change} served", "13.5 s", "20 ms", three(served))
        show("S10", f"{change} ACTIVE", "never", "50 ms", three(active))
        show("S10", f"{change} moved", "-", "< 2048 bytes", f"{moved / 21:.0f} bytes a change")


# -- S9 ------------------------------------------------------------------------------------------


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
            assert message[3] & 15 == 0, f"the transfer of {zone} was refused"
            rrs += int.from_bytes(message[6:8])
            size += length
            # The first message begins with a SOA and the last one ends with one.
            soas += (soas == 0) + (final in message[-120:] and rrs > 1)
    return rrs, size, perf_counter() - started


def transfers(show: Show, on: Side, turns: int = 5) -> None:
    """S9: the zone from the database, from MiniDNS' memory, and from the nameserver, in turns."""
    seed.zone(on.process.database, "big.example.", 100_000)
    client = Client(on.process.api)
    # The server has it once it has transferred it, which also warms MiniDNS: so cold is measured after
    # a change, which moves the zone's revision.
    until(lambda: on.serves("big.example.", 1), 120)
    big = client.call("GET", "/zones?name=big.example.")["zones"][0]
    cold, warm, theirs = [], [], []
    for turn in range(turns):
        client.call(
            "POST",
            f"/zones/{big['id']}/recordsets",
            {"name": f"x{turn}.big.example.", "type": "A", "records": ["192.0.2.1"]},
        )
        until(lambda: client.call("GET", f"/zones/{big['id']}")["status"] == "ACTIVE", 60)
        for found, port in ((cold, on.process.dns), (warm, on.process.dns), (theirs, on.port)):
            rrs, _, seconds = count_axfr(port, "big.example.")
            found.append(rrs / seconds)
    best, peer = max(theirs), "11,300-13,600 RR/s"
    show("S9", f"AXFR of 100k RRs from {on.label}", "", "", f"{best:,.0f} RR/s")
    for what, wanted, found in (("warm", ">= it", warm), ("cold", ">= 40 % of it", cold)):
        ours = max(found)
        measured = f"{ours:,.0f} RR/s = {ours / best:.2f} of {on.label}"
        show("S9", f"AXFR of 100k RRs from MiniDNS, {what}", peer, wanted, measured)


def every(show: Show, folder: Path) -> None:
    """S5 to S8 and S10 with each nameserver, S9 beside it."""
    for kind in KINDS:
        with side(kind, folder / kind) as on:
            changes(show, on)
            sizes(show, on)
            transfers(show, on)
