"""designate-api over HTTPS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import trustme

from tests.support.deadlines import scaled, until
from tests.support.servers.broker import RabbitMQ
from tests.support.servers.daemons import Daemons
from tests.support.servers.nameservers import Named


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    server = authority.issue_cert("127.0.0.1")
    server.private_key_pem.write_to_path(folder / "server.key")
    for number, part in enumerate(server.cert_chain_pems):
        part.write_to_path(folder / "server.pem", append=number > 0)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    authority.issue_cert("client@example.org").private_key_and_cert_chain_pem.write_to_path(
        folder / "client.pem"
    )
    return folder


@pytest.fixture(scope="module")
def cloud(
    tmp_path_factory: pytest.TempPathFactory, broker: RabbitMQ, certificates: Path
) -> Iterator[Daemons]:
    folder = tmp_path_factory.mktemp("cloud")
    options = {
        "ssl": {
            "cert_file": certificates / "server.pem",
            "key_file": certificates / "server.key",
            "ca_file": certificates / "ca.pem",
        }
    }
    with (
        Named(tmp_path_factory.mktemp("bind")) as bind,
        Daemons(folder, f"sqlite:///{folder}/db.sqlite", broker.fresh(), bind, options) as daemons,
    ):
        yield daemons


@pytest.fixture
def secured(certificates: Path) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False  # its bundle of certificates would win over the one given here
        session.verify = str(certificates / "ca.pem")
        session.cert = str(certificates / "client.pem")
        yield session


def test_the_api_speaks_https_and_says_so_in_its_links(
    cloud: Daemons, secured: requests.Session
) -> None:
    url = f"https://127.0.0.1:{cloud.api_port}/v2/zones"
    until(lambda: is_up(secured, url), 60, "the API's first response")

    assert secured.get(url, timeout=scaled(10)).json()["links"]["self"] == url


def test_a_client_without_a_certificate_is_refused(
    cloud: Daemons, secured: requests.Session
) -> None:
    url = f"https://127.0.0.1:{cloud.api_port}/v2/zones"
    until(lambda: is_up(secured, url), 60, "the API's first response")

    secured.close()
    secured.cert = None
    with pytest.raises(requests.ConnectionError):
        secured.get(url, timeout=scaled(10))


def is_up(session: requests.Session, url: str) -> bool:
    try:
        return session.get(url, timeout=scaled(20)).status_code == 200
    except requests.ConnectionError:
        return False
