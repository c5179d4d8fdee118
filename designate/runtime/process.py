"""Life of a process: the parts it is made of, the signals it obeys, the processes it forks.

SIGTERM and SIGINT stop in order: no new work is taken, what runs is finished, within
`graceful_shutdown_timeout`. SIGHUP reads the options that may change while the service runs. systemd
is told when everything serves. With one worker the process itself is the service; with more,
oslo.service (cotyledon) forks them and starts again what dies.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from oslo_config import cfg

from designate.runtime import gc_tuning

LOG = logging.getLogger(__name__)

ENDING = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True)
class Part:
    """Something that a process starts, and stops in the reverse order."""

    start: Callable[[], object]
    stop: Callable[[], object]


class Process:
    """Starts its parts in order and stops them in reverse order."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._started: list[Part] = []

    def start(self) -> None:
        """Either everything runs afterwards or an error is raised and nothing does."""
        try:
            for part in self._parts:
                # Before its start: a part that fails half-way has things to give back.
                self._started.append(part)
                part.start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop what was started. A part that fails to stop does not keep the others."""
        while self._started:
            try:
                self._started.pop().stop()
            except Exception:
                LOG.exception("a part of the process did not stop in order")


def run(conf: cfg.ConfigOpts, build: Callable[[], Process], workers: int | None) -> int:
    """Run the process, or that many of it, until a signal ends it. Answers the exit status."""
    if (workers or 1) == 1:
        return _run_here(conf, build())
    return _run_forked(conf, build, workers or 1)


def _run_here(conf: cfg.ConfigOpts, process: Process) -> int:
    from oslo_service import systemd

    woken, waker = os.pipe()
    started = False

    def handle(number: int, _frame: Any) -> None:
        if number in ENDING and not started:
            # Nothing serves yet, and what is waited for may never come.
            raise SystemExit(0)

    # The interpreter writes the number of each signal into a pipe, for a handler must not touch a
    # lock that the interrupted code may hold.
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    for number in (*ENDING, signal.SIGHUP):
        signal.signal(number, handle)
    try:
        process.start()
    except SystemExit:
        process.stop()
        return 0
    started = True
    gc_tuning.freeze()
    systemd.notify_once()
    while (received := os.read(woken, 1)[0]) not in ENDING:
        if received == signal.SIGHUP:
            _mutate(conf)
    _end_in_time(conf.graceful_shutdown_timeout)
    LOG.info("stopping")
    process.stop()
    return 0


def _mutate(conf: cfg.ConfigOpts) -> None:
    try:
        conf.mutate_config_files()
    except Exception:
        LOG.exception("the configuration could not be read again; it stays as it is")


def _end_in_time(timeout_s: int) -> None:
    if not timeout_s:
        return

    def give_up() -> None:
        LOG.error("not stopped after %d s; ending at once", timeout_s)
        os._exit(1)

    timer = threading.Timer(timeout_s, give_up)
    timer.daemon = True
    timer.start()


def _run_forked(conf: cfg.ConfigOpts, build: Callable[[], Process], workers: int) -> int:
    # Only now: it is of no use to a process that forks nothing.
    from oslo_service import service as oslo_service

    class Forked(oslo_service.ServiceBase):  # type: ignore[misc]  # untyped
        """The process as oslo.service wants it: made in the parent, started in each child."""

        def __init__(self) -> None:
            self.process: Process | None = None
            self.done = threading.Event()

        def start(self) -> None:
            self.process = build()
            self.process.start()
            gc_tuning.freeze()

        def wait(self) -> None:
            self.done.wait()

        def stop(self) -> None:
            if self.process is not None:
                self.process.stop()
            self.done.set()

        def reset(self) -> None:
            """Options were read again by the launcher."""

    launcher = oslo_service.launch(conf, Forked(), workers=workers, restart_method="mutate")
    launcher.wait()
    return 0
