"""The bus between processes: oslo.messaging, whatever broker `transport_url` names.

A message is `{"message": <arguments as plain data>}` to a topic, namespace, version and method, with
`{"until": <unix seconds>}` as its context where somebody waits (see `designate.runtime.deadline`);
the answer is `{"result": ...}` or `{"error": <envelope of designate.errors>}`, so that no class path is
part of the contract and no error can carry what a caller must not see.

When the broker or the other side is away a call ends within `rpc_response_timeout` in Unavailable.
A cast is handed to threads of its own at once; they go on trying for CAST_LIFETIME_S. What is lost
after that, or with this process, the sweeps find in the database.
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
from amqp.exceptions import AMQPError
from kombu.exceptions import KombuError
from oslo_config import cfg

from designate import errors, metrics
from designate.rpc import batching
from designate.rpc.batching import (
    BATCH_LIMITS,
    BatchRunner,
    CallBatcher,
    CastQueue,
    QueuedCall,
    QueuedCast,
)
from designate.rpc.bus import RETRY_AFTER_S, Dispatcher, RpcTimeout
from designate.rpc.interfaces import CallKind, Interface
from designate.runtime import concurrency, deadline

LOG = logging.getLogger(__name__)

CONNECT_RETRIES = 1
DRAIN_S = 10.0
MISSED_HEARTBEATS = 3
UNTIL = "until"
# What says that the broker is away. A new connection's failure comes as the driver's own error.
AWAY = (messaging.MessageDeliveryFailure, KombuError, AMQPError, OSError)


class OsloBus:
    """See rpc.bus.Bus. start() opens the way out, accept() lets calls in; drain() and stop() undo
    them. It opens nothing before, so that it may be made before a fork. Thread-safe."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf
        self._dispatchers: dict[str, Dispatcher] = {}
        self._servers: list[Any] = []
        self._transport: Any = None
        self._clients: dict[tuple[str, str, str, bool], Any] = {}
        self._opening = threading.Lock()
        self._casts = CastQueue(self._sent, self._drop)
        self._by_kind: dict[tuple[str, CallKind], CallBatcher] = {}
        self._stopping = threading.Event()
        self._sent_s = time.monotonic()
        self.dropped = 0
        metrics.QUEUED.labels("casts").set_function(self._casts.__len__)

    def fault(self) -> str | None:
        """What is wrong with the way out. Every process sends heartbeats, which tell."""
        silent_s = time.monotonic() - self._sent_s
        if silent_s <= MISSED_HEARTBEATS * self._conf["heartbeat_emitter"].heartbeat_interval:
            return None
        return f"nothing could be sent for {silent_s:.0f} s"

    def serve(self, topic: str, dispatcher: Dispatcher) -> None:
        self._dispatchers[topic] = dispatcher

    def start(self) -> None:
        self._open()
        self._casts.start()

    def accept(self) -> None:
        """Take calls for the topics that are served. Waits for the broker."""
        for topic, dispatcher in self._dispatchers.items():
            server = messaging.get_rpc_server(
                self._open(),
                messaging.Target(topic=topic, server=self._conf.host),
                endpoints(dispatcher),
                executor="threading",
            )
            begin(server)
            self._servers.append(server)

    def drain(self) -> None:
        """Take no further call and finish those that run, for DRAIN_S at most."""
        drain(self._servers)
        self._servers.clear()

    def stop(self) -> None:
        """Send what waits if the broker takes it now; leave the rest to the sweeps."""
        self._stopping.set()
        self._casts.stop()
        with self._opening:
            senders = list(self._by_kind.values())
        for sender in senders:
            sender.stop()
        with self._opening:
            transport, self._transport = self._transport, None
            self._clients.clear()
        if transport is not None:
            transport.cleanup()

    def call(
        self,
        topic: str,
        namespace: str,
        version: str,
        method: str,
        message: dict[str, Any],
        kind: CallKind = CallKind.OTHER,
        within_s: float | None = None,
    ) -> Any:
        longest_s: float = self._conf.rpc_response_timeout
        wait_s = min(longest_s, within_s or longest_s)
        call = QueuedCall(
            namespace=namespace,
            version=version,
            method=method,
            message=message,
            until_s=time.monotonic() + wait_s,
            until=deadline.until_unix(wait_s),
        )
        try:
            answer = self._timed(topic, call, kind)
        except (messaging.MessagingTimeout, TimeoutError):
            LOG.warning("%s did not answer %s.%s in time", topic, namespace, method)
            raise RpcTimeout(
                "The service did not answer in time", retry_after_s=RETRY_AFTER_S
            ) from None
        except AWAY as error:
            LOG.warning("%s.%s could not be sent: %s", namespace, method, _first_line(error))
            raise errors.Unavailable(
                "The message bus is away", retry_after_s=RETRY_AFTER_S
            ) from None
        except messaging.RemoteError as error:
            # Only a server that does not know the method, or another release, gets here.
            LOG.error("%s.%s was refused by %s: %s", namespace, method, topic, error.exc_type)
            raise errors.DesignateError from None
        if "error" in answer:
            raise errors.from_plain(answer["error"])
        return answer.get("result")

    def _timed(self, topic: str, call: QueuedCall, kind: CallKind) -> dict[str, Any]:
        before_s = time.monotonic()
        outcome = "failed"
        try:
            answer = self._senders(topic, kind).call(call)
            outcome = "error" if "error" in answer else "ok"
            return answer
        finally:
            name = f"{call.namespace}.{call.method}"
            took_s = time.monotonic() - before_s
            metrics.RPC_SECONDS.labels(topic, name, outcome).observe(took_s)

    def _senders(self, topic: str, kind: CallKind) -> CallBatcher:
        with self._opening:
            senders = self._by_kind.get((topic, kind))
            if senders is None:
                send, name = partial(self._send, topic), f"{kind.value}-{topic}"
                senders = self._by_kind[topic, kind] = CallBatcher(send, name, BATCH_LIMITS[kind])
            return senders

    def _send(self, topic: str, calls: Sequence[QueuedCall]) -> list[dict[str, Any]]:
        """One message and its answers. On a thread of its own, for the driver waits for the answer
        until the deadline, but longer for a connection to a broker that hangs."""
        if len(calls) == 1:
            call = calls[0]
            client = self._client(topic, call.namespace, call.version, fanout=False)
            return [client.call({UNTIL: call.until}, call.method, message=call.message)]
        client = self._client(topic, batching.NAMESPACE, batching.VERSION, fanout=False)
        answers: list[dict[str, Any]] = client.call(
            {}, "run", calls=[call.to_plain() for call in calls]
        )
        return answers

    def cast(
        self, topic: str, namespace: str, version: str, method: str, message: dict[str, Any]
    ) -> None:
        self._put(topic, namespace, version, method, message, fanout=False)

    def fanout(
        self, topic: str, namespace: str, version: str, method: str, message: dict[str, Any]
    ) -> None:
        self._put(topic, namespace, version, method, message, fanout=True)

    def _put(
        self,
        topic: str,
        namespace: str,
        version: str,
        method: str,
        message: dict[str, Any],
        *,
        fanout: bool,
    ) -> None:
        self._casts.put(
            QueuedCast(
                topic=topic,
                namespace=namespace,
                version=version,
                method=method,
                message=message,
                fanout=fanout,
                until_s=time.monotonic() + batching.CAST_LIFETIME_S,
            )
        )

    def _drop(self, count: int, why: str) -> None:
        before, self.dropped = self.dropped, self.dropped + count
        metrics.CASTS_DROPPED.inc(count)
        if before == 0 or before // 1000 != self.dropped // 1000:
            LOG.warning("%d casts dropped so far: %s", self.dropped, why)

    def _sent(self, casts: Sequence[QueuedCast]) -> bool:
        """False: the broker is away."""
        first = casts[0]
        try:
            if len(casts) == 1:
                client = self._client(
                    first.topic, first.namespace, first.version, fanout=first.fanout
                )
                client.cast({}, first.method, message=first.message)
            else:
                client = self._client(
                    first.topic, batching.NAMESPACE, batching.VERSION, fanout=first.fanout
                )
                client.cast({}, "run", calls=[cast.to_plain() for cast in casts])
        except AWAY:
            return False
        except Exception:
            # The thread must outlive whatever a driver raises.
            LOG.exception("%s.%s could not be sent", first.namespace, first.method)
            return False
        self._sent_s = time.monotonic()
        return True

    def _client(self, topic: str, namespace: str, version: str, *, fanout: bool) -> Any:
        key = (topic, namespace, version, fanout)
        client = self._clients.get(key)
        if client is None:
            target = messaging.Target(
                topic=topic, namespace=namespace, version=version, fanout=fanout or None
            )
            client = messaging.get_rpc_client(self._open(), target, retry=CONNECT_RETRIES)
            self._clients[key] = client
        return client

    def _open(self) -> Any:
        with self._opening:
            if self._transport is None:
                if self._stopping.is_set():
                    raise errors.Unavailable("the service stops")
                self._transport = messaging.get_rpc_transport(self._conf, allowed_remote_exmods=[])
            return self._transport


def begin(server: Any) -> None:
    """Start a server of oslo.messaging on threads that sleep while there is nothing to do. Those of its
    own choice wake up every second each, and there are soon as many as are allowed: together they took
    more of an idle process's time than all the rest. What has no such member keeps its own, and so do
    green threads, which cost nothing while they wait."""
    if hasattr(server, "_executor_cls") and concurrency.choice() == "threading":
        server._executor_cls = partial(futures.ThreadPoolExecutor, thread_name_prefix="rpc")
    server.start()


def drain(servers: Sequence[Any]) -> None:
    """Have these servers of oslo.messaging take nothing more and finish what runs, within DRAIN_S."""
    for server in servers:
        server.stop()
    deadline_s = time.monotonic() + DRAIN_S
    for server in servers:
        # wait() has no deadline of its own: a call that hangs must not hang the process.
        waiter = threading.Thread(target=server.wait, name="drain", daemon=True)
        waiter.start()
        waiter.join(timeout=max(0.0, deadline_s - time.monotonic()))
        if waiter.is_alive():
            LOG.warning("calls that still ran after %d s were left behind", DRAIN_S)


def endpoints(dispatcher: Dispatcher) -> list[object]:
    """An oslo.messaging endpoint for each interface that the dispatcher knows, and one for calls
    that travel together."""
    return [
        *(_endpoint(dispatcher, interface) for interface in dispatcher.interfaces),
        _BatchEndpoint(dispatcher),
    ]


class _BatchEndpoint:
    target = messaging.Target(namespace=batching.NAMESPACE, version=batching.VERSION)

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._together = BatchRunner(dispatcher)

    def run(self, ctxt: dict[str, Any], calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return self._together.run(calls)


def _endpoint(dispatcher: Dispatcher, interface: type[Interface]) -> object:
    members: dict[str, Any] = {
        "target": messaging.Target(namespace=interface.NAMESPACE, version=interface.VERSION)
    }
    for name in dispatcher.methods(interface):
        members[name] = _answering(dispatcher, interface, name)
    made: object = type(f"{interface.__name__}Endpoint", (), members)()
    return made


def _answering(
    dispatcher: Dispatcher, interface: type[Interface], name: str
) -> Callable[[object, dict[str, Any], dict[str, Any]], dict[str, Any]]:
    def method(_self: object, ctxt: dict[str, Any], message: dict[str, Any]) -> dict[str, Any]:
        return dispatcher.dispatch(
            interface.NAMESPACE, interface.VERSION, name, message, ctxt.get(UNTIL)
        )

    return method


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
