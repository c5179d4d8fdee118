"""The database's options in designate.conf.

oslo.db's options are honoured in `[storage:sqlalchemy]`, where Designate's documentation and the
deployment tools set them, and in `[database]`, where oslo.db's own documentation has them. The first
prevails where an option is set in both.
"""

from __future__ import annotations

import logging
from copy import copy
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from oslo_config import cfg
from oslo_db import options as db_options

from designate import errors
from designate.runtime import deadline

LOG = logging.getLogger(__name__)

POOL_SIZE = 16
# Larger than oslo.db's default: a process handles more than five requests at once, and beyond the pool's
# size each of them would open a connection and close it again.
DATABASE_OPTS = [copy(option) for option in db_options.database_opts]
cfg.set_defaults(DATABASE_OPTS, max_pool_size=POOL_SIZE)
for option in DATABASE_OPTS:
    if option.dest == "connection_recycle_time":
        # kolla-ansible writes the name of older releases.
        option.deprecated_opts = [*option.deprecated_opts, cfg.DeprecatedOpt("idle_timeout")]

GROUP = "storage:sqlalchemy"
FALLBACK_GROUP = "database"
OPTIONS_BY_GROUP = {
    GROUP: [
        *DATABASE_OPTS,
        cfg.IntOpt(
            "write_timeout",
            default=20,
            min=1,
            help="Seconds that one write may take in total, including queueing, locks and retries. "
            "After that the client gets a 503 with Retry-After and nothing is stored. "
            "designate-central uses at most four fifths of rpc_response_timeout, because the caller "
            "of the RPC stops waiting then.",
        ),
        cfg.IntOpt(
            "statement_timeout",
            default=8,
            min=1,
            help="Seconds to wait for a MySQL or PostgreSQL server to execute one statement; half as "
            "long for one lock. After that the connection is closed and the client gets a 503. A "
            "lower value detects a server that hangs sooner, but must leave time for the slowest "
            "statement, which is a list with filters.",
        ),
        cfg.IntOpt(
            "connect_timeout",
            default=3,
            min=1,
            help="Seconds to wait for a connection to a MySQL or PostgreSQL server.",
        ),
    ],
    FALLBACK_GROUP: [*DATABASE_OPTS],
}

# The driver that is used for each name in a URL: one for each kind of server.
DRIVERS = {
    "mysql": "mysql+pymysql",
    "mysql+pymysql": "mysql+pymysql",
    "mysql+mysqldb": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "mariadb+pymysql": "mysql+pymysql",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "postgresql+psycopg2": "postgresql+psycopg",
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
}
# MySQL's names of an encoding that cannot hold every character.
THREE_BYTE_CHARSETS = ("utf8", "utf8mb3")


POOL_OVERFLOW = 50
POOL_TIMEOUT_S = 5.0
MAX_CONNECTIONS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """Settings of one database.

    Attributes:
        url: As configured, see `driver_url`.
        replica_url: The read-only replica, as configured.
        statement_timeout_s: None: no timeout, for migrations.
        pool_size: Connections that stay open, for reads and for writes each.
        pool_overflow: Further connections that are closed after use.
    """

    url: str
    replica_url: str | None = None
    write_timeout_s: float = 20.0
    statement_timeout_s: float | None = 8.0
    connect_timeout_s: float = 3.0
    pool_size: int = POOL_SIZE
    pool_overflow: int = POOL_OVERFLOW
    pool_timeout_s: float = POOL_TIMEOUT_S
    recycle_s: int = 3600
    sql_mode: str | None = "TRADITIONAL"
    wsrep_sync_wait: int | None = None
    debug: int = 0
    durable: bool = True

    @classmethod
    def from_conf(
        cls, conf: cfg.ConfigOpts, reply_timeout_s: float | None = None
    ) -> DatabaseSettings:
        """Return the configured settings.

        Args:
            conf: The configuration.
            reply_timeout_s: How long clients wait for a reply, which bounds the time of writes.

        Raises:
            ConfigurationError: No connection is set, or it cannot be used.
        """
        group = conf[GROUP]
        pool_timeout = _value(conf, "pool_timeout")
        return cls(
            url=connection(conf),
            replica_url=_with_parameters(conf, _value(conf, "slave_connection")),
            write_timeout_s=group.write_timeout
            if reply_timeout_s is None
            else min(group.write_timeout, reply_timeout_s * deadline.SHARE),
            statement_timeout_s=group.statement_timeout,
            connect_timeout_s=group.connect_timeout,
            # 0 and -1 mean no limit in oslo.db; here every pool has one.
            pool_size=_value(conf, "max_pool_size") or MAX_CONNECTIONS,
            pool_overflow=_bounded(_value(conf, "max_overflow")),
            pool_timeout_s=POOL_TIMEOUT_S if pool_timeout is None else pool_timeout,
            recycle_s=_value(conf, "connection_recycle_time"),
            sql_mode=_value(conf, "mysql_sql_mode"),
            wsrep_sync_wait=_value(conf, "mysql_wsrep_sync_wait"),
            debug=_value(conf, "connection_debug"),
            durable=_value(conf, "sqlite_synchronous"),
        )


def _bounded(overflow: int | None) -> int:
    if overflow is None:
        return POOL_OVERFLOW
    return MAX_CONNECTIONS if overflow < 0 else overflow


def has_connection(conf: cfg.ConfigOpts) -> bool:
    """Return whether the database's URL is set."""
    return bool(_value(conf, "connection"))


def connection(conf: cfg.ConfigOpts) -> str:
    """Return the database's URL; raise ConfigurationError when none is set."""
    url = _with_parameters(conf, _value(conf, "connection"))
    if not url:
        raise errors.ConfigurationError(
            f"[{GROUP}] connection is not set: set it to the database's URL, as "
            "mysql+pymysql://USER:PASSWORD@HOST/designate"
        )
    set_twice = all(_is_set(conf, group, "connection") for group in (GROUP, FALLBACK_GROUP))
    if set_twice and conf[GROUP].connection != conf[FALLBACK_GROUP].connection:
        LOG.warning(
            "using [%s] connection; ignoring the different value in [%s]", GROUP, FALLBACK_GROUP
        )
    return url


def _with_parameters(conf: cfg.ConfigOpts, url: str | None) -> str | None:
    parameters = _value(conf, "connection_parameters")
    if not url or not parameters:
        return url
    return _parsed(url).update_query_string(parameters).render_as_string(hide_password=False)


def _value(conf: cfg.ConfigOpts, name: str) -> Any:
    """Return the option of the first group that sets it, or else its default."""
    for group in (GROUP, FALLBACK_GROUP):
        if _is_set(conf, group, name):
            return conf[group][name]
    return conf[GROUP][name]


def _is_set(conf: cfg.ConfigOpts, group: str, name: str) -> bool:
    location = conf.get_location(name, group)
    return location is not None and location.location not in (
        cfg.Locations.opt_default,
        cfg.Locations.set_default,
    )


def driver_url(url: str) -> sa.URL:
    """Return the URL with the driver that is used for it; raise ConfigurationError when it has none."""
    made = _parsed(url)
    driver = DRIVERS.get(made.drivername)
    if driver is None:
        raise errors.ConfigurationError(f"unknown database driver {made.drivername}")
    made = made.set(drivername=driver)
    if driver.startswith("mysql") and made.query.get("charset", "utf8") in THREE_BYTE_CHARSETS:
        made = made.update_query_dict({"charset": "utf8mb4"})
    return made


def _parsed(url: str) -> sa.URL:
    """Parse a URL; the error does not show it, because it may hold a password."""
    try:
        return sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise errors.ConfigurationError("the database's URL is not valid") from None
