"""What other services of the cloud tell of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalEvent:
    """type: such as compute.instance.create.end. context: of the request that caused it, as the sender
    wrote it. at: when the sender says that it happened, naive UTC; None: it does not say."""

    type: str
    context: Mapping[str, Any]
    payload: Any
    at: datetime | None
