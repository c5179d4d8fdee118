"""Logging of the programs, with one line for the operator where it cannot be set up."""

from __future__ import annotations

from oslo_config import cfg
from oslo_log import log

from designate import errors
from designate.runtime import log_records
from designate.version import VERSION


def set_up(conf: cfg.ConfigOpts) -> None:
    """Let logs go where the options say, without control characters.

    Raises:
        ConfigurationError: they cannot go there.
    """
    log_records.install()
    try:
        log.setup(conf, "designate", VERSION)
    except RuntimeError:
        raise errors.ConfigurationError(
            "[DEFAULT] use_journal needs the Python package systemd-python (Debian: python3-systemd)"
        ) from None
    except log.LogConfigError as error:
        raise errors.ConfigurationError(f"[DEFAULT] log_config_append: {error}") from None
    except OSError as error:
        raise errors.ConfigurationError(
            f"[DEFAULT] log_dir, log_file: {error.filename}: {error.strerror}"
        ) from None
