"""Threads or green threads: chosen by the environment before anything else is imported.

The code knows standard-library threads and locks only. `DESIGNATE_CONCURRENCY=eventlet` makes green
ones of them; without it they are the system's.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any

VARIABLE = "DESIGNATE_CONCURRENCY"
CHOICES = ("threading", "eventlet")


def choice() -> str:
    """What the environment asks for. Raises SystemExit for an unknown word."""
    found = os.environ.get(VARIABLE) or CHOICES[0]
    if found not in CHOICES:
        raise SystemExit(f"{VARIABLE} is {found!r}; it can be {' or '.join(CHOICES)}")
    return found


def patch() -> None:
    """Make the threads of the process those that it asks for. To be called first in a program, before
    other imports; costs nothing where they are the system's.

    Raises SystemExit for an unknown choice, or where eventlet is asked for and not installed.
    """
    # Libraries import it where it is installed, wanted or not; who wants it knows.
    warnings.filterwarnings("ignore", r"\s*Eventlet is deprecated")
    if choice() == "eventlet":
        try:
            import eventlet
        except ImportError:
            raise SystemExit(f"{VARIABLE} is eventlet, which is not installed") from None
        eventlet.monkey_patch()
        # Of its ways to wait for the server psycopg would choose one that eventlet does not see.
        os.environ.setdefault("PSYCOPG_WAIT_FUNC", "wait_select")
        _look_up_beside()


def prepare() -> None:
    """As patch(), for a program that uses oslo.service."""
    patch()
    from oslo_service import backend

    # oslo.service takes eventlet's where nothing else is said before it is used.
    backend.init_backend(backend.BackendType(choice()))


def _look_up_beside() -> None:
    """Let the system look up names in threads of its own kind: it knows no green ones, and a resolver
    may take many seconds."""
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
