"""The commands of designate-manage for top-level domains."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oslo_config import cfg

from designate import errors
from designate.cmd import category
from designate.context import admin_context
from designate.runtime.log_records import escaped

if TYPE_CHECKING:
    from designate.rpc.clients import CentralClient

MAX_DESCRIPTION_CHARS = 160


class TldCommands(category.Category):
    """The category `tlds`."""

    help = "top-level domains"

    def add_commands(self, commands: category.Commands) -> None:
        """See Category."""
        read = commands.add_parser(
            "import", help="add those of a file: a name and a description per line"
        )
        read.add_argument("--input_file", required=True, metavar="FILE")
        read.add_argument("--delimiter", default=",")
        read.set_defaults(command=_import)


def _import(conf: cfg.ConfigOpts, arguments: Any) -> int:
    """Add every valid line and list the others. Returns 1 if there are others."""
    central = category.central(conf)
    added, wrong = 0, []
    with Path(arguments.input_file).open(encoding="utf-8", newline="") as file:
        for fields in csv.reader(file, delimiter=arguments.delimiter):
            if not fields:
                continue
            fault = _add(central, fields)
            added += not fault
            if fault:
                wrong.append(f"{fault} --> {arguments.delimiter.join(fields)}")
    print(f"Number of tlds added: {added}")
    if wrong:
        print(f"Number of errors: {len(wrong)}")
        print("Error Lines:", *map(escaped, sorted(wrong)), sep="\n")
    return 1 if wrong else 0


def _add(central: CentralClient, fields: Sequence[str]) -> str:
    """Add a TLD and return the fault, or ""."""
    from designate.model.tlds import TldDraft

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
