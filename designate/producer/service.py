"""The producer: a clock, shared by as many processes as run. Each works on its own shards."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from oslo_config import cfg
from stevedore import extension

from designate import errors
from designate.model.shards import Shards
from designate.producer.membership import GROUP as COORDINATION
from designate.producer.membership import Leases, Membership
from designate.producer.task import Task
from designate.rpc.clients import CentralClient
from designate.runtime.backoff import INTERVAL_SPREAD, jittered

LOG = logging.getLogger(__name__)

GROUP = "service:producer"
OPTS = [
    cfg.IntOpt("workers", min=1, help="Processes of designate-producer. Unset: one."),
    cfg.ListOpt(
        "enabled_tasks",
        help="Names of the periodic tasks to run. Unset: all that are installed.",
    ),
]

NAMESPACE = "designate.producer_tasks"
# While the shards are unknown.
LOOK_AGAIN_S = 1.0
DOUBT_S = 0.5
STOP_S = 10.0


def configured_membership(conf: cfg.ConfigOpts, central: CentralClient) -> Membership:
    """What [coordination] says. A service that knows no groups (etcd3gw) cannot tell who lives: the
    leases serve then as well. ValueError: there is no driver for the service, or it is not installed."""
    if conf[COORDINATION].backend_url:
        # Imported where it is needed: it brings much along.
        from designate.producer.coordination import Coordinated

        coordinated = Coordinated(conf)
        if coordinated.knows_groups:
            return coordinated
        LOG.warning("[coordination] backend_url has no groups; leases in the database are used")
    return Leases(conf, central)


class Producer:
    """membership: which shards are this process'; by default what [coordination] says."""

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        central: CentralClient,
        membership: Membership | None = None,
    ) -> None:
        """Raises ConfigurationError when none of the enabled tasks is installed."""
        self._membership = membership or configured_membership(conf, central)
        self._tasks = load(conf, central)
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(task,), name=task.NAME, daemon=True)
            for task in self._tasks
        ]

    def start(self) -> None:
        self._membership.start()
        for task in self._tasks:
            task.start()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """What runs is finished first, and only then are the shards given away."""
        self._stopping.set()
        self._membership.close()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(STOP_S)
        for task in self._tasks:
            task.stop()
        self._membership.stop()

    def _run(self, task: Task) -> None:
        while not self._stopping.is_set():
            shards = self._membership.shards()
            delay_s = LOOK_AGAIN_S if shards is None else self._turn(task, shards)
            if not self._stopping.is_set():
                self._membership.wait(shards, jittered(delay_s, INTERVAL_SPREAD))

    def _turn(self, task: Task, shards: Shards) -> float:
        """One batch; the seconds until the next one."""
        try:
            delay_s = task.run(shards)
        except errors.LeaseLost:
            LOG.info("%s stopped: its shards are another producer's by now", task.NAME)
            self._membership.doubt()
            return DOUBT_S
        except Exception:
            LOG.exception("%s failed and is tried again", task.NAME)
            delay_s = None
        return task.interval_s if delay_s is None else delay_s


def load(conf: cfg.ConfigOpts, central: CentralClient) -> Sequence[Task]:
    """The enabled tasks that have something to run, by name."""
    enabled = conf[GROUP].enabled_tasks
    found = {entry.name: entry.plugin for entry in extension.ExtensionManager(NAMESPACE)}
    chosen = sorted(found) if enabled is None else [name for name in enabled if name in found]
    if not chosen:
        raise errors.ConfigurationError(
            f"none of the tasks in [{GROUP}] enabled_tasks is installed; there are "
            f"{', '.join(sorted(found))}"
        )
    for name in sorted(set(enabled or ()) - set(found)):
        LOG.warning("[%s] enabled_tasks: there is no task %s", GROUP, name)
    return [found[name](conf, central) for name in dict.fromkeys(chosen) if found[name].NEEDED]
