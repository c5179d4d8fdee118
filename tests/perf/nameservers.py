"""S5 to S10: how soon BIND, PowerDNS, NSD and Knot serve changes, and the cost of transfers."""

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
IXFR_BYTES = re.compile(r'designate_transfer_bytes_total\{kind="ixfr"\} (\S+)')


@dataclass(frozen=True)
class Setup:
    """A nameserver and the service that has it in its default pool; gaps_s: times between changes."""

    label: str
    process: Process
    port: int
    server: Any = None
    gaps_s: tuple[float, ...] = (0.05,)

    def serves(self, zone: str, serial: int) -> bool:
        return serves(self.port, zone, serial)

    def transferred_bytes(self) -> float:
        """Return the bytes of incremental transfers so far."""
        return self.process.metric(IXFR_BYTES)


def serves(port: int, zone: str, serial: int) -> bool:
    answer = dns_client.query_soa("127.0.0.1", port, zone, 2.0)
    return answer.state is dns_client.SoaState.SERIAL and answer.serial >= serial


def percentiles(figures: list[float]) -> str:
    p50, p95, p99 = spread(figures)
    return f"p50 {p50:.1f} p95 {p95:.1f} p99 {p99:.1f} ms"


@contextlib.contextmanager
def setup(kind: str, folder: Path, rate: int = 1000) -> Iterator[Setup]:
    """Run a nameserver and its service; rate: BIND's serial-query-rate."""
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
        yield Setup(label, process, server.port, server)


@contextlib.contextmanager
def _knot(folder: Path, port: int) -> Iterator[Setup]:
    """Run Knot, which creates its zones from the pool's catalog; its transfers are signed."""
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
            # Knot delays some changes to one second after the zone's last change.
            yield Setup("Knot", process, server.port, server, gaps_s=(0.05, 1.2))


# -- S5 to S8 ------------------------------------------------------------------------------------


def propagate(
    client: Client, zone: dict[str, Any], port: int, turns: int, gap_s: float
) -> tuple[list[float], list[float]]:
    """Return the milliseconds from the response to a change until it is served, and until it is ACTIVE."""
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


def changes(show: Show, tested: Setup) -> None:
    """S5 to S8."""
    client = Client(tested.process.api)
    zone = tested.process.zone(client, "prop.example.")
    for gap_s in tested.gaps_s:
        served, active = propagate(client, zone, tested.port, 40, gap_s)
        what = f"{tested.label}, {gap_s} s apart"
        show("S5", f"change to served, {what}", "4.9 / 5.4 s", "20 / 60 ms", percentiles(served))
        show("S6", f"change to ACTIVE, {what}", "9.9 / 10.1 s", "50 / 150 ms", percentiles(active))
    _new_zones(show, tested, client)
    _bursts(show, tested, client, zone)


def _new_zones(show: Show, tested: Setup, client: Client) -> None:
    served, active = [], []
    for turn in range(15):
        name = f"new{turn}.example."
        new = client.call("POST", "/zones", {"name": name, "email": "a@b.c"})
        started = perf_counter()
        until(lambda: tested.serves(name, 1), 30)
        served.append((perf_counter() - started) * 1000)
        until(lambda: client.call("GET", f"/zones/{new['id']}")["status"] == "ACTIVE", 30)
        active.append((perf_counter() - started) * 1000)
    show("S7", f"new zone to served, {tested.label}", "0.27 s", "p50 100 ms", percentiles(served))
    show("S7", f"new zone to ACTIVE, {tested.label}", "5.2 s", "p50 200 ms", percentiles(active))


def _bursts(show: Show, tested: Setup, client: Client, zone: dict[str, Any]) -> None:
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
        f"200 recordsets back to back, to all ACTIVE, {tested.label}",
        "6.2 s",
        "300 ms",
        " ".join(f"{ms:.0f}" for ms in bursts) + " ms",
    )


# -- S10 -----------------------------------------------------------------------------------------


def sizes(show: Show, tested: Setup, counts: tuple[int, ...] = (1_000, 100_000)) -> None:
    """S10: the cost of one change in zones of different sizes."""
    client = Client(tested.process.api)
    for size in counts:
        name = f"big{size}.example."
        seed.zone(tested.process.database, name, size)
        until(lambda: tested.serves(name, 1), 180, f"{name} served")
        big = client.call("GET", f"/zones?name={name}")["zones"][0]
        until(lambda: client.call("GET", f"/zones/{big['id']}")["status"] == "ACTIVE", 60)
        before = tested.transferred_bytes()
        served, active = propagate(client, big, tested.port, 20, 0.05)
        transferred = tested.transferred_bytes() - before
        change = f"one change, {size} RRs, {tested.label}:"
        show("S10", f"{change} served", "13.5 s", "20 ms", percentiles(served))
        show("S10", f"{change} ACTIVE", "never", "50 ms", percentiles(active))
        show(
            "S10",
            f"{change} transferred",
            "-",
            "< 2048 bytes",
            f"{transferred / 21:.0f} bytes a change",
        )


# -- S9 ------------------------------------------------------------------------------------------


def count_axfr(port: int, zone: str) -> tuple[int, int, float]:
    """Transfer a zone without parsing it; return the RRs, bytes and seconds."""
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
            # The first message starts with a SOA, and the last one ends with one.
            soas += (soas == 0) + (final in message[-120:] and rrs > 1)
    return rrs, size, perf_counter() - started


def transfers(show: Show, tested: Setup, turns: int = 5) -> None:
    """S9: AXFR from MiniDNS without and with its cache, and from the nameserver, alternating."""
    seed.zone(tested.process.database, "big.example.", 100_000)
    client = Client(tested.process.api)
    # The server's own transfer fills the cache of MiniDNS, so change the zone before each cold transfer.
    until(lambda: tested.serves("big.example.", 1), 120)
    big = client.call("GET", "/zones?name=big.example.")["zones"][0]
    cold, warm, reference = [], [], []
    for turn in range(turns):
        client.call(
            "POST",
            f"/zones/{big['id']}/recordsets",
            {"name": f"x{turn}.big.example.", "type": "A", "records": ["192.0.2.1"]},
        )
        until(lambda: client.call("GET", f"/zones/{big['id']}")["status"] == "ACTIVE", 60)
        for found, port in (
            (cold, tested.process.dns),
            (warm, tested.process.dns),
            (reference, tested.port),
        ):
            rrs, _, seconds = count_axfr(port, "big.example.")
            found.append(rrs / seconds)
    best, peer = max(reference), "11,300-13,600 RR/s"
    show("S9", f"AXFR of 100k RRs from {tested.label}", "", "", f"{best:,.0f} RR/s")
    for what, goal, found in (
        ("warm", ">= the server", warm),
        ("cold", ">= 40 % of the server", cold),
    ):
        ours = max(found)
        measured = f"{ours:,.0f} RR/s = {ours / best:.2f} of {tested.label}"
        show("S9", f"AXFR of 100k RRs from MiniDNS, {what}", peer, goal, measured)


def measure_all(show: Show, folder: Path) -> None:
    """Measure S5 to S10 with each nameserver."""
    for kind in KINDS:
        with setup(kind, folder / kind) as nameserver:
            changes(show, nameserver)
            sizes(show, nameserver)
            transfers(show, nameserver)
