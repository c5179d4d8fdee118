"""The commands of designate-manage for pools."""

from __future__ import annotations

import argparse
import os
import tempfile
import uuid
from pathlib import Path

import yaml
from oslo_config import cfg

from designate import errors, pools_yaml, processes
from designate.backend.base import drivers as backend_drivers
from designate.context import admin_context
from designate.model import pools_file_dump
from designate.model.pools import PoolChange

POOLS_FILE = "/etc/designate/pools.yaml"


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Add the commands to the parser of the category."""
    pool = parser.add_subparsers(required=True)
    update = pool.add_parser("update", help="update the stored pools to those of a file")
    update.add_argument("--file", default=POOLS_FILE)
    update.add_argument("--delete", action="store_true", help="remove pools not in the file")
    update.add_argument("--dry-run", action="store_true", help="only show what would change")
    update.add_argument("--skip-verify-drivers", action="store_true")
    update.set_defaults(command=_update)
    show = pool.add_parser("show_config", help="show stored pools as YAML")
    show.add_argument("--pool_id")
    show.add_argument("--all_pools", action="store_true")
    show.add_argument("--show-secrets", action="store_true")
    show.set_defaults(command=_show)
    generate = pool.add_parser("generate_file", help="write the stored pools to a file")
    generate.add_argument("--file", default=POOLS_FILE)
    generate.set_defaults(command=_generate)


def _update(conf: cfg.ConfigOpts, arguments: argparse.Namespace) -> int:
    drivers = None if arguments.skip_verify_drivers else list(backend_drivers())
    pools = pools_yaml.read(arguments.file, drivers)
    central = processes.central_client(conf)
    try:
        planned = central.pools.apply(admin_context(), pools, arguments.delete, True)
    except errors.BadRequest as error:
        raise errors.BadRequest(f"{arguments.file}: {error.message}", type=error.type) from None
    print("Updating Pools Configuration")
    print("****************************")
    if arguments.dry_run:
        print("The following changes will occur:")
        print("*********************************")
    for change in planned:
        print(_line(change))
    if not planned:
        print("Nothing to change.")
    elif not arguments.dry_run:
        central.pools.apply(admin_context(), pools, arguments.delete, False)
        print("Done.")
    return 0


def _line(change: PoolChange) -> str:
    line = f"{change.kind.capitalize()} Pool: {change.pool}"
    if not change.path:
        return line
    return f"{line}: {change.path}\n  - {change.old}\n  + {change.new}"


def _show(conf: cfg.ConfigOpts, arguments: argparse.Namespace) -> int:
    central = processes.central_client(conf)
    if arguments.all_pools:
        pools = central.pools.find(admin_context())
    else:
        pool_id = _uuid(arguments.pool_id or conf["service:central"].default_pool_id)
        pools = (central.pools.get(admin_context(), pool_id),)
    print("Pool Configuration:")
    print("-------------------")
    print(_yaml(pools_file_dump.dump(pools, secrets=arguments.show_secrets)), end="")
    return 0


def _generate(conf: cfg.ConfigOpts, arguments: argparse.Namespace) -> int:
    pools = processes.central_client(conf).pools.find(admin_context())
    _write(Path(arguments.file), _yaml(pools_file_dump.dump(pools, secrets=True)))
    return 0


def _uuid(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise errors.BadRequest(f"Not a valid uuid: {text}") from None


def _write(path: Path, text: str) -> None:
    """Write a file atomically, readable by its owner only since it contains credentials."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink()
        raise


def _yaml(data: object) -> str:
    return yaml.safe_dump(data, default_flow_style=False)
