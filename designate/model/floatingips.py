"""PTR records of floating IP addresses."""

from __future__ import annotations

from dataclasses import dataclass

from designate.model.codec import UNSET, Unset


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkEndpoint:
    """An endpoint of the network service, from the caller's service catalogue.

    interface: publicURL, internalURL or adminURL.
    """

    region: str
    interface: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatingIp:
    """A floating IP of the network service, with the name of its PTR record if it has one.

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
        """Its id in the API: region and id."""
        return f"{self.region}:{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatingIpPatch:
    """A change of a floating IP's PTR record.

    ptrdname: None removes the record; UNSET changes nothing. ttl and description are reset when not
    given.
    """

    ptrdname: str | Unset | None = UNSET
    ttl: int | None = None
    description: str | None = None
