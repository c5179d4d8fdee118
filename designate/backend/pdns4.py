"""PowerDNS Authoritative (4.3 and later): secondary zones through its HTTP API."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, ClassVar

from designate import errors
from designate.backend import primaries
from designate.backend.base import NOTIFY_OPTIONS, Backend, BackendOption
from designate.backend.http_client import ClientTls, HttpResponse, WebClient
from designate.model.pools import Target
from designate.model.zones import ZoneAnnouncement

ZONES = "/api/v1/servers/localhost/zones"
NOT_FOUND, CONFLICT = 404, 409
_KIND = "Slave"  # the one term that every release since 4.0 accepts and returns


class Pdns4Backend(Backend):
    """Creates secondary zones in PowerDNS.

    Needs `api=yes`, `webserver=yes`, `secondary=yes` (before 4.5: `slave=yes`) and a database.
    """

    OPTIONS: ClassVar[tuple[BackendOption, ...]] = (
        *NOTIFY_OPTIONS,
        BackendOption(name="api_endpoint", meaning="URL of the API: scheme, host and port"),
        BackendOption(name="api_token", meaning="API key", secret=True),
        BackendOption(name="api_timeout", default="5", meaning="timeout of one call in seconds"),
        BackendOption(
            name="api_ca_cert", meaning="file with the certificate authorities for the API"
        ),
        BackendOption(
            name="verify_ssl",
            default="true",
            meaning="whether the certificate of the API is verified",
        ),
        BackendOption(
            name="tsigkey_name",
            meaning="name of a TSIG key in PowerDNS for transfers; unset: that of tsigkey_id",
        ),
        BackendOption(
            name="ixfr",
            default="true",
            meaning="whether PowerDNS requests incremental transfers (IXFR)",
        ),
    )

    TRIGGERS_TRANSFER: ClassVar[bool] = True

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        token = self.required_option("api_token")
        ca_file = self.option("api_ca_cert")
        self._ixfr = self.bool_option("ixfr")
        self._web = WebClient(
            "PowerDNS",
            self.required_option("api_endpoint"),
            timeout_s=self.seconds_option("api_timeout"),
            headers={"X-API-Key": token},
            secrets=(token,),
            tls=ClientTls(
                verify=self.bool_option("verify_ssl"),
                ca_file=None if ca_file == "changeme" else ca_file,  # a placeholder of devstack
            ),
        )

    def create_zone(self, zone: ZoneAnnouncement) -> None:
        desired = self._desired(zone)
        response = self._web.call("POST", ZONES, {"name": zone.name, **desired})
        if response.status == CONFLICT and self._adjust(zone, desired):
            return
        if not response.good:
            raise self._refused("create", zone, response)
        self._set_ixfr(zone)

    def update_zone(self, zone: ZoneAnnouncement) -> None:
        """Add a missing zone; correct the masters, key or kind of an existing one."""
        if not self._adjust(zone, self._desired(zone)):
            self.create_zone(zone)

    def delete_zone(
        self,
        zone: ZoneAnnouncement,
        *,
        hard_delete: bool,  # noqa: ARG002 - part of the interface
    ) -> None:
        response = self._web.call("DELETE", _path(zone.name))
        if not response.good and response.status != NOT_FOUND:
            raise self._refused("delete", zone, response)

    def trigger_transfer(self, zone: ZoneAnnouncement) -> None:
        """Retrieve the zone through the API, which starts at once.

        PowerDNS handles NOTIFY once a second. The transfer is incremental too if the zone's metadata
        says so.
        """
        response = self._web.call("PUT", _path(zone.name) + "/axfr-retrieve")
        if not response.good:
            raise self._refused("transfer", zone, response)

    def _adjust(self, zone: ZoneAnnouncement, desired: dict[str, Any]) -> bool:
        """Correct the settings of an existing zone; return False if there is none.

        The data stays, so that the zone is served meanwhile; a transfer replaces foreign data.
        """
        response = self._web.call("GET", _path(zone.name) + "?rrsets=false")
        if response.status == NOT_FOUND:
            return False
        if not response.good:
            raise self._refused("read", zone, response)
        if _differs(response, desired):
            changed = self._web.call("PUT", _path(zone.name), desired)
            if not changed.good:
                raise self._refused("change", zone, changed)
        self._set_ixfr(zone)
        return True

    def _set_ixfr(self, zone: ZoneAnnouncement) -> None:
        """Enable IXFR in the zone's metadata; PowerDNS requests AXFR without it."""
        if not self._ixfr:
            return
        metadata = {"kind": "IXFR", "metadata": ["1"]}
        response = self._web.call("PUT", _path(zone.name) + "/metadata/IXFR", metadata)
        if not response.good:
            raise self._refused("set IXFR of", zone, response)

    def _desired(self, zone: ZoneAnnouncement) -> dict[str, Any]:
        addresses = primaries.addresses(self.target, zone.zone_id)
        desired: dict[str, Any] = {
            "kind": _KIND,
            "masters": [primaries.text(address) for address in addresses],
        }
        key = self.option("tsigkey_name") or self.key_name
        if key:
            desired["slave_tsig_key_ids"] = [key]
        return desired

    def _refused(
        self, verb: str, zone: ZoneAnnouncement, response: HttpResponse
    ) -> errors.BackendError:
        return self._web.refused(f"{verb} {zone.name}", response, "error")


def _path(name: str) -> str:
    """Return the path of a zone, in PowerDNS' own encoding: `=` and two hexadecimal digits."""
    encoded = re.sub(
        rb"[^A-Za-z0-9.-]", lambda match: b"=%02X" % ord(match.group()), name.encode()
    ).decode()
    return f"{ZONES}/{encoded}"


def _differs(response: HttpResponse, desired: dict[str, Any]) -> bool:
    keys = [str(key).rstrip(".").lower() for key in response.member("slave_tsig_key_ids") or ()]
    desired_keys = [key.rstrip(".").lower() for key in desired.get("slave_tsig_key_ids", keys)]
    return (
        str(response.member("kind")).lower() != _KIND.lower()
        or set(map(_with_port, response.member("masters") or ())) != set(desired["masters"])
        or keys != desired_keys
    )


def _with_port(shown: str) -> str:
    """Return a master with its port; PowerDNS shows neither port 53 nor, then, the brackets."""
    try:
        return primaries.text((str(ipaddress.ip_address(shown)), 53))
    except ValueError:
        return shown
