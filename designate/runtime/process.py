"""The life of a process: its parts, the signals it obeys and the processes it forks.

SIGTERM and SIGINT shut down in order: no new work is accepted and running work is finished, within
`graceful_shutdown_timeout`. SIGHUP reloads the mutable options. systemd is notified when every part
serves. With one worker the process itself is the service; with more, oslo.service (cotyledon) forks
and respawns them.
"""

from __future__ import annotations

import logging
import mmap
import os
import resource
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from oslo_config import cfg

from designate.runtime import gc_tuning

LOG = logging.getLogger(__name__)

MAX_FILES = 65536
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a process, as the functions that start and stop it."""

    start: Callable[[], object]
    stop: Callable[[], object]


class Process:
    """Starts its parts in order and stops them in reverse order."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._started: list[Part] = []

    def start(self) -> None:
        """Start every part; where one fails, stop those that run and raise its error."""
        try:
            for part in self._parts:
                # Recorded first, since a part that fails half-way has resources to release.
                self._started.append(part)
                part.start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the started parts; log the failure of one and continue with the others."""
        while self._started:
            try:
                self._started.pop().stop()
            except Exception:
                LOG.exception("a part of the process failed to stop")


def run(
    conf: cfg.ConfigOpts,
    build: Callable[[], Process],
    workers: int | None,
    report: Callable[[Exception], bool] = lambda _: False,
) -> int:
    """Run the process until a signal ends it, and return the exit status.

    Args:
        conf: read for graceful_shutdown_timeout, and mutated on SIGHUP.
        build: makes the process; called in each child.
        workers: how many processes run; None or 1 forks none.
        report: called with why a process cannot start; returns whether it has reported that, else
            the error is raised.
    """
    raise_file_limit()
    if (workers or 1) == 1:
        try:
            process = build()
            return _run_here(conf, process)
        except Exception as error:
            if report(error):
                return 1
            raise
    return _run_forked(conf, build, workers or 1, report)


def raise_file_limit() -> None:
    """Allow as many open files as the system permits, since each connection of a client is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = hard == resource.RLIM_INFINITY
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (max(soft, MAX_FILES if unlimited else min(hard, MAX_FILES)), hard)
    )


def _run_here(conf: cfg.ConfigOpts, process: Process) -> int:
    from oslo_service import systemd

    woken, waker = os.pipe()
    started = False

    def handle(number: int, _frame: Any) -> None:
        if number in STOP_SIGNALS and not started:
            # Nothing serves yet, and the start may wait for something that never comes.
            raise SystemExit(0)

    # The interpreter writes each signal's number into a pipe, because a handler must not acquire a
    # lock that the interrupted code may hold.
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    for number in (*STOP_SIGNALS, signal.SIGHUP):
        signal.signal(number, handle)
    try:
        process.start()
    except SystemExit:
        _limit_shutdown(conf.graceful_shutdown_timeout)
        process.stop()
        return 0
    started = True
    gc_tuning.freeze()
    systemd.notify_once()
    while (received := os.read(woken, 1)[0]) not in STOP_SIGNALS:
        if received == signal.SIGHUP:
            _mutate(conf)
    _limit_shutdown(conf.graceful_shutdown_timeout)
    LOG.info("shutting down")
    process.stop()
    return 0


def _mutate(conf: cfg.ConfigOpts) -> None:
    try:
        conf.mutate_config_files()
    except Exception:
        LOG.exception("configuration: reload failed, the present values stay")


def _limit_shutdown(timeout_s: int) -> None:
    if not timeout_s:
        return

    def exit_now() -> None:
        LOG.error("shutdown: not complete after %d s, exiting at once", timeout_s)
        os._exit(1)

    timer = threading.Timer(timeout_s, exit_now)
    timer.daemon = True
    timer.start()


def _run_forked(
    conf: cfg.ConfigOpts,
    build: Callable[[], Process],
    workers: int,
    report: Callable[[Exception], bool],
) -> int:
    # Imported here, since a process that forks nothing does not need it.
    from oslo_service import service as oslo_service

    # Shared by the processes that are forked.
    started, failed = mmap.mmap(-1, 1), mmap.mmap(-1, 1)
    parent = os.getpid()

    class Forked(oslo_service.ServiceBase):  # type: ignore[misc]  # untyped
        """The process as an oslo.service service: made in the parent, built in each child."""

        def __init__(self) -> None:
            self.process: Process | None = None
            self.done = threading.Event()

        def start(self) -> None:
            try:
                self.process = build()
                self.process.start()
            except Exception as error:
                if started[0] or not (failed[0] or report(error)):
                    raise  # a process that served will be forked again
                failed[0] = 1
                os.kill(parent, signal.SIGTERM)
                self.done.wait()
                return
            started[0] = 1
            gc_tuning.freeze()

        def wait(self) -> None:
            self.done.wait()

        def stop(self) -> None:
            if self.process is not None:
                self.process.stop()
            self.done.set()

        def reset(self) -> None:
            """The launcher has reloaded the options."""

    launcher = oslo_service.launch(conf, Forked(), workers=workers, restart_method="mutate")
    try:
        launcher.wait()
    except SystemExit:
        if not failed[0]:
            raise
    return failed[0]
