"""designate-manage: the operator's command line for the database and the pools.

Exit status: 0 done; 1 refused, with the reason on standard error; 2 wrong usage; 255 a failure that
nobody foresaw (--debug shows where).
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import tempfile
import traceback
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import yaml
from oslo_config import cfg

from designate import config, errors, pools_yaml, processes
from designate.backend.base import drivers as backend_drivers
from designate.context import admin_context
from designate.model import pools_file_dump
from designate.model.pools import PoolChange
from designate.model.query import Query
from designate.model.services import ServiceState, ServiceStatus
from designate.model.tlds import TldDraft
from designate.rpc.clients import CentralClient
from designate.storage.sqlalchemy import migration
from designate.storage.sqlalchemy.db import options

POOLS_FILE = "/etc/designate/pools.yaml"
AT_ONCE = 1000
LONGEST_DESCRIPTION = 160
Command = Callable[[cfg.ConfigOpts, argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    try:
        command: Command = arguments.command
        return command(_conf(arguments), arguments)
    except errors.DesignateError as error:
        print(error.message or error.type, file=sys.stderr)
        return 1
    except (cfg.Error, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except Exception as error:
        # Of the database's driver or of alembic, most likely: their first line says enough.
        if arguments.debug:
            traceback.print_exc()
        first_line = str(error).partition("\n")[0]
        print(f"{type(error).__name__}: {first_line}", file=sys.stderr)
        return 255


def _conf(arguments: argparse.Namespace) -> cfg.ConfigOpts:
    conf = cfg.ConfigOpts()
    config.register(conf)
    files = arguments.config_file or cfg.find_config_files("designate", "designate")
    conf([], project="designate", prog="designate", default_config_files=files)
    return conf


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="designate-manage", description=__doc__)
    parser.add_argument("--config-file", action="append", metavar="FILE")
    parser.add_argument("--debug", action="store_true", help="show where a failure came from")
    categories = parser.add_subparsers(required=True, metavar="database|pool|service|tlds")
    database = categories.add_parser("database", help="the schema").add_subparsers(required=True)
    for name, command, text in (
        ("sync", _sync, "migrate to the newest schema"),
        ("upgrade", _upgrade, "migrate to a revision"),
        ("version", _version, "show the schema's revision and the newest one"),
        ("current", _current, "show the schema's revision"),
        ("heads", _heads, "show the newest revision"),
        ("history", _history, "show all revisions, the newest first"),
    ):
        action = database.add_parser(name, help=text)
        action.set_defaults(command=command)
        if name == "upgrade":
            action.add_argument("revision", nargs="?", default="head")
    _pool_parser(categories.add_parser("pool", help="the pools").add_subparsers(required=True))
    service = categories.add_parser("service", help="the running services")
    services = service.add_subparsers(required=True)
    services.add_parser("list", help="show the services").set_defaults(command=_service_list)
    clean = services.add_parser(
        "clean", help="forget services that stopped or say nothing any more"
    )
    clean.set_defaults(command=_service_clean)
    tlds = categories.add_parser("tlds", help="top-level domains").add_subparsers(required=True)
    read = tlds.add_parser("import", help="add those of a file: a name and a description a line")
    read.add_argument("--input_file", required=True, metavar="FILE")
    read.add_argument("--delimiter", default=",")
    read.set_defaults(command=_tlds_import)
    return parser


def _pool_parser(pool: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    update = pool.add_parser("update", help="make the stored pools those of a file")
    update.add_argument("--file", default=POOLS_FILE)
    update.add_argument("--delete", action="store_true", help="remove pools not in the file")
    update.add_argument("--dry-run", action="store_true", help="only show what would change")
    update.add_argument("--skip-verify-drivers", action="store_true")
    update.set_defaults(command=_pool_update)
    show = pool.add_parser("show_config", help="show stored pools as YAML")
    show.add_argument("--pool_id")
    show.add_argument("--all_pools", action="store_true")
    show.add_argument("--show-secrets", action="store_true")
    show.set_defaults(command=_pool_show)
    generate = pool.add_parser("generate_file", help="write the stored pools to a file")
    generate.add_argument("--file", default=POOLS_FILE)
    generate.set_defaults(command=_pool_generate)


def _url(conf: cfg.ConfigOpts) -> str:
    return options.connection(conf)


def _sync(conf: cfg.ConfigOpts, arguments: argparse.Namespace) -> int:
    migration.sync(_url(conf))
    return 0


def _upgrade(conf: cfg.ConfigOpts, arguments: argparse.Namespace) -> int:
    migration.upgrade(_url(conf), arguments.revision)
    return 0


def _version(conf: cfg.ConfigOpts, arguments: argparse.Namespace) -> int:
    current, newest = migration.version(_url(conf))
    mark = " (head)" if current == newest else ""
    print(f"Current: {current or 'none'}{mark}  Latest: {newest} (head)")
    return 0


def _current(conf: cfg.ConfigOpts, arguments: argparse.Namespace) -> int:
    current, newest = migration.version(_url(conf))
    if current:
        print(current + (" (head)" if current == newest else ""))
    return 0


def _heads(conf: cfg.ConfigOpts, arguments: argparse.Namespace) -> int:
    print(f"{migration.head()} (head)")
    return 0


def _history(conf: cfg.ConfigOpts, arguments: argparse.Namespace) -> int:
    print("\n".join(migration.history()))
    return 0


def _pool_update(conf: cfg.ConfigOpts, arguments: argparse.Namespace) -> int:
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


def _pool_show(conf: cfg.ConfigOpts, arguments: argparse.Namespace) -> int:
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


def _pool_generate(conf: cfg.ConfigOpts, arguments: argparse.Namespace) -> int:
    pools = processes.central_client(conf).pools.find(admin_context())
    _write(Path(arguments.file), _yaml(pools_file_dump.dump(pools, secrets=True)))
    return 0


def _services(central: CentralClient) -> Iterator[ServiceStatus]:
    marker = None
    while True:
        query = Query(sort_key="hostname", marker=marker, limit=AT_ONCE)
        page = central.services.find(admin_context(), query)
        yield from page.items
        if len(page.items) < AT_ONCE:
            return
        marker = page.items[-1].id


def _service_list(conf: cfg.ConfigOpts, arguments: argparse.Namespace) -> int:
    rows = [("Service", "Host", "Status", "Last heartbeat")]
    rows += [
        (s.service_name, s.hostname, str(s.status), str(s.heartbeated_at or "never"))
        for s in _services(processes.central_client(conf))
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = zip(row, widths, strict=True)
        print("  ".join(cell.ljust(width) for cell, width in cells).rstrip())
    return 0


def _service_clean(conf: cfg.ConfigOpts, arguments: argparse.Namespace) -> int:
    """What a live service would be is decided where the API decides it (central/services.py)."""
    central = processes.central_client(conf)
    gone = (ServiceState.DOWN, ServiceState.STOPPED)
    for service in _services(central):
        if service.status in gone:
            print(f"Removing {service.service_name} on {service.hostname}: {service.status}")
    silent_s = 3 * conf["heartbeat_emitter"].heartbeat_interval
    while central.services.mark_down(admin_context(), silent_s, AT_ONCE):
        pass
    while central.services.clean_up(admin_context(), silent_s, AT_ONCE):
        pass
    print("Job finished.")
    return 0


def _tlds_import(conf: cfg.ConfigOpts, arguments: argparse.Namespace) -> int:
    """Every line that can be added is; those that cannot are listed. Status 1: some could not."""
    central = processes.central_client(conf)
    added, wrong = 0, []
    with Path(arguments.input_file).open(encoding="utf-8", newline="") as file:
        for fields in csv.reader(file, delimiter=arguments.delimiter):
            if not fields:
                continue
            fault = _add_tld(central, fields)
            added += not fault
            if fault:
                wrong.append(f"{fault} --> {arguments.delimiter.join(fields)}")
    print(f"Number of tlds added: {added}")
    if wrong:
        print(f"Number of errors: {len(wrong)}")
        print("Error Lines:", *sorted(wrong), sep="\n")
    return 1 if wrong else 0


def _add_tld(central: CentralClient, fields: Sequence[str]) -> str:
    """Why it cannot be added, or nothing."""
    name, description, *more = (*fields, "") if len(fields) == 1 else fields
    if more:
        return "InvalidLine"
    if len(description) > LONGEST_DESCRIPTION:
        return "InvalidDescription"
    draft = TldDraft(name=name.strip(), description=description.strip() or None)
    try:
        central.tlds.create(admin_context(), draft)
    except errors.Duplicate:
        return "DuplicateTld"
    except errors.BadRequest:
        return "InvalidTld"
    return ""


def _uuid(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise errors.BadRequest(f"Not a valid uuid: {text}") from None


def _write(path: Path, text: str) -> None:
    """Wholly or not at all, and for the owner's eyes only: it holds credentials."""
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


if __name__ == "__main__":
    sys.exit(main())
