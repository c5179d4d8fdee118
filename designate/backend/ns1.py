"""NS1 (Managed DNS): secondary zones through API v1."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import quote

from designate.backend import primaries
from designate.backend.base import NOTIFY_OPTIONS, BackendOption, FoundZone
from designate.backend.hosted import API_OPTIONS, DNS_PORT, HostedBackend, matches
from designate.backend.http_client import HttpResponse
from designate.model.pools import Target
from designate.model.zones import ZoneAnnouncement

NOT_FOUND = 404


class Ns1Backend(HostedBackend):
    """Creates secondary zones in NS1; needs an API key that may view and manage zones."""

    OPTIONS: ClassVar[tuple[BackendOption, ...]] = (
        *NOTIFY_OPTIONS,
        BackendOption(
            name="api_endpoint", meaning="host of the API, such as api.nsone.net, or its URL"
        ),
        BackendOption(name="api_token", meaning="API key", secret=True),
        *API_OPTIONS,
        BackendOption(name="tsigkey_name", meaning="name of the TSIG key for NS1's transfers"),
        BackendOption(name="tsigkey_hash", meaning="its algorithm, such as hmac-sha256"),
        BackendOption(name="tsigkey_value", meaning="its secret, in base64", secret=True),
    )
    IDENTITY: ClassVar[tuple[str, ...]] = ("api_endpoint",)

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        token = self.required_option("api_token")
        self._key = self.option_group("tsigkey_name", "tsigkey_hash", "tsigkey_value")
        self._web = self.client(
            "NS1",
            self.required_option("api_endpoint"),
            headers={"X-NSONE-Key": token},
            secrets=(token, self.option("tsigkey_value")),
        )

    def transfer_with(self, key_name: str) -> None:
        self.needs_key_options("tsigkey_name", "tsigkey_hash", "tsigkey_value")
        super().transfer_with(key_name)

    def create_zone(self, zone: ZoneAnnouncement) -> None:
        if self._adjust(zone):
            return
        body = {"zone": _name(zone), "secondary": self._desired(zone)}
        response = self._web.call("PUT", _path(zone), body)
        if not response.good and not self._adjust(zone):  # another worker may have created it
            raise self._web.refused(f"create {zone.name}", response, "message")

    def update_zone(self, zone: ZoneAnnouncement) -> None:
        """Add a missing zone; correct the masters or the key of an existing one."""
        self.create_zone(zone)

    def delete_zone(
        self,
        zone: ZoneAnnouncement,
        *,
        hard_delete: bool,  # noqa: ARG002 - part of the interface
    ) -> None:
        found = self._fetch(zone)
        if not found.good:
            return
        self._check(found, adopts=False)
        response = self._web.call("DELETE", _path(zone))
        if not response.good and self._fetch(zone).good:
            raise self._web.refused(f"delete {zone.name}", response, "message")

    def _fetch(self, zone: ZoneAnnouncement) -> HttpResponse:
        """Return the response for the zone, a success or 404. Raises BackendError for another."""
        response = self._web.call("GET", _path(zone) + "?records=false")
        if not response.good and response.status != NOT_FOUND:
            raise self._web.refused(f"read {zone.name}", response, "message")
        return response

    def _adjust(self, zone: ZoneAnnouncement) -> bool:
        """Correct the settings of an existing zone; return False if there is none."""
        found = self._fetch(zone)
        if not found.good:
            return False
        self._check(found, adopts=self.adopts)
        desired = self._desired(zone)
        if not matches(found.member("secondary"), desired):
            changed = self._web.call("POST", _path(zone), {"secondary": desired})
            if not changed.good:
                raise self._web.refused(f"change {zone.name}", changed, "message")
        return True

    def inspect(self, zone: ZoneAnnouncement) -> FoundZone | None:
        found = self._fetch(zone)
        if not found.good:
            return None
        masters = _masters(found)
        return FoundZone(name=zone.name, kind=_kind(masters), is_ours=self.follows_ours(masters))

    def _check(self, found: HttpResponse, *, adopts: bool) -> None:
        """Raise ForeignZone for a zone that is not ours and not to be adopted."""
        masters = _masters(found)
        self.require_ours(
            self._web.label,
            _kind(masters),
            is_ours=self.follows_ours(masters),
            adopts=adopts,
            adoptable=bool(masters),
        )

    def _desired(self, zone: ZoneAnnouncement) -> dict[str, Any]:
        """Return the zone's settings as NS1 has them: one primary and the other addresses."""
        (host, port), *others = primaries.addresses(self.target, zone.zone_id)
        tsig: dict[str, Any] = {"enabled": False}
        if self._key:
            tsig = {
                "enabled": True,
                "hash": self._key["tsigkey_hash"],
                "name": self._key["tsigkey_name"],
                "key": self._key["tsigkey_value"],
            }
        return {
            "enabled": True,
            "primary_ip": host,
            "primary_port": port,
            "other_ips": [other for other, _ in others],
            "other_ports": [port for _, port in others],
            "tsig": tsig,
        }


def _masters(found: HttpResponse) -> list[primaries.Address]:
    """Return the masters of a secondary zone; none of a primary one."""
    secondary = found.member("secondary") or {}
    if not secondary.get("enabled"):
        return []
    hosts = [secondary.get("primary_ip"), *(secondary.get("other_ips") or ())]
    ports = [secondary.get("primary_port"), *(secondary.get("other_ports") or ())]
    # NS1 may leave out the usual port.
    ports += [None] * (len(hosts) - len(ports))
    return [
        (str(host), int(port or DNS_PORT)) for host, port in zip(hosts, ports, strict=False) if host
    ]


def _kind(masters: list[primaries.Address]) -> str:
    listed = ", ".join(primaries.text(address) for address in masters)
    return f"secondary, of {listed}" if listed else "primary"


def _name(zone: ZoneAnnouncement) -> str:
    return zone.name.rstrip(".")


def _path(zone: ZoneAnnouncement) -> str:
    return f"/v1/zones/{quote(_name(zone), safe='')}"
