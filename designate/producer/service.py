"""The producer service: runs the periodic tasks on the shards of this process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from oslo_config import cfg
from stevedore import extension

from designate import errors
from designate.model.shards import Shards
from designate.producer.membership import GROUP as COORDINATION
from designate.producer.membership import LeaseMembership, ShardMembership
from designate.producer.task import Task
from designate.rpc.clients import CentralClient
from designate.runtime.backoff import INTERVAL_SPREAD, jittered

LOG = logging.getLogger(__name__)

GROUP = "service:producer"
OPTS = [
    cfg.IntOpt(
        "workers", min=1, help="Number of worker processes of designate-producer. Unset: one."
    ),
    cfg.ListOpt(
        "enabled_tasks",
        help="Names of the periodic tasks to run. Unset: all installed ones.",
    ),
]

NAMESPACE = "designate.producer_tasks"
# Pause while the shards are unknown.
UNKNOWN_SHARDS_S = 1.0
LEASE_LOST_S = 0.5
STOP_S = 10.0


def configured_membership(conf: cfg.ConfigOpts, central: CentralClient) -> ShardMembership:
    """Return the membership that [coordination] selects.

    With a coordination service without groups (etcd3gw), leases in the database are used.

    Raises:
        ValueError: there is no driver for the coordination service, or it is not installed.
    """
    if conf[COORDINATION].backend_url:
        # Imported here, since it imports many modules.
        from designate.producer.coordination import CoordinatedMembership

        coordinated = CoordinatedMembership(conf)
        if coordinated.supports_groups:
            return coordinated
        LOG.warning(
            "[coordination] backend_url: no support for groups, using leases in the database"
        )
    return LeaseMembership(conf, central)


class Producer:
    """Runs each enabled task in a thread, on the shards that the membership assigns."""

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        central: CentralClient,
        membership: ShardMembership | None = None,
    ) -> None:
        """Load the enabled tasks.

        Args:
            conf: the options of the tasks.
            central: where the tasks work.
            membership: assigns the shards; by default the one that [coordination] selects.

        Raises:
            ConfigurationError: none of the enabled tasks is installed.
        """
        self._membership = membership or configured_membership(conf, central)
        self._tasks = load(conf, central)
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(task,), name=task.NAME, daemon=True)
            for task in self._tasks
        ]

    def start(self) -> None:
        """Join the producers and start the tasks."""
        self._membership.start()
        for task in self._tasks:
            task.start()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish the running batches, then release the shards."""
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
            delay_s = UNKNOWN_SHARDS_S if shards is None else self._run_batch(task, shards)
            if not self._stopping.is_set():
                self._membership.wait(shards, jittered(delay_s, INTERVAL_SPREAD))

    def _run_batch(self, task: Task, shards: Shards) -> float:
        """Run one batch of a task and return the seconds until the next one."""
        try:
            delay_s = task.run(shards)
        except errors.LeaseLost:
            LOG.info("%s stopped: shards reassigned", task.NAME)
            self._membership.refresh_soon()
            return LEASE_LOST_S
        except (errors.Unavailable, errors.DeadlineExceeded) as error:
            # As at the start of a whole deployment, where central may serve last.
            LOG.warning("%s: not run, will be retried: %s", task.NAME, error.message)
            delay_s = None
        except Exception:
            LOG.exception("%s: failed, will be retried", task.NAME)
            delay_s = None
        return task.interval_s if delay_s is None else delay_s


def load(conf: cfg.ConfigOpts, central: CentralClient) -> Sequence[Task]:
    """Return the enabled tasks that have something to run, in the order of their names."""
    enabled = conf[GROUP].enabled_tasks
    found = {entry.name: entry.plugin for entry in extension.ExtensionManager(NAMESPACE)}
    chosen = sorted(found) if enabled is None else [name for name in enabled if name in found]
    if not chosen:
        raise errors.ConfigurationError(
            f"none of the tasks in [{GROUP}] enabled_tasks is installed; installed are "
            f"{', '.join(sorted(found))}"
        )
    for name in sorted(set(enabled or ()) - set(found)):
        LOG.warning("[%s] enabled_tasks: task %s is not installed", GROUP, name)
    return [found[name](conf, central) for name in dict.fromkeys(chosen) if found[name].NEEDED]
