"""Random variation of delays, so that what began together does not continue in step."""

from __future__ import annotations

import random

RETRY_SPREAD = 0.2
INTERVAL_SPREAD = 0.1


def jittered(delay_s: float, spread: float = RETRY_SPREAD) -> float:
    """Return the delay lengthened or shortened by at most the share `spread`."""
    return delay_s * random.uniform(1 - spread, 1 + spread)  # noqa: S311 - spreads load


def jittered_early(delay_s: float, spread: float = INTERVAL_SPREAD) -> float:
    """Return the delay shortened by at most the share `spread`, never lengthened."""
    return delay_s * random.uniform(1 - spread, 1)  # noqa: S311 - spreads load
