"""Akamai Edge DNS, told by its API v2 to add and remove secondary zones."""

from __future__ import annotations

import logging
import threading
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from designate import errors
from designate.backend import primaries
from designate.backend.base import NOTIFY_OPTIONS, BackendOption
from designate.backend.hosted import API_OPTIONS, DNS_PORT, HostedBackend
from designate.backend.http_client import Answer, Signing
from designate.model.pools import Target
from designate.model.zones import ZoneAnnouncement

LOG = logging.getLogger(__name__)

ZONES = "/config-dns/v2/zones"
DELETIONS = f"{ZONES}/delete-requests"
FORBIDDEN, NOT_FOUND, CONFLICT = 403, 404, 409
POLLS_S = (0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
"""Between the looks at a deletion that takes its time."""
_CREDENTIALS = ("akamai_client_token", "akamai_client_secret", "akamai_access_token")


class AkamaiBackend(HostedBackend):
    """Needs the library of designate[akamai], and an API client that may read and write Edge DNS.
    Akamai transfers from port 53 alone."""

    OPTIONS: ClassVar[tuple[BackendOption, ...]] = (
        *NOTIFY_OPTIONS,
        BackendOption(name="akamai_host", meaning="the API client's host, or its URL"),
        BackendOption(name="akamai_client_token", meaning="of the API client", secret=True),
        BackendOption(name="akamai_client_secret", meaning="of the API client", secret=True),
        BackendOption(name="akamai_access_token", meaning="of the API client", secret=True),
        BackendOption(name="akamai_contract_id", meaning="the contract of new zones"),
        BackendOption(name="akamai_gid", meaning="the group of new zones"),
        *API_OPTIONS,
        BackendOption(name="tsig_key_name", meaning="name of the TSIG key for transfers"),
        BackendOption(name="tsig_key_algorithm", meaning="its algorithm, as hmac-sha256"),
        BackendOption(name="tsig_key_secret", meaning="its secret, in base64", secret=True),
    )
    PLACE: ClassVar[tuple[str, ...]] = ("akamai_host",)

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        tokens = [self.required_option(name) for name in _CREDENTIALS]
        self._key = self.together("tsig_key_name", "tsig_key_algorithm", "tsig_key_secret")
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
                    "Akamai will ask master %s at port %s, not %s",
                    master.host, DNS_PORT, master.port,
                )  # fmt: skip

    def transfer_with(self, key_name: str) -> None:
        self.needs_key_options("tsig_key_name", "tsig_key_algorithm", "tsig_key_secret")
        super().transfer_with(key_name)

    def create_zone(self, zone: ZoneAnnouncement) -> None:
        answer = self._web.call("POST", f"{ZONES}?{self._query}", self._wanted(zone))
        # The name may be taken in a contract that this client does not see.
        if not answer.good and not (answer.status == CONFLICT and self._adjust(zone)):
            raise self._refused("create", zone, answer)

    def update_zone(self, zone: ZoneAnnouncement) -> None:
        """Adds a missing zone; gives one with other masters or another key the target's."""
        if not self._adjust(zone):
            self.create_zone(zone)

    def delete_zone(self, zone: ZoneAnnouncement, *, hard_delete: bool) -> None:
        """At once where the API client may do that; else Akamai first looks whether it can be done."""
        body = {"zones": [_name(zone)]}
        answer = self._web.call("POST", f"{DELETIONS}?force=true", body)
        if answer.status == FORBIDDEN:
            answer = self._web.call("POST", f"{DELETIONS}?force=false", body)
        if answer.status == NOT_FOUND:
            return
        if not answer.good:
            raise self._refused("delete", zone, answer)
        self._wait(zone, str(answer.member("requestId")))

    def _wait(self, zone: ZoneAnnouncement, request_id: str) -> None:
        """Until the deletion is done. Raises BackendError: it failed, or takes longer than POLLS_S."""
        never = threading.Event()
        for delay_s in POLLS_S:
            answer = self._web.call("GET", f"{DELETIONS}/{quote(request_id, safe='')}")
            if not answer.good:
                raise self._refused("look at the deletion of", zone, answer)
            if answer.member("isComplete"):
                if answer.member("failureCount"):
                    raise self._web.error(f"delete {zone.name} failed")
                return
            never.wait(delay_s)
        raise self._web.error(f"delete {zone.name} is not complete yet")

    def _adjust(self, zone: ZoneAnnouncement) -> bool:
        """Changes an existing zone's settings where they differ; False: there is no such zone."""
        path = f"{ZONES}/{quote(_name(zone), safe='')}"
        found = self._web.call("GET", path)
        if found.status == NOT_FOUND:
            return False
        if not found.good:
            raise self._refused("look at", zone, found)
        wanted = self._wanted(zone)
        if _settings(found.json()) != _settings(wanted):
            changed = self._web.call("PUT", path, wanted)
            if not changed.good:
                raise self._refused("change", zone, changed)
        return True

    def _wanted(self, zone: ZoneAnnouncement) -> dict[str, Any]:
        hosts = [host for host, _ in primaries.addresses(self.target, zone.zone_id)]
        wanted: dict[str, Any] = {
            "zone": _name(zone),
            "type": "SECONDARY",
            "comment": "Created by Designate",
            "masters": list(dict.fromkeys(hosts)),
        }
        if self._key:
            wanted["tsigKey"] = {
                "name": self._key["tsig_key_name"],
                "algorithm": self._key["tsig_key_algorithm"],
                "secret": self._key["tsig_key_secret"],
            }
        return wanted

    def _refused(self, verb: str, zone: ZoneAnnouncement, answer: Answer) -> errors.BackendError:
        return self._web.refused(f"{verb} {zone.name}", answer, "detail")


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
    """EdgeGrid's, for each request. Raises ConfigurationError: its library is not installed."""
    try:
        import requests
        from akamai import edgegrid
    except ImportError:
        raise errors.ConfigurationError(
            "target type akamai_v2: edgegrid is not installed (pip install designate[akamai])"
        ) from None
    # It logs its keys, and the bodies with those of transfers, when it debugs.
    logging.getLogger("akamai.edgegrid").setLevel(logging.INFO)
    auth = edgegrid.EdgeGridAuth(
        client_token=client_token, client_secret=client_secret, access_token=access_token
    )

    def sign(method: str, url: str, body: bytes | None) -> dict[str, str]:
        request = requests.Request(method, url, data=body, auth=auth).prepare()
        return {"Authorization": str(request.headers["Authorization"])}

    return sign
