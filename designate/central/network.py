"""Who has which floating IPs: the interface to network services, and what chooses among them."""

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
            help="Plug-in that knows the floating IPs: neutron, or fake (they stand in "
            "[network_api:fake]).",
        ),
    ],
    NEUTRON: [
        cfg.ListOpt(
            "endpoints",
            help="Neutron's endpoints, each `region|url`. Unset: those of the caller's service "
            "catalogue.",
        ),
        cfg.StrOpt(
            "endpoint_type",
            default="publicURL",
            choices=["publicURL", "internalURL", "adminURL"],
            help="Which endpoint of the service catalogue is used.",
        ),
        cfg.IntOpt(
            "timeout",
            default=30,
            min=1,
            help="Seconds that all questions for one request may take together.",
        ),
        cfg.BoolOpt("insecure", default=False, help="Take any TLS certificate."),
        cfg.StrOpt("ca_certificates_file", help="CA certificates; unset: the system's."),
        cfg.StrOpt(
            "client_certificate_file", help="Certificate and key to present, in one PEM file."
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
    """A floating IP as the network service tells it. address: IPv4 or IPv6, as it came."""

    region: str
    id: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Whose floating IPs are asked for, and with what. token: never to be logged. region and
    floatingip_id: only that one, if it is the project's; None: all."""

    project_id: str
    token: str
    catalog: Sequence[NetworkEndpoint] = ()
    region: str | None = None
    floatingip_id: str | None = None


class NetworkApi(Protocol):
    """A plug-in; made with the configuration. Thread-safe."""

    name: str

    def floatingips(self, question: Question) -> list[NetworkAddress]:
        """What the project has now. Raises Forbidden of type no_endpoint when nobody can be asked,
        NetworkFailure when whoever was asked did not tell."""
        ...


class NetworkFailure(errors.DeadlineExceeded):
    """The network service cannot be reached or does not answer as it should."""

    default_type = "neutron_communication_failure"


def load(conf: cfg.ConfigOpts) -> NetworkApi:
    """The configured plug-in. Raises ConfigurationError."""
    try:
        found: NetworkApi = driver.DriverManager(
            NAMESPACE, conf.network_api, invoke_on_load=True, invoke_args=(conf,)
        ).driver
    except NoMatches:
        raise errors.ConfigurationError(
            f"[DEFAULT] network_api: there is no plug-in {conf.network_api}"
        ) from None
    return found


def parts_of(option: str, text: str, count: int) -> list[str]:
    """The parts between bars of an item of an option. Raises ConfigurationError."""
    parts = [part.strip() for part in text.split("|", count - 1)]
    if len(parts) != count or not all(parts):
        raise errors.ConfigurationError(f"{option}: {text!r} has not {count} parts between bars")
    return parts


class FakeNetwork:
    """Floating IPs that the operator wrote down: for clouds without Neutron, and to try things."""

    name = "fake"

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._found: list[tuple[str, NetworkAddress]] = []
        for text in conf[FAKE].floatingips:
            project_id, region, id, address = parts_of(f"[{FAKE}] floatingips", text, 4)
            found = NetworkAddress(region=region, id=id.lower(), address=address)
            self._found.append((project_id, found))

    def floatingips(self, question: Question) -> list[NetworkAddress]:
        return [
            found
            for project_id, found in self._found
            if project_id == question.project_id
            and question.region in (None, found.region)
            and question.floatingip_id in (None, found.id)
        ]
