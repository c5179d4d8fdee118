"""The REST API under uWSGI, mod_wsgi or gunicorn: `designate.wsgi.api:application`.

The configuration is designate.conf and the folders designate.conf.d and designate-api.conf.d in the
folder that OS_DESIGNATE_CONFIG_DIR names (default: /etc/designate). Servers import this module before
they fork, so nothing is opened before the first request of each process. The file may be copied to any
folder under any name; the script designate-api-wsgi is the same for servers that take a file.
"""

from __future__ import annotations

from designate.runtime import concurrency

concurrency.prepare()  # before any other import

import atexit  # noqa: E402
import os  # noqa: E402
import threading  # noqa: E402
from collections.abc import Iterable  # noqa: E402
from typing import Any  # noqa: E402

from oslo_config import cfg  # noqa: E402

from designate import health, option_names, processes  # noqa: E402
from designate.cmd import daemons, logs, reports  # noqa: E402
from designate.runtime import log_limits  # noqa: E402
from designate.runtime.process import Process  # noqa: E402

CONFIG_DIR = "/etc/designate"


class Application:
    """The WSGI application; each process opens its own connection to central. Thread-safe."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf
        self._lock = threading.Lock()
        self._process_id: int | None = None
        self._app: Any = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Serve a request; the first one of a process starts its bus."""
        if self._process_id != os.getpid():
            with self._lock:
                if self._process_id != os.getpid():
                    self._start()
        response: Iterable[bytes] = self._app(environ, start_response)
        return response

    def _start(self) -> None:
        # Signals are those of the server.
        reports.write_on_request(self._conf, by_signal=False)
        app, process = processes.hosted_api(self._conf)
        process.start()
        atexit.register(_stop, process, os.getpid())
        self._app = app
        self._process_id = os.getpid()


def _stop(process: Process, process_id: int) -> None:
    """Stop the process, but not in a child that was forked later and inherited the exit handler."""
    if process_id == os.getpid():
        process.stop()


def _make() -> Application:
    folder = os.environ.get("OS_DESIGNATE_CONFIG_DIR") or CONFIG_DIR
    conf = daemons.configuration([], "api", folder)
    logs.set_up(conf)
    log_limits.install()
    option_names.warn(conf)
    health.share_metrics(conf, "api")  # between the processes that the server forks from here
    return Application(conf)


application = _make()
