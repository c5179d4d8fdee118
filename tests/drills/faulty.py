"""A daemon that kills itself at one step of a change.

    python -m tests.drills.faulty DAEMON STEP SKIP [daemon's arguments]

The daemon runs as usual, except that one function kills the process (SIGKILL, like a crash) before or
after its work, when it is called after SKIP calls.
"""

from __future__ import annotations

import importlib
import itertools
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

# step: (daemon, module, class or "" for a function of the module, name, kill before or after its work)
STEPS: dict[str, tuple[str, str, str, str, str]] = {
    "request-read": (
        "api", "designate.rpc.oslo", "OsloBus", "call", "before",
    ),
    "answer-received": (
        "api", "designate.rpc.oslo", "OsloBus", "call", "after",
    ),
    "call-received": (
        "central", "designate.central.recordsets", "RecordSetsEndpoint", "create", "before",
    ),
    "rows-written": (
        "central", "designate.central.zone_change", "", "announce", "after",
    ),
    "committed": (
        "central", "designate.central.outbox", "Outbox", "zone_changed", "before",
    ),
    "worker-told": (
        "central", "designate.rpc.oslo", "OsloBus", "_send_casts", "after",
    ),
    "endpoint-done": (
        "central", "designate.central.recordsets", "RecordSetsEndpoint", "create", "after",
    ),
    "report-received": (
        "central", "designate.central.status", "StatusEndpoint", "report", "before",
    ),
    "report-stored": (
        "central", "designate.central.status", "StatusEndpoint", "report", "after",
    ),
    "change-received": (
        "worker", "designate.worker.service", "Worker", "zone_changed", "before",
    ),
    "change-kept": (
        "worker", "designate.worker.service", "Worker", "zone_changed", "after",
    ),
    "notify-due": (
        "worker", "designate.worker.notify", "NotifySender", "_notify_target", "before",
    ),
    "notified": (
        "worker", "designate.worker.notify", "NotifySender", "_notify_target", "after",
    ),
    "poll-due": (
        "worker", "designate.worker.polling", "Poller", "_query_for", "before",
    ),
    "proven": (
        "worker", "designate.worker.converge", "Converger", "_send", "before",
    ),
    "reported": (
        "worker", "designate.worker.converge", "Converger", "_send", "after",
    ),
    "query-received": (
        "mdns", "designate.mdns.handler", "MessageHandler", "handle", "before",
    ),
    "transfer-due": (
        "mdns", "designate.mdns.transfers", "Transfers", "ixfr", "before",
    ),
    "hint-due": (
        "mdns", "designate.rpc.oslo", "OsloBus", "fanout", "before",
    ),
    "hinted": (
        "mdns", "designate.rpc.oslo", "OsloBus", "fanout", "after",
    ),
    "sweep-due": (
        "producer", "designate.rpc.oslo", "OsloBus", "call", "before",
    ),
    "swept": (
        "producer", "designate.rpc.oslo", "OsloBus", "call", "after",
    ),
}  # fmt: skip


def plant(step: str, skip: int) -> None:
    """Replace the function of the step by one that kills the process."""
    _, module_name, class_name, name, moment = STEPS[step]
    module = importlib.import_module(module_name)
    owner: Any = getattr(module, class_name) if class_name else module
    original: Callable[..., Any] = getattr(owner, name)
    calls = itertools.count()

    def fatal(*args: Any, **kwargs: Any) -> Any:
        is_due = next(calls) >= skip
        if is_due and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*args, **kwargs)
        if is_due:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, fatal)


def main() -> int:
    daemon, step, skip = sys.argv[1:4]
    sys.argv[1:4] = []
    from designate.cmd import daemons

    plant(step, int(skip))
    status: int = getattr(daemons, daemon)()
    return status


if __name__ == "__main__":
    sys.exit(main())
