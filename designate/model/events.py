"""Events of other services of the cloud, such as Nova and Neutron."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalEvent:
    """An event of another service.

    type: such as compute.instance.create.end. context: of the request that caused it, as the sender
    wrote it. at: when it happened, according to the sender, naive UTC; None: unknown.
    """

    type: str
    context: Mapping[str, Any]
    payload: Any
    at: datetime | None
