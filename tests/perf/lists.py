"""S13 and S14: lists of many recordsets and of many zones, by each filter and each order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

from tests.perf import seed
from tests.perf.client import Client, Process, spread, timed
from tests.perf.databases import KINDS, server

RECORDSETS, ZONES = 100_000, 10_000
REPEATS = 30
# How often the zone is changed before a list of it, so that no cached result is valid.
CHANGES = 7
Show = Callable[[str, str, str, str, str], None]
# The figures of the reference implementation, where measured.
PEER = {
    "S13 first page": "671 ms", "S13 deep marker": "188 ms", "S13 name": "28 ms",
    "S13 data": "2533 ms", "S14 first page": "310 ms", "S14 deep marker": "241 ms",
    "S14 name": "17 ms",
}  # fmt: skip


def recordset_queries(marker: str) -> Iterator[tuple[str, str]]:
    """Yield labels and query strings for the recordsets of a zone of seed.zone(varied=True)."""
    yield "first page", ""
    yield "deep marker", f"marker={marker}"
    yield "name", "name=h50000.records.example."
    yield "name, one letter open", "name=h5000*.records.example."
    yield "name, end open", "name=h5000*"
    yield "name, beginning open", "name=*0.records.example."
    yield "name, middle only", "name=*5000*"
    yield "name of nothing", "name=*nothing*"
    yield "data", "data=10.0.195.80"
    yield "data, end open", "data=10.0.195.*"
    yield "data, middle only", "data=*.195.80*"
    yield "data of many", "data=10.1.*"
    yield "name of many", "name=*9*"
    yield "name of the newest", "name=h99*"
    yield "type of most", "type=A"
    yield "type of few", "type=TXT"
    yield "type of none", "type=SRV"
    yield "ttl of many", "ttl=600"
    yield "ttl of few", "ttl=77"
    yield "type and ttl of many", "type=A&ttl=600"
    yield "status of all", "status=ACTIVE"
    yield "status of none", "status=PENDING"
    yield "status of none", "status=ERROR"
    yield "description of few", "description=number 7"
    yield "description, end open", "description=number 7*"
    yield "description of none", "description=nothing"
    yield from orders(("created_at", "id", "updated_at", "name", "type", "ttl"), marker)


def zone_queries(marker: str) -> Iterator[tuple[str, str]]:
    """Yield labels and query strings for the zones of seed.zones_in."""
    yield "first page", ""
    yield "deep marker", f"marker={marker}"
    yield "name", "name=zone5000.example."
    yield "name, end open", "name=zone500*"
    yield "name, beginning open", "name=*00.example."
    yield "name, middle only", "name=*500*"
    yield "type of all", "type=PRIMARY"
    yield "type of none", "type=SECONDARY"
    yield "email of few", "email=u7@example.com"
    yield "email, end open", "email=u7*"
    yield "status of all", "status=ACTIVE"
    yield "status of none", "status=ERROR"
    yield "description of few", "description=number 7"
    yield "description of none", "description=nothing"
    yield "ttl of many", "ttl=3600"
    yield "ttl of few", "ttl=77"
    keys = ("created_at", "id", "updated_at", "name", "serial", "ttl", "status")
    yield from orders(keys, marker)


def orders(keys: tuple[str, ...], marker: str) -> Iterator[tuple[str, str]]:
    """Yield the labels and query strings of the first and of a deep page by each order."""
    for key in keys:
        for direction in ("asc", "desc"):
            query = f"sort_key={key}&sort_dir={direction}"
            yield f"order of {key} {direction}", query
            yield f"order of {key} {direction}, deep", f"{query}&marker={marker}"


def measure(show: Show, folder: Path) -> None:
    """Measure on each database, one after the other."""
    for kind in KINDS:
        measure_on(kind, show, folder / kind)


def measure_on(kind: str, show: Show, folder: Path) -> None:
    with server(kind, folder) as databases, Process(folder, database=databases.fresh()) as process:
        url = process.database
        seed.zone(url, "records.example.", RECORDSETS, announce=False, varied=True)
        seed.zones_in(url, ZONES)
        seed.vacuum(url)
        client = Client(process.api)
        zone = client.call("GET", "/zones?name=records.example.")["zones"][0]
        marker = seed.middle_id(url, "recordsets", zone["id"])
        zone_marker = seed.middle_id(url, "zones", "")
        lists = (
            (
                "S13",
                "100k recordsets",
                f"/zones/{zone['id']}/recordsets",
                recordset_queries(marker),
            ),
            ("S13", "100k recordsets, all zones", "/recordsets", recordset_queries(marker)),
            ("S14", "10k zones", "/zones", zone_queries(zone_marker)),
        )
        for target, what, path, queries in lists:
            for name, query in queries:
                if path == "/recordsets" and "sort_key=id" in query:
                    continue
                url_path = f"{path}?{quote(query, safe='=&*')}"

                def request(url_path=url_path) -> float:
                    return timed(lambda: client.call("GET", url_path))

                changed = ""
                if query and path.startswith("/zones/"):
                    first = []
                    for _ in range(CHANGES):
                        seed.touch(url, zone["id"])
                        first.append(request())
                    changed = f", after a change of the zone {spread(first)[0]:.1f}"
                request()
                p50, p95, p99 = spread([request() for _ in range(REPEATS)])
                slow = "" if p50 < 15 else "  SLOW"
                figures = f"p50 {p50:.1f} p95 {p95:.1f} p99 {p99:.1f} ms{changed}{slow}"
                show(
                    target,
                    f"{kind} {what}: {name}",
                    PEER.get(f"{target} {name}", "-"),
                    "< 15 ms",
                    figures,
                )
