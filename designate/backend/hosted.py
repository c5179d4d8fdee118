"""The common parts of backends for hosted nameservers and appliances with an HTTP API."""

from __future__ import annotations

from typing import Any, ClassVar

from designate import errors
from designate.backend.base import OWNERSHIP_OPTIONS, Backend, BackendOption
from designate.backend.http_client import ClientTls, Signing, WebClient
from designate.model.pools import Target

API_OPTIONS = (
    BackendOption(name="api_timeout", default="10", meaning="timeout of one call in seconds"),
    BackendOption(name="api_ca_cert", meaning="file with the certificate authorities for the API"),
    BackendOption(
        name="verify_ssl", default="true", meaning="whether the certificate of the API is verified"
    ),
    *OWNERSHIP_OPTIONS,
)
COMMENT = "Created by Designate"
"""Marks zones where the product has a comment; OpenStack Designate's begins so too."""
DNS_PORT = 53


class HostedBackend(Backend):
    """Base of the backends that have API_OPTIONS among their OPTIONS."""

    # The providers may put their own name into the SOA and give answers that depend on the client.
    REWRITES_ANSWERS: ClassVar[bool] = True
    INSPECTS: ClassVar[bool] = True

    def client(
        self,
        label: str,
        endpoint: str,
        *,
        secrets: tuple[str | None, ...],
        headers: dict[str, str] | None = None,
        sign: Signing | None = None,
    ) -> WebClient:
        """Make the client of an endpoint: a host, which implies HTTPS, or a URL."""
        return WebClient(
            label,
            endpoint if "://" in endpoint else f"https://{endpoint}",
            timeout_s=self.seconds_option("api_timeout"),
            headers=headers,
            secrets=secrets,
            sign=sign,
            tls=ClientTls(
                verify=self.bool_option("verify_ssl"),
                ca_file=self.option("api_ca_cert"),
            ),
        )

    def require_ours(
        self, server: str, kind: str, *, is_ours: bool, adopts: bool, adoptable: bool
    ) -> None:
        """Refuse a zone that is not ours and not to be adopted.

        Args:
            server: The server, for people.
            kind: What the zone is there, for people.
            is_ours: It is this service's.
            adopts: Zones of others are taken over.
            adoptable: That is possible: not for a primary zone, whose content exists nowhere else.

        Raises:
            ForeignZone: the zone stays as it is.
        """
        if not is_ours and not (adopts and adoptable):
            raise self.foreign(server, kind, can_adopt=adoptable)

    def option_group(self, *names: str) -> dict[str, str] | None:
        """Return options that belong together, or None if none of them is set.

        Raises:
            ConfigurationError: only some of them are set.
        """
        if not any(self.option(name) for name in names):
            return None
        return {name: self.required_option(name) for name in names}

    def needs_key_options(self, *names: str) -> None:
        """Require these options for `transfer_with`: the product also needs the secret of the key.

        Raises:
            ConfigurationError: they are not set.
        """
        if not self.option(names[0]):
            raise errors.ConfigurationError(
                f"target type {self.target.type}: tsigkey_id needs the options {', '.join(names)}"
            )


def only_dns_port(target: Target) -> None:
    """Require port 53 for every master, since the product accepts addresses only.

    Raises:
        ConfigurationError: a master has another port.
    """
    for master in target.masters:
        if master.port != DNS_PORT:
            raise errors.ConfigurationError(
                f"target type {target.type}: master {master.host}: port {master.port}: only "
                f"{DNS_PORT} is supported"
            )


def matches(found: Any, desired: Any) -> bool:
    """Return whether found has all desired values; objects may have more members, None equals empty."""
    if isinstance(desired, dict):
        return isinstance(found, dict) and all(
            matches(found.get(name), value) for name, value in desired.items()
        )
    return bool(found == desired or (not found and not desired))
