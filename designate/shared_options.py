"""Options that several processes read, each for its own part of one answer."""

from __future__ import annotations

from oslo_config import cfg

CONTRACT = r"[0-9]+\.[0-9]+"

OPTIONS_BY_GROUP = {
    "upgrade_levels": [
        cfg.StrOpt(
            name,
            regex=CONTRACT,
            help=f"Newest version of the messages that may be sent to {served}, while processes of an "
            "older release are among those that serve them (see the release notes). By default: this "
            "release's own. What needs a newer one is answered with 503.",
        )
        for name, served in (("central", "designate-central"), ("worker", "designate-worker"))
    ],
    "heartbeat_emitter": [
        cfg.FloatOpt(
            "heartbeat_interval", default=10.0, min=0.1, help="Seconds between two heartbeats."
        ),
    ],
    "service:api": [
        cfg.IntOpt(
            "default_limit_v2", default=20, min=1, help="Items on a page that asks for none."
        ),
        cfg.IntOpt("max_limit_v2", default=1000, min=1, help="What limit=max stands for."),
    ],
    "service:central": [
        cfg.StrOpt(
            "default_pool_id",
            default="794ccc2c-d751-44fe-b57f-8894c9f5c842",
            help="Pool of new zones, and of unsigned DNS queries.",
        ),
        cfg.StrOpt("topic", default="central", help="Topic of the bus on which central is called."),
    ],
    "service:worker": [
        cfg.StrOpt("topic", default="worker", help="Topic of the bus on which workers are called."),
        cfg.IntOpt(
            "xfr_max_records",
            default=500_000,
            min=1,
            help="Records that a secondary zone may have. Quotas do not apply to it. Central holds "
            "the zone in memory while it compares it with what it has: about 1 KiB for each record.",
        ),
        cfg.IntOpt(
            "xfr_max_bytes",
            default=64 * 2**20,
            min=1024,
            help="Bytes that a transfer from a primary may have, as it arrives and with names written out.",
        ),
    ],
}
