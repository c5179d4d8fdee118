"""designate-manage: the operator's command line for the database and the pools.

    designate-manage [options of oslo.config and oslo.log] CATEGORY COMMAND [arguments]

The categories are plug-ins, see designate.cmd.category. Exit status: 0 done; 1 refused, with the reason
on standard error; 2 wrong usage; 255 an unexpected failure (--debug shows the traceback).
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence

from oslo_config import cfg
from oslo_log import log

from designate import config, errors
from designate.cmd import category, logs, reports
from designate.runtime.log_records import escaped, escaped_lines
from designate.version import VERSION

PROG = "designate-manage"
# Log levels without --debug: a command reports in its last line what these say many times.
QUIETER = [
    "alembic=WARN",
    "amqp=CRITICAL",
    "oslo.messaging=CRITICAL",
    "oslo_messaging=CRITICAL",
    "oslo_service=WARN",
]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status."""
    # The program uses the process-wide object, since some libraries read their options from no other.
    conf = cfg.CONF if argv is None else cfg.ConfigOpts()
    try:
        _configure(conf, sys.argv[1:] if argv is None else argv)
        reports.write_on_request(conf)
        command: category.Command = conf.category.command
        return command(conf, conf.category)
    except errors.DesignateError as error:
        print(escaped_lines(_text(error)), file=sys.stderr)
        return 1
    except (cfg.Error, ValueError, OSError) as error:
        print(escaped_lines(str(error)), file=sys.stderr)
        return 1
    except Exception as error:
        # Usually an error of the database's driver or of alembic; the first line is enough.
        if _is_debug(conf):
            traceback.print_exc()
        print(escaped(f"{type(error).__name__}: {errors.first_line(error)}"), file=sys.stderr)
        return 255


def _configure(conf: cfg.ConfigOpts, argv: Sequence[str]) -> None:
    """Read the command line and the files, and set up logging.

    Raises:
        cfg.Error: The command line or a file is invalid.
        ConfigurationError: Logs cannot go where the options say.
    """
    config.register(conf)
    log.register_options(conf)
    conf.register_cli_opt(cfg.SubCommandOpt("category", handler=category.add_categories))
    conf(
        list(argv),
        project="designate",
        prog=PROG,
        version=VERSION,
        description=(__doc__ or "").partition("\n")[0],
        default_config_files=config.find_files(prog=PROG),
        default_config_dirs=config.find_folders(PROG),
    )
    if not conf.debug:
        conf.set_default("default_log_levels", [*log.get_default_log_levels(), *QUIETER])
    if not (conf.log_file or conf.log_dir or conf.use_journal):
        # Otherwise oslo.log writes to standard output, between the lines of the command.
        conf.set_override("use_stderr", True)
    logs.set_up(conf)


def _text(error: errors.DesignateError) -> str:
    from designate.rpc.bus import RpcTimeout

    if isinstance(error, RpcTimeout):
        return (
            "designate-central did not reply: check that it runs and that the broker of [DEFAULT] "
            "transport_url is reachable"
        )
    return error.message or error.type


def _is_debug(conf: cfg.ConfigOpts) -> bool:
    try:
        return bool(conf.debug)
    except cfg.Error:
        return False


if __name__ == "__main__":
    sys.exit(main())
