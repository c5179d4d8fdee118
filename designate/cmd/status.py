"""designate-status: checks whether this deployment is ready for this release.

    designate-status [--config-file FILE] upgrade check

Exit status: 0 ready; 1 ready, with warnings; 2 not ready; 255 an unexpected failure.
"""

from __future__ import annotations

import sys

import sqlalchemy as sa
from oslo_config import cfg
from oslo_upgradecheck import common_checks, upgradecheck

from designate import config, errors
from designate.storage.sqlalchemy import migration
from designate.storage.sqlalchemy.db import options
from designate.storage.sqlalchemy.db.engine import Database
from designate.storage.sqlalchemy.tables import service_statuses

Code = upgradecheck.Code


class Checks(upgradecheck.UpgradeCommands):
    """Checks of the configuration and the database, which change nothing."""

    def _schema(self) -> upgradecheck.Result:
        current, newest = migration.version(options.connection(cfg.CONF))
        if not current:
            return upgradecheck.Result(Code.FAILURE, "The database is empty: run database sync.")
        if current != newest:
            words = f"The schema is {current}: run database sync for {newest}."
            return upgradecheck.Result(Code.WARNING, words)
        return upgradecheck.Result(Code.SUCCESS)

    def _service_status(self) -> upgradecheck.Result:
        """Check for several rows of one service on a host, which releases before 14 could create."""
        key = (service_statuses.c.service_name, service_statuses.c.hostname)
        several = sa.select(*key).group_by(*key).having(sa.func.count() > 1).limit(1)
        database = Database.from_conf(cfg.CONF)
        try:
            with database.read() as connection:
                found = connection.execute(several).first()
        except errors.DesignateError:
            return upgradecheck.Result(Code.FAILURE, "The table service_statuses cannot be read.")
        finally:
            database.close()
        if found is not None:
            words = "Duplicated services found in service_statuses table."
            return upgradecheck.Result(Code.FAILURE, words)
        return upgradecheck.Result(Code.SUCCESS)

    _upgrade_checks = (
        ("Database Schema", _schema),
        ("Duplicate service status", _service_status),
        (
            "Policy File JSON to YAML Migration",
            (common_checks.check_policy_json, {"conf": cfg.CONF}),
        ),
    )


def main() -> int:
    """Run the checks and return the exit status."""
    config.register(cfg.CONF)
    status: int = upgradecheck.main(cfg.CONF, project="designate", upgrade_command=Checks())
    return status


if __name__ == "__main__":
    sys.exit(main())
