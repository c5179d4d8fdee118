"""State of this service on disk is for its user alone, whatever the umask, and also where it exists."""

from __future__ import annotations

import fcntl
import logging
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

LOG = logging.getLogger(__name__)

FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600
OTHERS: Final = 0o077
# Beginnings and ends of the names of what this service and its libraries keep in a state directory.
OWN_NAMES: Final = ("designate", "oslo_")
OWN_SUFFIXES: Final = (".conf", ".yaml", ".log")


class InUse(Exception):
    """Raised when another program uses the directory in a way that excludes this one."""


def make_folder(folder: Path) -> None:
    """Make a folder of this user alone, or make an existing one so.

    An existing folder keeps its mode where it is another user's, a common one such as /tmp, or also holds
    what is not this service's.

    Raises:
        OSError: It cannot be made.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
    status = folder.stat()
    if not status.st_mode & OTHERS:
        return
    if (
        status.st_uid != os.geteuid()
        or status.st_mode & stat.S_ISVTX
        or not _holds_own_only(folder)
    ):
        LOG.warning(
            "state directory %s: other users can enter it, and it is not for this service alone: its "
            "mode is left as it is",
            folder,
        )
        return
    folder.chmod(FOLDER_MODE)


def make_file(path: Path) -> None:
    """Make an empty file of this user alone if there is none, and make an existing one so.

    What cannot be changed is left as it is, since the one who opens the file gets the error. The file is
    never opened by its name: to close a descriptor of a file releases all locks that the process has on it,
    also those of SQLite (fcntl(2)).
    """
    with suppress(OSError):
        if not path.exists():
            descriptor, new = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
            os.close(descriptor)
            try:
                os.link(new, path)
            finally:
                os.unlink(new)
    restrict(path)


def restrict(path: Path) -> None:
    """Take the file's permissions from others, if it exists and is this user's."""
    with suppress(OSError):
        if path.stat().st_mode & OTHERS:
            path.chmod(FILE_MODE)


def lock_folder(folder: Path, *, shared: bool) -> int:
    """Lock a folder until the process ends, or the returned descriptor is closed.

    Args:
        folder: an existing one.
        shared: together with others that share it; else for this process alone.

    Raises:
        InUse: Another process has it.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise InUse(str(folder)) from None
    except OSError as error:
        LOG.debug("directory %s cannot be locked: %s", folder, error)  # some network file systems
    return descriptor


def _holds_own_only(folder: Path) -> bool:
    return all(
        name.startswith(OWN_NAMES) or name.endswith(OWN_SUFFIXES) for name in os.listdir(folder)
    )
