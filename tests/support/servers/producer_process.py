"""Run a producer on a database that it shares with others.

    python -m tests.support.servers.producer_process DATABASE LOG [OPTION=VALUE ...]

OPTION is GROUP.NAME. Every call of the recovery sweep is a line of LOG: pid, first and last shard,
generation, and whether central took it. SIGTERM stops the process in order.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import threading
from typing import Any

from oslo_config import cfg

from designate import config, errors
from designate.central import service
from designate.producer.service import Producer
from designate.rpc.clients import CENTRAL_TOPIC, CentralClient, worker_client
from designate.rpc.local import LocalBus
from designate.storage.sqlalchemy.db.engine import Database


class Recorded:
    """central.status, noting each recovery once central has answered."""

    def __init__(self, status: Any, path: str) -> None:
        self._status = status
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def recover(
        self, context: Any, first: int, last: int, limit: int, generation: int | None
    ) -> int:
        word = "taken"
        try:
            return int(self._status.recover(context, first, last, limit, generation))
        except errors.LeaseLost:
            word = "refused"
            raise
        finally:
            line = f"{os.getpid()} {first} {last} {generation} {word}\n"
            os.write(self._file, line.encode())


def local_central(conf: cfg.ConfigOpts) -> tuple[CentralClient, LocalBus]:
    """Central in this process, and the bus to start."""
    bus = LocalBus()
    dispatcher = service.dispatcher(conf, Database.from_conf(conf), worker_client(bus))
    bus.serve(CENTRAL_TOPIC, dispatcher)
    return CentralClient.over(bus), bus


def main() -> None:
    database, path, *options = sys.argv[1:]
    conf = cfg.ConfigOpts()
    config.register(conf)
    conf([], default_config_files=[], default_config_dirs=[])
    conf.set_override("connection", database, "storage:sqlalchemy")
    conf.set_override("enabled_tasks", ["worker_periodic_recovery"], "service:producer")
    conf.set_override("interval", 0.1, "producer_task:worker_periodic_recovery")
    for option in options:
        name, _, value = option.partition("=")
        group, _, name = name.rpartition(".")
        conf.set_override(name, value, group)
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    central, bus = local_central(conf)
    recorded: Any = Recorded(central.status, path)
    producer = Producer(conf, dataclasses.replace(central, status=recorded))
    bus.start()
    producer.start()
    ended.wait()
    producer.stop()
    bus.stop()


if __name__ == "__main__":
    main()
