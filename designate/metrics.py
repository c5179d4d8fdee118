"""The Prometheus metrics of all processes. Every metric is defined here.

Labels are bounded: routes are those of the API's table, methods those of the interfaces, pools and
nameservers those of pools.yaml. `designate.health` serves them. Thread-safe.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

SHORT_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
LONG_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)

API_SECONDS = Histogram(
    "designate_api_request_seconds",
    "Time from the head of a request to its response.",
    ("method", "route", "code"),
    buckets=SHORT_S,
)
RPC_SECONDS = Histogram(
    "designate_rpc_call_seconds",
    "Time from an RPC to its reply, at the caller.",
    ("topic", "method", "outcome"),
    buckets=SHORT_S,
)
RPC_SERVED = Histogram(
    "designate_rpc_served_seconds",
    "Time to execute an RPC, at the callee.",
    ("method", "outcome"),
    buckets=SHORT_S,
)
CASTS_DROPPED = Counter(
    "designate_rpc_casts_dropped_total", "Casts that were not sent; periodic sweeps recover them."
)
ERRORS = Counter("designate_errors_total", "Error responses, by error type.", ("type",))
QUEUED = Gauge("designate_queue_depth", "Items that wait in a queue.", ("queue",))
QUEUE_DROPPED = Counter(
    "designate_queue_dropped_total", "Items that a full queue rejected.", ("queue",)
)
CONVERGENCE_SECONDS = Histogram(
    "designate_convergence_seconds",
    "Time from the notification of a change until a nameserver is known to serve it.",
    ("pool", "nameserver"),
    buckets=LONG_S,
)
SERIAL_LAG = Gauge(
    "designate_nameserver_serial_lag",
    "How far a nameserver's last seen serial was behind the desired one.",
    ("pool", "nameserver"),
)
UNSERVED = Counter(
    "designate_changes_unserved_total",
    "Changes that were not served everywhere before their deadline.",
    ("pool",),
)
CIRCUIT_OPEN = Gauge(
    "designate_server_silent",
    "1 while the circuit of a server is open: it did not answer and is only probed.",
    ("kind", "pool", "server"),
)
PROBES = Counter(
    "designate_server_probes_total",
    "Probes of servers whose circuit is open.",
    ("kind", "pool", "server"),
)
CHECKED = Counter(
    "designate_zones_checked_total",
    "Zones of a nameserver that reconciliation checked.",
    ("pool", "nameserver"),
)
DRIFTED = Counter(
    "designate_zones_drifted_total",
    "Zones that a nameserver no longer served correctly: missing, failing, behind or ahead.",
    ("pool", "nameserver", "kind"),
)
REPAIRED = Counter(
    "designate_zones_repaired_total",
    "Zones that had drifted and are served correctly again.",
    ("pool",),
)
TRANSFERS = Counter(
    "designate_transfers_total", "Zone transfers that were started, by kind.", ("kind",)
)
TRANSFER_BYTES = Counter(
    "designate_transfer_bytes_total", "Bytes sent in zone transfers, by kind.", ("kind",)
)
RATE_LIMITED = Counter(
    "designate_mdns_rate_limited_total", "UDP queries over the rate limit of their source network."
)
UNREADABLE = Counter(
    "designate_mdns_unreadable_total",
    "Recordsets and journal steps that were left out of answers because they are corrupt.",
)
SINK_EVENTS = Counter(
    "designate_sink_events_total",
    "Events of other services by outcome: done, again (will be retried) or dropped.",
    ("handler", "outcome"),
)
SWEPT = Counter(
    "designate_swept_total", "Zones or rows that a periodic sweep processed.", ("sweep",)
)
