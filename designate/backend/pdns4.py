"""PowerDNS Authoritative (4.3 and later): secondary zones through its HTTP API."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any, ClassVar

from designate import errors
from designate.backend import primaries
from designate.backend.base import (
    MAX_LISTING_BYTES,
    NOTIFY_OPTIONS,
    OWNERSHIP_OPTIONS,
    Backend,
    BackendOption,
    FoundZone,
)
from designate.backend.http_client import ClientTls, HttpResponse, WebClient
from designate.model.pools import Target
from designate.model.zones import ZoneAnnouncement
from designate.runtime.bounded_cache import BoundedCache

ZONES = "/api/v1/servers/localhost/zones"
NOT_FOUND, CONFLICT = 404, 409
MAX_COMPARED = 100_000
_SECONDARY = {"slave", "secondary"}
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
            default="false",
            meaning="whether PowerDNS requests incremental transfers (IXFR), after which it answers some "
            "queries wrongly",
        ),
        BackendOption(
            name="account",
            default="designate",
            meaning="the account that marks the zones of this service in PowerDNS",
        ),
        *OWNERSHIP_OPTIONS,
    )

    TRIGGERS_TRANSFER: ClassVar[bool] = True
    RECONCILES: ClassVar[bool] = True
    INSPECTS: ClassVar[bool] = True
    LISTS_ZONES: ClassVar[bool] = True

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        token = self.required_option("api_token")
        ca_file = self.option("api_ca_cert")
        self._ixfr = self.bool_option("ixfr")
        self._account = self.required_option("account")
        # Zones whose metadata has been compared with the option ixfr.
        self._compared: BoundedCache[str, bool] = BoundedCache(MAX_COMPARED)
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
        body = {"name": zone.name, "account": self._account, **desired}
        response = self._web.call("POST", ZONES, body)
        if response.status == CONFLICT:
            found = self._shown(zone)
            if found is not None:
                self._take(zone, found, desired)
                # An earlier zone of this name may have had a higher serial.
                self.trigger_transfer(zone)
                return
        if not response.good:
            raise self._refused("create", zone, response)
        if self._ixfr:
            self._set_ixfr(zone)
        self._compared.put(zone.zone_id, True)

    def update_zone(self, zone: ZoneAnnouncement) -> None:
        """Add a missing zone; correct the masters or the key of an existing one."""
        found = self._shown(zone)
        if found is None:
            self.create_zone(zone)
        elif self._take(zone, found, self._desired(zone)):
            self.trigger_transfer(zone)
        else:
            self._apply_ixfr(zone)

    def delete_zone(
        self,
        zone: ZoneAnnouncement,
        *,
        hard_delete: bool,  # noqa: ARG002 - part of the interface
    ) -> None:
        found = self._shown(zone)
        if found is None:
            return
        if not self._is_ours(found):
            raise self.foreign(self._web.label, _kind_of(found))
        response = self._web.call("DELETE", _path(zone.name))
        if not response.good and response.status != NOT_FOUND:
            raise self._refused("delete", zone, response)

    def inspect(self, zone: ZoneAnnouncement) -> FoundZone | None:
        found = self._shown(zone)
        return None if found is None else self._found(zone.name, found)

    def find_zones(self, timeout_s: float) -> Iterator[FoundZone]:
        response = self._web.call(
            "GET", f"{ZONES}?dnssec=false", timeout_s=timeout_s, max_bytes=MAX_LISTING_BYTES
        )
        shown = response.json()
        if not response.good or not isinstance(shown, list):
            raise self._web.refused("list the zones", response, "error")
        for found in shown:
            yield self._found(str(found.get("name")), found)

    def trigger_transfer(self, zone: ZoneAnnouncement) -> None:
        """Retrieve the zone through the API, which starts at once.

        PowerDNS handles NOTIFY once a second. The transfer is incremental if the zone's metadata says so.
        """
        if not self._apply_ixfr(zone):
            self._retrieve(zone)

    def reconcile(self, zone: ZoneAnnouncement) -> None:
        """Bring a zone that is served to the option ixfr."""
        self._apply_ixfr(zone)

    def _retrieve(self, zone: ZoneAnnouncement) -> None:
        response = self._web.call("PUT", _path(zone.name) + "/axfr-retrieve")
        if not response.good:
            raise self._refused("transfer", zone, response)

    def _shown(self, zone: ZoneAnnouncement) -> dict[str, Any] | None:
        """Return the zone's settings as PowerDNS has them; None if there is none."""
        response = self._web.call("GET", _path(zone.name) + "?rrsets=false")
        if response.status == NOT_FOUND:
            return None
        shown = response.json()
        if not response.good or not isinstance(shown, dict):
            raise self._refused("read", zone, response)
        return shown

    def _found(self, name: str, shown: dict[str, Any]) -> FoundZone:
        return FoundZone(name=name, kind=_kind_of(shown), is_ours=self._is_ours(shown))

    def _is_ours(self, shown: dict[str, Any]) -> bool:
        if not _is_secondary(shown):
            return False
        return shown.get("account") == self._account or self.follows_ours(_masters_of(shown))

    def _take(self, zone: ZoneAnnouncement, shown: dict[str, Any], desired: dict[str, Any]) -> bool:
        """Correct the settings of an existing zone of ours, or of any other if the target adopts.

        The data stays, so that the zone is served meanwhile; a transfer replaces it, whatever its serial.

        Returns:
            Whether there was anything to correct.
        """
        if not self._is_ours(shown) and not self.adopts:
            raise self.foreign(self._web.label, _kind_of(shown))
        if not shown.get("account") or not self._is_ours(shown):
            desired = {**desired, "account": self._account}
        if not _differs(shown, desired):
            return False
        changed = self._web.call("PUT", _path(zone.name), desired)
        if not changed.good:
            raise self._refused("change", zone, changed)
        self._compared.put(zone.zone_id, False)
        return True

    def _apply_ixfr(self, zone: ZoneAnnouncement) -> bool:
        """Bring the zone's metadata to the option ixfr, and return whether that changed and transferred it.

        What IXFR left wrong is corrected only by a transfer of the whole zone.
        """
        if self._compared.get(zone.zone_id):
            return False
        response = self._web.call("GET", _path(zone.name) + "/metadata/IXFR")
        if not response.good and response.status != NOT_FOUND:
            raise self._refused("read the metadata of", zone, response)
        changes = bool(response.member("metadata") == ["1"]) != self._ixfr
        if changes:
            self._set_ixfr(zone)
            self._retrieve(zone)
        self._compared.put(zone.zone_id, True)
        return changes

    def _set_ixfr(self, zone: ZoneAnnouncement) -> None:
        """Set the zone's metadata; PowerDNS requests AXFR without it."""
        metadata = {"kind": "IXFR", "metadata": ["1" if self._ixfr else "0"]}
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


def _differs(shown: dict[str, Any], desired: dict[str, Any]) -> bool:
    keys = [str(key).rstrip(".").lower() for key in shown.get("slave_tsig_key_ids") or ()]
    desired_keys = [key.rstrip(".").lower() for key in desired.get("slave_tsig_key_ids", keys)]
    return (
        not _is_secondary(shown)
        or set(map(_with_port, shown.get("masters") or ())) != set(desired["masters"])
        or keys != desired_keys
        or shown.get("account") != desired.get("account", shown.get("account"))
    )


def _is_secondary(shown: dict[str, Any]) -> bool:
    return str(shown.get("kind")).lower() in _SECONDARY


def _kind_of(shown: dict[str, Any]) -> str:
    """Return the zone's kind for people."""
    kind = f"kind {shown.get('kind')}"
    if not _is_secondary(shown):
        return kind
    return f"{kind}, of {', '.join(map(str, shown.get('masters') or ())) or 'nobody'}"


def _masters_of(shown: dict[str, Any]) -> list[primaries.Address]:
    texts = ",".join(_with_port(str(master)) for master in shown.get("masters") or ())
    return [(master.host, master.port) for master in primaries.parse(texts)]


def _with_port(shown: str) -> str:
    """Return a master with its port; PowerDNS shows neither port 53 nor, then, the brackets."""
    try:
        return primaries.text((str(ipaddress.ip_address(shown)), 53))
    except ValueError:
        return shown
