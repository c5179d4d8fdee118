"""Notifications of other services, taken from the broker by oslo.messaging's listener."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import oslo_messaging as messaging
from oslo_config import cfg

from designate import errors
from designate.model.events import ExternalEvent
from designate.rpc.oslo import begin, drain

LOG = logging.getLogger(__name__)

# What cannot be dealt with now is given back to the broker after this.
PAUSE_S = (1.0, 3.0)


class EventListener:
    """Gives the events of these (exchange, topic) pairs to `take`, in several threads, until stop().

    take: raises Unavailable for what cannot be done now; the event goes back to the broker then and comes
    again, to this process or another one. Anything else ends the event. pool: listeners of one name share
    the events; without a name they share those of the topic with every other consumer of it.
    """

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        sources: Sequence[tuple[str, str]],
        take: Callable[[ExternalEvent], None],
        pool: str | None = None,
    ) -> None:
        self._conf = conf
        self._sources = sources
        self._take = take
        self._pool = pool
        self._stopping = threading.Event()
        self._transport: Any = None
        self._listener: Any = None

    def start(self) -> None:
        """Waits for the broker."""
        self._transport = messaging.get_notification_transport(self._conf)
        self._listener = messaging.get_notification_listener(
            self._transport,
            [messaging.Target(exchange=exchange, topic=topic) for exchange, topic in self._sources],
            [_Endpoint(self._received)],
            executor="threading",
            allow_requeue=True,
            pool=self._pool,
        )
        begin(self._listener)

    def stop(self) -> None:
        """Take no further event and finish those that are being dealt with."""
        self._stopping.set()
        if self._listener is not None:
            drain([self._listener])
        if self._transport is not None:
            self._transport.cleanup()

    def _received(self, event: ExternalEvent) -> str:
        try:
            self._take(event)
        except errors.Unavailable as error:
            LOG.warning("%s is tried again: %s", event.type, error.message)
            self._stopping.wait(random.uniform(*PAUSE_S))  # noqa: S311 - jitter
            return str(messaging.NotificationResult.REQUEUE)
        except Exception:
            LOG.exception("%s could not be dealt with and is dropped", event.type)
        return str(messaging.NotificationResult.HANDLED)


class _Endpoint:
    """As oslo.messaging wants it: a method for each priority that is listened for."""

    def __init__(self, received: Callable[[ExternalEvent], str]) -> None:
        self._received = received

    def info(
        self,
        ctxt: dict[str, Any],
        publisher_id: str,
        event_type: str,
        payload: Any,
        metadata: dict[str, Any],
    ) -> str:
        at = _time(metadata.get("timestamp"))
        return self._received(ExternalEvent(type=event_type, context=ctxt, payload=payload, at=at))


def _time(text: object) -> datetime | None:
    """Senders write an ISO date and time, with or without an offset; UTC where there is none."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
