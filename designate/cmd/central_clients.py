"""Central for commands: one of their own on the service's database, or the running one over RPC.

A command imports only what it uses; hence the imports inside functions.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable

from oslo_config import cfg

from designate import processes
from designate.rpc.clients import CENTRAL_TOPIC, CentralClient, central_client_over, worker_client

MAX_CALL_S = 20
MAX_STOP_S = 3


def own(conf: cfg.ConfigOpts) -> CentralClient:
    """Return central on this process' own database connection, for a command.

    It sends nothing to workers; the periodic recovery of the running service publishes its changes.

    Raises:
        ConfigurationError: The database has not this release's schema, or cannot be reached.
    """
    from designate.central import service
    from designate.rpc.local import LocalBus
    from designate.storage.sqlalchemy import schema_state
    from designate.storage.sqlalchemy.db.engine import Database

    bus = LocalBus()
    database = Database.from_conf(conf)
    schema_state.require_current(database.url, 0.0)
    notifier = processes.central_notifier(conf)
    notifier.start()
    atexit.register(notifier.stop)
    bus.serve(
        CENTRAL_TOPIC, service.dispatcher(conf, database, worker_client(bus), notifier=notifier)
    )
    return CentralClient.over(bus)


def remote(conf: cfg.ConfigOpts) -> CentralClient:
    """Return the running central over RPC, for a command without a database connection."""
    from designate.rpc.oslo import OsloBus

    bus = OsloBus(conf)
    # Every call of a command must fail in time, however patient the daemons are.
    wait_s = min(conf.rpc_response_timeout, MAX_CALL_S)
    conf.set_override("rpc_response_timeout", wait_s)
    bus.start()
    _stop_at_exit(bus.stop)
    bus.require_access()
    return central_client_over(conf, bus)


def _stop_at_exit(stop: Callable[[], None]) -> None:
    """Call stop when the program ends, but let the program end soon if it does not return.

    It would wait for a broker that is unavailable as long as the driver tries to reach it.
    """
    ending = threading.Event()

    def run() -> None:
        ending.wait()
        stop()

    # Started now, since no thread can be started while the interpreter shuts down.
    thread = threading.Thread(target=run, name="stop", daemon=True)
    thread.start()

    def end() -> None:
        ending.set()
        thread.join(MAX_STOP_S)

    atexit.register(end)
