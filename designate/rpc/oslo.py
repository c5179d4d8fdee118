"""The bus between processes: oslo.messaging over the broker that `transport_url` names.

A message is `{"message": <arguments as plain data>}` to a topic, namespace, version and method. The
context of a call is `{"until": <Unix seconds>}`, its deadline (see `designate.runtime.deadline`).
The reply is `{"result": ...}` or `{"error": <envelope of designate.errors>}`, so that no class path
is part of the contract and no error carries what a caller must not see.

While the broker or the other side is unavailable a call ends within `rpc_response_timeout` in
Unavailable. A cast is queued at once; background threads try to send it for CAST_LIFETIME_S. The
periodic recovery repairs what is lost after that, or with this process.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import oslo_messaging as messaging
from amqp.exceptions import AMQPError
from kombu.exceptions import KombuError
from oslo_config import cfg

from designate import errors, metrics
from designate.messaging import prepare_lock_folder
from designate.rpc import batching, refusals
from designate.rpc.batching import BATCH_LIMITS, CallBatcher, QueuedCall
from designate.rpc.bus import RETRY_AFTER_S, Dispatcher, RpcTimeout
from designate.rpc.cast_queue import CAST_LIFETIME_S, CastQueue, QueuedCast
from designate.rpc.interfaces import CallKind
from designate.rpc.oslo_servers import UNTIL, close, drain_servers, endpoints, start_server
from designate.runtime import deadline

LOG = logging.getLogger(__name__)

CONNECT_RETRIES = 1
MISSED_HEARTBEATS = 3
# How long calls may still take once the process shuts down: a central that serves replies sooner.
SHUTDOWN_CALLS_S = 3.0
# Errors that mean that the broker is unavailable. A failed connection raises the driver's own.
BROKER_UNAVAILABLE = (messaging.MessageDeliveryFailure, KombuError, AMQPError, OSError)


class OsloBus:
    """The Bus over oslo.messaging. Thread-safe.

    start() connects for sending, accept() starts the servers; drain() and stop() undo them. Nothing
    is opened before, so that a bus may be made before a fork.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf
        self._dispatchers: dict[str, Dispatcher] = {}
        self._servers: list[Any] = []
        self._transport: Any = None
        self._clients: dict[tuple[str, str, str, bool], Any] = {}
        self._opening = threading.Lock()
        self._casts = CastQueue(self._send_casts, self._drop)
        self._batchers: dict[tuple[str, CallKind], CallBatcher] = {}
        self._stopping = threading.Event()
        self._limit_s = math.inf
        self._sent_s = time.monotonic()
        self.dropped = 0

    def fault(self) -> str | None:
        """Return why sending does not work, or None; the heartbeats of every process show it."""
        idle_s = time.monotonic() - self._sent_s
        if idle_s <= MISSED_HEARTBEATS * self._conf["heartbeat_emitter"].heartbeat_interval:
            return None
        return f"nothing could be sent for {idle_s:.0f} s"

    def serve(self, topic: str, dispatcher: Dispatcher) -> None:
        """Let the dispatcher run the calls for the topic, once accept() was called."""
        self._dispatchers[topic] = dispatcher

    def start(self) -> None:
        """Connect for sending."""
        self._open()
        self._casts.start()

    def require_access(self) -> None:
        """Raise ConfigurationError where the broker refuses this process; return where it is down."""
        refusals.require_access(self._open())

    def accept(self) -> None:
        """Accept calls for the served topics. Waits for the broker.

        Raises:
            ConfigurationError: The broker refuses.
        """
        for topic, dispatcher in self._dispatchers.items():
            server = messaging.get_rpc_server(
                self._open(),
                messaging.Target(topic=topic, server=self._conf.host),
                endpoints(dispatcher),
                executor="threading",
            )
            with refusals.reported(self._transport):
                start_server(server)
            self._servers.append(server)

    def drain(self) -> None:
        """Accept no more calls and finish the running ones, within DRAIN_S."""
        drain_servers(self._servers)
        self._servers.clear()

    def limit_calls(self) -> None:
        """Let every call from now on, and those that run, end within SHUTDOWN_CALLS_S."""
        with self._opening:
            self._limit_s = time.monotonic() + SHUTDOWN_CALLS_S
            for batcher in self._batchers.values():
                batcher.limit(self._limit_s)

    def stop(self) -> None:
        """Send the queued casts if the broker accepts them now; drop the rest."""
        self._stopping.set()
        self._casts.stop()
        with self._opening:
            batchers = list(self._batchers.values())
        for batcher in batchers:
            batcher.stop()
        with self._opening:
            transport, self._transport = self._transport, None
            self._clients.clear()
        if transport is not None:
            close(transport)

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
        """See Bus.call."""
        max_wait_s: float = self._conf.rpc_response_timeout
        remaining_s = deadline.monotonic_deadline() - time.monotonic()
        wait_s = max(0.0, min(max_wait_s, within_s or max_wait_s, remaining_s))
        call = QueuedCall(
            namespace=namespace,
            version=version,
            method=method,
            message=message,
            deadline_s=time.monotonic() + wait_s,
            deadline_unix=deadline.unix_deadline(wait_s),
        )
        try:
            reply = self._call_with_metrics(topic, call, kind)
        except (messaging.MessagingTimeout, TimeoutError):
            LOG.warning("%s.%s: no reply from %s within %.1f s", namespace, method, topic, wait_s)
            raise RpcTimeout(
                "The service did not reply in time", retry_after_s=RETRY_AFTER_S
            ) from None
        except BROKER_UNAVAILABLE as error:
            LOG.warning("%s.%s: not sent: %s", namespace, method, errors.first_line(error))
            raise errors.Unavailable(
                "The message bus is unavailable", retry_after_s=RETRY_AFTER_S
            ) from None
        except messaging.RemoteError as error:
            # Raised by a server of another release, or one that does not know the method.
            LOG.error("%s.%s: refused by %s: %s", namespace, method, topic, error.exc_type)
            raise errors.DesignateError from None
        if "error" in reply:
            raise errors.from_plain(reply["error"])
        return reply.get("result")

    def _call_with_metrics(self, topic: str, call: QueuedCall, kind: CallKind) -> dict[str, Any]:
        before_s = time.monotonic()
        outcome = "failed"
        try:
            reply = self._batcher(topic, kind).call(call)
            outcome = "error" if "error" in reply else "ok"
            return reply
        finally:
            name = f"{call.namespace}.{call.method}"
            took_s = time.monotonic() - before_s
            metrics.RPC_SECONDS.labels(topic, name, outcome).observe(took_s)

    def _batcher(self, topic: str, kind: CallKind) -> CallBatcher:
        with self._opening:
            batcher = self._batchers.get((topic, kind))
            if batcher is None:
                send, name = partial(self._send, topic), f"{kind.value}-{topic}"
                batcher = self._batchers[topic, kind] = CallBatcher(send, name, BATCH_LIMITS[kind])
                batcher.limit(self._limit_s)
            return batcher

    def _send(self, topic: str, calls: Sequence[QueuedCall]) -> list[dict[str, Any]]:
        """Send one message and return a reply for each call.

        Runs in a batcher's thread: the driver waits for the reply until the deadline, but longer
        when it connects to a broker that hangs.
        """
        if len(calls) == 1:
            call = calls[0]
            client = self._client(topic, call.namespace, call.version, fanout=False)
            return [client.call({UNTIL: call.deadline_unix}, call.method, message=call.message)]
        client = self._client(topic, batching.NAMESPACE, batching.VERSION, fanout=False)
        replies: list[dict[str, Any]] = client.call(
            {}, "run", calls=[call.to_plain() for call in calls]
        )
        return replies

    def cast(
        self, topic: str, namespace: str, version: str, method: str, message: dict[str, Any]
    ) -> None:
        """See Bus.cast."""
        self._put(topic, namespace, version, method, message, fanout=False)

    def fanout(
        self, topic: str, namespace: str, version: str, method: str, message: dict[str, Any]
    ) -> None:
        """See Bus.fanout."""
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
                expires_s=time.monotonic() + CAST_LIFETIME_S,
            )
        )

    def _drop(self, count: int, reason: str) -> None:
        before, self.dropped = self.dropped, self.dropped + count
        metrics.CASTS_DROPPED.inc(count)
        if before == 0 or before // 1000 != self.dropped // 1000:
            LOG.warning("casts: %d dropped so far, the last because %s", self.dropped, reason)

    def _send_casts(self, casts: Sequence[QueuedCast]) -> bool:
        """Send casts of one topic in one message; return False when that is not possible now."""
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
        except BROKER_UNAVAILABLE:
            return False
        except Exception:
            # The thread must outlive whatever a driver raises.
            LOG.exception("%s.%s: cast not sent", first.namespace, first.method)
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
                    raise errors.Unavailable("The service is shutting down")
                prepare_lock_folder(self._conf)
                self._transport = messaging.get_rpc_transport(self._conf, allowed_remote_exmods=[])
            return self._transport
