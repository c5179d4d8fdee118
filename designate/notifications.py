"""Notifications of changes for the other services of the cloud.

A notification is queued once its change is durable, so it never delays the response; a thread makes
its payloads (a plug-in of `designate.notification.plugin`) and sends them with oslo.messaging's
notifier. Nothing is made or sent unless designate.conf has a group [oslo_messaging_notifications].

A plug-in is a class with `emit(notification_type, context, result, *args, **kwargs)`, which returns the
list of payloads. result is the object's payload (see `model.notification_payloads`); kwargs["before"]
is the payload that an update replaced, else None.
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
        help="Plug-in that makes the payloads of notifications: default (the whole object), audit "
        "(one notification for each member that changed), or another installed one.",
    ),
    cfg.BoolOpt(
        "notify_api_faults",
        default=False,
        help="Send a notification dns.api.fault for each request that fails with an internal error.",
    ),
]

NAMESPACE = "designate.notification.plugin"
TRANSPORT = "oslo_messaging_notifications"
FAULT = "dns.api.fault"
MAX_WAITING = 1000
DRAIN_S = 5.0
WARN_EVERY_S = 60.0
# Notifications that consumers also know by the former name of zones; that one is sent first.
ZONE, OLD_ZONE = "dns.zone.", "dns.domain."
SENT_UNDER_BOTH_NAMES = frozenset(
    {"dns.zone.create", "dns.zone.update", "dns.zone.delete", "dns.zone.exists"}
)
# Members that every update changes.
BOOKKEEPING = frozenset({"updated_at", "version"})


@dataclass(frozen=True, slots=True)
class Notification:
    """One change to report.

    Attributes:
        type: its name, such as dns.zone.create.
        after: the object after the change (a value of `model.notification_payloads`), or a payload.
        before: the object before an update.
        more: additional members of the payload.
    """

    type: str
    after: object
    before: object | None = None
    more: Mapping[str, Any] | None = None


class NotificationPlugin(Protocol):
    """Makes the payloads of a notification."""

    def emit(
        self,
        notification_type: str,
        context: Context,
        result: Payload,
        /,
        *args: Any,
        **kwargs: Any,
    ) -> list[Payload]:
        """Return the payloads to send; the module's docstring explains the arguments."""
        ...


class Default:
    """Sends one notification with the whole object."""

    def emit(
        self, _type: str, _context: Context, result: Payload, *_args: Any, **_kwargs: Any
    ) -> list[Payload]:
        """Return the object's payload."""
        return [result]


class Audit:
    """Sends one notification for each member that an update changed, and one for anything else."""

    def emit(
        self,
        notification_type: str,
        _context: Context,
        result: Payload,
        *_args: Any,
        **kwargs: Any,
    ) -> list[Payload]:
        """Return a payload for each change, with the member's old and new text."""
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
    """Yield (member, old text, new text)."""
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
    """Return the text of a value; consumers expect "None" for lists and maps."""
    return str(None if isinstance(value, list | dict) else value)


class NotificationEmitter:
    """Queues notifications and sends them from a thread. Thread-safe.

    `put` may be called before start(). A full queue drops the oldest notification; `dropped` counts
    them.
    """

    def __init__(self, conf: cfg.ConfigOpts, service: str) -> None:
        """Load the configured plug-in; `service` is the first part of the publisher id."""
        self._conf = conf
        self._publisher = f"{service}.{conf.host}"
        self.enabled = TRANSPORT in conf.list_all_sections()
        self._plugin: NotificationPlugin = Default()
        if self.enabled:
            self._plugin = _plugin(conf.notification_plugin)
        self._sender: Any = None
        self._waiting: deque[tuple[Context, Notification]] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._busy = False
        self._warned_at = -WARN_EVERY_S
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="notifications", daemon=True)

    def start(self) -> None:
        """Start the thread, if notifications are enabled."""
        if not self.enabled:
            return
        # Imported here, since it imports many modules.
        import oslo_messaging

        messaging.register(self._conf)
        transport = oslo_messaging.get_notification_transport(self._conf)
        self._sender = oslo_messaging.Notifier(
            transport, publisher_id=self._publisher, serializer=_PlainSerializer()
        )
        self._thread.start()

    def stop(self) -> None:
        """Send what is queued, within DRAIN_S, so that an unavailable broker does not delay the end."""
        with self._changed:
            self._changed.wait_for(
                lambda: not (self._waiting or self._busy), DRAIN_S if self._sender else 0
            )
            self._closed = True
            if self._waiting:
                LOG.warning("notifications: %d not sent before shutdown", len(self._waiting))
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(1)

    def put(self, context: Context, notification: Notification) -> None:
        """Queue a notification; never blocks and never raises."""
        if not self.enabled:
            return
        with self._changed:
            if len(self._waiting) >= MAX_WAITING:
                self._waiting.popleft()
                self._drop()
            self._waiting.append((context, notification))
            self._changed.notify_all()

    def _drop(self) -> None:
        self.dropped += 1
        metrics.QUEUE_DROPPED.labels("notifications").inc()
        if monotonic() - self._warned_at >= WARN_EVERY_S:
            self._warned_at = monotonic()
            LOG.warning("notifications: queue full, %d dropped so far", self.dropped)

    def send(self, context: Context, notification: Notification) -> None:
        """Send a notification in the caller's thread; call it after start().

        Retries as often as [oslo_messaging_notifications] retry says.
        """
        if not self.enabled:
            return
        after = notification.after
        own = after if isinstance(after, dict) else payload(after)
        result = {**own, **(notification.more or {})}
        before = None if notification.before is None else payload(notification.before)
        for name in _names(notification.type):
            emit = self._sender.error if name == FAULT else self._sender.info
            for item in self._plugin.emit(name, context, result, before=before):
                emit(context, name, item)

    def _run(self) -> None:
        while (found := self._next()) is not None:
            try:
                self.send(*found)
            except Exception:
                # The fault of the plug-in or of the driver; the next notification may succeed.
                LOG.exception("notification %s: not sent", found[1].type)

    def _next(self) -> tuple[Context, Notification] | None:
        with self._changed:
            self._busy = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                return None
            self._busy = True
            return self._waiting.popleft()


def _plugin(name: str) -> NotificationPlugin:
    try:
        found: NotificationPlugin = driver.DriverManager(
            NAMESPACE, name, invoke_on_load=True
        ).driver
    except RuntimeError as error:
        raise errors.ConfigurationError(f"notification_plugin: {error}") from None
    return found


def _names(notification_type: str) -> tuple[str, ...]:
    if notification_type in SENT_UNDER_BOTH_NAMES:
        return (OLD_ZONE + notification_type.removeprefix(ZONE), notification_type)
    return (notification_type,)


class _PlainSerializer:
    """The notifier's serializer: payloads are plain data already, contexts are converted."""

    def serialize_entity(self, _context: Context, entity: Any) -> Any:
        return entity

    deserialize_entity = serialize_entity

    def serialize_context(self, context: Context) -> dict[str, Any]:
        """Return the identity without its tokens."""
        known = {k: v for k, v in context.to_dict().items() if not k.endswith("token")}
        older = {"user": context.user_id, "tenant": context.project_id}
        return {**known, **older, **context.to_plain()}

    def deserialize_context(self, context: dict[str, Any]) -> Context:
        return Context.from_plain(context)
