"""The REST API under uWSGI, mod_wsgi or gunicorn: `designate.wsgi.api:application`.

The configuration is designate.conf in the folder that OS_DESIGNATE_CONFIG_DIR names (/etc/designate
where it names none). Servers import this before they fork, so that nothing is opened before the first
request of each process.
"""

from __future__ import annotations

from designate.runtime import concurrency

concurrency.prepare()  # before any other import

import atexit  # noqa: E402
import os  # noqa: E402
import threading  # noqa: E402
from collections.abc import Iterable  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from oslo_config import cfg  # noqa: E402
from oslo_log import log  # noqa: E402

from designate import processes  # noqa: E402
from designate.cmd import daemons  # noqa: E402
from designate.runtime.process import Process  # noqa: E402
from designate.version import VERSION  # noqa: E402

CONFIG_DIR = "/etc/designate"


class Application:
    """Thread-safe. Each process that calls it has a way to central of its own."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf
        self._lock = threading.Lock()
        self._process_id: int | None = None
        self._app: Any = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if self._process_id != os.getpid():
            with self._lock:
                if self._process_id != os.getpid():
                    self._start()
        answer: Iterable[bytes] = self._app(environ, start_response)
        return answer

    def _start(self) -> None:
        app, process = processes.hosted_api(self._conf)
        process.start()
        atexit.register(_stop, process, os.getpid())
        self._app = app
        self._process_id = os.getpid()


def _stop(process: Process, process_id: int) -> None:
    """A child forked later inherits the wish to stop what is not its own."""
    if process_id == os.getpid():
        process.stop()


def _make() -> Application:
    folder = Path(os.environ.get("OS_DESIGNATE_CONFIG_DIR") or CONFIG_DIR)
    conf = daemons.configuration(["--config-file", str(folder / "designate.conf")], "api")
    log.setup(conf, "designate", VERSION)
    return Application(conf)


application = _make()
