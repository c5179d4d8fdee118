"""designate-status: checks whether this deployment is ready for this release.

    designate-status [--config-file FILE] [--config-dir FOLDER] upgrade check

Exit status: 0 ready; 1 ready, with warnings; 2 not ready; 255 an unexpected failure.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from oslo_config import cfg
from oslo_policy import opts as policy_opts
from oslo_upgradecheck import upgradecheck

from designate import config, errors
from designate.cmd import reports
from designate.model.codec import from_plain
from designate.model.zones import ZoneType
from designate.storage.sqlalchemy import schema_state
from designate.storage.sqlalchemy.db import options
from designate.storage.sqlalchemy.db.engine import Database
from designate.storage.sqlalchemy.schema_state import SchemaKind
from designate.storage.sqlalchemy.tables import LIVE, service_statuses, zones
from designate.storage.sqlalchemy.zone_rows import MASTERS
from designate.wire.primary_rules import PrimaryRules

Code = upgradecheck.Code
UNEXPECTED = 255


class Checks(upgradecheck.UpgradeCommands):
    """Checks of the configuration and the database, which change nothing."""

    def _schema(self) -> upgradecheck.Result:
        try:
            schema = schema_state.read(options.connection(cfg.CONF))
        except errors.DesignateError as error:
            return upgradecheck.Result(Code.FAILURE, error.message or error.type)
        if schema.kind is SchemaKind.CURRENT:
            return upgradecheck.Result(Code.SUCCESS)
        code = Code.WARNING if schema.kind is SchemaKind.OLDER else Code.FAILURE
        return upgradecheck.Result(code, schema.advice)

    def _service_status(self) -> upgradecheck.Result:
        """Check for several rows of one service on a host, which releases before 14 could create."""
        key = (service_statuses.c.service_name, service_statuses.c.hostname)
        several = sa.select(*key).group_by(*key).having(sa.func.count() > 1).limit(1)
        try:
            found = _all(several)
        except errors.DesignateError:
            return upgradecheck.Result(Code.FAILURE, "The table service_statuses cannot be read.")
        if found:
            words = "Duplicated services found in service_statuses table."
            return upgradecheck.Result(Code.FAILURE, words)
        return upgradecheck.Result(Code.SUCCESS)

    def _policy_file(self) -> upgradecheck.Result:
        """Check for rules in JSON, which oslo.policy will not read any more.

        Deployment tools write an empty mapping for a policy without rules, which is JSON as well as YAML.
        """
        policy_opts.set_defaults(cfg.CONF)
        path = cfg.CONF.find_file(cfg.CONF.oslo_policy.policy_file)
        if path is None or not _has_json_rules(Path(path)):
            return upgradecheck.Result(Code.SUCCESS)
        words = f"The policy file {path} is JSON: convert it with oslopolicy-convert-json-to-yaml."
        return upgradecheck.Result(Code.FAILURE, words)

    def _masters(self) -> upgradecheck.Result:
        """Check for secondary zones with masters that are refused; names are not looked up."""
        secondary = sa.select(zones.c.id, zones.c.name, zones.c.masters).where(
            zones.c.deleted == LIVE, zones.c.type == ZoneType.SECONDARY
        )
        try:
            rules = PrimaryRules.from_conf(cfg.CONF)
            found = [
                f"{zone_id} ({name}) has {master.host} port {master.port}: {reason}"
                for zone_id, name, stored in _all(secondary.order_by(zones.c.name))
                for master in from_plain(MASTERS, stored)
                if (reason := rules.problem_with(master.host, master.port)) is not None
            ]
        except errors.ConfigurationError as error:
            return upgradecheck.Result(Code.FAILURE, error.message)
        except errors.DesignateError:
            return upgradecheck.Result(Code.FAILURE, "The table zones cannot be read.")
        if not found:
            return upgradecheck.Result(Code.SUCCESS)
        words = (
            "These secondary zones are not transferred any more from masters that the options "
            "[service:worker] primary_* do not permit. " + "; ".join(found)
        )
        return upgradecheck.Result(Code.WARNING, words)

    _upgrade_checks = (
        ("Database Schema", _schema),
        ("Duplicate service status", _service_status),
        ("Policy File JSON to YAML Migration", _policy_file),
        ("Masters of Secondary Zones", _masters),
    )


def _all(query: sa.Select[Any]) -> list[Any]:
    database = Database.from_conf(cfg.CONF)
    try:
        with database.read() as connection:
            return list(connection.execute(query))
    finally:
        database.close()


def _has_json_rules(path: Path) -> bool:
    """Return whether the file has rules and they are JSON, whatever its name."""
    try:
        return bool(json.loads(path.read_text(encoding="utf-8")))
    except ValueError:
        return False


def main() -> int:
    """Run the checks and return the exit status."""
    config.register(cfg.CONF)
    reports.write_on_request(cfg.CONF)
    # A check reports in one line why it failed.
    logging.getLogger("designate").setLevel(logging.CRITICAL)
    try:
        status: int = upgradecheck.main(
            cfg.CONF,
            project="designate",
            upgrade_command=Checks(),
            default_config_files=config.find_files(prog="designate-status"),
        )
    except (cfg.Error, OSError) as error:
        print(error, file=sys.stderr)
        return UNEXPECTED
    return status


if __name__ == "__main__":
    sys.exit(main())
