"""DynECT Managed DNS, told by its REST API to add and remove secondary zones.

Its maker has ended the service; what speaks its API still can be told.
"""

from __future__ import annotations

import re
import threading
from time import monotonic
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from designate import errors
from designate.backend import primaries
from designate.backend.base import NOTIFY_OPTIONS, BackendOption
from designate.backend.hosted import API_OPTIONS, HostedBackend, only_dns_port
from designate.backend.http_client import MOST_TOLD, Answer
from designate.model.pools import Target
from designate.model.zones import ZoneAnnouncement

VERSION = "3.5.6"
MOST_LOGINS = 3
FIRST_POLL_S = 0.05
_TEMPORARY_REDIRECT = 307
_JOB = re.compile(r"/REST/Job/[A-Za-z0-9_-]+/?")
_NOT_FOUND, _EXISTS = "NOT_FOUND", "TARGET_EXISTS"


class DynectBackend(HostedBackend):
    """Needs a user that may manage zones. It transfers from port 53 alone. A session does one thing at
    a time, and so does a backend."""

    OPTIONS: ClassVar[tuple[BackendOption, ...]] = (
        *NOTIFY_OPTIONS,
        BackendOption(name="customer_name", meaning="the customer"),
        BackendOption(name="username", meaning="the customer's user"),
        BackendOption(name="password", meaning="that user's password", secret=True),
        BackendOption(name="contact_nickname", meaning="whom the product tells of failures"),
        BackendOption(
            name="tsig_key_name",
            meaning="a TSIG key that the product has, for its transfers; unset: that of tsigkey_id",
        ),
        BackendOption(
            name="api_endpoint", default="https://api.dynect.net", meaning="the API's URL"
        ),
        *API_OPTIONS,
    )
    PLACE: ClassVar[tuple[str, ...]] = ("api_endpoint", "customer_name")

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
        answer = self._call("POST", _path("Secondary", zone), self._wanted(zone))
        if _EXISTS in _codes(answer):
            # The name may be another customer's.
            if not self._adjust(zone):
                raise self._refused("create", zone, answer)
            return
        self._check("create", zone, answer)
        self._activate(zone)

    def update_zone(self, zone: ZoneAnnouncement) -> None:
        """Adds a missing zone; gives one with other masters or another key the target's."""
        if not self._adjust(zone):
            self.create_zone(zone)

    def delete_zone(self, zone: ZoneAnnouncement, *, hard_delete: bool) -> None:
        answer = self._call("DELETE", _path("Zone", zone))
        if _NOT_FOUND not in _codes(answer):
            self._check("delete", zone, answer)

    def _adjust(self, zone: ZoneAnnouncement) -> bool:
        """Changes an existing zone's settings where they differ; False: there is no such zone."""
        path = _path("Secondary", zone)
        found = self._call("GET", path)
        if _NOT_FOUND in _codes(found):
            return False
        self._check("look at", zone, found)
        shown, wanted = found.member("data") or {}, self._wanted(zone)
        if set(shown.get("masters") or ()) != set(wanted["masters"]) or any(
            shown.get(name) != value for name, value in wanted.items() if name != "masters"
        ):
            self._check("change", zone, self._call("PUT", path, wanted))
        if shown.get("active") != "Y":
            self._activate(zone)
        return True

    def _activate(self, zone: ZoneAnnouncement) -> None:
        answer = self._call("PUT", _path("Secondary", zone), {"activate": True})
        self._check("activate", zone, answer)

    def _wanted(self, zone: ZoneAnnouncement) -> dict[str, Any]:
        hosts = [host for host, _ in primaries.addresses(self.target, zone.zone_id)]
        wanted: dict[str, Any] = {"masters": list(dict.fromkeys(hosts))}
        contact, key = self.option("contact_nickname"), self.option("tsig_key_name")
        if contact:
            wanted["contact_nickname"] = contact
        if key or self.key_name:
            wanted["tsig_key_name"] = key or self.key_name
        return wanted

    def _call(self, method: str, path: str, body: Any = None) -> Answer:
        """One request of the session, and the result of the job that it became, if it did. Sessions end
        at the product's pleasure, so that another one is begun."""
        deadline = monotonic() + self._timeout_s
        if not self._lock.acquire(timeout=self._timeout_s):
            raise self._web.error("no answer in time: its session is taken")
        try:
            for _ in range(MOST_LOGINS):
                answer = self._ask(method, path, body, deadline)
                if not any(told.startswith("login:") for told in _told(answer)):
                    return answer
                failed = self._error("login", answer)  # while the token that it may tell is known
                self._token = None
            raise failed
        finally:
            self._lock.release()

    def _ask(self, method: str, path: str, body: Any, deadline: float) -> Answer:
        if self._token is None:
            answer = self._send("POST", "/REST/Session", self._login, deadline)
            token = answer.member("data", "token")
            if not token:
                raise self._error("login", answer)
            self._token = str(token)
        answer = self._send(method, path, body, deadline)
        job = urlsplit(answer.location or "").path
        if answer.status == _TEMPORARY_REDIRECT and not _JOB.fullmatch(job):
            raise self._error(f"{method} {path}", answer)
        pause, pause_s = threading.Event(), FIRST_POLL_S
        while answer.status == _TEMPORARY_REDIRECT or answer.member("status") == "incomplete":
            pause.wait(pause_s)
            pause_s = min(2 * pause_s, 1.0)
            answer = self._send("GET", job, None, deadline)
        return answer

    def _send(self, method: str, path: str, body: Any, deadline: float) -> Answer:
        left_s = deadline - monotonic()
        if left_s <= 0:
            raise self._web.error("no answer in time")
        headers = {"Auth-Token": self._token} if self._token else {}
        return self._web.call(method, path, body, headers=headers, timeout_s=left_s)

    def _check(self, verb: str, zone: ZoneAnnouncement, answer: Answer) -> None:
        """Raises BackendError for an answer that is no success, whatever its HTTP status."""
        if not answer.good or answer.member("status") != "success":
            raise self._refused(verb, zone, answer)

    def _refused(self, verb: str, zone: ZoneAnnouncement, answer: Answer) -> errors.BackendError:
        return self._error(f"{verb} {zone.name}", answer)

    def _error(self, doing: str, answer: Answer) -> errors.BackendError:
        reason = f"{doing} failed with HTTP status {answer.status}"
        told = "; ".join(_told(answer))[:MOST_TOLD]
        if told:
            reason += f" ({told})"
        return self._web.error(reason.replace(self._token or "\0", "***"))


def _messages(answer: Answer) -> list[dict[str, Any]]:
    found = answer.member("msgs")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _told(answer: Answer) -> list[str]:
    return [str(message.get("INFO")) for message in _messages(answer)]


def _codes(answer: Answer) -> set[Any]:
    """The codes of its errors; of a success: none."""
    return {message.get("ERR_CD") for message in _messages(answer)} - {None}


def _path(kind: str, zone: ZoneAnnouncement) -> str:
    return f"/REST/{kind}/{quote(zone.name.rstrip('.'), safe='')}/"
