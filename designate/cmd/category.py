"""Categories of commands for designate-manage, which are plug-ins.

A package adds a category with an entry point in the group `designate.manage`. The entry point is a
subclass of Category, and its name is the category's name:

    class Reports(Category):
        help = "reports for accounting"

        def add_commands(self, commands):
            monthly = commands.add_parser("monthly", help="write the report of a month")
            monthly.add_argument("--month", required=True)
            monthly.set_defaults(command=write_monthly)

    def write_monthly(conf, arguments):
        ...
        return 0  # the exit status

Every category is imported for every command line; so its module should import little at the top, and
the rest in the functions of its commands. An argument must not have the name of an option of [DEFAULT].
"""

from __future__ import annotations

import argparse
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from oslo_config import cfg
from stevedore import extension

from designate import errors

if TYPE_CHECKING:
    from designate.rpc.clients import CentralClient

GROUP = "designate.manage"
WRONG_USAGE = 2

# A command gets the configuration and its arguments as attributes, and returns the exit status.
Command = Callable[[cfg.ConfigOpts, Any], int]


class Commands(Protocol):
    """The part of argparse's add_subparsers() that categories use."""

    def add_parser(self, name: str, **kwargs: Any) -> argparse.ArgumentParser:
        """Add a command and return the parser of its arguments."""
        ...


class Category(ABC):
    """A category of commands.

    Attributes:
        help: One line for `designate-manage --help`.
        replaced: Commands of earlier releases with what to use instead.
    """

    help: str = ""
    replaced: Mapping[str, str] = {}

    @abstractmethod
    def add_commands(self, commands: Commands) -> None:
        """Add each command, with set_defaults(command=FUNCTION) of its parser; see Command."""


# Categories of earlier releases with what to use instead.
REPLACED_CATEGORIES = {
    "powerdns": "use a target of type pdns4 in pools.yaml and `pool update`",
    "akamai": "use a target of type akamai_v2 in pools.yaml and `pool update`",
    "pool-manager-cache": "there is no cache; `database sync` is all",
    "pool_manager_cache": "there is no cache; `database sync` is all",
}


def add_categories(commands: Any) -> None:
    """Add all categories to oslo.config's action for sub-commands.

    A plug-in that cannot be used is reported in one line and left out.
    """
    commands.metavar = "CATEGORY"
    found = extension.ExtensionManager(
        GROUP, on_load_failure_callback=lambda _, entry, error: _report(entry.name, error)
    )
    for plugin in sorted(found, key=lambda plugin: plugin.name):
        try:
            category: Category = plugin.plugin()
            parser = commands.add_parser(plugin.name, help=category.help)
            own = parser.add_subparsers(required=True, metavar="COMMAND", dest="action")
            category.add_commands(own)
            _add_replaced(own, category.replaced, f"{plugin.name} ")
        except Exception as error:
            _report(plugin.name, error)
    _add_replaced(commands, REPLACED_CATEGORIES)


def _report(name: str, error: BaseException) -> None:
    print(
        f"designate-manage: category {name} left out: {type(error).__name__}: {error}",
        file=sys.stderr,
    )


def _add_replaced(commands: Commands, replaced: Mapping[str, str], before: str = "") -> None:
    for name, instead in replaced.items():
        # No word begins with this character, so that options are arguments as well.
        parser = commands.add_parser(name, add_help=False, prefix_chars="\0")
        parser.add_argument("ignored", nargs="*")
        parser.set_defaults(
            command=_replaced_command(f"{before}{name} no longer exists: {instead}")
        )


def _replaced_command(text: str) -> Command:
    def command(_conf: cfg.ConfigOpts, _arguments: Any) -> int:
        print(f"designate-manage: {text}", file=sys.stderr)
        return WRONG_USAGE

    return command


def central(conf: cfg.ConfigOpts) -> CentralClient:
    """Return central for a command: on the database if a connection is set, else over RPC.

    Raises:
        ConfigurationError: Neither is set.
    """
    from designate import messaging
    from designate.cmd import central_clients
    from designate.runtime import concurrency
    from designate.storage.sqlalchemy.db import options

    if options.has_connection(conf):
        return central_clients.own(conf)
    concurrency.prepare()  # before oslo.messaging is imported
    messaging.require_group_leader()
    messaging.register(conf)
    location = conf.get_location("transport_url")
    if location is None or location.location.name in ("opt_default", "set_default"):
        raise errors.ConfigurationError(
            f"neither [{options.GROUP}] connection nor [DEFAULT] transport_url is set"
        )
    return central_clients.remote(conf)
