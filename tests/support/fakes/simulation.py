"""A converger whose jobs and timed steps run on the test's thread, in simulated time.

Nothing waits and no outcome depends on the machine's speed: a test runs steps until a condition holds, and
the clock advances from one timed step to the next. Queries go to real servers on loopback, but those that
get no reply time out at once.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Hashable
from typing import Any

import dns.message
import dns.opcode
import dns.rdatatype
import pytest

from designate.model.pools import Pool
from designate.wire import client
from designate.worker.converge import Converger
from designate.worker.scheduling.convergence import ConvergenceScheduler
from designate.worker.scheduling.executors import EndpointExecutors, Job
from designate.worker.scheduling.priority import Priority
from designate.worker.scheduling.timers import Timers
from designate.worker.settings import ConvergenceSettings
from tests.support.deadlines import scaled
from tests.support.factories.worker import Central
from tests.support.fakes.clock import ManualClock
from tests.support.fakes.nameserver import NanoServer
from tests.support.fakes.scripted_primary import ScriptedPrimary

# Of servers that do reply. The product's own timeouts would make outcomes depend on the machine's speed.
REPLY_TIMEOUT_S = 10.0


class QueuedExecutors(EndpointExecutors):
    """Executors without threads: jobs wait in the order of their arrival until the test runs them."""

    def __init__(self) -> None:
        super().__init__()
        self._jobs: deque[Job] = deque()

    def submit(
        self,
        key: Hashable,  # noqa: ARG002 - part of the interface
        job: Job,
        priority: Priority = Priority.CHANGE,  # noqa: ARG002 - part of the interface
    ) -> bool:
        """Queue a job."""
        self._jobs.append(job)
        return True

    def run_one(self) -> bool:
        """Run the first job and return whether there was one."""
        if not self._jobs:
            return False
        self._jobs.popleft()()
        return True


class SteppedTimers(Timers):
    """Timers without a thread: steps run in `run_due`."""

    def start(self) -> None:
        """Start no thread."""


class Simulation:
    """A converger with its central, in simulated time.

    Attributes:
        converger: under test, started.
        central: records its reports.
        clock: the simulated time.
    """

    def __init__(
        self, *pools: Pool, executors: EndpointExecutors | None = None, **settings: Any
    ) -> None:
        """Start a converger with these settings instead of usual ones; executors: instead of queued."""
        defaults = {
            "threshold_percentage": 100,
            "deadline_s": 20.0,
            "query_timeout_s": 0.3,
            "first_poll_s": 0.01,
            "retry_s": 0.01,
            "all_tcp": False,
        }
        self.settings = ConvergenceSettings(**defaults | settings)
        self.clock = ManualClock()
        self.central = Central(*pools)
        self.reports = self.central.reports
        self.reports.until = self.until
        self._queued = QueuedExecutors()
        self._timers = SteppedTimers(self.clock)
        scheduler = ConvergenceScheduler(
            self.settings.polls_per_s, self.clock, self._timers, executors or self._queued
        )
        self.converger = Converger(self.central.client, self.settings, scheduler)
        self.converger.start()

    def stop(self) -> None:
        """Stop the converger."""
        self.converger.stop()

    def until(
        self, condition: Callable[[], object], timeout_s: float = 30.0, what: str = "it"
    ) -> object:
        """Run steps until the condition is true and return its value; timeout_s: in simulated time."""
        end = self.clock.monotonic() + timeout_s
        while not (value := condition()):
            if not self._step(end):
                raise AssertionError(f"{what} did not come true within {timeout_s} s")
        return value

    def run_for(self, duration_s: float) -> None:
        """Run all steps of a time."""
        end = self.clock.monotonic() + duration_s
        while self._step(end):
            pass
        self.clock.advance(max(0.0, end - self.clock.monotonic()))

    def _step(self, end: float) -> bool:
        """Run a job, or the due steps, or advance the clock; return False when nothing is left to do."""
        if self._queued.run_one() or self._timers.run_due():
            return True
        due = self._timers.next_due()
        if due > end:
            return False
        # The clock counts microseconds.
        self.clock.advance(math.ceil(max(0.0, due - self.clock.monotonic()) * 1e6 + 1) / 1e6)
        return True


def skip_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let queries and NOTIFYs to fake servers that would not reply time out at once."""
    query_soa, send_notify = client.query_soa, client.send_notify
    query_data = client.query_data

    def query(host: str, port: int, zone: str, timeout_s: float, **options: Any) -> Any:
        server, primary = _server(host, port), ScriptedPrimary.running.get((host, port))
        if server is not None and server.unresponsive:
            server.receive(_message(zone), tcp=False)
        elif primary is None or _replies(primary, options.get("key")):
            if server is not None or primary is not None:
                timeout_s = scaled(REPLY_TIMEOUT_S)
            return query_soa(host, port, zone, timeout_s, **options)
        return client.SoaAnswer(state=client.SoaState.UNKNOWN, text="timeout", unreachable=True)

    def data(
        host: str, port: int, name: str, rtype: int, timeout_s: float, **options: Any
    ) -> client.DataAnswer:
        server = _server(host, port)
        if server is not None and (server.unresponsive or server.lose_data_queries):
            server.receive(_message(name, rtype=dns.rdatatype.RdataType.make(rtype)), tcp=False)
            return client.DataAnswer(rcode=None, text="timeout")
        if server is not None:
            timeout_s = scaled(REPLY_TIMEOUT_S)
        return query_data(host, port, name, rtype, timeout_s, **options)

    def notify(host: str, port: int, zone: str, timeout_s: float, **options: Any) -> Any:
        server = _server(host, port)
        if server is not None and (server.unresponsive or server.lose_notifies):
            server.receive(_message(zone, dns.opcode.NOTIFY), tcp=False)
            return client.NotifyAnswer(rcode=None, text="timeout")
        if server is not None:
            timeout_s = scaled(REPLY_TIMEOUT_S)
        return send_notify(host, port, zone, timeout_s, **options)

    monkeypatch.setattr(client, "query_soa", query)
    monkeypatch.setattr(client, "query_data", data)
    monkeypatch.setattr(client, "send_notify", notify)


def _server(host: str, port: int) -> NanoServer | None:
    return NanoServer.running.get((host, port))


def _replies(primary: ScriptedPrimary, key: object) -> bool:
    """Return whether the primary gives a reply to an SOA query that a client with the key trusts."""
    return primary.serial is not None and (key is None or bool(primary.keyring))


def _message(
    zone: str,
    opcode: dns.opcode.Opcode = dns.opcode.QUERY,
    rtype: dns.rdatatype.RdataType = dns.rdatatype.SOA,
) -> dns.message.Message:
    message = dns.message.make_query(zone, rtype)
    message.set_opcode(opcode)
    return message
