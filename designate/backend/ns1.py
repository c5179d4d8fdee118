"""NS1 (Managed DNS), told by its API v1 to add and remove secondary zones."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import quote

from designate.backend import primaries
from designate.backend.base import NOTIFY_OPTIONS, BackendOption
from designate.backend.hosted import API_OPTIONS, HostedBackend, same
from designate.backend.http_client import Answer
from designate.model.pools import Target
from designate.model.zones import ZoneAnnouncement

NOT_FOUND = 404


class Ns1Backend(HostedBackend):
    """Needs an API key that may view and manage zones."""

    OPTIONS: ClassVar[tuple[BackendOption, ...]] = (
        *NOTIFY_OPTIONS,
        BackendOption(name="api_endpoint", meaning="the API's host, as api.nsone.net, or its URL"),
        BackendOption(name="api_token", meaning="the API's key", secret=True),
        *API_OPTIONS,
        BackendOption(name="tsigkey_name", meaning="name of the TSIG key for NS1's transfers"),
        BackendOption(name="tsigkey_hash", meaning="its algorithm, as hmac-sha256"),
        BackendOption(name="tsigkey_value", meaning="its secret, in base64", secret=True),
    )
    PLACE: ClassVar[tuple[str, ...]] = ("api_endpoint",)

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        token = self.required_option("api_token")
        self._key = self.together("tsigkey_name", "tsigkey_hash", "tsigkey_value")
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
        body = {"zone": _name(zone), "secondary": self._wanted(zone)}
        answer = self._web.call("PUT", _path(zone), body)
        if not answer.good and not self._adjust(zone):  # Another worker may have been first.
            raise self._web.refused(f"create {zone.name}", answer, "message")

    def update_zone(self, zone: ZoneAnnouncement) -> None:
        """Adds a missing zone; gives one with other masters or another key the target's."""
        self.create_zone(zone)

    def delete_zone(self, zone: ZoneAnnouncement, *, hard_delete: bool) -> None:
        answer = self._web.call("DELETE", _path(zone))
        if not answer.good and self._look(zone).good:
            raise self._web.refused(f"delete {zone.name}", answer, "message")

    def _look(self, zone: ZoneAnnouncement) -> Answer:
        """The zone, or that there is none. Raises BackendError: neither is known."""
        answer = self._web.call("GET", _path(zone) + "?records=false")
        if not answer.good and answer.status != NOT_FOUND:
            raise self._web.refused(f"look at {zone.name}", answer, "message")
        return answer

    def _adjust(self, zone: ZoneAnnouncement) -> bool:
        """Changes an existing zone's settings where they differ; False: there is no such zone."""
        found = self._look(zone)
        if not found.good:
            return False
        wanted = self._wanted(zone)
        if not same(found.member("secondary"), wanted):
            changed = self._web.call("POST", _path(zone), {"secondary": wanted})
            if not changed.good:
                raise self._web.refused(f"change {zone.name}", changed, "message")
        return True

    def _wanted(self, zone: ZoneAnnouncement) -> dict[str, Any]:
        """As NS1 has a secondary zone's settings: one primary, and others beside it."""
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


def _name(zone: ZoneAnnouncement) -> str:
    return zone.name.rstrip(".")


def _path(zone: ZoneAnnouncement) -> str:
    return f"/v1/zones/{quote(_name(zone), safe='')}"
