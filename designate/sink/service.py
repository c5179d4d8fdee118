"""The sink service: passes each event to the handlers of its type."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from oslo_config import cfg
from stevedore import extension

from designate import errors, metrics
from designate.model.events import ExternalEvent
from designate.rpc.clients import CentralClient
from designate.sink.handlers import EventContext, Handler, check_event
from designate.sink.records import Records

LOG = logging.getLogger(__name__)

GROUP = "service:sink"
OPTS = [
    cfg.IntOpt("workers", min=1, help="Number of worker processes of designate-sink. Unset: one."),
    cfg.ListOpt(
        "enabled_notification_handlers",
        default=[],
        help="Names of the event handlers to use. Empty: the process does nothing.",
    ),
    cfg.StrOpt(
        "listener_pool_name",
        help="Name of the queue that all designate-sink processes share. Unset: they share the queue "
        "of the topic with its other consumers, which take events away.",
    ),
]

NAMESPACE = "designate.notification.handler"


class EventSource(Protocol):
    """Where the events come from, such as rpc.events.EventListener."""

    def start(self) -> None:
        """Start to deliver events."""
        ...

    def stop(self) -> None:
        """Stop the delivery."""
        ...


Listen = Callable[
    [cfg.ConfigOpts, Sequence[tuple[str, str]], Callable[[ExternalEvent], None], str | None],
    EventSource,
]


class Sink:
    """Passes events to the enabled handlers."""

    def __init__(self, conf: cfg.ConfigOpts, central: CentralClient, listen: Listen) -> None:
        """Load the handlers and make the source of events with `listen`.

        Raises:
            ConfigurationError: a handler is not installed or cannot be used.
        """
        self._handlers = load(conf, Records(central))
        self._listener: EventSource | None = None
        if self._handlers:
            pool = conf[GROUP].listener_pool_name
            self._listener = listen(conf, _sources(self._handlers), self.take, pool)

    def start(self) -> None:
        """Listen for events, if there are handlers."""
        if self._listener is None:
            LOG.warning("[%s] enabled_notification_handlers is empty: nothing to do", GROUP)
        else:
            self._listener.start()

    def stop(self) -> None:
        """Stop listening."""
        if self._listener is not None:
            self._listener.stop()

    def take(self, event: ExternalEvent) -> None:
        """Call every handler of the event's type, in the order of the configuration.

        Errors are logged, except that Unavailable is raised after the last handler.

        Raises:
            Unavailable: a handler asked for redelivery.
        """
        retry: errors.Unavailable | None = None
        for handler in self._handlers:
            if event.type not in handler.get_event_types():
                continue
            outcome = "done"
            try:
                context = EventContext(event.context, event.at)
                handler.process_notification(context, event.type, check_event(event.payload))
            except errors.Unavailable as error:
                retry, outcome = error, "again"
            except Exception:
                outcome = "dropped"
                LOG.exception("%s: failed to process %s", handler.__plugin_name__, event.type)
            metrics.SINK_EVENTS.labels(handler.__plugin_name__, outcome).inc()
        if retry is not None:
            raise retry


def load(conf: cfg.ConfigOpts, records: Records) -> list[Handler]:
    """Return the enabled handlers in the order of the configuration."""
    enabled = dict.fromkeys(conf[GROUP].enabled_notification_handlers)
    if not enabled:
        return []
    found = {entry.name: entry.plugin for entry in extension.ExtensionManager(NAMESPACE)}
    missing = sorted(enabled.keys() - found.keys())
    if missing:
        raise errors.ConfigurationError(
            f"[{GROUP}] enabled_notification_handlers: not installed: {', '.join(missing)}; installed: "
            f"{', '.join(sorted(found))}"
        )
    return [found[name](conf, records) for name in enabled]


def _sources(handlers: Sequence[Handler]) -> list[tuple[str, str]]:
    """Return each (exchange, topic) once."""
    sources: dict[tuple[str, str], None] = {}
    for handler in handlers:
        exchange, topics = handler.get_exchange_topics()
        for topic in topics:
            sources[exchange, topic] = None
    return list(sources)
