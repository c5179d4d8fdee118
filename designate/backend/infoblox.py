"""Infoblox NIOS: zones through its WAPI, transferred by a name server group."""

from __future__ import annotations

import logging
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from oslo_utils import strutils

from designate import errors
from designate.backend import nios
from designate.backend.base import (
    NOTIFY_OPTIONS,
    OWNERSHIP_OPTIONS,
    Backend,
    BackendOption,
    FoundZone,
)
from designate.backend.hosted import COMMENT, only_dns_port
from designate.backend.http_client import ClientTls, HttpResponse, WebClient, basic
from designate.model.pools import Target
from designate.model.zones import ZoneAnnouncement

LOG = logging.getLogger(__name__)

NOT_FOUND = 404
_RESTART = {"restart_option": "RESTART_IF_NEEDED", "mode": "GROUPED", "services": ["DNS"]}


def _kind(found: dict[str, Any]) -> str:
    """Return where the zone is transferred from, for people."""
    if found.get("ns_group"):
        return f"name server group {found['ns_group']}"
    listed = ", ".join(str(each.get("address")) for each in found.get("external_primaries") or ())
    return f"secondary, of {listed}" if listed else "primary"


class InfobloxBackend(Backend):
    """Creates zones in Infoblox NIOS.

    Needs an administrator with permission for API calls and for the zones of the view, and a name
    server group whose external primaries are the target's masters. The masters and the keys for
    transfers are configured only there.
    """

    OPTIONS: ClassVar[tuple[BackendOption, ...]] = (
        *NOTIFY_OPTIONS,
        BackendOption(
            name="wapi_url", meaning="URL of the API, such as https://grid.example/wapi/v2.10/"
        ),
        BackendOption(name="wapi_host", meaning="host of the grid master, instead of wapi_url"),
        BackendOption(
            name="wapi_version", default="2.10", meaning="version of the WAPI, with wapi_host"
        ),
        BackendOption(name="username", meaning="name of the administrator"),
        BackendOption(name="password", meaning="password of the user", secret=True),
        BackendOption(
            name="sslverify",
            default="true",
            meaning="whether the certificate of the API is verified, or a file with its authorities",
        ),
        BackendOption(name="cert", meaning="file with the client certificate"),
        BackendOption(name="key", meaning="file with the key of the client certificate"),
        BackendOption(name="api_timeout", default="10", meaning="timeout of one call in seconds"),
        BackendOption(name="dns_view", default="default", meaning="DNS view of the zones"),
        BackendOption(name="ns_group", meaning="name server group of the zones"),
        *OWNERSHIP_OPTIONS,
        BackendOption(
            name="multi_tenant", default="false", meaning="a view for each project; not supported"
        ),
    )

    INSPECTS: ClassVar[bool] = True
    IDENTITY: ClassVar[tuple[str, ...]] = ("wapi_url", "wapi_host", "dns_view")

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        only_dns_port(target)
        if self.bool_option("multi_tenant"):
            raise errors.ConfigurationError(
                "target type infoblox: multi_tenant: a view for each project is not supported"
            )
        url = self.option("wapi_url") or "https://{}/wapi/v{}/".format(
            self.required_option("wapi_host"), self.required_option("wapi_version")
        )
        before, slash, version = url.partition("/wapi/v")
        if not slash or not version.strip("/"):
            raise errors.ConfigurationError(
                f"target type infoblox: wapi_url: {url!r} is not of the form https://host/wapi/v2.10/"
            )
        self._base = f"/wapi/v{version.strip('/')}"
        self._view = self.required_option("dns_view")
        self._group = self.option("ns_group")
        password = self.required_option("password")
        headers = basic(self.required_option("username"), password)
        self._web = WebClient(
            "Infoblox",
            before,
            timeout_s=self.seconds_option("api_timeout"),
            headers=headers,
            tls=self._tls(),
            secrets=(password, headers["Authorization"].split()[1]),
        )

    def _tls(self) -> ClientTls:
        """Return the TLS settings; sslverify is a boolean or a path."""
        text = self.required_option("sslverify")
        try:
            verify, ca_file = strutils.bool_from_string(text, strict=True), None
        except ValueError:
            verify, ca_file = True, text
        return ClientTls(
            verify=verify,
            ca_file=ca_file,
            cert_file=self.option("cert"),
            key_file=self.option("key"),
        )

    def create_zone(self, zone: ZoneAnnouncement) -> None:
        if not self._adjust(zone):
            response = self._web.call("POST", f"{self._base}/zone_auth", self._desired(zone))
            if not response.good and not self._adjust(zone):  # another worker may have created it
                raise self._refused("create", zone, response)
        self._restart()

    def update_zone(self, zone: ZoneAnnouncement) -> None:
        """Add a missing zone; correct the name server group of an existing one."""
        self.create_zone(zone)

    def delete_zone(
        self,
        zone: ZoneAnnouncement,
        *,
        hard_delete: bool,  # noqa: ARG002 - part of the interface
    ) -> None:
        if not nios.has_address(zone.name):
            return
        for found in self._find(zone):
            self._check(found, adopts=False)
            response = self._web.call("DELETE", self._path(found))
            if not response.good and response.status != NOT_FOUND:
                raise self._refused("delete", zone, response)
        self._restart()

    def _find(self, zone: ZoneAnnouncement) -> list[Any]:
        """Return the view's zones of that name: none or one."""
        query = {
            "fqdn": nios.zone_address(zone.name).fqdn,
            "view": self._view,
            "_return_fields": "fqdn,view,ns_group,comment,external_primaries",
        }
        response = self._web.call("GET", f"{self._base}/zone_auth?{urlencode(query)}")
        found = response.json()
        if not response.good or not isinstance(found, list):
            raise self._refused("find", zone, response)
        return found

    def _adjust(self, zone: ZoneAnnouncement) -> bool:
        """Set the group of an existing zone; return False if there is none."""
        existing = self._find(zone)
        for found in existing:
            self._check(found, adopts=self.adopts)
            if self._group and found.get("ns_group") != self._group:
                desired = {"ns_group": self._group}
                response = self._web.call("PUT", self._path(found), desired)
                if not response.good:
                    raise self._refused("change", zone, response)
        return bool(existing)

    def inspect(self, zone: ZoneAnnouncement) -> FoundZone | None:
        for found in self._find(zone) if nios.has_address(zone.name) else ():
            return FoundZone(name=zone.name, kind=_kind(found), is_ours=self._is_ours(found))
        return None

    def _is_ours(self, found: dict[str, Any]) -> bool:
        if str(found.get("comment") or "").startswith(COMMENT):
            return True
        if self._group:
            return bool(found.get("ns_group") == self._group)
        listed = found.get("external_primaries") or ()
        return self.follows_our_hosts(str(primary.get("address")) for primary in listed)

    def _check(self, found: dict[str, Any], *, adopts: bool) -> None:
        """Raise ForeignZone for a zone that is not ours and not to be adopted."""
        if not adopts and not self._is_ours(found):
            raise self.foreign(self._web.label, _kind(found), can_adopt=bool(self._group))

    def _desired(self, zone: ZoneAnnouncement) -> dict[str, Any]:
        address = nios.zone_address(zone.name)
        desired = {
            "fqdn": address.fqdn,
            "zone_format": address.format,
            "view": self._view,
            "comment": COMMENT,
        }
        if address.prefix:
            desired["prefix"] = address.prefix
        if self._group:
            desired["ns_group"] = self._group
        return desired

    def _path(self, found: Any) -> str:
        return f"{self._base}/{quote(str(found['_ref']), safe='/:')}"

    def _restart(self) -> None:
        """Restart the grid's services, which then load the changes.

        A failure is only logged: the change is stored, and any later restart loads it.
        """
        try:
            response = self._web.call("GET", f"{self._base}/grid")
            for grid in response.json() or () if response.good else ():
                path = f"{self._path(grid)}?_function=restartservices"
                response = self._web.call("POST", path, _RESTART)
            if not response.good:
                raise self._web.refused("restart of the grid's services", response, "text")
        except errors.BackendError as error:
            LOG.warning("restart of the grid's services: %s", error)

    def _refused(
        self, verb: str, zone: ZoneAnnouncement, response: HttpResponse
    ) -> errors.BackendError:
        return self._web.refused(f"{verb} {zone.name}", response, "text")
