"""What a periodic task is. Others may add their own: an entry point `designate.producer_tasks`."""

from __future__ import annotations

from typing import ClassVar

from oslo_config import cfg

from designate.model.shards import Shards
from designate.rpc.clients import CentralClient

PER_PAGE = 100


def group(name: str) -> str:
    """The options' group of the task of this name."""
    return f"producer_task:{name}"


def paging(interval_s: float, interval: str, per_page: str) -> list[cfg.Opt]:
    """The options that every task has. interval, per_page: what they mean for it."""
    return [
        cfg.FloatOpt("interval", default=interval_s, min=0.1, help=interval),
        cfg.IntOpt("per_page", default=PER_PAGE, min=1, max=1000, help=per_page),
    ]


class Task:
    """One kind of periodic work. NAME: of the entry point and of the options' group. OPTIONS: of
    that group; `interval` is one of them.

    A task runs in a thread of its own: at the start, every `interval` seconds after that, and
    whenever the producer's shards change. It must be harmless when it is run twice. NEEDED: whether
    there is anything to run.
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
        return float(self.options.interval)

    def start(self) -> None:
        """Before the first run."""

    def stop(self) -> None:
        """After the last one."""

    def run(self, shards: Shards) -> float | None:
        """One bounded batch of the work on these shards. Answers the seconds until the next one is
        wanted; None: the interval. LeaseLost means that the shards are somebody else's by now."""
        raise NotImplementedError
