"""Akamai Edge DNS: secondary zones through API v2."""

from __future__ import annotations

import logging
import threading
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from designate import errors
from designate.backend import primaries
from designate.backend.base import NOTIFY_OPTIONS, BackendOption, FoundZone
from designate.backend.hosted import API_OPTIONS, COMMENT, DNS_PORT, HostedBackend
from designate.backend.http_client import HttpResponse, Signing
from designate.model.pools import Target
from designate.model.zones import ZoneAnnouncement

LOG = logging.getLogger(__name__)

ZONES = "/config-dns/v2/zones"
DELETIONS = f"{ZONES}/delete-requests"
FORBIDDEN, NOT_FOUND, CONFLICT = 403, 404, 409
POLLS_S = (0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
"""Pauses between the polls of a deletion."""
_CREDENTIALS = ("akamai_client_token", "akamai_client_secret", "akamai_access_token")


class AkamaiBackend(HostedBackend):
    """Creates secondary zones in Akamai Edge DNS, which transfers from port 53 only.

    Needs the library of designate[akamai], and an API client that may read and write Edge DNS.
    """

    OPTIONS: ClassVar[tuple[BackendOption, ...]] = (
        *NOTIFY_OPTIONS,
        BackendOption(name="akamai_host", meaning="host of the API client, or its URL"),
        BackendOption(
            name="akamai_client_token", meaning="client token of the API client", secret=True
        ),
        BackendOption(
            name="akamai_client_secret", meaning="client secret of the API client", secret=True
        ),
        BackendOption(
            name="akamai_access_token", meaning="access token of the API client", secret=True
        ),
        BackendOption(name="akamai_contract_id", meaning="id of the contract for new zones"),
        BackendOption(name="akamai_gid", meaning="id of the group for new zones"),
        *API_OPTIONS,
        BackendOption(name="tsig_key_name", meaning="name of the TSIG key for transfers"),
        BackendOption(name="tsig_key_algorithm", meaning="its algorithm, such as hmac-sha256"),
        BackendOption(name="tsig_key_secret", meaning="its secret, in base64", secret=True),
    )
    IDENTITY: ClassVar[tuple[str, ...]] = ("akamai_host",)

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        tokens = [self.required_option(name) for name in _CREDENTIALS]
        self._key = self.option_group("tsig_key_name", "tsig_key_algorithm", "tsig_key_secret")
        query = {"contractId": self.required_option("akamai_contract_id")}
        if self.option("akamai_gid"):
            query["gid"] = self.required_option("akamai_gid")
        self._query = urlencode(query)
        self._web = self.client(
            "Akamai",
            self.required_option("akamai_host"),
            secrets=(*tokens, self.option("tsig_key_secret")),
            sign=_signing(*tokens),
        )
        for master in target.masters:
            if master.port != DNS_PORT:
                LOG.warning(
                    "target type akamai_v2: Akamai transfers from master %s at port %s, not at port %s",
                    master.host, DNS_PORT, master.port,
                )  # fmt: skip

    def transfer_with(self, key_name: str) -> None:
        self.needs_key_options("tsig_key_name", "tsig_key_algorithm", "tsig_key_secret")
        super().transfer_with(key_name)

    def create_zone(self, zone: ZoneAnnouncement) -> None:
        response = self._web.call("POST", f"{ZONES}?{self._query}", self._desired(zone))
        if response.status == CONFLICT:
            if not self._adjust(zone):
                raise self.foreign(self._web.label, "of another contract", can_adopt=False)
        elif not response.good:
            raise self._refused("create", zone, response)

    def update_zone(self, zone: ZoneAnnouncement) -> None:
        """Add a missing zone; correct the masters or the key of an existing one."""
        if not self._adjust(zone):
            self.create_zone(zone)

    def delete_zone(
        self,
        zone: ZoneAnnouncement,
        *,
        hard_delete: bool,  # noqa: ARG002 - part of the interface
    ) -> None:
        """Delete with force where the API client may do that; otherwise Akamai checks first."""
        found = self._fetch(zone)
        if found is None:
            return
        self._check(found, adopts=False)
        body = {"zones": [_name(zone)]}
        response = self._web.call("POST", f"{DELETIONS}?force=true", body)
        if response.status == FORBIDDEN:
            response = self._web.call("POST", f"{DELETIONS}?force=false", body)
        if response.status == NOT_FOUND:
            return
        if not response.good:
            raise self._refused("delete", zone, response)
        self._wait(zone, str(response.member("requestId")))

    def _wait(self, zone: ZoneAnnouncement, request_id: str) -> None:
        """Wait for a deletion. Raises BackendError if it fails or takes longer than POLLS_S."""
        pause = threading.Event()
        for delay_s in POLLS_S:
            response = self._web.call("GET", f"{DELETIONS}/{quote(request_id, safe='')}")
            if not response.good:
                raise self._refused("read the deletion of", zone, response)
            if response.member("isComplete"):
                if response.member("failureCount"):
                    raise self._web.error(f"delete {zone.name} failed")
                return
            pause.wait(delay_s)
        raise self._web.error(f"delete {zone.name} is not complete yet")

    def _adjust(self, zone: ZoneAnnouncement) -> bool:
        """Correct the settings of an existing zone; return False if there is none."""
        found = self._fetch(zone)
        if found is None:
            return False
        self._check(found, adopts=self.adopts)
        desired = self._desired(zone)
        if _settings(found) != _settings(desired):
            changed = self._web.call("PUT", _path(zone), desired)
            if not changed.good:
                raise self._refused("change", zone, changed)
        return True

    def inspect(self, zone: ZoneAnnouncement) -> FoundZone | None:
        found = self._fetch(zone)
        if found is None:
            return None
        return FoundZone(name=zone.name, kind=_kind(found), is_ours=self._is_ours(found))

    def _fetch(self, zone: ZoneAnnouncement) -> dict[str, Any] | None:
        """Return the zone's settings; None if there is no zone that this client can see."""
        found = self._web.call("GET", _path(zone))
        if found.status == NOT_FOUND:
            return None
        shown = found.json()
        if not found.good or not isinstance(shown, dict):
            raise self._refused("read", zone, found)
        return shown

    def _is_ours(self, found: dict[str, Any]) -> bool:
        if not _is_secondary(found):
            return False
        marked = str(found.get("comment") or "").startswith(COMMENT)
        return marked or self.follows_our_hosts(map(str, found.get("masters") or ()))

    def _check(self, found: dict[str, Any], *, adopts: bool) -> None:
        """Raise ForeignZone for a zone that is not ours and not to be adopted."""
        self.require_ours(
            self._web.label,
            _kind(found),
            is_ours=self._is_ours(found),
            adopts=adopts,
            adoptable=_is_secondary(found),
        )

    def _desired(self, zone: ZoneAnnouncement) -> dict[str, Any]:
        hosts = [host for host, _ in primaries.addresses(self.target, zone.zone_id)]
        desired: dict[str, Any] = {
            "zone": _name(zone),
            "type": "SECONDARY",
            "comment": COMMENT,
            "masters": list(dict.fromkeys(hosts)),
        }
        if self._key:
            desired["tsigKey"] = {
                "name": self._key["tsig_key_name"],
                "algorithm": self._key["tsig_key_algorithm"],
                "secret": self._key["tsig_key_secret"],
            }
        return desired

    def _refused(
        self, verb: str, zone: ZoneAnnouncement, response: HttpResponse
    ) -> errors.BackendError:
        return self._web.refused(f"{verb} {zone.name}", response, "detail")


def _path(zone: ZoneAnnouncement) -> str:
    return f"{ZONES}/{quote(_name(zone), safe='')}"


def _is_secondary(found: dict[str, Any]) -> bool:
    return str(found.get("type")).upper() == "SECONDARY"


def _kind(found: dict[str, Any]) -> str:
    """Return the zone's type for people."""
    kind = f"type {found.get('type')}"
    masters = ", ".join(map(str, found.get("masters") or ()))
    return f"{kind}, of {masters}" if masters else kind


def _name(zone: ZoneAnnouncement) -> str:
    return zone.name.rstrip(".")


def _settings(shown: Any) -> tuple[Any, ...]:
    key = shown.get("tsigKey") or {}
    return (
        str(shown.get("type")).upper(),
        set(shown.get("masters") or ()),
        key.get("name"),
        key.get("algorithm"),
        key.get("secret"),
    )


def _signing(client_token: str, client_secret: str, access_token: str) -> Signing:
    """Return EdgeGrid's signing. Raises ConfigurationError if its library is not installed."""
    try:
        import requests
        from akamai import edgegrid
    except ImportError:
        raise errors.ConfigurationError(
            "target type akamai_v2: edgegrid is not installed (pip install designate[akamai])"
        ) from None
    # At the level DEBUG it logs its keys, and the bodies with the keys of transfers.
    logging.getLogger("akamai.edgegrid").setLevel(logging.INFO)
    auth = edgegrid.EdgeGridAuth(
        client_token=client_token, client_secret=client_secret, access_token=access_token
    )

    def sign(method: str, url: str, body: bytes | None) -> dict[str, str]:
        request = requests.Request(method, url, data=body, auth=auth).prepare()
        return {"Authorization": str(request.headers["Authorization"])}

    return sign
