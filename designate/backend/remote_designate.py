"""Another Designate: secondary zones through its REST API."""

from __future__ import annotations

import threading
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

import keystoneauth1.exceptions
from keystoneauth1 import session
from keystoneauth1.identity import v3

from designate import errors
from designate.backend import primaries
from designate.backend.base import NOTIFY_OPTIONS, BackendOption, FoundZone
from designate.backend.hosted import API_OPTIONS, HostedBackend
from designate.backend.http_client import HttpResponse, WebClient
from designate.model.pools import Target
from designate.model.zones import ZoneAnnouncement

UNAUTHORIZED, NOT_FOUND, CONFLICT = 401, 404, 409
UNAVAILABLE = (
    keystoneauth1.exceptions.RetriableConnectionFailure,
    keystoneauth1.exceptions.GatewayTimeout,
    keystoneauth1.exceptions.ServiceUnavailable,
)


class DesignateBackend(HostedBackend):
    """Creates secondary zones in another Designate.

    Needs an account with a project there, and transfers allowed from the target's masters. A TSIG
    key for the transfers is configured there, for the zone.
    """

    OPTIONS: ClassVar[tuple[BackendOption, ...]] = (
        *NOTIFY_OPTIONS,
        BackendOption(name="auth_url", meaning="URL of the remote Keystone"),
        BackendOption(name="username", meaning="name of the user that creates the zones"),
        BackendOption(name="password", meaning="password of the user", secret=True),
        BackendOption(name="project_name", meaning="name of the project that owns the zones"),
        BackendOption(
            name="project_domain_name", default="default", meaning="name of the project's domain"
        ),
        BackendOption(
            name="user_domain_name", default="default", meaning="name of the user's domain"
        ),
        BackendOption(
            name="service_type", default="dns", meaning="type of the service in the catalog"
        ),
        BackendOption(
            name="region_name", meaning="region of the service in the catalog; unset: any"
        ),
        BackendOption(
            name="interface",
            default="public",
            meaning="interface of the service in the catalog, such as public or internal",
        ),
        *API_OPTIONS,
    )
    IDENTITY: ClassVar[tuple[str, ...]] = (
        "auth_url",
        "project_domain_name",
        "project_name",
        "region_name",
    )

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._password = self.required_option("password")
        auth_url = self.required_option("auth_url").rstrip("/")
        # Makes error texts and checks the URL; it is never called.
        self._label_client = self.client(
            "Designate behind Keystone", auth_url, secrets=(self._password,)
        )
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
        body = {"name": zone.name, "type": "SECONDARY", "masters": self._desired(zone)}
        response = self._call("POST", "/zones", body)
        if response.good:
            return
        if response.status != CONFLICT:
            raise self._refused("create", zone, response)
        if not self._adjust(zone):
            raise self.foreign(self._label_client.label, "of another project", can_adopt=False)

    def update_zone(self, zone: ZoneAnnouncement) -> None:
        """Add a missing zone; correct the masters of an existing one."""
        if not self._adjust(zone):
            self.create_zone(zone)

    def delete_zone(
        self,
        zone: ZoneAnnouncement,
        *,
        hard_delete: bool,  # noqa: ARG002 - part of the interface
    ) -> None:
        found = self._find(zone)
        if found is None or found.get("action") == "DELETE":
            return
        self._check(found, adopts=False)
        response = self._call("DELETE", f"/zones/{found['id']}")
        if not response.good and response.status != NOT_FOUND:
            raise self._refused("delete", zone, response)

    def _find(self, zone: ZoneAnnouncement) -> dict[str, Any] | None:
        """Return the project's zone of that name."""
        response = self._call("GET", f"/zones?name={quote(zone.name, safe='')}")
        found = response.member("zones")
        if not response.good or not isinstance(found, list):
            raise self._refused("find", zone, response)
        return next((each for each in found if each["name"] == zone.name), None)

    def _adjust(self, zone: ZoneAnnouncement) -> bool:
        """Correct the masters of an existing zone; return False if there is none."""
        found = self._find(zone)
        if found is None:
            return False
        if found.get("action") == "DELETE":
            raise self._label_client.error(f"{zone.name} is still being deleted")
        self._check(found, adopts=self.adopts)
        desired = self._desired(zone)
        if set(found.get("masters") or ()) != set(desired):
            response = self._call("PATCH", f"/zones/{found['id']}", {"masters": desired})
            if not response.good:
                raise self._refused("change", zone, response)
        return True

    def inspect(self, zone: ZoneAnnouncement) -> FoundZone | None:
        found = self._find(zone)
        if found is None:
            return None
        return FoundZone(name=zone.name, kind=_kind(found), is_ours=self._is_ours(found))

    def _is_ours(self, found: dict[str, Any]) -> bool:
        if found.get("type") != "SECONDARY":
            return False
        try:
            masters = primaries.parse(",".join(map(_bracketed, found.get("masters") or ())))
        except ValueError:
            return False
        return self.follows_ours((master.host, master.port) for master in masters)

    def _check(self, found: dict[str, Any], *, adopts: bool) -> None:
        """Raise ForeignZone for a zone that is not ours and not to be adopted."""
        self.require_ours(
            self._label_client.label,
            _kind(found),
            is_ours=self._is_ours(found),
            adopts=adopts,
            adoptable=found.get("type") == "SECONDARY",
        )

    def _desired(self, zone: ZoneAnnouncement) -> list[str]:
        return [primaries.text(each) for each in primaries.addresses(self.target, zone.zone_id)]

    def _refused(
        self, verb: str, zone: ZoneAnnouncement, response: HttpResponse
    ) -> errors.BackendError:
        return self._label_client.refused(f"{verb} {zone.name}", response, "message")

    def _call(self, method: str, path: str, body: Any = None) -> HttpResponse:
        """Send a request, and once more with a new token if the current one is rejected."""
        response = self._once(method, path, body)
        if response.status == UNAUTHORIZED:
            self._auth.invalidate()
            response = self._once(method, path, body)
        return response

    def _once(self, method: str, path: str, body: Any) -> HttpResponse:
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
        """Return a token and the URL of the service. Raises BackendError."""
        try:
            access = self._auth.get_access(self._session)
            endpoint = access.service_catalog.url_for(
                service_type=self.option("service_type"),
                interface=self.option("interface"),
                region_name=self.option("region_name"),
            )
        except UNAVAILABLE as error:
            raise self._label_client.unavailable(_reason(error)) from None
        except keystoneauth1.exceptions.ClientException as error:
            raise self._label_client.error(_reason(error)) from None
        return str(access.auth_token), str(endpoint)


def _bracketed(master: object) -> str:
    """Return a master with brackets around an IPv6 address, which other releases leave out."""
    host, _, port = str(master).rpartition(":")
    return f"[{host}]:{port}" if ":" in host and "[" not in host else str(master)


def _kind(found: dict[str, Any]) -> str:
    """Return the zone's type for people."""
    kind = f"type {found.get('type')}"
    masters = ", ".join(map(str, found.get("masters") or ()))
    return f"{kind}, of {masters}" if masters else kind


def _reason(error: Exception) -> str:
    """Return why there is no token, without texts that may quote the request."""
    if isinstance(error, keystoneauth1.exceptions.ConnectTimeout):
        return "no response in time"
    if isinstance(error, keystoneauth1.exceptions.Unauthorized):
        return "no token: check the credentials"
    if isinstance(error, keystoneauth1.exceptions.EndpointNotFound):
        return "the catalog has no such service: check service_type, region_name and interface"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return errors.os_error_text(cause)
        cause = cause.__cause__ or cause.__context__ or getattr(cause, "reason", None)
    return f"no token: {type(error).__name__}"
