"""PTR records of floating IPs."""

from __future__ import annotations

from typing import ClassVar, Protocol

from designate.context import Context
from designate.model.floatingips import FloatingIp, FloatingIpPatch, NetworkEndpoint
from designate.rpc.interfaces.base import Interface


class FloatingIpsApi(Interface, Protocol):
    """PTR records of the caller's floating IPs.

    token: of the caller, for the calls to the network service; empty where none is needed. catalog:
    the network service's endpoints in the caller's service catalogue.
    """

    NAMESPACE: ClassVar[str] = "floatingips"
    VERSION: ClassVar[str] = "1.0"
    PROMPT: ClassVar[frozenset[str]] = frozenset()  # each method calls Neutron

    def find(
        self, context: Context, token: str, catalog: tuple[NetworkEndpoint, ...] = ()
    ) -> tuple[FloatingIp, ...]:
        """Return all floating IPs of the caller's project with their names."""
        ...

    def get(
        self,
        context: Context,
        region: str,
        floatingip_id: str,
        token: str,
        catalog: tuple[NetworkEndpoint, ...] = (),
    ) -> FloatingIp:
        """Return one floating IP with its name; raise NotFound when there is none."""
        ...

    def update(
        self,
        context: Context,
        region: str,
        floatingip_id: str,
        patch: FloatingIpPatch,
        token: str,
        catalog: tuple[NetworkEndpoint, ...] = (),
    ) -> FloatingIp | None:
        """Set or remove the floating IP's PTR record.

        Returns:
            The floating IP with its new name pending; None when it has no name any more.
        """
        ...
