"""The sink: gives each event to the handlers that want it."""

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
    cfg.IntOpt("workers", min=1, help="Processes of designate-sink. Unset: one."),
    cfg.ListOpt(
        "enabled_notification_handlers",
        default=[],
        help="Names of the handlers of events to use. Empty: none, the process has nothing to do.",
    ),
    cfg.StrOpt(
        "listener_pool_name",
        help="Name under which all designate-sink share the events, with a queue of their own. Unset: "
        "they share the topic's queue with every other consumer of it.",
    ),
]

NAMESPACE = "designate.notification.handler"


class Source(Protocol):
    """See rpc.events.EventListener."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


Listen = Callable[
    [cfg.ConfigOpts, Sequence[tuple[str, str]], Callable[[ExternalEvent], None], str | None], Source
]


class Sink:
    """listen: makes what events come from, such as rpc.events.EventListener."""

    def __init__(self, conf: cfg.ConfigOpts, central: CentralClient, listen: Listen) -> None:
        """Raises ConfigurationError for a handler that is not installed or cannot be used."""
        self._handlers = load(conf, Records(central))
        self._listener: Source | None = None
        if self._handlers:
            pool = conf[GROUP].listener_pool_name
            self._listener = listen(conf, _sources(self._handlers), self.take, pool)

    def start(self) -> None:
        if self._listener is None:
            LOG.warning("[%s] enabled_notification_handlers names none: nothing to do", GROUP)
        else:
            self._listener.start()

    def stop(self) -> None:
        if self._listener is not None:
            self._listener.stop()

    def take(self, event: ExternalEvent) -> None:
        """Every handler that wants it is called, in the order of the configuration. Raises
        Unavailable when one of them wants it again; what the others raise is logged."""
        again: errors.Unavailable | None = None
        for handler in self._handlers:
            if event.type not in handler.get_event_types():
                continue
            outcome = "done"
            try:
                context = EventContext(event.context, event.at)
                handler.process_notification(context, event.type, check_event(event.payload))
            except errors.Unavailable as error:
                again, outcome = error, "again"
            except Exception:
                outcome = "dropped"
                LOG.exception("%s could not deal with %s", handler.__plugin_name__, event.type)
            metrics.SINK_EVENTS.labels(handler.__plugin_name__, outcome).inc()
        if again is not None:
            raise again


def load(conf: cfg.ConfigOpts, records: Records) -> list[Handler]:
    """The enabled handlers, in the configuration's order."""
    enabled = dict.fromkeys(conf[GROUP].enabled_notification_handlers)
    if not enabled:
        return []
    found = {entry.name: entry.plugin for entry in extension.ExtensionManager(NAMESPACE)}
    missing = sorted(enabled.keys() - found.keys())
    if missing:
        raise errors.ConfigurationError(
            f"[{GROUP}] enabled_notification_handlers: there is no {', '.join(missing)}; there are "
            f"{', '.join(sorted(found))}"
        )
    return [found[name](conf, records) for name in enabled]


def _sources(handlers: Sequence[Handler]) -> list[tuple[str, str]]:
    """Each (exchange, topic) once."""
    sources: dict[tuple[str, str], None] = {}
    for handler in handlers:
        exchange, topics = handler.get_exchange_topics()
        for topic in topics:
            sources[exchange, topic] = None
    return list(sources)
