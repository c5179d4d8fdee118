"""What the processes count and time, for Prometheus. Every name is here and nowhere else.

Labels are bounded: routes are those of the API's table, methods those of the interfaces, pools and
nameservers those of pools.yaml. Served by `designate.health`. Thread-safe.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

SHORT_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
LONG_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)

API_SECONDS = Histogram(
    "designate_api_request_seconds",
    "Time from a request's head to its answer.",
    ("method", "route", "code"),
    buckets=SHORT_S,
)
RPC_SECONDS = Histogram(
    "designate_rpc_call_seconds",
    "Time from a call of another process to its answer.",
    ("topic", "method", "outcome"),
    buckets=SHORT_S,
)
RPC_SERVED = Histogram(
    "designate_rpc_served_seconds",
    "Time that a call from another process took here.",
    ("method", "outcome"),
    buckets=SHORT_S,
)
CASTS_DROPPED = Counter(
    "designate_rpc_casts_dropped_total", "Messages that were not sent and are left to the sweeps."
)
ERRORS = Counter("designate_errors_total", "Errors that were answered, by type.", ("type",))
QUEUED = Gauge("designate_queue_depth", "What waits, by queue.", ("queue",))
QUEUE_DROPPED = Counter(
    "designate_queue_dropped_total", "What found no room in its queue.", ("queue",)
)
CONVERGENCE_SECONDS = Histogram(
    "designate_convergence_seconds",
    "Time from the word of a change to the proof that a nameserver serves it.",
    ("pool", "nameserver"),
    buckets=LONG_S,
)
SERIAL_LAG = Gauge(
    "designate_nameserver_serial_lag",
    "By how much the serial of a nameserver's last answer was below the wanted one.",
    ("pool", "nameserver"),
)
UNSERVED = Counter(
    "designate_changes_unserved_total", "Changes that were given up at their deadline.", ("pool",)
)
SILENT = Gauge(
    "designate_server_silent",
    "1 while a server answers nothing and is only probed.",
    ("kind", "pool", "server"),
)
PROBES = Counter(
    "designate_server_probes_total",
    "Probes of servers that answer nothing.",
    ("kind", "pool", "server"),
)
CHECKED = Counter(
    "designate_zones_checked_total",
    "Answers about zones that were thought to be served.",
    ("pool", "nameserver"),
)
DRIFTED = Counter(
    "designate_zones_drifted_total",
    "Zones that a nameserver did not serve as it was proven to: missing, failing, behind or ahead.",
    ("pool", "nameserver", "kind"),
)
REPAIRED = Counter(
    "designate_zones_repaired_total", "Zones that drifted and are served again.", ("pool",)
)
TRANSFERS = Counter(
    "designate_transfers_total", "Zone transfers that were begun, by kind.", ("kind",)
)
TRANSFER_BYTES = Counter(
    "designate_transfer_bytes_total", "Bytes sent in zone transfers, by kind.", ("kind",)
)
RATE_LIMITED = Counter(
    "designate_mdns_rate_limited_total", "UDP queries beyond the rate of their sender's network."
)
UNREADABLE = Counter(
    "designate_mdns_unreadable_total",
    "Recordsets and journal steps that were left out of an answer because they cannot be sent.",
)
SINK_EVENTS = Counter(
    "designate_sink_events_total",
    "Events of other services, by what came of them: done, again (tried later) or dropped.",
    ("handler", "outcome"),
)
SWEPT = Counter("designate_swept_total", "Zones or rows that periodic work dealt with.", ("sweep",))
