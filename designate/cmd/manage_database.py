"""The commands of designate-manage for the schema."""

from __future__ import annotations

from typing import Any

from oslo_config import cfg

from designate.cmd.category import Category, Commands


class DatabaseCommands(Category):
    """The category `database`."""

    help = "the schema"
    replaced = {
        "init": "use `database sync`",
        "downgrade": "restore a backup of the database",
    }

    def add_commands(self, commands: Commands) -> None:
        """See Category."""
        for name, command, text in (
            ("sync", _sync, "migrate to the newest schema"),
            ("upgrade", _upgrade, "migrate to a revision"),
            ("version", _version, "show the schema's revision and the newest one"),
            ("current", _current, "show the schema's revision"),
            ("heads", _heads, "show the newest revision"),
            ("history", _history, "show all revisions, the newest first"),
        ):
            action = commands.add_parser(name, help=text)
            action.set_defaults(command=command)
            if name == "upgrade":
                action.add_argument("revision", nargs="?", default="head")


def _url(conf: cfg.ConfigOpts) -> str:
    from designate.storage.sqlalchemy.db import options

    return options.connection(conf)


def _sync(conf: cfg.ConfigOpts, _arguments: Any) -> int:
    from designate.storage.sqlalchemy import migration

    migration.sync(_url(conf), conf["service:central"].default_pool_id)
    return 0


def _upgrade(conf: cfg.ConfigOpts, arguments: Any) -> int:
    from designate.storage.sqlalchemy import migration

    migration.upgrade(_url(conf), arguments.revision)
    return 0


def _version(conf: cfg.ConfigOpts, _arguments: Any) -> int:
    from designate.storage.sqlalchemy import migration

    current, newest = migration.version(_url(conf))
    mark = " (head)" if current == newest else ""
    print(f"Current: {current or 'none'}{mark}  Latest: {newest} (head)")
    return 0


def _current(conf: cfg.ConfigOpts, _arguments: Any) -> int:
    from designate.storage.sqlalchemy import migration

    current, newest = migration.version(_url(conf))
    if current:
        print(current + (" (head)" if current == newest else ""))
    return 0


def _heads(_conf: cfg.ConfigOpts, _arguments: Any) -> int:
    from designate.storage.sqlalchemy import migration

    print(f"{migration.head()} (head)")
    return 0


def _history(_conf: cfg.ConfigOpts, _arguments: Any) -> int:
    from designate.storage.sqlalchemy import migration

    print("\n".join(migration.history()))
    return 0
