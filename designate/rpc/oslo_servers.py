"""The receiving side of oslo.messaging: endpoints of a dispatcher, and servers.

Imported after `runtime.concurrency.prepare`, as everything that imports oslo.messaging.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent import futures
from functools import partial
from typing import Any

import oslo_messaging as messaging

from designate.rpc import batching
from designate.rpc.batching import BatchRunner
from designate.rpc.bus import Dispatcher
from designate.rpc.interfaces import Interface
from designate.runtime import concurrency

LOG = logging.getLogger(__name__)

DRAIN_S = 10.0
CLOSE_S = 1.0
# Key of the deadline in the context of a message, in Unix seconds.
UNTIL = "until"


def start_server(server: Any) -> None:
    """Start a server of oslo.messaging on threads that sleep while there is nothing to do.

    The server's own threads wake up every second each and soon reach the maximum number; they took
    more of an idle process's time than all the rest. Servers without `_executor_cls` keep their own
    threads, and so do green threads, which cost nothing while they wait.
    """
    if hasattr(server, "_executor_cls") and concurrency.choice() == "threading":
        server._executor_cls = partial(futures.ThreadPoolExecutor, thread_name_prefix="rpc")
    server.start()


def drain_servers(servers: Sequence[Any]) -> None:
    """Stop these servers of oslo.messaging and wait for running calls, DRAIN_S at most.

    They stop at the same time, since an idle one notices only after up to five seconds.
    """
    # Neither stop() nor wait() has a timeout: a call that hangs must not hang the process.
    drains = [
        threading.Thread(target=_drain, args=(server,), name="drain", daemon=True)
        for server in servers
    ]
    for drain in drains:
        drain.start()
    deadline_s = time.monotonic() + DRAIN_S
    for drain in drains:
        drain.join(timeout=max(0.0, deadline_s - time.monotonic()))
        if drain.is_alive():
            LOG.warning("calls still running after %d s were abandoned", DRAIN_S)


def _drain(server: Any) -> None:
    try:
        server.stop()
        server.wait()
    except Exception:
        LOG.exception("a server of calls failed to stop")


def close(transport: Any) -> None:
    """Close the connections of a transport, CLOSE_S at most.

    The thread that receives replies notices the end only after up to five seconds; the connections of a
    process that ends are closed anyway.
    """
    closing = threading.Thread(target=transport.cleanup, name="close", daemon=True)
    closing.start()
    closing.join(timeout=CLOSE_S)


def endpoints(dispatcher: Dispatcher) -> list[object]:
    """Return oslo.messaging endpoints: one for each interface, and one for batches."""
    return [
        *(_endpoint(dispatcher, interface) for interface in dispatcher.interfaces),
        _BatchEndpoint(dispatcher),
    ]


class _BatchEndpoint:
    target = messaging.Target(namespace=batching.NAMESPACE, version=batching.VERSION)

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._runner = BatchRunner(dispatcher)

    def run(self, _ctxt: dict[str, Any], calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return self._runner.run(calls)


def _endpoint(dispatcher: Dispatcher, interface: type[Interface]) -> object:
    members: dict[str, Any] = {
        "target": messaging.Target(namespace=interface.NAMESPACE, version=interface.VERSION)
    }
    for name in dispatcher.methods(interface):
        members[name] = _dispatching_method(dispatcher, interface, name)
    endpoint: object = type(f"{interface.__name__}Endpoint", (), members)()
    return endpoint


def _dispatching_method(
    dispatcher: Dispatcher, interface: type[Interface], name: str
) -> Callable[[object, dict[str, Any], dict[str, Any]], dict[str, Any]]:
    def method(_self: object, ctxt: dict[str, Any], message: dict[str, Any]) -> dict[str, Any]:
        return dispatcher.dispatch(
            interface.NAMESPACE, interface.VERSION, name, message, ctxt.get(UNTIL)
        )

    return method
