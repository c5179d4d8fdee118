"""DynECT Managed DNS: secondary zones through its REST API.

The vendor has ended the service; servers with the same API still work.
"""

from __future__ import annotations

import re
import threading
from time import monotonic
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from designate import errors
from designate.backend import primaries
from designate.backend.base import NOTIFY_OPTIONS, BackendOption, FoundZone
from designate.backend.hosted import API_OPTIONS, HostedBackend, only_dns_port
from designate.backend.http_client import MAX_QUOTED_CHARS, HttpResponse
from designate.model.pools import Target
from designate.model.zones import ZoneAnnouncement

VERSION = "3.5.6"
MAX_LOGINS = 3
FIRST_POLL_S = 0.05
_TEMPORARY_REDIRECT = 307
_JOB = re.compile(r"/REST/Job/[A-Za-z0-9_-]+/?")
_NOT_FOUND, _EXISTS = "NOT_FOUND", "TARGET_EXISTS"


class DynectBackend(HostedBackend):
    """Creates secondary zones in DynECT, which transfers from port 53 only.

    Needs a user that may manage zones. A session serves one request at a time, and so does a backend.
    """

    OPTIONS: ClassVar[tuple[BackendOption, ...]] = (
        *NOTIFY_OPTIONS,
        BackendOption(name="customer_name", meaning="name of the customer"),
        BackendOption(name="username", meaning="name of the customer's user"),
        BackendOption(name="password", meaning="password of the user", secret=True),
        BackendOption(name="contact_nickname", meaning="contact that DynECT notifies of failures"),
        BackendOption(
            name="tsig_key_name",
            meaning="name of a TSIG key in DynECT for transfers; unset: that of tsigkey_id",
        ),
        BackendOption(
            name="api_endpoint", default="https://api.dynect.net", meaning="URL of the API"
        ),
        *API_OPTIONS,
    )
    IDENTITY: ClassVar[tuple[str, ...]] = ("api_endpoint", "customer_name")

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        only_dns_port(target)
        self._login = {
            "customer_name": self.required_option("customer_name"),
            "user_name": self.required_option("username"),
            "password": self.required_option("password"),
        }
        self._timeout_s = self.seconds_option("api_timeout")
        self._web = self.client(
            "DynECT",
            self.required_option("api_endpoint"),
            headers={"API-Version": VERSION},
            secrets=(self._login["password"],),
        )
        self._lock = threading.Lock()
        self._token: str | None = None

    def create_zone(self, zone: ZoneAnnouncement) -> None:
        response = self._call("POST", _path("Secondary", zone), self._desired(zone))
        if _EXISTS in _codes(response):
            if not self._adjust(zone):
                raise self.foreign(self._web.label, "of another customer", can_adopt=False)
            return
        self._check("create", zone, response)
        self._activate(zone)

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
        found = self._fetch(zone)
        if found is None:
            return
        self._check_owner(found, adopts=False)
        response = self._call("DELETE", _path("Zone", zone))
        if _NOT_FOUND not in _codes(response):
            self._check("delete", zone, response)

    def _adjust(self, zone: ZoneAnnouncement) -> bool:
        """Correct the settings of an existing zone; return False if there is none."""
        shown = self._fetch(zone)
        if shown is None:
            return False
        self._check_owner(shown, adopts=self.adopts)
        desired = self._desired(zone)
        if set(shown.get("masters") or ()) != set(desired["masters"]) or any(
            shown.get(name) != value for name, value in desired.items() if name != "masters"
        ):
            self._check("change", zone, self._call("PUT", _path("Secondary", zone), desired))
        if shown.get("active") != "Y":
            self._activate(zone)
        return True

    def inspect(self, zone: ZoneAnnouncement) -> FoundZone | None:
        found = self._fetch(zone)
        if found is None:
            return None
        return FoundZone(name=zone.name, kind=_kind(found), is_ours=self._is_ours(found))

    def _fetch(self, zone: ZoneAnnouncement) -> dict[str, Any] | None:
        """Return a secondary zone's settings, {} for another zone, or None without one."""
        for kind in ("Secondary", "Zone"):
            found = self._call("GET", _path(kind, zone))
            if _NOT_FOUND not in _codes(found):
                self._check("read", zone, found)
                return (found.member("data") or {}) if kind == "Secondary" else {}
        return None

    def _is_ours(self, found: dict[str, Any]) -> bool:
        return self.follows_our_hosts(map(str, found.get("masters") or ()))

    def _check_owner(self, found: dict[str, Any], *, adopts: bool) -> None:
        """Raise ForeignZone for a zone that is not ours and not to be adopted."""
        self.require_ours(
            self._web.label,
            _kind(found),
            is_ours=self._is_ours(found),
            adopts=adopts,
            adoptable=bool(found),
        )

    def _activate(self, zone: ZoneAnnouncement) -> None:
        response = self._call("PUT", _path("Secondary", zone), {"activate": True})
        self._check("activate", zone, response)

    def _desired(self, zone: ZoneAnnouncement) -> dict[str, Any]:
        hosts = [host for host, _ in primaries.addresses(self.target, zone.zone_id)]
        desired: dict[str, Any] = {"masters": list(dict.fromkeys(hosts))}
        contact, key = self.option("contact_nickname"), self.option("tsig_key_name")
        if contact:
            desired["contact_nickname"] = contact
        if key or self.key_name:
            desired["tsig_key_name"] = key or self.key_name
        return desired

    def _call(self, method: str, path: str, body: Any = None) -> HttpResponse:
        """Send a request in the session and return its response, or the result of the job it became.

        Sessions may end at any time; then another one is opened.
        """
        deadline = monotonic() + self._timeout_s
        if not self._lock.acquire(timeout=self._timeout_s):
            raise self._web.error("no response in time: the session is in use")
        try:
            for _ in range(MAX_LOGINS):
                response = self._ask(method, path, body, deadline)
                if not any(info.startswith("login:") for info in _infos(response)):
                    return response
                failed = self._error(
                    "login", response
                )  # built while the token is known, to mask it
                self._token = None
            raise failed
        finally:
            self._lock.release()

    def _ask(self, method: str, path: str, body: Any, deadline: float) -> HttpResponse:
        if self._token is None:
            response = self._send("POST", "/REST/Session", self._login, deadline)
            token = response.member("data", "token")
            if not token:
                raise self._error("login", response)
            self._token = str(token)
        response = self._send(method, path, body, deadline)
        job = urlsplit(response.location or "").path
        if response.status == _TEMPORARY_REDIRECT and not _JOB.fullmatch(job):
            raise self._error(f"{method} {path}", response)
        pause, pause_s = threading.Event(), FIRST_POLL_S
        while response.status == _TEMPORARY_REDIRECT or response.member("status") == "incomplete":
            pause.wait(pause_s)
            pause_s = min(2 * pause_s, 1.0)
            response = self._send("GET", job, None, deadline)
        return response

    def _send(self, method: str, path: str, body: Any, deadline: float) -> HttpResponse:
        remaining_s = deadline - monotonic()
        if remaining_s <= 0:
            raise self._web.error("no response in time")
        headers = {"Auth-Token": self._token} if self._token else {}
        return self._web.call(method, path, body, headers=headers, timeout_s=remaining_s)

    def _check(self, verb: str, zone: ZoneAnnouncement, response: HttpResponse) -> None:
        """Raise BackendError for a response that is not a success, whatever its HTTP status."""
        if not response.good or response.member("status") != "success":
            raise self._refused(verb, zone, response)

    def _refused(
        self, verb: str, zone: ZoneAnnouncement, response: HttpResponse
    ) -> errors.BackendError:
        return self._error(f"{verb} {zone.name}", response)

    def _error(self, doing: str, response: HttpResponse) -> errors.BackendError:
        reason = f"{doing} failed with HTTP status {response.status}"
        quoted = "; ".join(_infos(response))[:MAX_QUOTED_CHARS]
        if quoted:
            reason += f" ({quoted})"
        return self._web.error(reason.replace(self._token or "\0", "***"))


def _kind(found: dict[str, Any]) -> str:
    """Return the zone's type for people."""
    if not found:
        return "primary"
    return f"secondary, of {', '.join(map(str, found.get('masters') or ())) or 'nobody'}"


def _messages(response: HttpResponse) -> list[dict[str, Any]]:
    found = response.member("msgs")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _infos(response: HttpResponse) -> list[str]:
    return [str(message.get("INFO")) for message in _messages(response)]


def _codes(response: HttpResponse) -> set[Any]:
    """Return the error codes of a response; a success has none."""
    return {message.get("ERR_CD") for message in _messages(response)} - {None}


def _path(kind: str, zone: ZoneAnnouncement) -> str:
    return f"/REST/{kind}/{quote(zone.name.rstrip('.'), safe='')}/"
