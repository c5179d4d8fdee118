"""Builds each process of a deployment from its parts; what they say to each other goes by the bus.

Nothing here opens a socket or a file before `Process.start()`. A process imports only the parts that
it is made of, for what it imports it holds in memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from oslo_config import cfg

from designate.health import Check, Listener, WsgiApp
from designate.heart import Heart
from designate.notifications import Notifier
from designate.rpc import interfaces
from designate.rpc.bus import Dispatcher
from designate.rpc.clients import central_by, worker_by
from designate.rpc.oslo import OsloBus
from designate.service import Part, Process

if TYPE_CHECKING:
    from designate.storage.engine import Database

Address = tuple[str, int]


def api(conf: cfg.ConfigOpts) -> Process:
    """designate-api: HTTP on every listen address."""
    from designate.api.app import build
    from designate.api.server import FAREWELL_S, HttpServer, Tls

    bus = OsloBus(conf)
    group = conf["service:api"]
    app = build(conf, central_by(conf, bus))
    tls = Tls.from_conf(conf)
    servers = [
        HttpServer(
            app,
            host,
            port,
            group.threads,
            shared_port=_several(group.workers),
            tls=tls,
            farewell_s=FAREWELL_S,
        )
        for host, port in map(_address, group.listen)
    ]
    return _process(conf, bus, "api", [Part(server.start, server.stop) for server in servers])


def hosted_api(conf: cfg.ConfigOpts) -> tuple[WsgiApp, Process]:
    """The application for a foreign HTTP server, and what must have been started before it is
    called."""
    from designate.api.app import build

    bus = OsloBus(conf)
    return build(conf, central_by(conf, bus)), _process(conf, bus, "api", [])


def central(conf: cfg.ConfigOpts) -> Process:
    """designate-central: the rules, and the only writer of the database."""
    from designate.central import service
    from designate.central.outbox import Outbox
    from designate.storage.engine import Database

    bus = OsloBus(conf)
    database = Database.from_conf(conf, asked_s=conf.rpc_response_timeout)
    outbox = Outbox(worker_by(conf, bus))
    to_worker = cast(interfaces.WorkerApi, outbox)
    notifier = Notifier(conf, "central")
    dispatcher = service.dispatcher(conf, database, to_worker, notifier=notifier)
    bus.serve(conf["service:central"].topic, dispatcher)
    parts = [
        Part(lambda: None, database.close),
        Part(notifier.start, notifier.stop),
        Part(outbox.start, outbox.stop),
    ]
    return _process(conf, bus, "central", parts, database)


def worker(conf: cfg.ConfigOpts) -> Process:
    """designate-worker: makes nameservers agree with the database."""
    from designate.worker.service import Worker

    bus = OsloBus(conf)
    part = Worker(conf, central_by(conf, bus))
    bus.serve(conf["service:worker"].topic, Dispatcher({interfaces.WorkerApi: part}))
    return _process(conf, bus, "worker", [Part(part.start, part.stop)])


def mdns(conf: cfg.ConfigOpts) -> Process:
    """designate-mdns: the hidden primary."""
    from designate.mdns.server import MiniDns
    from designate.storage.engine import Database

    bus = OsloBus(conf)
    database = Database.from_conf(conf)
    part = MiniDns(conf, database, worker_by(conf, bus))
    parts = [Part(lambda: None, database.close), Part(part.start, part.stop)]
    return _process(conf, bus, "mdns", parts, database)


def producer(conf: cfg.ConfigOpts) -> Process:
    """designate-producer: the clock."""
    from designate.producer.service import Producer

    bus = OsloBus(conf)
    part = Producer(conf, central_by(conf, bus))
    return _process(conf, bus, "producer", [Part(part.start, part.stop)])


def sink(conf: cfg.ConfigOpts) -> Process:
    """designate-sink: events of other services."""
    from designate.rpc.events import Listener
    from designate.sink.service import Sink

    bus = OsloBus(conf)
    part = Sink(conf, central_by(conf, bus), Listener)
    return _process(conf, bus, "sink", [Part(part.start, part.stop)])


def _process(
    conf: cfg.ConfigOpts,
    bus: OsloBus,
    name: str,
    parts: list[Part],
    database: Database | None = None,
) -> Process:
    """The parts between the way out, which they need, and the way in, which needs them."""
    heart = Heart(conf, central_by(conf, bus), (name,))
    checks: dict[str, Check] = {"message bus": bus.fault}
    if database is not None:
        checks["database"] = database.fault
    listener = Listener(conf, checks)
    return Process(
        [
            Part(bus.start, bus.stop),
            *parts,
            Part(bus.accept, bus.drain),
            Part(heart.start, heart.stop),
            Part(listener.start, listener.stop),
        ]
    )


def _several(workers: int | None) -> bool:
    return (workers or 1) > 1


def _address(listen: str) -> Address:
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)
