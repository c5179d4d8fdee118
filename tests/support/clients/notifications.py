"""Somebody who listens to notifications: what they hear is what was really sent."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from designate import messaging
from designate.runtime import concurrency

concurrency.prepare()  # before any other import

import oslo_messaging  # noqa: E402
from oslo_config import cfg  # noqa: E402

from tests.support.deadlines import until  # noqa: E402


@dataclass(frozen=True)
class Heard:
    """One notification."""

    priority: str
    publisher: str
    type: str
    payload: dict[str, Any]
    context: dict[str, Any]


class Listener:
    """`with Listener(url, exchange) as listener`. fake:// listens within the process."""

    def __init__(self, url: str, exchange: str = "designate") -> None:
        conf = cfg.ConfigOpts()
        conf([], default_config_files=[], default_config_dirs=[])
        messaging.register(conf)
        transport = oslo_messaging.get_notification_transport(conf, url)
        target = oslo_messaging.Target(topic="notifications", exchange=exchange)
        self._listener = oslo_messaging.get_notification_listener(
            transport, [target], [self], executor="threading"
        )
        self._lock = threading.Lock()
        self._heard: list[Heard] = []

    def __enter__(self) -> Self:
        self._listener.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.stop()
        self._listener.wait()

    def info(
        self,
        context: Any,
        publisher: str,
        type: str,
        payload: Any,
        metadata: Any,  # noqa: ARG002 - part of the interface
        kind: str = "info",
    ) -> None:
        with self._lock:
            self._heard.append(Heard(kind, publisher, type, payload, context))

    def error(self, context: Any, publisher: str, type: str, payload: Any, metadata: Any) -> None:
        self.info(context, publisher, type, payload, metadata, "error")

    @property
    def heard(self) -> list[Heard]:
        with self._lock:
            return list(self._heard)

    def forget(self) -> None:
        with self._lock:
            self._heard.clear()

    def wait(
        self, type: str, which: Callable[[Heard], bool] = lambda _: True, timeout_s: float = 20
    ) -> Heard:
        """The first of this type for which this is true."""

        def find() -> Heard | None:
            return next((h for h in self.heard if h.type == type and which(h)), None)

        found = until(find, timeout_s, f"{type} in {[h.type for h in self.heard]}")
        assert isinstance(found, Heard)
        return found
