"""The options of the rate of requests of one project, which is off by default.

Requests are counted by the project of the caller's token, never by address: behind a proxy or NAT many
clients have one. So a request without a valid token does not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oslo_config import cfg

if TYPE_CHECKING:
    from designate.api.project_rate import ProjectRateLimit

GROUP = "service:api"
OPTS = [
    cfg.IntOpt(
        "rate_limit",
        default=0,
        min=0,
        help="Maximum number of requests of one project per minute, which begins with its first request. "
        "Further ones get a 429 with Retry-After. Requests without a valid token are not counted, and no "
        "limit counts addresses, since behind a proxy many clients have one. Each process counts for "
        "itself unless rate_limit_storage is set. 0: no limit.",
    ),
    cfg.ListOpt(
        "rate_limit_exempt",
        default=[],
        help="Ids of projects to which rate_limit does not apply, such as that of Neutron's user.",
    ),
    cfg.StrOpt(
        "rate_limit_storage",
        secret=True,
        help="Where all processes count requests together: redis://host:port or memcached://host:port "
        "(pip install designate[redis] or designate[memcached]). While it is unavailable, nothing is "
        "limited. Unset: each process counts in its own memory.",
    ),
]


def configured(conf: cfg.ConfigOpts) -> ProjectRateLimit | None:
    """Return the configured limit; None: there is none.

    Raises:
        ConfigurationError: rate_limit_storage cannot be used.
    """
    group = conf[GROUP]
    if not group.rate_limit:
        return None
    # It takes 3 MiB.
    from designate.api.project_rate import ProjectRateLimit, storage_of

    storage = storage_of(group.rate_limit_storage)
    return ProjectRateLimit(group.rate_limit, storage, frozenset(group.rate_limit_exempt))


def per_minute(conf: cfg.ConfigOpts, project_id: str | None) -> int | None:
    """Return the project's limit; None: there is none."""
    group = conf[GROUP]
    return None if project_id in group.rate_limit_exempt else group.rate_limit or None
