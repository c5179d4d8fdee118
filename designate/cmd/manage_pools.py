"""The commands of designate-manage for pools."""

from __future__ import annotations

import os
import sys
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oslo_config import cfg

from designate import errors
from designate.cmd import category
from designate.context import admin_context
from designate.runtime.log_records import escaped

if TYPE_CHECKING:
    from designate.model.pools import Pool, PoolChange, PoolSpec

POOLS_FILE = "/etc/designate/pools.yaml"
MISSING_PARTS = {
    "ns_records": "it takes no zones",
    "nameservers": "its zones do not become ACTIVE",
    "targets": "its zones are created on no nameserver",
}


class PoolCommands(category.Category):
    """The category `pool`."""

    help = "the pools"
    replaced = {
        "export_from_config": "pools are in pools.yaml alone; `pool generate_file` writes the stored ones",
    }

    def add_commands(self, commands: category.Commands) -> None:
        """See Category."""
        update = commands.add_parser("update", help="update the stored pools to those of a file")
        update.add_argument("--file", default=POOLS_FILE)
        update.add_argument("--delete", action="store_true", help="remove pools not in the file")
        update.add_argument("--dry-run", action="store_true", help="only show what would change")
        update.add_argument("--skip-verify-drivers", action="store_true")
        update.set_defaults(command=_update)
        check = commands.add_parser(
            "check", help="show whose the zones on the targets are, without changing anything"
        )
        check.add_argument(
            "pool", nargs="?", metavar="POOL", help="name or id; all pools without it"
        )
        check.add_argument("--ours", action="store_true", help="list the pool's own zones too")
        check.add_argument(
            "--timeout", type=float, default=60.0, help="seconds for each target (60)"
        )
        check.set_defaults(command=_check)
        show = commands.add_parser("show_config", help="show stored pools as YAML")
        show.add_argument("--pool_id")
        show.add_argument("--all_pools", action="store_true")
        show.add_argument("--show-secrets", action="store_true")
        show.set_defaults(command=_show)
        generate = commands.add_parser("generate_file", help="write the stored pools to a file")
        generate.add_argument("--file", default=POOLS_FILE)
        generate.set_defaults(command=_generate)


def _update(conf: cfg.ConfigOpts, arguments: Any) -> int:
    from designate import pools_yaml
    from designate.backend.base import drivers as backend_drivers

    drivers = None if arguments.skip_verify_drivers else list(backend_drivers())
    specs = pools_yaml.read(arguments.file, drivers)
    central = category.central(conf)
    stored = central.pools.find(admin_context())
    try:
        planned = central.pools.apply(admin_context(), specs, arguments.delete, True)
    except errors.BadRequest as error:
        raise errors.BadRequest(f"{arguments.file}: {error.message}", type=error.type) from None
    print("Updating Pools Configuration")
    print("****************************")
    if arguments.dry_run:
        print("The following changes will occur:")
        print("*********************************")
    print(*_lines(specs, stored, planned), sep="\n")
    for line in _warnings(specs, stored):
        print(line, file=sys.stderr)
    if not planned:
        print("Nothing to change.")
    elif not arguments.dry_run:
        central.pools.apply(admin_context(), specs, arguments.delete, False)
        print("Done.")
    return 0


def _lines(
    specs: Sequence[PoolSpec], stored: Sequence[Pool], planned: Sequence[PoolChange]
) -> list[str]:
    """Return a line for every pool of the file, each followed by its changes, and the deleted pools.

    Tools read the ids of existing pools from these lines, so that unchanged pools are listed too.
    """
    from designate.model.pools import with_stored

    lines = []
    for spec, current in with_stored(specs, stored):
        if current is None:
            lines.append(f"Create Pool: <Pool id:'{spec.id}' name:'{spec.name}'>")
            continue
        lines.append(f"Update Pool: <Pool id:'{current.id}' name:'{spec.name}'>")
        lines += [
            _change(change)
            for change in planned
            if change.kind == "update" and change.pool == current.name
        ]
    lines += [f"Delete Pool: {change.pool}" for change in planned if change.kind == "delete"]
    return lines


def _warnings(specs: Sequence[PoolSpec], stored: Sequence[Pool]) -> Iterator[str]:
    """Yield a line for each part that is still missing when the file has been applied."""
    from designate.model.pools import with_stored

    for spec, current in with_stored(specs, stored):
        for part, effect in MISSING_PARTS.items():
            retained = current is not None and part in spec.left_out and getattr(current, part)
            if not (getattr(spec, part) or retained):
                yield f"Pool {spec.name} has no {part}: {effect}"


def _change(change: PoolChange) -> str:
    return f"Update Pool: {change.pool}: {change.path}\n  - {change.old}\n  + {change.new}"


def _check(conf: cfg.ConfigOpts, arguments: Any) -> int:
    from designate.cmd import pool_check

    central = category.central(conf)
    pools = [
        pool
        for pool in central.pools.find(admin_context())
        if arguments.pool in (None, pool.id, pool.name)
    ]
    if not pools:
        raise errors.NotFound("pool", f"Could not find Pool {arguments.pool}")
    stored = pool_check.zones_by_pool(central)
    in_order = True
    for pool in pools:
        print(f"Pool {pool.name}: {len(stored.get(pool.id, ()))} zones")
        for number, target in enumerate(pool.targets, 1):
            result = pool_check.check_target(pool, target, stored, arguments.timeout)
            in_order = in_order and result.in_order
            lines = result.lines(ours=arguments.ours)
            print(f"  target {number} ({target.type}): ", end="")
            print(*map(escaped, lines), sep="\n    ")
    return 0 if in_order else 1


def _show(conf: cfg.ConfigOpts, arguments: Any) -> int:
    from designate.model import pools_file_dump

    central = category.central(conf)
    if arguments.all_pools:
        pools = central.pools.find(admin_context())
    else:
        pool_id = _uuid(arguments.pool_id or conf["service:central"].default_pool_id)
        pools = (central.pools.get(admin_context(), pool_id),)
    print("Pool Configuration:")
    print("-------------------")
    print(_yaml(pools_file_dump.dump(pools, secrets=arguments.show_secrets)), end="")
    return 0


def _generate(conf: cfg.ConfigOpts, arguments: Any) -> int:
    from designate.model import pools_file_dump

    pools = category.central(conf).pools.find(admin_context())
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
    import yaml

    return yaml.safe_dump(data, default_flow_style=False)
