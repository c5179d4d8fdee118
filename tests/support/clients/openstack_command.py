"""The command `openstack`, unmodified, in the test's own process.

Starting a process takes longer than all that it does.
"""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator
from typing import Any


class Failed(Exception):
    """The command's exit status was not 0; its standard error."""


def run(*words: str) -> str:
    """Run the command and return its standard output.

    Raises:
        Failed: The exit status is not 0.
    """
    shell = fresh_shell()
    output, errors = io.StringIO(), io.StringIO()
    with (
        undisturbed_logging(),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
    ):
        status = shell.main(list(words))
    if status != 0:
        raise Failed(errors.getvalue())
    return output.getvalue()


def fresh_shell() -> Any:
    """Return the command's module without the identity that it caches for its process.

    It is imported here, where its deprecation warnings are not errors.
    """
    from designateclient.osc import plugin
    from openstackclient import shell
    from openstackclient.common import clientmanager
    from osc_lib.clientmanager import ClientCache

    setattr(clientmanager.ClientManager, plugin.API_NAME, ClientCache(plugin.make_client))
    return shell


@contextlib.contextmanager
def undisturbed_logging() -> Iterator[None]:
    """The command sets the root logger up for itself."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        for handler in set(root.handlers) - set(handlers):
            root.removeHandler(handler)
        root.setLevel(level)
