"""What designate.conf says about the database.

oslo.db's options are honoured in `[storage:sqlalchemy]`, where Designate's documentation and the
deployment tools set them, and in `[database]`, where oslo.db's own documentation has them. An option that
is set in both counts as the first says.
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
# Other than oslo.db's own: a process works on more than five requests at once, and beyond the pool's size
# every one would open a connection and close it again.
DATABASE_OPTS = [copy(option) for option in db_options.database_opts]
cfg.set_defaults(DATABASE_OPTS, max_pool_size=POOL_SIZE)

GROUP = "storage:sqlalchemy"
FALLBACK_GROUP = "database"
OPTIONS_BY_GROUP = {
    GROUP: [
        *DATABASE_OPTS,
        cfg.IntOpt(
            "write_timeout",
            default=20,
            min=1,
            help="Seconds that one write may take in all: waiting for its turn, locks and retries. "
            "After that the client gets a 503 with Retry-After and nothing is stored. In "
            "designate-central at most four fifths of rpc_response_timeout: nobody waits longer for "
            "the answer.",
        ),
        cfg.IntOpt(
            "statement_timeout",
            default=8,
            min=1,
            help="Seconds to wait for the answer of a MySQL or PostgreSQL server to one statement, "
            "and half of them for one lock. After that the connection is given up and the client "
            "gets a 503. Shorter notices a server that hangs sooner; it must leave time for the "
            "slowest statement, which is a list with filters.",
        ),
        cfg.IntOpt(
            "connect_timeout",
            default=3,
            min=1,
            help="Seconds that connecting to a MySQL or PostgreSQL server may take.",
        ),
    ],
    FALLBACK_GROUP: [*DATABASE_OPTS],
}

# What URLs are written as, and what they mean here: one driver for each kind of server.
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
# MySQL's own name of an encoding that has no place for every character.
SHORT_CHARSETS = ("utf8", "utf8mb3")


POOL_OVERFLOW = 50
POOL_TIMEOUT_S = 5.0
MAX_CONNECTIONS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """How to talk to one database. url, replica_url: as configured (see `target`). *_s: seconds.

    pool_size: connections that stay open, for reads and for writes each; pool_overflow: how many more
    there may be for a while. statement_timeout_s None: as long as it takes (migrations).
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
        """reply_timeout_s: how long those who ask wait for an answer at most.

        Raises ConfigurationError without a connection, or for one that cannot be used.
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
            # 0 and -1 mean no limit; every pool has one here.
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


def connection(conf: cfg.ConfigOpts) -> str:
    """The database's URL. Raises ConfigurationError where none is set."""
    url = _with_parameters(conf, _value(conf, "connection"))
    if not url:
        raise errors.ConfigurationError(f"[{GROUP}] connection is not set")
    set_twice = all(_is_set(conf, group, "connection") for group in (GROUP, FALLBACK_GROUP))
    if set_twice and conf[GROUP].connection != conf[FALLBACK_GROUP].connection:
        LOG.warning("[%s] connection counts; that of [%s] is another", GROUP, FALLBACK_GROUP)
    return url


def _with_parameters(conf: cfg.ConfigOpts, url: str | None) -> str | None:
    parameters = _value(conf, "connection_parameters")
    if not url or not parameters:
        return url
    return _parsed(url).update_query_string(parameters).render_as_string(hide_password=False)


def _value(conf: cfg.ConfigOpts, name: str) -> Any:
    """The option as the first group says where it is set there, else as the second does."""
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


def target(url: str) -> sa.URL:
    """The URL with the driver that is used for it. Raises ConfigurationError."""
    made = _parsed(url)
    driver = DRIVERS.get(made.drivername)
    if driver is None:
        raise errors.ConfigurationError(f"there is no database driver {made.drivername}")
    made = made.set(drivername=driver)
    if driver.startswith("mysql") and made.query.get("charset", "utf8") in SHORT_CHARSETS:
        made = made.update_query_dict({"charset": "utf8mb4"})
    return made


def _parsed(url: str) -> sa.URL:
    """Raises ConfigurationError, which does not show the URL: it may hold a password."""
    try:
        return sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise errors.ConfigurationError("the database's URL cannot be read") from None
