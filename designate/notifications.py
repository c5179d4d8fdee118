"""Notifications: what other services of the cloud may know of what happened here.

An event is put into a bounded queue once it is durable, and never holds up the answer; a thread makes
its payloads (a plug-in of `designate.notification.plugin`) and sends them by oslo.messaging's notifier.
Nothing is made or sent unless designate.conf has a group [oslo_messaging_notifications].

A plug-in is a class with `emit(notification_type, context, result, *args, **kwargs)`, which answers the
list of payloads. result: the object's payload (see `model.payloads`); kwargs["before"]: the payload
that an update replaced, else None.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Protocol

from oslo_config import cfg
from stevedore import driver

from designate import errors, messaging, metrics
from designate.context import Context
from designate.model.notification_payloads import Payload, payload

LOG = logging.getLogger(__name__)

GROUP = "DEFAULT"
OPTS = [
    cfg.StrOpt(
        "notification_plugin",
        default="default",
        help="What notifications say: default (the whole object) or audit (one notification for each "
        "member that changed), or another installed plug-in.",
    ),
    cfg.BoolOpt(
        "notify_api_faults",
        default=False,
        help="Send a notification dns.api.fault for each request that an error of the service ended.",
    ),
]

NAMESPACE = "designate.notification.plugin"
TRANSPORT = "oslo_messaging_notifications"
FAULT = "dns.api.fault"
MOST_WAITING = 1000
DRAIN_S = 5.0
WARN_EVERY_S = 60.0
# Events that consumers know by the name which zones had once; sent before their twin.
ZONE, OLD_ZONE = "dns.zone.", "dns.domain."
TWINS = frozenset({"dns.zone.create", "dns.zone.update", "dns.zone.delete", "dns.zone.exists"})
# Of an update: what every change changes.
BOOKKEEPING = frozenset({"updated_at", "version"})


@dataclass(frozen=True, slots=True)
class Event:
    """after: the object as it is now (a value that `model.payloads` knows), or a payload. before: as
    it was, for updates. more: further members of the payload."""

    type: str
    after: object
    before: object | None = None
    more: Mapping[str, Any] | None = None


class Plugin(Protocol):
    def emit(
        self, notification_type: str, context: Context, result: Payload, *args: Any, **kwargs: Any
    ) -> list[Payload]: ...


class Default:
    """One notification: the whole object."""

    def emit(
        self, notification_type: str, context: Context, result: Payload, *args: Any, **kwargs: Any
    ) -> list[Payload]:
        return [result]


class Audit:
    """One notification for each member that an update changed, one for anything else."""

    def emit(
        self, notification_type: str, context: Context, result: Payload, *args: Any, **kwargs: Any
    ) -> list[Payload]:
        before: Payload | None = kwargs.get("before")
        is_zone = notification_type.startswith((ZONE, OLD_ZONE))
        is_recordset = notification_type.startswith("dns.recordset.")
        head = {
            "zone_name": result.get("name") if is_zone else result.get("zone_name"),
            "zone_id": result.get("id") if is_zone else result.get("zone_id"),
            "recordset_name": result.get("name") if is_recordset else None,
        }
        changes = list(_changes(notification_type, result, before))
        if not changes and not notification_type.endswith(".update"):
            changes = [(None, None, None)]
        return [
            {**head, "changed_field": name, "old_data": old, "new_data": new}
            for name, old, new in changes
        ]


def _changes(
    notification_type: str, after: Payload, before: Payload | None
) -> Iterator[tuple[str | None, str | None, str | None]]:
    """(member, old text, new text)."""
    if notification_type == "dns.recordset.create" and after.get("records"):
        yield "records", _data([]), _data(after["records"])
    if not notification_type.endswith(".update") or before is None:
        return
    for name in after:
        old, new = before.get(name), after[name]
        if name in BOOKKEEPING or old == new:
            continue
        if name == "records":
            if _data(old) != _data(new):
                yield name, _data(old), _data(new)
        else:
            yield name, _scalar(old), _scalar(new)


def _data(records: Any) -> str:
    return " ".join(record["data"] for record in records or ())


def _scalar(value: object) -> str:
    """Lists and maps are not told, as consumers expect."""
    return str(None if isinstance(value, list | dict) else value)


class Notifier:
    """service: of the publisher id. Thread-safe. `put` may be called before start(); what waits is
    sent from then on. dropped: events that found no room; the oldest go first."""

    def __init__(self, conf: cfg.ConfigOpts, service: str) -> None:
        self._conf = conf
        self._publisher = f"{service}.{conf.host}"
        self.enabled = TRANSPORT in conf.list_all_sections()
        self._plugin: Plugin = Default()
        if self.enabled:
            self._plugin = _plugin(conf.notification_plugin)
        self._sender: Any = None
        self._waiting: deque[tuple[Context, Event]] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._busy = False
        self._warned_at = -WARN_EVERY_S
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="notifications", daemon=True)

    def start(self) -> None:
        if not self.enabled:
            return
        # Imported where it is needed: it brings much along.
        import oslo_messaging

        messaging.register(self._conf)
        transport = oslo_messaging.get_notification_transport(self._conf)
        self._sender = oslo_messaging.Notifier(
            transport, publisher_id=self._publisher, serializer=_Plain()
        )
        self._thread.start()

    def stop(self) -> None:
        """Send what waits, for DRAIN_S at most: a broker that is away does not hold the end up."""
        with self._changed:
            self._changed.wait_for(
                lambda: not (self._waiting or self._busy), DRAIN_S if self._sender else 0
            )
            self._closed = True
            if self._waiting:
                LOG.warning("%d notifications were not sent", len(self._waiting))
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(1)

    def put(self, context: Context, event: Event) -> None:
        """Never blocks and never raises."""
        if not self.enabled:
            return
        with self._changed:
            if len(self._waiting) >= MOST_WAITING:
                self._waiting.popleft()
                self._drop()
            self._waiting.append((context, event))
            self._changed.notify_all()

    def _drop(self) -> None:
        self.dropped += 1
        metrics.QUEUE_DROPPED.labels("notifications").inc()
        if monotonic() - self._warned_at >= WARN_EVERY_S:
            self._warned_at = monotonic()
            LOG.warning("notifications are sent too slowly; %d dropped so far", self.dropped)

    def send(self, context: Context, event: Event) -> None:
        """Send it in the caller's thread, for as long as [oslo_messaging_notifications] retry lets it
        try. After start()."""
        if not self.enabled:
            return
        result = event.after if isinstance(event.after, dict) else payload(event.after)
        result = {**result, **(event.more or {})}
        before = None if event.before is None else payload(event.before)
        for name in _names(event.type):
            tell = self._sender.error if name == FAULT else self._sender.info
            for item in self._plugin.emit(name, context, result, before=before):
                tell(context, name, item)

    def _run(self) -> None:
        while (found := self._next()) is not None:
            try:
                self.send(*found)
            except Exception:
                # A plug-in's fault, or the driver's: the next event may fare better.
                LOG.exception("a notification %s was not sent", found[1].type)

    def _next(self) -> tuple[Context, Event] | None:
        with self._changed:
            self._busy = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                return None
            self._busy = True
            return self._waiting.popleft()


def _plugin(name: str) -> Plugin:
    try:
        found: Plugin = driver.DriverManager(NAMESPACE, name, invoke_on_load=True).driver
    except RuntimeError as error:
        raise errors.ConfigurationError(f"notification_plugin: {error}") from None
    return found


def _names(event_type: str) -> tuple[str, ...]:
    if event_type in TWINS:
        return (OLD_ZONE + event_type.removeprefix(ZONE), event_type)
    return (event_type,)


class _Plain:
    """The notifier's serializer: payloads are plain data already, contexts become it."""

    def serialize_entity(self, context: Context, entity: Any) -> Any:
        return entity

    deserialize_entity = serialize_entity

    def serialize_context(self, context: Context) -> dict[str, Any]:
        """Who it was, without the tokens by which they proved it."""
        known = {k: v for k, v in context.to_dict().items() if not k.endswith("token")}
        older = {"user": context.user_id, "tenant": context.project_id}
        return {**known, **older, **context.to_plain()}

    def deserialize_context(self, context: dict[str, Any]) -> Context:
        return Context.from_plain(context)
