"""Floating IPs from Neutron, requested with the caller's own token."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from http import HTTPStatus
from time import monotonic
from typing import Any

from keystoneauth1 import exceptions, session, token_endpoint
from oslo_config import cfg
from urllib3.exceptions import HTTPError

from designate import errors
from designate.central.network import (
    NEUTRON,
    FloatingIpQuery,
    NetworkAddress,
    NetworkFailure,
    split_option,
)

LOG = logging.getLogger(__name__)

PAGE_SIZE = 500
MAX_PAGES = 200
MAX_PAGE_BYTES = 8 * 1024 * 1024
CHUNK_BYTES = 64 * 1024


class Neutron:
    """See network.NetworkApi.

    Each request opens its own connections, because they carry the caller's token.
    """

    name = "neutron"

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        options = conf[NEUTRON]
        self._endpoints = dict(map(_endpoint, options.endpoints or ()))
        self._interface = options.endpoint_type
        self._timeout_s = float(options.timeout)
        self._verify: bool | str = not options.insecure and (options.ca_certificates_file or True)
        self._certificate = options.client_certificate_file

    def floatingips(self, query: FloatingIpQuery) -> list[NetworkAddress]:
        """Return the project's floating IPs of all matching regions."""
        deadline_s = monotonic() + self._timeout_s
        found: list[NetworkAddress] = []
        for region, url in self._regions(query).items():
            try:
                found.extend(self._list(query, region, url, deadline_s))
            except (exceptions.ClientException, HTTPError, OSError, ValueError) as error:
                # Only the class: messages of HTTP libraries may contain the token.
                LOG.warning("region %s: Neutron failed: %s", region, type(error).__name__)
                raise NetworkFailure(
                    f"The network service of region {region} is unavailable"
                ) from None
        return found

    def _regions(self, query: FloatingIpQuery) -> dict[str, str]:
        """Return the URL of each region to query.

        Raises:
            Forbidden: There is none at all; the type is no_endpoint.
        """
        known = self._endpoints or {
            endpoint.region: endpoint.url
            for endpoint in query.catalog
            if endpoint.interface == self._interface
        }
        if not known:
            raise errors.Forbidden(
                "There is no endpoint of the network service", type="no_endpoint"
            )
        if query.region is None:
            return known
        return {region: url for region, url in known.items() if region == query.region}

    def _list(
        self, query: FloatingIpQuery, region: str, url: str, deadline_s: float
    ) -> Iterator[NetworkAddress]:
        """Yield the project's floating IPs from all pages of one region."""
        base = url.rstrip("/").removesuffix("/v2.0")
        params = _parameters(query)
        auth = token_endpoint.Token(f"{base}/v2.0", query.token)
        client = session.Session(auth, verify=self._verify, cert=self._certificate)
        with client.session:
            for _ in range(MAX_PAGES):
                page = self._page(client, f"{base}/v2.0/floatingips", params, deadline_s)
                rows = page["floatingips"]
                for row in rows:
                    owner = row.get("project_id", row.get("tenant_id"))
                    if owner == query.project_id:
                        yield NetworkAddress(
                            region=region,
                            id=str(row["id"]).lower(),
                            address=str(row["floating_ip_address"]),
                        )
                if not rows or not _has_next_page(page):
                    return
                params["marker"] = rows[-1]["id"]
        raise ValueError("too many pages")

    @staticmethod
    def _page(
        client: session.Session, url: str, params: dict[str, Any], deadline_s: float
    ) -> dict[str, Any]:
        """Return one page.

        Raises:
            TimeoutError: The deadline passed.
            ValueError: The response is not a page of floating IPs.
        """
        response = client.request(
            url,
            "GET",
            params=params,
            headers={"Accept": "application/json"},
            redirect=False,  # the token must not go to other hosts
            allow_reauth=False,
            connect_retries=0,
            log=False,
            stream=True,
            timeout=_remaining_s(deadline_s),
        )
        with response:
            if response.status_code != HTTPStatus.OK:
                raise ValueError(f"HTTP status {response.status_code}")
            body = bytearray()
            # read1 returns what has arrived: waiting for a full chunk would ignore the deadline.
            while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):
                body += chunk
                _remaining_s(deadline_s)
                if len(body) > MAX_PAGE_BYTES:
                    raise ValueError("the response is too large")
        page = json.loads(body)
        if not isinstance(page, dict) or not isinstance(page.get("floatingips"), list):
            raise ValueError("the response has no floating IPs")
        if not all(
            isinstance(row, dict) and {"id", "floating_ip_address"} <= row.keys()
            for row in page["floatingips"]
        ):
            raise ValueError("the response has an invalid floating IP")
        return page


def _parameters(query: FloatingIpQuery) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "project_id": query.project_id,
        "fields": ["id", "floating_ip_address", "project_id", "tenant_id"],
        "limit": PAGE_SIZE,
        "sort_key": "id",
        "sort_dir": "asc",
    }
    if query.floatingip_id is not None:
        parameters["id"] = query.floatingip_id
    return parameters


def _has_next_page(page: dict[str, Any]) -> bool:
    """Return whether there is a next page.

    Its URL is not used: the token must not go to other hosts.
    """
    links = page.get("floatingips_links")
    return isinstance(links, list) and any(
        isinstance(link, dict) and link.get("rel") == "next" for link in links
    )


def _endpoint(text: str) -> tuple[str, str]:
    region, url = split_option(f"[{NEUTRON}] endpoints", text, 2)
    return region, url


def _remaining_s(deadline_s: float) -> float:
    remaining_s = deadline_s - monotonic()
    if remaining_s <= 0:
        raise TimeoutError
    return remaining_s
