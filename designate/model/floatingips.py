"""PTR records of floating IP addresses."""

from __future__ import annotations

from dataclasses import dataclass

from designate.model.codec import UNSET, Unset


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkEndpoint:
    """Where the caller's service catalogue says that the network service of a region is.

    interface: publicURL, internalURL or adminURL.
    """

    region: str
    interface: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatingIp:
    """A floating IP of the network service and the name that it resolves to, if it has one.

    status: of the PTR recordset, INACTIVE without one.
    """

    region: str
    id: str
    address: str
    ptrdname: str | None = None
    ttl: int | None = None
    description: str | None = None
    action: str = "NONE"
    status: str = "INACTIVE"

    @property
    def key(self) -> str:
        return f"{self.region}:{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatingIpPatch:
    """ptrdname None: no name any more; UNSET: no change at all. ttl and description that are not
    given are reset."""

    ptrdname: str | Unset | None = UNSET
    ttl: int | None = None
    description: str | None = None
