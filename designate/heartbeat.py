"""Heartbeats: they show operators which services run on which host.

`[heartbeat_emitter] emitter_type` names the plug-in that emits them (entry point group
`designate.heartbeat_emitter`).
"""

from __future__ import annotations

import platform
import uuid
from collections.abc import Sequence
from typing import Protocol

from oslo_config import cfg
from stevedore import driver, extension
from stevedore.exception import NoMatches

from designate import errors
from designate.context import admin_context
from designate.model.services import Heartbeat, ServiceState
from designate.rpc.clients import CentralClient
from designate.runtime.periodic import Periodic

GROUP = "DEFAULT"
OPTS = [
    cfg.HostAddressOpt(
        "host",
        default=platform.node(),
        sample_default="current_hostname",
        help="Name of this node in heartbeats and notifications.",
    ),
]


NAMESPACE = "designate.heartbeat_emitter"


class HeartbeatEmitter(Protocol):
    """A plug-in that reports a process' services; made with conf, central and their names."""

    def start(self) -> None:
        """Start emitting; must not block for long."""

    def stop(self) -> None:
        """Stop emitting, and report the services as stopped."""


class NoopEmitter:
    """Emits nothing: no service statuses are shown."""

    def __init__(
        self, conf: cfg.ConfigOpts, central: CentralClient, services: Sequence[str]
    ) -> None:
        del conf, central, services

    def start(self) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""


class RpcEmitter:
    """Sends central the heartbeats of this process' services; at the end, that they stopped."""

    def __init__(
        self, conf: cfg.ConfigOpts, central: CentralClient, services: Sequence[str]
    ) -> None:
        self._conf = conf
        self._central = central
        self._services = services
        self._process = str(uuid.uuid4())
        interval_s = conf["heartbeat_emitter"].heartbeat_interval
        self._timer = Periodic("heartbeat", interval_s, self._beat)

    def start(self) -> None:
        """Send the first heartbeat and start the timer."""
        self._timer.start()

    def stop(self) -> None:
        """Stop the timer and report the services as stopped, if central can be reached."""
        self._timer.stop()
        try:
            self._beat(ServiceState.STOPPED)
        except errors.DesignateError:
            return  # central marks the services DOWN when heartbeats stay out

    def _beat(self, status: ServiceState = ServiceState.UP) -> None:
        for name in self._services:
            beat = Heartbeat(
                service_name=name, hostname=self._conf.host, status=status, process=self._process
            )
            self._central.services.heartbeat(admin_context(), beat)


def emitter(
    conf: cfg.ConfigOpts, central: CentralClient, services: Sequence[str]
) -> HeartbeatEmitter:
    """Return the configured emitter of heartbeats.

    Raises:
        errors.ConfigurationError: no such plug-in is installed, or it cannot be loaded.
    """
    name = conf["heartbeat_emitter"].emitter_type
    try:
        found: HeartbeatEmitter = driver.DriverManager(
            NAMESPACE, name, invoke_on_load=True, invoke_args=(conf, central, services)
        ).driver
    except NoMatches as error:
        installed = ", ".join(sorted(extension.ExtensionManager(NAMESPACE).names()))
        raise errors.ConfigurationError(
            f"[heartbeat_emitter] emitter_type = {name}: {errors.first_line(error)} "
            f"(installed: {installed})"
        ) from None
    return found
