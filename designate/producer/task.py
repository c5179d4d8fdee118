"""The base of periodic tasks; plug-ins use the entry point group `designate.producer_tasks`."""

from __future__ import annotations

from typing import ClassVar

from oslo_config import cfg

from designate.model.shards import Shards
from designate.rpc.clients import CentralClient

PER_PAGE = 100


def group(name: str) -> str:
    """Return the option group of a task."""
    return f"producer_task:{name}"


def paging(interval_s: float, interval: str, per_page: str) -> list[cfg.Opt]:
    """Return the options of every task; interval and per_page are their help texts."""
    return [
        cfg.FloatOpt("interval", default=interval_s, min=0.1, help=interval),
        cfg.IntOpt("per_page", default=PER_PAGE, min=1, max=1000, help=per_page),
    ]


class Task:
    """One kind of periodic work.

    A task runs in a thread of its own: at the start, then every `interval` seconds, and whenever the
    producer's shards change. It must be idempotent.

    Attributes:
        NAME: the name of the entry point and of the option group.
        OPTIONS: the options of that group; `interval` is one of them.
        NEEDED: whether there is anything to run.
    """

    NAME: ClassVar[str]
    OPTIONS: ClassVar[list[cfg.Opt]]
    NEEDED: ClassVar[bool] = True

    def __init__(self, conf: cfg.ConfigOpts, central: CentralClient) -> None:
        conf.register_opts(self.OPTIONS, group=group(self.NAME))
        self.options = conf[group(self.NAME)]
        self.central = central

    @property
    def interval_s(self) -> float:
        """Seconds between two runs."""
        return float(self.options.interval)

    def start(self) -> None:
        """Prepare; called before the first run."""

    def stop(self) -> None:
        """Release resources; called after the last run."""

    def run(self, shards: Shards) -> float | None:
        """Process one bounded batch of these shards.

        Returns:
            Seconds until the next batch; None means `interval`.

        Raises:
            LeaseLost: the shards were reassigned to another producer.
        """
        raise NotImplementedError
