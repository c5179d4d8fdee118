"""What backends for hosted nameservers and appliances with an HTTP API have in common."""

from __future__ import annotations

from typing import Any

from designate import errors
from designate.backend.base import Backend, BackendOption
from designate.backend.http_client import Signing, Tls, WebClient
from designate.model.pools import Target

API_OPTIONS = (
    BackendOption(name="api_timeout", default="10", meaning="seconds for one call"),
    BackendOption(name="api_ca_cert", meaning="file with the authorities of the API's HTTPS"),
    BackendOption(
        name="verify_ssl", default="true", meaning="whether the API's certificate is checked"
    ),
)
DNS_PORT = 53


class HostedBackend(Backend):
    """For backends with API_OPTIONS among their OPTIONS."""

    def client(
        self,
        label: str,
        endpoint: str,
        *,
        secrets: tuple[str | None, ...],
        headers: dict[str, str] | None = None,
        sign: Signing | None = None,
    ) -> WebClient:
        """endpoint: a host (by HTTPS then), or a URL. Raises ConfigurationError."""
        return WebClient(
            label,
            endpoint if "://" in endpoint else f"https://{endpoint}",
            timeout_s=self.seconds_option("api_timeout"),
            headers=headers,
            secrets=secrets,
            sign=sign,
            tls=Tls(
                verify=self.bool_option("verify_ssl"),
                ca_file=self.option("api_ca_cert"),
            ),
        )

    def together(self, *names: str) -> dict[str, str] | None:
        """Options that make sense only all together: all of them, or None. Raises ConfigurationError:
        one is missing."""
        if not any(self.option(name) for name in names):
            return None
        return {name: self.required_option(name) for name in names}

    def needs_key_options(self, *names: str) -> None:
        """For transfer_with: the product must be told a key's secret too, by these options. Raises
        ConfigurationError: they are not there."""
        if not self.option(names[0]):
            raise errors.ConfigurationError(
                f"target type {self.target.type}: tsigkey_id needs the options {', '.join(names)}"
            )


def only_dns_port(target: Target) -> None:
    """The product can be told addresses alone. Raises ConfigurationError for a master with another
    port than DNS's own."""
    for master in target.masters:
        if master.port != DNS_PORT:
            raise errors.ConfigurationError(
                f"target type {target.type}: master {master.host}: port {master.port}: only "
                f"{DNS_PORT} is possible"
            )


def same(found: Any, wanted: Any) -> bool:
    """Whether found has all that is wanted; objects may have more members, None is like none."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            same(found.get(name), value) for name, value in wanted.items()
        )
    return bool(found == wanted or (not found and not wanted))
