"""Infoblox NIOS, told by its WAPI to add and remove zones, which a name server group transfers."""

from __future__ import annotations

import logging
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from oslo_utils import strutils

from designate import errors
from designate.backend import nios
from designate.backend.base import NOTIFY_OPTIONS, Backend, BackendOption
from designate.backend.hosted import only_dns_port
from designate.backend.http_client import Answer, Tls, WebClient, basic
from designate.model.pools import Target
from designate.model.zones import ZoneAnnouncement

LOG = logging.getLogger(__name__)

NOT_FOUND = 404
_RESTART = {"restart_option": "RESTART_IF_NEEDED", "mode": "GROUPED", "services": ["DNS"]}


class InfobloxBackend(Backend):
    """Needs an administrator with the permission for API calls and for the view's zones, and a name
    server group whose external primaries are the target's masters: they, and the keys for transfers,
    are said there alone."""

    OPTIONS: ClassVar[tuple[BackendOption, ...]] = (
        *NOTIFY_OPTIONS,
        BackendOption(name="wapi_url", meaning="the API's URL: https://grid.example/wapi/v2.10/"),
        BackendOption(name="wapi_host", meaning="instead of wapi_url: the grid master"),
        BackendOption(name="wapi_version", default="2.10", meaning="with wapi_host: the version"),
        BackendOption(name="username", meaning="the administrator"),
        BackendOption(name="password", meaning="that user's password", secret=True),
        BackendOption(
            name="sslverify",
            default="true",
            meaning="whether the API's certificate is checked, or a file with its authorities",
        ),
        BackendOption(name="cert", meaning="file with the certificate that this side shows"),
        BackendOption(name="key", meaning="file with its key"),
        BackendOption(name="api_timeout", default="10", meaning="seconds for one call"),
        BackendOption(name="dns_view", default="default", meaning="the view of the zones"),
        BackendOption(name="ns_group", meaning="the name server group of the zones"),
        BackendOption(
            name="multi_tenant", default="false", meaning="views for each project: not possible"
        ),
    )
    PLACE: ClassVar[tuple[str, ...]] = ("wapi_url", "wapi_host", "dns_view")

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        only_dns_port(target)
        if self.bool_option("multi_tenant"):
            raise errors.ConfigurationError(
                "target type infoblox: multi_tenant: views for each project are not possible"
            )
        url = self.option("wapi_url") or "https://{}/wapi/v{}/".format(
            self.required_option("wapi_host"), self.required_option("wapi_version")
        )
        before, slash, version = url.partition("/wapi/v")
        if not slash or not version.strip("/"):
            raise errors.ConfigurationError(
                f"target type infoblox: wapi_url: {url!r} is not like https://host/wapi/v2.10/"
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

    def _tls(self) -> Tls:
        """sslverify is a yes, a no or a path."""
        text = self.required_option("sslverify")
        try:
            verify, ca_file = strutils.bool_from_string(text, strict=True), None
        except ValueError:
            verify, ca_file = True, text
        return Tls(
            verify=verify,
            ca_file=ca_file,
            cert_file=self.option("cert"),
            key_file=self.option("key"),
        )

    def create_zone(self, zone: ZoneAnnouncement) -> None:
        if not self._adjust(zone):
            answer = self._web.call("POST", f"{self._base}/zone_auth", self._wanted(zone))
            if not answer.good and not self._adjust(zone):  # Another worker may have been first.
                raise self._refused("create", zone, answer)
        self._restart()

    def update_zone(self, zone: ZoneAnnouncement) -> None:
        """Adds a missing zone; gives one with another name server group the target's."""
        self.create_zone(zone)

    def delete_zone(self, zone: ZoneAnnouncement, *, hard_delete: bool) -> None:
        if not nios.possible(zone.name):
            return
        for found in self._find(zone):
            answer = self._web.call("DELETE", self._path(found))
            if not answer.good and answer.status != NOT_FOUND:
                raise self._refused("delete", zone, answer)
        self._restart()

    def _find(self, zone: ZoneAnnouncement) -> list[Any]:
        """The view's zones of that name: none or one."""
        query = {
            "fqdn": nios.place(zone.name).fqdn,
            "view": self._view,
            "_return_fields": "fqdn,view,ns_group",
        }
        answer = self._web.call("GET", f"{self._base}/zone_auth?{urlencode(query)}")
        found = answer.json()
        if not answer.good or not isinstance(found, list):
            raise self._refused("look for", zone, answer)
        return found

    def _adjust(self, zone: ZoneAnnouncement) -> bool:
        """Gives an existing zone the target's group; False: there is no such zone."""
        existing = self._find(zone)
        for found in existing:
            if self._group and found.get("ns_group") != self._group:
                wanted = {"ns_group": self._group}
                answer = self._web.call("PUT", self._path(found), wanted)
                if not answer.good:
                    raise self._refused("change", zone, answer)
        return bool(existing)

    def _wanted(self, zone: ZoneAnnouncement) -> dict[str, Any]:
        place = nios.place(zone.name)
        wanted = {"fqdn": place.fqdn, "zone_format": place.format, "view": self._view}
        if place.prefix:
            wanted["prefix"] = place.prefix
        if self._group:
            wanted["ns_group"] = self._group
        return wanted

    def _path(self, found: Any) -> str:
        return f"{self._base}/{quote(str(found['_ref']), safe='/:')}"

    def _restart(self) -> None:
        """Servers of the grid take changes up when they are restarted. The change itself is stored, and
        others' restarts take it up too, so that a failure is no failure of the zone."""
        try:
            answer = self._web.call("GET", f"{self._base}/grid")
            for grid in answer.json() or () if answer.good else ():
                path = f"{self._path(grid)}?_function=restartservices"
                answer = self._web.call("POST", path, _RESTART)
            if not answer.good:
                raise self._web.refused("restart of the grid's services", answer, "text")
        except errors.BackendError as error:
            LOG.warning("%s", error)

    def _refused(self, verb: str, zone: ZoneAnnouncement, answer: Answer) -> errors.BackendError:
        return self._web.refused(f"{verb} {zone.name}", answer, "text")
