"""The settings of converging zones, derived from the worker's options."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConvergenceSettings:
    """A worker's settings; times in seconds.

    Attributes:
        threshold_percentage: share of the nameservers that must serve a zone.
        deadline_s: after this time without progress a zone is given up.
        query_timeout_s: limit of one SOA query or NOTIFY.
        first_poll_s: the wait before the first poll where nothing reports a finished transfer.
        retry_s: about half of the first wait before a failing back end is called again.
        all_tcp: send SOA queries and NOTIFY over TCP.
        max_retry_s: the longest wait before a failing back end is called again.
        max_zones: bound of the zones that converge at the same time.
        polls_per_s: polls of all zones of a pool per second, and as many repeated NOTIFYs.
    """

    threshold_percentage: int
    deadline_s: float
    query_timeout_s: float
    first_poll_s: float
    retry_s: float
    all_tcp: bool
    max_retry_s: float = 5.0
    max_zones: int = 10_000
    polls_per_s: float = 500.0

    def share(self, count: int) -> int:
        """Return the threshold's share of a count, rounded up."""
        return math.ceil(count * self.threshold_percentage / 100)

    def servers_needed(self, count: int) -> int:
        """Return how many of so many nameservers must serve a zone: at least one, as proof."""
        return max(1, self.share(count))
