"""PowerDNS Authoritative (4.3 and later), told by its HTTP API to add and remove secondary zones."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, ClassVar

from designate import errors
from designate.backend import primaries
from designate.backend.base import NOTIFY_OPTIONS, Backend, BackendOption
from designate.backend.http_client import Answer, Tls, WebClient
from designate.model.pools import Target
from designate.model.zones import ZoneAnnouncement

ZONES = "/api/v1/servers/localhost/zones"
NOT_FOUND, CONFLICT = 404, 409
_KIND = "Slave"  # The one word that every release from 4.0 on takes and shows.


class Pdns4Backend(Backend):
    """Needs `api=yes`, `webserver=yes`, `secondary=yes` (before 4.5: `slave=yes`) and a database."""

    OPTIONS: ClassVar[tuple[BackendOption, ...]] = (
        *NOTIFY_OPTIONS,
        BackendOption(name="api_endpoint", meaning="the API's URL: scheme, host and port"),
        BackendOption(name="api_token", meaning="the API's key", secret=True),
        BackendOption(name="api_timeout", default="5", meaning="seconds for one call"),
        BackendOption(name="api_ca_cert", meaning="file with the authorities of the API's HTTPS"),
        BackendOption(
            name="verify_ssl", default="true", meaning="whether the API's certificate is checked"
        ),
        BackendOption(
            name="tsigkey_name",
            meaning="a TSIG key that PowerDNS has, for its transfers; unset: that of tsigkey_id",
        ),
        BackendOption(
            name="ixfr", default="true", meaning="whether PowerDNS asks for differences (IXFR)"
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
            tls=Tls(
                verify=self.bool_option("verify_ssl"),
                ca_file=None if ca_file == "changeme" else ca_file,  # devstack's filler
            ),
        )

    def create_zone(self, zone: ZoneAnnouncement) -> None:
        wanted = self._wanted(zone)
        answer = self._web.call("POST", ZONES, {"name": zone.name, **wanted})
        if answer.status == CONFLICT and self._adjust(zone, wanted):
            return
        if not answer.good:
            raise self._refused("create", zone, answer)
        self._set_ixfr(zone)

    def update_zone(self, zone: ZoneAnnouncement) -> None:
        """Adds a missing zone; gives one with other masters, key or kind the target's."""
        if not self._adjust(zone, self._wanted(zone)):
            self.create_zone(zone)

    def delete_zone(self, zone: ZoneAnnouncement, *, hard_delete: bool) -> None:
        answer = self._web.call("DELETE", _path(zone.name))
        if not answer.good and answer.status != NOT_FOUND:
            raise self._refused("delete", zone, answer)

    def trigger_transfer(self, zone: ZoneAnnouncement) -> None:
        """PowerDNS looks once a second at what a NOTIFY told it. What its API is asked for begins at
        once, and is a difference too where the zone's metadata says so."""
        answer = self._web.call("PUT", _path(zone.name) + "/axfr-retrieve")
        if not answer.good:
            raise self._refused("transfer", zone, answer)

    def _adjust(self, zone: ZoneAnnouncement, wanted: dict[str, Any]) -> bool:
        """Changes an existing zone's settings where they differ; False: there is no such zone. Its data
        stays, so that nothing is unserved meanwhile; a transfer replaces what is not ours."""
        answer = self._web.call("GET", _path(zone.name) + "?rrsets=false")
        if answer.status == NOT_FOUND:
            return False
        if not answer.good:
            raise self._refused("look at", zone, answer)
        if _differs(answer, wanted):
            changed = self._web.call("PUT", _path(zone.name), wanted)
            if not changed.good:
                raise self._refused("change", zone, changed)
        self._set_ixfr(zone)
        return True

    def _set_ixfr(self, zone: ZoneAnnouncement) -> None:
        """PowerDNS asks for whole zones unless a zone's metadata says otherwise."""
        if not self._ixfr:
            return
        metadata = {"kind": "IXFR", "metadata": ["1"]}
        answer = self._web.call("PUT", _path(zone.name) + "/metadata/IXFR", metadata)
        if not answer.good:
            raise self._refused("set IXFR of", zone, answer)

    def _wanted(self, zone: ZoneAnnouncement) -> dict[str, Any]:
        addresses = primaries.addresses(self.target, zone.zone_id)
        wanted: dict[str, Any] = {
            "kind": _KIND,
            "masters": [primaries.text(address) for address in addresses],
        }
        key = self.option("tsigkey_name") or self.key_name
        if key:
            wanted["slave_tsig_key_ids"] = [key]
        return wanted

    def _refused(self, verb: str, zone: ZoneAnnouncement, answer: Answer) -> errors.BackendError:
        return self._web.refused(f"{verb} {zone.name}", answer, "error")


def _path(name: str) -> str:
    """Of a zone. PowerDNS has its own encoding of what no URL can hold: `=` and two hex digits."""
    encoded = re.sub(
        rb"[^A-Za-z0-9.-]", lambda match: b"=%02X" % ord(match.group()), name.encode()
    ).decode()
    return f"{ZONES}/{encoded}"


def _differs(answer: Answer, wanted: dict[str, Any]) -> bool:
    keys = [str(key).rstrip(".").lower() for key in answer.member("slave_tsig_key_ids") or ()]
    wanted_keys = [key.rstrip(".").lower() for key in wanted.get("slave_tsig_key_ids", keys)]
    return (
        str(answer.member("kind")).lower() != _KIND.lower()
        or set(map(_full, answer.member("masters") or ())) != set(wanted["masters"])
        or keys != wanted_keys
    )


def _full(shown: str) -> str:
    """A master as PowerDNS shows it, which leaves out port 53 and then the brackets."""
    try:
        return primaries.text((str(ipaddress.ip_address(shown)), 53))
    except ValueError:
        return shown
