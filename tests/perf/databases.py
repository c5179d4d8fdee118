"""Throughput of central on each database, without HTTP and RPC, on durable servers."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

import sqlalchemy as sa

from tests.perf.client import spread
from tests.support.factories.zone_data import Hidden
from tests.support.servers.databases import Databases, MariaDB, PostgreSQL, SQLite

EACH_S = 3.0
COUNTS = (1, 4, 16)
KINDS = ("sqlite", "mariadb", "postgresql")


def measure(folder: Path) -> None:
    for kind in KINDS:
        with server(kind, folder) as databases:
            measure_on(folder / kind, databases)


@contextlib.contextmanager
def server(kind: str, folder: Path) -> Iterator[Databases]:
    """Run a durable server of this kind."""
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "sqlite":
        yield SQLite(folder)
        return
    cls = MariaDB if kind == "mariadb" else PostgreSQL
    with cls(durable=True) as server:
        yield server


def measure_on(folder: Path, server: Databases) -> None:
    folder.mkdir(exist_ok=True)
    storage = {"connection": server.fresh()}
    with Hidden(folder, **{"storage:sqlalchemy": storage}) as parts:
        numbers = itertools.count(1)
        zone = parts.zone("one.example.")
        many = [parts.zone(f"many{n}.example{n}.") for n in range(max(COUNTS))]

        def in_one(_: int) -> None:
            parts.add(zone, f"r{next(numbers)}", "A", "192.0.2.1")

        def in_many(thread: int) -> None:
            parts.add(many[thread], f"r{next(numbers)}", "A", "192.0.2.1")

        def zones(_: int) -> None:
            number = next(numbers)
            parts.zone(f"z{number}.example{number}.")

        def get(_: int) -> None:
            parts.fresh(zone)

        for target, what, work in (
            ("S1", "recordset create in one zone", in_one),
            ("S1", "recordset create, a zone for each thread", in_many),
            ("S3", "zone create", zones),
            ("S4", "zone get", get),
        ):
            counted = _statements(parts, lambda work=work: work(0))
            for threads in COUNTS:
                rate, ms = _load(threads, work)
                p50, _, p99 = spread(ms)
                print(
                    f"{target:<4} {server.kind:<11} {what:<42} {threads:>3} threads "
                    f"{rate:8.0f} /s  p50 {p50:6.1f} p99 {p99:6.1f} ms  {counted} statements",
                    flush=True,
                )


def _statements(parts: Hidden, work: Callable[[], object]) -> int:
    """Count the statements of one run, with BEGIN and COMMIT where they are sent as statements."""
    seen: list[str] = []

    def record(_c: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    def end(_c: object) -> None:
        seen.append("COMMIT or ROLLBACK")

    engines = {parts.database.engine, parts.database.reader}
    hooks = [("before_cursor_execute", record), ("commit", end), ("rollback", end)]
    work()
    for engine in engines:
        for name, hook in hooks:
            sa.event.listen(engine, name, hook)
    work()
    for engine in engines:
        for name, hook in hooks:
            sa.event.remove(engine, name, hook)
    return len(seen)


def _load(threads: int, work: Callable[[int], object]) -> tuple[float, list[float]]:
    took: list[list[float]] = [[] for _ in range(threads)]
    ready = threading.Barrier(threads + 1)
    end_s = [0.0]

    def run(number: int) -> None:
        ready.wait()
        while (before := perf_counter()) < end_s[0]:
            work(number)
            took[number].append((perf_counter() - before) * 1000)

    running = [threading.Thread(target=run, args=(n,)) for n in range(threads)]
    for thread in running:
        thread.start()
    started = perf_counter()
    end_s[0] = started + EACH_S
    ready.wait()
    for thread in running:
        thread.join()
    done = [ms for found in took for ms in found]
    return len(done) / (perf_counter() - started), done
