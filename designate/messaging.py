"""What this service decides about oslo.messaging, whoever uses it: RPC, notifications, events."""

from __future__ import annotations

from typing import Any

from oslo_config import cfg

# Topics lie in it, unless control_exchange says another one.
EXCHANGE = "designate"
# Other than oslo.messaging's own: a caller is answered in time, and a server takes from the broker
# only what it can soon work on, so that what waits can be taken by another server. A broker that comes
# back is found within seconds, however long it was away.
DEFAULTS: dict[str, dict[str, Any]] = {
    "DEFAULT": {"rpc_response_timeout": 10, "control_exchange": EXCHANGE},
    "oslo_messaging_rabbit": {
        "rabbit_qos_prefetch_count": 64,
        "heartbeat_timeout_threshold": 30,
        "rabbit_interval_max": 2,
    },
}


def register(conf: cfg.ConfigOpts) -> None:
    """Make the options of oslo.messaging known to conf, with this service's defaults. May be called
    more than once."""
    # Imported where it is needed: it brings much along.
    from oslo_messaging import opts

    for group, options in opts.list_opts():
        conf.register_opts(options, group=group)
    for group, values in DEFAULTS.items():
        for name, value in values.items():
            conf.set_default(name, value, None if group == "DEFAULT" else group)
