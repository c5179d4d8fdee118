"""The Prometheus metrics of all processes. Every metric is defined here.

Labels are bounded: routes are those of the API's table, methods those of the interfaces, pools and
nameservers those of pools.yaml. `designate.health` serves them. Thread-safe.

The multiprocess_mode of a gauge says what is shown of the values of several processes of one daemon.
"""

from __future__ import annotations

import os
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, multiprocess, values

SHORT_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
LONG_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)

PROCESSES = Gauge(
    "designate_processes",
    "Processes of this daemon that serve.",
    ("daemon", "version"),
    multiprocess_mode="livesum",
)
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
QUEUED = Gauge(
    "designate_queue_depth",
    "Items that wait in a queue.",
    ("queue",),
    multiprocess_mode="livesum",
)
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
    multiprocess_mode="livemostrecent",
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
    multiprocess_mode="livemax",
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

_UNLABELLED = (CASTS_DROPPED, RATE_LIMITED, UNREADABLE)
_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # a variable of prometheus_client


def share_between_processes(folder: Path) -> None:
    """Keep the values in files of a folder, where all processes of a daemon find those of the others.

    Call it before the processes are forked and before a metric has a value.
    """
    os.environ[_FOLDER] = str(folder)
    values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]
    for metric in _UNLABELLED:
        # Their values exist already. The library would have all this decided before it is imported, which
        # is before the configuration is read.
        metric._metric_init()


def shared_registry() -> CollectorRegistry | None:
    """Return the metrics of all processes of this daemon, or None if it has only one.

    Counters include processes that have ended; gauges do not.
    """
    folder = os.environ.get(_FOLDER)
    if folder is None:
        return None
    for file in Path(folder).glob("gauge_live*.db"):
        process_id = int(file.stem.rpartition("_")[2])
        if not Path(f"/proc/{process_id}").exists():
            multiprocess.mark_process_dead(process_id, folder)  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
    return registry
