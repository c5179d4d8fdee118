"""Options of the peer's release 23 that have no effect here.

Deployment tools write them. They are known so that neither the warning about unknown options nor
oslo-config-validator reports them; those of older releases are reported.
"""

from __future__ import annotations

from oslo_config import cfg

WITHOUT_ROOT = "no command is run as root"
PROXY = "back ends connect directly"
TRACE = "nothing is traced"
# Group, option and the reason why it has no effect.
REASONS: dict[str, dict[str, str]] = {
    "DEFAULT": {
        "allowed_remote_exmods": "errors cross the message bus as data, not as classes",
        "backlog": "the HTTP server sizes its own queue of connections",
        "pybasedir": "no file is searched below it",
        "root_helper": WITHOUT_ROOT,
    },
    "backend:dynect": {
        "job_timeout": "nothing waits for a job",
        "timeout": "it is an option of the target in pools.yaml",
        "timings": "metrics show the times",
    },
    "keystone": dict.fromkeys(
        (
            "cafile",
            "certfile",
            "collect_timing",
            "connect_retries",
            "connect_retry_delay",
            "endpoint_override",
            "insecure",
            "keyfile",
            "max_version",
            "min_version",
            "region_name",
            "service_name",
            "service_type",
            "split_loggers",
            "status_code_retries",
            "status_code_retry_delay",
            "timeout",
            "valid_interfaces",
            "version",
        ),
        "projects are looked up with the session of [keystone_authtoken]",
    ),
    "oslo_policy": {
        "enforce_scope": "recent releases of oslo.policy always enforce scopes",
    },
    "pqc": {
        "check_mode": "certificates are verified but their algorithms are not rated",
        "tls_minimum_version": "the TLS library's own minimum counts",
    },
    "profiler": {
        "connection_string": TRACE,
        "enabled": TRACE,
        "es_doc_type": TRACE,
        "es_scroll_size": TRACE,
        "es_scroll_time": TRACE,
        "filter_error_trace": TRACE,
        "hmac_keys": TRACE,
        "sentinel_service_name": TRACE,
        "socket_timeout": TRACE,
        "trace_management": TRACE,
        "trace_requests": TRACE,
        "trace_sqlalchemy": TRACE,
    },
    "proxy": {
        "http_proxy": PROXY,
        "https_proxy": PROXY,
        "no_proxy": PROXY,
    },
    "service:api": {
        "api_paste_config": "the middleware is part of the program",
        "default_limit_admin": "default_limit_v2 counts for the admin API too",
        "max_limit_admin": "max_limit_v2 counts for the admin API too",
        "pecan_debug": "debugging pages would show secrets",
    },
    "service:central": {
        "threads": "[DEFAULT] executor_thread_pool_size counts",
    },
    "service:producer": {
        "export_synchronous": "exports run in designate-central",
        "threads": "each task has one thread",
        "topic": "designate-producer serves no RPC",
    },
    "service:sink": {
        "threads": "[DEFAULT] executor_thread_pool_size counts",
    },
    "service:worker": {
        "export_synchronous": "exports run in designate-central",
        "serial_max_retries": "poll_max_retries counts",
        "serial_retry_delay": "poll_retry_interval counts",
    },
}


def options_by_group() -> dict[str, list[cfg.Opt]]:
    """Return them for generated samples and the validator; they are never registered."""
    return {
        group: [
            cfg.StrOpt(
                # Both spellings of a name with a dash are known; tools write only this one so.
                "root-helper" if name == "root_helper" else name,
                secret=name == "hmac_keys",
                help="Accepted without effect.",
                deprecated_for_removal=True,
                deprecated_reason=f"{reason[0].upper()}{reason[1:]}.",
            )
            for name, reason in reasons.items()
        ]
        for group, reasons in REASONS.items()
    }
