"""Membership leases."""

from __future__ import annotations

from typing import ClassVar, Protocol

from designate.context import Context
from designate.model.shards import GroupMembership
from designate.rpc.interfaces.base import Interface


class LeasesApi(Interface, Protocol):
    """Groups of processes that divide work among themselves."""

    NAMESPACE: ClassVar[str] = "leases"
    VERSION: ClassVar[str] = "1.0"
    PROMPT: ClassVar[frozenset[str]] = frozenset({"renew"})
    CASTS: ClassVar[frozenset[str]] = frozenset({"release"})

    def renew(
        self, context: Context, group: str, member: str, lifetime_s: float
    ) -> GroupMembership:
        """Join the group or extend the membership for lifetime_s from now."""
        ...

    def release(self, context: Context, group: str, member: str) -> None:
        """Leave the group now. If the message is lost, the lease expires."""
        ...
