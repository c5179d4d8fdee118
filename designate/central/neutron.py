"""Floating IPs from Neutron, asked with the caller's own token."""

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
    NetworkAddress,
    NetworkFailure,
    Question,
    parts_of,
)

LOG = logging.getLogger(__name__)

PAGE = 500
MOST_PAGES = 200
LARGEST_PAGE_BYTES = 8 * 1024 * 1024
CHUNK_BYTES = 64 * 1024


class Neutron:
    """See network.NetworkApi. Each request opens its own connections: they carry somebody's token."""

    name = "neutron"

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        options = conf[NEUTRON]
        self._endpoints = dict(map(_endpoint, options.endpoints or ()))
        self._interface = options.endpoint_type
        self._timeout_s = float(options.timeout)
        self._verify: bool | str = not options.insecure and (options.ca_certificates_file or True)
        self._certificate = options.client_certificate_file

    def floatingips(self, question: Question) -> list[NetworkAddress]:
        deadline_s = monotonic() + self._timeout_s
        found: list[NetworkAddress] = []
        for region, url in self._regions(question).items():
            try:
                found.extend(self._ask(question, region, url, deadline_s))
            except (exceptions.ClientException, HTTPError, OSError, ValueError) as error:
                # The class alone: texts of HTTP libraries may hold what was sent.
                LOG.warning("Neutron of region %s failed: %s", region, type(error).__name__)
                raise NetworkFailure(f"The network service of {region} does not answer") from None
        return found

    def _regions(self, question: Question) -> dict[str, str]:
        """Region to URL, of those that matter. Raises Forbidden of type no_endpoint."""
        known = self._endpoints or {
            endpoint.region: endpoint.url
            for endpoint in question.catalog
            if endpoint.interface == self._interface
        }
        if not known:
            raise errors.Forbidden("There is no endpoint of a network service", type="no_endpoint")
        if question.region is None:
            return known
        return {region: url for region, url in known.items() if region == question.region}

    def _ask(
        self, question: Question, region: str, url: str, deadline_s: float
    ) -> Iterator[NetworkAddress]:
        """All pages of one region's answer."""
        base = url.rstrip("/").removesuffix("/v2.0")
        params = _parameters(question)
        auth = token_endpoint.Token(f"{base}/v2.0", question.token)
        asking = session.Session(auth, verify=self._verify, cert=self._certificate)
        with asking.session:
            for _ in range(MOST_PAGES):
                page = self._page(asking, f"{base}/v2.0/floatingips", params, deadline_s)
                rows = page["floatingips"]
                for row in rows:
                    owner = row.get("project_id", row.get("tenant_id"))
                    if owner == question.project_id:
                        yield NetworkAddress(
                            region=region,
                            id=str(row["id"]).lower(),
                            address=str(row["floating_ip_address"]),
                        )
                if not rows or not _goes_on(page):
                    return
                params["marker"] = rows[-1]["id"]
        raise ValueError("too many pages")

    @staticmethod
    def _page(
        asking: session.Session, url: str, params: dict[str, Any], deadline_s: float
    ) -> dict[str, Any]:
        """One answer, read until the deadline at the latest. Raises ValueError for one that is no
        page of floating IPs."""
        response = asking.request(
            url,
            "GET",
            params=params,
            headers={"Accept": "application/json"},
            redirect=False,  # the token is for this host alone
            allow_reauth=False,
            connect_retries=0,
            log=False,
            stream=True,
            timeout=_left_s(deadline_s),
        )
        with response:
            if response.status_code != HTTPStatus.OK:
                raise ValueError(f"HTTP status {response.status_code}")
            body = bytearray()
            # What has come is taken at once: waiting for a full chunk would have no deadline.
            while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):
                body += chunk
                _left_s(deadline_s)
                if len(body) > LARGEST_PAGE_BYTES:
                    raise ValueError("the answer is too large")
        page = json.loads(body)
        if not isinstance(page, dict) or not isinstance(page.get("floatingips"), list):
            raise ValueError("the answer holds no floating IPs")
        if not all(
            isinstance(row, dict) and {"id", "floating_ip_address"} <= row.keys()
            for row in page["floatingips"]
        ):
            raise ValueError("the answer holds what is no floating IP")
        return page


def _parameters(question: Question) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "project_id": question.project_id,
        "fields": ["id", "floating_ip_address", "project_id", "tenant_id"],
        "limit": PAGE,
        "sort_key": "id",
        "sort_dir": "asc",
    }
    if question.floatingip_id is not None:
        parameters["id"] = question.floatingip_id
    return parameters


def _goes_on(page: dict[str, Any]) -> bool:
    """Whether there is a next page. Where it is, is not believed: the token is for one host."""
    links = page.get("floatingips_links")
    return isinstance(links, list) and any(
        isinstance(link, dict) and link.get("rel") == "next" for link in links
    )


def _endpoint(text: str) -> tuple[str, str]:
    region, url = parts_of(f"[{NEUTRON}] endpoints", text, 2)
    return region, url


def _left_s(deadline_s: float) -> float:
    left_s = deadline_s - monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s
