"""Notifications of other services, received by oslo.messaging's notification listener."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import oslo_messaging as messaging
from oslo_config import cfg

from designate import errors
from designate.model.events import ExternalEvent
from designate.rpc import refusals
from designate.rpc.oslo_servers import drain_servers, start_server
from designate.runtime.backoff import jittered

LOG = logging.getLogger(__name__)

# Delay before an event that cannot be processed now goes back to the broker.
REQUEUE_DELAY_S = 2.0
OWN_URL = "[oslo_messaging_notifications] transport_url"


class EventListener:
    """Receives events and passes them to a handler in several threads, until stop().

    Args:
        conf: The configuration.
        sources: (exchange, topic) pairs.
        handle: Processes an event. If it raises Unavailable, the event goes back to the broker and
            is delivered later, to this process or another one. After any other exception it is
            dropped.
        pool: Listeners with one pool name share the events. Without a name they share those of the
            topic with its other consumers.
    """

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        sources: Sequence[tuple[str, str]],
        handle: Callable[[ExternalEvent], None],
        pool: str | None = None,
    ) -> None:
        self._conf = conf
        self._sources = sources
        self._handle = handle
        self._pool = pool
        self._stopping = threading.Event()
        self._transport: Any = None
        self._listener: Any = None

    def start(self) -> None:
        """Start receiving. Waits for the broker.

        Raises:
            ConfigurationError: The broker refuses.
        """
        self._transport = messaging.get_notification_transport(self._conf)
        self._listener = messaging.get_notification_listener(
            self._transport,
            [messaging.Target(exchange=exchange, topic=topic) for exchange, topic in self._sources],
            [_Endpoint(self._received)],
            executor="threading",
            allow_requeue=True,
            pool=self._pool,
        )
        own = self._conf.oslo_messaging_notifications.transport_url
        option = OWN_URL if own else refusals.TRANSPORT_URL
        with refusals.reported(self._transport, option):
            start_server(self._listener)

    def stop(self) -> None:
        """Receive no more events and finish those in progress."""
        self._stopping.set()
        if self._listener is not None:
            drain_servers([self._listener])
        if self._transport is not None:
            self._transport.cleanup()

    def _received(self, event: ExternalEvent) -> str:
        try:
            self._handle(event)
        except errors.Unavailable as error:
            LOG.warning("event %s: returned to the broker: %s", event.type, error.message)
            self._stopping.wait(jittered(REQUEUE_DELAY_S, 0.5))
            return str(messaging.NotificationResult.REQUEUE)
        except Exception:
            LOG.exception("event %s: failed and dropped", event.type)
        return str(messaging.NotificationResult.HANDLED)


class _Endpoint:
    """The endpoint for oslo.messaging: a method for each priority to receive."""

    def __init__(self, received: Callable[[ExternalEvent], str]) -> None:
        self._received = received

    def info(
        self,
        ctxt: dict[str, Any],
        _publisher_id: str,
        event_type: str,
        payload: Any,
        metadata: dict[str, Any],
    ) -> str:
        at = _time(metadata.get("timestamp"))
        return self._received(ExternalEvent(type=event_type, context=ctxt, payload=payload, at=at))


def _time(text: object) -> datetime | None:
    """Parse an ISO date and time (UTC without an offset); return None for anything else."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
