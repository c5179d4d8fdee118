"""Heartbeats: they show operators which services run on which host."""

from __future__ import annotations

import platform
import uuid
from collections.abc import Sequence

from oslo_config import cfg

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


class HeartbeatEmitter:
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
