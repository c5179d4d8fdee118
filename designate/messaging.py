"""Defaults for oslo.messaging, common to RPC, notifications and events."""

from __future__ import annotations

from typing import Any

from oslo_config import cfg

# The exchange of all topics, unless control_exchange is set.
EXCHANGE = "designate"
# They differ from oslo.messaging's: a caller gets its reply in time, and a server prefetches only what
# it can soon process, so that other servers take the rest. A broker that returns is found within
# seconds, however long it was unavailable.
DEFAULTS: dict[str, dict[str, Any]] = {
    "DEFAULT": {"rpc_response_timeout": 10, "control_exchange": EXCHANGE},
    "oslo_messaging_rabbit": {
        "rabbit_qos_prefetch_count": 64,
        "heartbeat_timeout_threshold": 30,
        "rabbit_interval_max": 2,
    },
}


def register(conf: cfg.ConfigOpts) -> None:
    """Register the options of oslo.messaging with this service's defaults; may be repeated."""
    # Imported here, since it imports many modules.
    from oslo_messaging import opts

    for group, options in opts.list_opts():
        conf.register_opts(options, group=group)
    for group, values in DEFAULTS.items():
        for name, value in values.items():
            conf.set_default(name, value, None if group == "DEFAULT" else group)
