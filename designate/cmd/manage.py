"""designate-manage: the operator's command line for the database and the pools.

Exit status: 0 done; 1 refused, with the reason on standard error; 2 wrong usage; 255 an unexpected
failure (--debug shows the traceback).
"""

from __future__ import annotations

import argparse
import csv
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from oslo_config import cfg

from designate import config, errors, processes
from designate.cmd import manage_pools
from designate.context import admin_context
from designate.model.query import Query
from designate.model.services import ServiceState, ServiceStatus
from designate.model.tlds import TldDraft
from designate.rpc.clients import CentralClient
from designate.storage.sqlalchemy import migration
from designate.storage.sqlalchemy.db import options

PAGE_SIZE = 1000
MAX_DESCRIPTION_CHARS = 160
Command = Callable[[cfg.ConfigOpts, argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status."""
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
        # Usually an error of the database's driver or of alembic; the first line is enough.
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
    parser.add_argument("--debug", action="store_true", help="show the traceback of a failure")
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
    manage_pools.add_commands(categories.add_parser("pool", help="the pools"))
    service = categories.add_parser("service", help="the running services")
    services = service.add_subparsers(required=True)
    services.add_parser("list", help="show the services").set_defaults(command=_service_list)
    clean = services.add_parser("clean", help="remove services that stopped or send no heartbeats")
    clean.set_defaults(command=_service_clean)
    tlds = categories.add_parser("tlds", help="top-level domains").add_subparsers(required=True)
    read = tlds.add_parser("import", help="add those of a file: a name and a description per line")
    read.add_argument("--input_file", required=True, metavar="FILE")
    read.add_argument("--delimiter", default=",")
    read.set_defaults(command=_tlds_import)
    return parser


def _url(conf: cfg.ConfigOpts) -> str:
    return options.connection(conf)


def _sync(conf: cfg.ConfigOpts, _arguments: argparse.Namespace) -> int:
    migration.sync(_url(conf))
    return 0


def _upgrade(conf: cfg.ConfigOpts, arguments: argparse.Namespace) -> int:
    migration.upgrade(_url(conf), arguments.revision)
    return 0


def _version(conf: cfg.ConfigOpts, _arguments: argparse.Namespace) -> int:
    current, newest = migration.version(_url(conf))
    mark = " (head)" if current == newest else ""
    print(f"Current: {current or 'none'}{mark}  Latest: {newest} (head)")
    return 0


def _current(conf: cfg.ConfigOpts, _arguments: argparse.Namespace) -> int:
    current, newest = migration.version(_url(conf))
    if current:
        print(current + (" (head)" if current == newest else ""))
    return 0


def _heads(_conf: cfg.ConfigOpts, _arguments: argparse.Namespace) -> int:
    print(f"{migration.head()} (head)")
    return 0


def _history(_conf: cfg.ConfigOpts, _arguments: argparse.Namespace) -> int:
    print("\n".join(migration.history()))
    return 0


def _services(central: CentralClient) -> Iterator[ServiceStatus]:
    marker = None
    while True:
        query = Query(sort_key="hostname", marker=marker, limit=PAGE_SIZE)
        page = central.services.find(admin_context(), query)
        yield from page.items
        if len(page.items) < PAGE_SIZE:
            return
        marker = page.items[-1].id


def _service_list(conf: cfg.ConfigOpts, _arguments: argparse.Namespace) -> int:
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


def _service_clean(conf: cfg.ConfigOpts, _arguments: argparse.Namespace) -> int:
    """Remove the services that central, as for the API, finds to be DOWN or STOPPED."""
    central = processes.central_client(conf)
    gone = (ServiceState.DOWN, ServiceState.STOPPED)
    for service in _services(central):
        if service.status in gone:
            print(f"Removing {service.service_name} on {service.hostname}: {service.status}")
    max_age_s = 3 * conf["heartbeat_emitter"].heartbeat_interval
    while central.services.mark_down(admin_context(), max_age_s, PAGE_SIZE):
        pass
    while central.services.clean_up(admin_context(), max_age_s, PAGE_SIZE):
        pass
    print("Job finished.")
    return 0


def _tlds_import(conf: cfg.ConfigOpts, arguments: argparse.Namespace) -> int:
    """Add every valid line and list the others. Returns 1 if there are others."""
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
    """Add a TLD and return the fault, or ""."""
    name, description, *more = (*fields, "") if len(fields) == 1 else fields
    if more:
        return "InvalidLine"
    if len(description) > MAX_DESCRIPTION_CHARS:
        return "InvalidDescription"
    draft = TldDraft(name=name.strip(), description=description.strip() or None)
    try:
        central.tlds.create(admin_context(), draft)
    except errors.Duplicate:
        return "DuplicateTld"
    except errors.BadRequest:
        return "InvalidTld"
    return ""


if __name__ == "__main__":
    sys.exit(main())
