"""The options of designate-api's HTTP server."""

from __future__ import annotations

from oslo_config import cfg

GROUP = "service:api"
OPTS = [
    cfg.ListOpt(
        "listen",
        default=["0.0.0.0:9001"],
        help="Addresses to listen on: host:port, IPv6 in brackets.",
    ),
    cfg.IntOpt(
        "threads",
        default=16,
        min=1,
        help="Number of requests that a process handles at the same time.",
    ),
    cfg.IntOpt("workers", min=1, help="Number of designate-api processes; default: one."),
]
