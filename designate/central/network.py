"""Floating IPs of projects: the interface to network services, and the choice of the plug-in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from oslo_config import cfg
from stevedore import driver
from stevedore.exception import NoMatches

from designate import errors
from designate.model.floatingips import NetworkEndpoint

NAMESPACE = "designate.network_api"
NEUTRON = "network_api:neutron"
FAKE = "network_api:fake"

OPTIONS_BY_GROUP = {
    "DEFAULT": [
        cfg.StrOpt(
            "network_api",
            default="neutron",
            help="Plug-in that lists floating IPs: neutron, or fake (those in [network_api:fake]).",
        ),
    ],
    NEUTRON: [
        cfg.ListOpt(
            "endpoints",
            help="Neutron endpoints, each `region|url`. If unset, those of the caller's service "
            "catalog.",
        ),
        cfg.StrOpt(
            "endpoint_type",
            default="publicURL",
            choices=["publicURL", "internalURL", "adminURL"],
            help="Interface of the endpoints to use from the service catalog.",
        ),
        cfg.IntOpt(
            "timeout",
            default=30,
            min=1,
            help="Seconds that all requests to Neutron for one API request may take in total.",
        ),
        cfg.BoolOpt(
            "insecure", default=False, help="Accept any TLS certificate. Insecure: for tests only."
        ),
        cfg.StrOpt(
            "ca_certificates_file", help="File of CA certificates. If unset, those of the system."
        ),
        cfg.StrOpt(
            "client_certificate_file", help="PEM file with the client certificate and its key."
        ),
    ],
    FAKE: [
        cfg.ListOpt(
            "floatingips",
            default=[],
            help="Floating IPs, each `project|region|id|address`.",
        ),
    ],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkAddress:
    """A floating IP as the network service returns it, with an IPv4 or IPv6 address."""

    region: str
    id: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatingIpQuery:
    """A query for the floating IPs of a project.

    token: The caller's; never log it. region, floatingip_id: Only that one; None: all.
    """

    project_id: str
    token: str
    catalog: Sequence[NetworkEndpoint] = ()
    region: str | None = None
    floatingip_id: str | None = None


class NetworkApi(Protocol):
    """A plug-in for a network service; called with the configuration. Thread-safe."""

    name: str

    def floatingips(self, query: FloatingIpQuery) -> list[NetworkAddress]:
        """Return the project's current floating IPs.

        Raises:
            Forbidden: There is no endpoint to query; the type is no_endpoint.
            NetworkFailure: The network service cannot be reached, or returns an error.
        """
        ...


class NetworkFailure(errors.DeadlineExceeded):
    """Raised when the network service cannot be reached or returns an error."""

    default_type = "neutron_communication_failure"


def load(conf: cfg.ConfigOpts) -> NetworkApi:
    """Return the configured plug-in, or raise ConfigurationError if it is not installed."""
    try:
        found: NetworkApi = driver.DriverManager(
            NAMESPACE, conf.network_api, invoke_on_load=True, invoke_args=(conf,)
        ).driver
    except NoMatches:
        raise errors.ConfigurationError(
            f"[DEFAULT] network_api: unknown plug-in {conf.network_api}"
        ) from None
    return found


def split_option(option: str, text: str, count: int) -> list[str]:
    """Split an item of an option at `|`, or raise ConfigurationError if it has not `count` parts."""
    parts = [part.strip() for part in text.split("|", count - 1)]
    if len(parts) != count or not all(parts):
        raise errors.ConfigurationError(
            f"{option}: {text!r} must have {count} parts separated by |"
        )
    return parts


class FakeNetwork:
    """Floating IPs from the configuration: for tests, and for clouds without Neutron."""

    name = "fake"

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._found: list[tuple[str, NetworkAddress]] = []
        for text in conf[FAKE].floatingips:
            project_id, region, id, address = split_option(f"[{FAKE}] floatingips", text, 4)
            found = NetworkAddress(region=region, id=id.lower(), address=address)
            self._found.append((project_id, found))

    def floatingips(self, query: FloatingIpQuery) -> list[NetworkAddress]:
        """Return the project's configured floating IPs."""
        return [
            found
            for project_id, found in self._found
            if project_id == query.project_id
            and query.region in (None, found.region)
            and query.floatingip_id in (None, found.id)
        ]
