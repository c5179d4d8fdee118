"""Options that several processes read."""

from __future__ import annotations

from oslo_config import cfg

CONTRACT = r"[0-9]+\.[0-9]+"

OPTIONS_BY_GROUP = {
    "upgrade_levels": [
        cfg.StrOpt(
            name,
            regex=CONTRACT,
            help=f"Newest RPC version that may be sent to {served}. Set it while some of its processes "
            "run an older release (see the release notes). Default: the version of this release. "
            "Requests that need a newer version fail with 503.",
        )
        for name, served in (("central", "designate-central"), ("worker", "designate-worker"))
    ],
    "DEFAULT": [
        cfg.StrOpt(
            "state_path",
            default="/var/lib/designate",
            help="Folder of files that the service itself writes: default of [oslo_concurrency] "
            "lock_path, which is needed with [oslo_messaging_rabbit] use_queue_manager only.",
        ),
    ],
    "heartbeat_emitter": [
        cfg.StrOpt(
            "emitter_type",
            default="rpc",
            help="Plug-in that emits heartbeats: rpc (to designate-central, which shows them as "
            "service statuses), noop (none), or another installed one.",
        ),
        cfg.FloatOpt(
            "heartbeat_interval", default=10.0, min=0.1, help="Seconds between two heartbeats."
        ),
    ],
    "service:api": [
        cfg.IntOpt(
            "default_limit_v2",
            default=20,
            min=1,
            help="Items on a page of a list without the parameter limit.",
        ),
        cfg.IntOpt(
            "max_limit_v2",
            default=1000,
            min=1,
            help="Largest page of a list, and the meaning of limit=max.",
        ),
    ],
    "service:central": [
        cfg.StrOpt(
            "default_pool_id",
            default="794ccc2c-d751-44fe-b57f-8894c9f5c842",
            help="Id of the pool for new zones and for unsigned DNS queries.",
        ),
        cfg.StrOpt(
            "topic",
            default="central",
            help="Topic of the message bus on which designate-central serves RPC.",
        ),
    ],
    "service:worker": [
        cfg.StrOpt(
            "topic",
            default="worker",
            help="Topic of the message bus on which designate-worker serves RPC.",
        ),
        cfg.IntOpt(
            "xfr_max_records",
            default=500_000,
            min=1,
            help="Maximum records of a secondary zone. Quotas do not apply to it. Central holds the "
            "zone in memory while it compares it with the stored one: about 1 KiB for each record.",
        ),
        cfg.IntOpt(
            "xfr_max_bytes",
            default=64 * 2**20,
            min=1024,
            help="Maximum bytes of a transfer from a primary, both as received and uncompressed.",
        ),
        cfg.ListOpt(
            "primary_denied_networks",
            default=[],
            help="Networks in which the masters of secondary zones must not be, such as the networks "
            "of the control plane: tenants name the masters, and central, workers and MiniDNS refuse "
            "these. Denied besides: loopback, link-local, site-local, multicast, unspecified, "
            "broadcast and reserved (240.0.0.0/4) addresses, and IPv6 addresses that carry an IPv4 "
            "address (IPv4-mapped, NAT64, 6to4, Teredo). The narrowest network decides; denied wins "
            "over allowed.",
        ),
        cfg.ListOpt(
            "primary_allowed_networks",
            default=[],
            help="Networks in which masters may be although a wider network is denied, or although it "
            "is denied by default, such as 127.0.0.0/8 for a test. An IPv6 address that carries an IPv4 "
            "address needs both of them permitted.",
        ),
        cfg.ListOpt(
            "primary_denied_ports",
            default=[],
            help="Ports, and ranges such as 1-1023, that masters must not have. Denied besides: the "
            "ports below 1024 except 53 and 853, and 6379 and 11211 (Redis and memcached). The "
            "narrowest range decides; denied wins over allowed.",
        ),
        cfg.ListOpt(
            "primary_allowed_ports",
            default=[],
            help="Ports, and ranges, that masters may have although a wider range is denied, or "
            "although they are denied by default.",
        ),
    ],
}
