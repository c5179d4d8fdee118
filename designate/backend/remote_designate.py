"""Another Designate, told by its REST API to add and remove secondary zones."""

from __future__ import annotations

import threading
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

import keystoneauth1.exceptions
from keystoneauth1 import session
from keystoneauth1.identity import v3

from designate import errors
from designate.backend import primaries
from designate.backend.base import NOTIFY_OPTIONS, BackendOption
from designate.backend.hosted import API_OPTIONS, HostedBackend
from designate.backend.http_client import Answer, WebClient
from designate.model.pools import Target
from designate.model.zones import ZoneAnnouncement

UNAUTHORIZED, NOT_FOUND, CONFLICT = 401, 404, 409
AWAY = (
    keystoneauth1.exceptions.RetriableConnectionFailure,
    keystoneauth1.exceptions.GatewayTimeout,
    keystoneauth1.exceptions.ServiceUnavailable,
)


class DesignateBackend(HostedBackend):
    """Needs an account with a project there, and transfers allowed from the target's masters. What
    transfers are signed with is said there, by a TSIG key for the zone."""

    OPTIONS: ClassVar[tuple[BackendOption, ...]] = (
        *NOTIFY_OPTIONS,
        BackendOption(name="auth_url", meaning="URL of the Keystone there"),
        BackendOption(name="username", meaning="who makes the zones"),
        BackendOption(name="password", meaning="that user's password", secret=True),
        BackendOption(name="project_name", meaning="the project that owns the zones"),
        BackendOption(
            name="project_domain_name", default="default", meaning="the project's domain, by name"
        ),
        BackendOption(
            name="user_domain_name", default="default", meaning="the user's domain, by name"
        ),
        BackendOption(name="service_type", default="dns", meaning="its type in the catalogue"),
        BackendOption(name="region_name", meaning="its region in the catalogue; unset: any"),
        BackendOption(
            name="interface", default="public", meaning="which of its endpoints: public, internal"
        ),
        *API_OPTIONS,
    )
    PLACE: ClassVar[tuple[str, ...]] = (
        "auth_url",
        "project_domain_name",
        "project_name",
        "region_name",
    )

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._password = self.required_option("password")
        auth_url = self.required_option("auth_url").rstrip("/")
        # For what errors begin with, and for the check of the URL; it is never called.
        self._known = self.client("Designate behind Keystone", auth_url, secrets=(self._password,))
        self._auth = v3.Password(
            auth_url if auth_url.endswith("/v3") else f"{auth_url}/v3",
            username=self.required_option("username"),
            password=self._password,
            project_name=self.required_option("project_name"),
            project_domain_name=self.option("project_domain_name"),
            user_domain_name=self.option("user_domain_name"),
        )
        self._session = session.Session(
            verify=self.bool_option("verify_ssl") and (self.option("api_ca_cert") or True),
            timeout=self.seconds_option("api_timeout"),
            redirect=False,
        )
        self._lock = threading.Lock()
        self._clients: dict[str, WebClient] = {}

    def create_zone(self, zone: ZoneAnnouncement) -> None:
        body = {"name": zone.name, "type": "SECONDARY", "masters": self._wanted(zone)}
        answer = self._call("POST", "/zones", body)
        if answer.good:
            return
        # The name may be taken by a project that this one is not shown.
        if answer.status != CONFLICT or not self._adjust(zone):
            raise self._refused("create", zone, answer)

    def update_zone(self, zone: ZoneAnnouncement) -> None:
        """Adds a missing zone; gives one with other masters the target's."""
        if not self._adjust(zone):
            self.create_zone(zone)

    def delete_zone(self, zone: ZoneAnnouncement, *, hard_delete: bool) -> None:
        found = self._find(zone)
        if found is None or found.get("action") == "DELETE":
            return
        self._check(found)
        answer = self._call("DELETE", f"/zones/{found['id']}")
        if not answer.good and answer.status != NOT_FOUND:
            raise self._refused("delete", zone, answer)

    def _find(self, zone: ZoneAnnouncement) -> dict[str, Any] | None:
        """The project's zone of that name."""
        answer = self._call("GET", f"/zones?name={quote(zone.name, safe='')}")
        found = answer.member("zones")
        if not answer.good or not isinstance(found, list):
            raise self._refused("look for", zone, answer)
        return next((each for each in found if each["name"] == zone.name), None)

    def _adjust(self, zone: ZoneAnnouncement) -> bool:
        """Changes an existing zone's masters where they differ; False: there is no such zone."""
        found = self._find(zone)
        if found is None:
            return False
        if found.get("action") == "DELETE":
            raise self._known.error(f"{zone.name} is still being deleted there")
        self._check(found)
        wanted = self._wanted(zone)
        if set(found.get("masters") or ()) != set(wanted):
            answer = self._call("PATCH", f"/zones/{found['id']}", {"masters": wanted})
            if not answer.good:
                raise self._refused("change", zone, answer)
        return True

    def _check(self, found: dict[str, Any]) -> None:
        """Raises BackendError: it is somebody's own zone, whose content is nowhere else."""
        if found.get("type") != "SECONDARY":
            raise self._known.error(f"{found['name']} is there, and no secondary zone")

    def _wanted(self, zone: ZoneAnnouncement) -> list[str]:
        return [primaries.text(each) for each in primaries.addresses(self.target, zone.zone_id)]

    def _refused(self, verb: str, zone: ZoneAnnouncement, answer: Answer) -> errors.BackendError:
        return self._known.refused(f"{verb} {zone.name}", answer, "message")

    def _call(self, method: str, path: str, body: Any = None) -> Answer:
        """One request; with a new token where the old one is no longer believed."""
        answer = self._once(method, path, body)
        if answer.status == UNAUTHORIZED:
            self._auth.invalidate()
            answer = self._once(method, path, body)
        return answer

    def _once(self, method: str, path: str, body: Any) -> Answer:
        token, endpoint = self._access()
        parts = urlsplit(endpoint)
        with self._lock:
            if endpoint not in self._clients:
                self._clients = {
                    endpoint: self.client("Designate", endpoint, secrets=(self._password,))
                }
            web = self._clients[endpoint]
        base = parts.path.rstrip("/").removesuffix("/v2")
        return web.call(method, f"{base}/v2{path}", body, headers={"X-Auth-Token": token})

    def _access(self) -> tuple[str, str]:
        """A token, and where the service is. Raises BackendError."""
        try:
            access = self._auth.get_access(self._session)
            endpoint = access.service_catalog.url_for(
                service_type=self.option("service_type"),
                interface=self.option("interface"),
                region_name=self.option("region_name"),
            )
        except AWAY as error:
            raise self._known.away(_reason(error)) from None
        except keystoneauth1.exceptions.ClientException as error:
            raise self._known.error(_reason(error)) from None
        return str(access.auth_token), str(endpoint)


def _reason(error: Exception) -> str:
    """Why there is no token. What may quote the request is left out."""
    if isinstance(error, keystoneauth1.exceptions.ConnectTimeout):
        return "no answer in time"
    if isinstance(error, keystoneauth1.exceptions.Unauthorized):
        return "no token: do the credentials fit?"
    if isinstance(error, keystoneauth1.exceptions.EndpointNotFound):
        return "its catalogue has no such service: service_type, region_name, interface"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return errors.said(cause)
        cause = cause.__cause__ or cause.__context__ or getattr(cause, "reason", None)
    return f"no token: {type(error).__name__}"
