"""The daemons: designate-api, -central, -worker, -mdns, -producer and -sink.

Each reads designate.conf (every one that is found, unless --config-file is given), sets up logging
and reports, and runs its process until a signal ends it. Exit status: 0 after an orderly shutdown; 1
if it could not start.
"""

from __future__ import annotations

from designate.runtime import concurrency, gc_tuning

gc_tuning.starting()
concurrency.prepare()  # before any other import

import logging  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable, Sequence  # noqa: E402

from oslo_config import cfg  # noqa: E402
from oslo_log import log  # noqa: E402
from oslo_service import opts  # noqa: E402

from designate import config, errors, health, messaging, option_names, processes  # noqa: E402
from designate.cmd import logs, reports  # noqa: E402
from designate.runtime import log_limits, process  # noqa: E402
from designate.version import VERSION  # noqa: E402

LOG = logging.getLogger(__name__)

# What an operator can mend: reported in one line.
EXPECTED = (cfg.Error, ValueError, OSError, errors.DesignateError)
LOG_TARGETS = ("log_file", "log_dir", "log_config_append", "use_journal", "use_syslog")
# Deployment tools kill after 30 s at the earliest.
SHUTDOWN_S = 12

Build = Callable[[cfg.ConfigOpts], process.Process]


def api() -> int:
    """Run designate-api and return its exit status."""
    return _main("api", processes.api)


def central() -> int:
    """Run designate-central and return its exit status."""
    return _main("central", processes.central)


def worker() -> int:
    """Run designate-worker and return its exit status."""
    return _main("worker", processes.worker)


def mdns() -> int:
    """Run designate-mdns and return its exit status."""
    return _main("mdns", processes.mdns)


def producer() -> int:
    """Run designate-producer and return its exit status."""
    return _main("producer", processes.producer)


def sink() -> int:
    """Run designate-sink and return its exit status."""
    return _main("sink", processes.sink)


def configuration(argv: Sequence[str], name: str, folder: str | None = None) -> cfg.ConfigOpts:
    """Return the configuration of a process: designate.conf, overridden by the command line.

    Args:
        argv: the command line.
        name: the process, as api.
        folder: where designate.conf and designate.conf.d are; None: the usual folders.

    Raises:
        cfg.Error: the command line or a file is invalid.
        ValueError: a value is invalid.
    """
    # The process-wide object, since oslo.messaging reads some options from no other.
    conf = cfg.CONF
    config.register(conf, name)
    messaging.require_group_leader()
    messaging.register(conf)
    opts.register_service_opts(conf)
    conf.set_default("graceful_shutdown_timeout", SHUTDOWN_S)
    log.register_options(conf)
    log.set_defaults(default_log_levels=[*log.get_default_log_levels(), *config.QUIETER])
    prog = f"designate-{name}"
    conf(
        list(argv),
        project="designate",
        prog=prog,
        version=VERSION,
        default_config_files=config.find_files(folder, prog),
        default_config_dirs=config.find_folders(prog, folder),
    )
    if conf.log_dir and not conf.log_file:
        # oslo.log would take the name of the program, which is another one under a WSGI server.
        conf.set_default("log_file", f"{prog}.log")
    config.check_values(conf, name)
    return conf


def _main(name: str, build: Build) -> int:
    prog = f"designate-{name}"

    to_other_logs = False

    def report(error: Exception) -> bool:
        if not isinstance(error, EXPECTED):
            return False
        text = getattr(error, "message", None) or str(error)
        LOG.debug("could not start", exc_info=error)
        print(f"{prog}: {text}", file=sys.stderr, flush=True)
        if to_other_logs:
            LOG.critical("%s", text, exc_info=False)
        return True

    try:
        conf = configuration(sys.argv[1:], name)
        logs.set_up(conf)
        log_limits.install()
        option_names.warn(conf)
        to_other_logs = any(conf[option] for option in LOG_TARGETS)
        reports.write_on_request(conf)
        workers = conf[f"service:{name}"].workers or 1
        if workers > 1:
            health.share_metrics(conf, name)
    except EXPECTED as error:
        report(error)
        return 1
    return process.run(conf, lambda: build(conf), workers, report)
