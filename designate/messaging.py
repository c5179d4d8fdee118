"""Defaults for oslo.messaging, common to RPC, notifications and events."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from oslo_config import cfg

from designate import errors
from designate.runtime import private_files

# The exchange of all topics, unless control_exchange is set.
EXCHANGE = "designate"
# As of Designate; an option of a library, which has no default.
LOCK_PATH = "$state_path"
# They differ from oslo.messaging's: a caller gets its reply in time, and a server prefetches only what
# it can soon process, so that other servers take the rest. A broker that returns is found within
# seconds, however long it was unavailable.
DEFAULTS: dict[str, dict[str, Any]] = {
    "DEFAULT": {"rpc_response_timeout": 10, "control_exchange": EXCHANGE},
    "oslo_messaging_rabbit": {
        "rabbit_qos_prefetch_count": 64,
        "heartbeat_timeout_threshold": 30,
        "rabbit_interval_max": 2,
    },
}


def register(conf: cfg.ConfigOpts) -> None:
    """Register the options of oslo.messaging with this service's defaults; may be repeated."""
    # Imported here, since they import many modules.
    from oslo_concurrency import lockutils
    from oslo_concurrency import opts as lock_opts
    from oslo_messaging import opts

    lockutils.set_defaults(lock_path=LOCK_PATH)
    for group, options in (*lock_opts.list_opts(), *opts.list_opts()):
        conf.register_opts(options, group=group)
    for group, values in DEFAULTS.items():
        for name, value in values.items():
            conf.set_default(name, value, None if group == "DEFAULT" else group)


def set_library_defaults() -> None:
    """Set the defaults in the libraries, for the generator of samples, which has no conf."""
    from oslo_concurrency import lockutils
    from oslo_messaging import opts

    lockutils.set_defaults(lock_path=LOCK_PATH)
    for group, options in opts._opts:
        defaults = DEFAULTS.get(group or "DEFAULT", {})
        found = [option for option in options if option.dest in defaults]
        cfg.set_defaults(found, **{option.dest: defaults[option.dest] for option in found})


def require_group_leader() -> None:
    """Begin a process group where the leader of this one has ended; call it before forking.

    oslo.messaging's queue manager reads the leader's start time, and fails without a leader, as below a
    script that ended.
    """
    if not Path(f"/proc/{os.getpgrp() or os.getpid()}").exists():
        os.setpgid(0, 0)


def prepare_lock_folder(conf: cfg.ConfigOpts) -> None:
    """Create the folder of the lock that oslo.messaging's queue manager takes, if that is in use.

    Raises:
        errors.ConfigurationError: the folder cannot be written.
    """
    if not conf.oslo_messaging_rabbit.use_queue_manager:
        return
    from oslo_concurrency import lockutils

    path = conf.oslo_concurrency.lock_path
    try:
        if not path:
            raise OSError("it is empty")
        folder = Path(path)
        if not folder.is_dir():
            private_files.make_folder(folder)
        private_files.make_file(folder / _lock_name(conf))
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise errors.ConfigurationError(
            f"[oslo_concurrency] lock_path = {path}: {error.strerror or error}; "
            "[oslo_messaging_rabbit] use_queue_manager needs a folder that this user can write"
        ) from None
    # The library reads it from the process-wide configuration, which conf may not be.
    lockutils.set_defaults(lock_path=path)


def _lock_name(conf: cfg.ConfigOpts) -> str:
    """Return the name of the queue manager's lock, as the library makes it."""
    group = conf.oslo_messaging_rabbit
    return f"oslo_read_shm_{group.hostname}_{group.processname}"
