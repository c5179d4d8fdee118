"""Threads or green threads: chosen by the environment before anything else is imported.

The code knows standard-library threads and locks only. `DESIGNATE_CONCURRENCY=eventlet` makes green
ones of them; without it they are the system's.
"""

from __future__ import annotations

import os

VARIABLE = "DESIGNATE_CONCURRENCY"
CHOICES = ("threading", "eventlet")


def choice() -> str:
    """What the environment asks for. Raises SystemExit for an unknown word."""
    found = os.environ.get(VARIABLE) or CHOICES[0]
    if found not in CHOICES:
        raise SystemExit(f"{VARIABLE} is {found!r}; it can be {' or '.join(CHOICES)}")
    return found


def prepare() -> None:
    """Make the process ready for it. To be called first in a program, before other imports.

    Raises SystemExit for an unknown choice, or where eventlet is asked for and not installed.
    """
    if choice() == "eventlet":
        try:
            import eventlet
        except ImportError:
            raise SystemExit(f"{VARIABLE} is eventlet, which is not installed") from None
        eventlet.monkey_patch()
    from oslo_service import backend

    # oslo.service takes eventlet's where nothing else is said before it is used.
    backend.init_backend(backend.BackendType(choice()))
