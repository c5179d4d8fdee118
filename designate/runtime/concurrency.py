"""The kind of the process' threads: the system's, or eventlet's green ones.

The code uses standard-library threads and locks only. `DESIGNATE_CONCURRENCY=eventlet` replaces them
by green ones before anything else is imported; the default is the system's threads.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any

VARIABLE = "DESIGNATE_CONCURRENCY"
CHOICES = ("threading", "eventlet")


def choice() -> str:
    """Return the kind that the environment selects. Raises SystemExit for an unknown one."""
    found = os.environ.get(VARIABLE) or CHOICES[0]
    if found not in CHOICES:
        raise SystemExit(f"{VARIABLE} is {found!r}; valid values: {', '.join(CHOICES)}")
    return found


def patch() -> None:
    """Replace the standard library's threads if the environment selects eventlet.

    Call it first in a program, before other imports.

    Raises:
        SystemExit: the choice is unknown, or eventlet is selected and not installed.
    """
    # Libraries import eventlet wherever it is installed; the warning is for those who selected it.
    warnings.filterwarnings("ignore", r"\s*Eventlet is deprecated")
    if choice() == "eventlet":
        try:
            import eventlet
        except ImportError:
            raise SystemExit(f"{VARIABLE} is eventlet, which is not installed") from None
        eventlet.monkey_patch()
        # psycopg would choose a way of waiting for the server that eventlet cannot patch.
        os.environ.setdefault("PSYCOPG_WAIT_FUNC", "wait_select")
        _resolve_names_in_system_threads()


def prepare() -> None:
    """Patch threads as `patch` does, and select the same kind for oslo.service."""
    patch()
    from oslo_service import backend

    # oslo.service uses eventlet unless it is told otherwise before its first use.
    backend.init_backend(backend.BackendType(choice()))


def _resolve_names_in_system_threads() -> None:
    """Run the system's resolver in system threads, since it blocks green ones for many seconds."""
    import socket

    from eventlet import tpool
    from eventlet.green import socket as green

    system: Callable[..., Any] = green.getaddrinfo

    def getaddrinfo(
        host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> Any:
        try:
            return system(host, port, family, type, proto, flags | socket.AI_NUMERICHOST)
        except socket.gaierror:
            return tpool.execute(system, host, port, family, type, proto, flags)

    socket.getaddrinfo = green.getaddrinfo = getaddrinfo
