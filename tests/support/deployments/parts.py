"""What every deployment has: the servers it uses, and a project that makes zones in it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.support.deadlines import scaled, until
from tests.support.deployments.machine import Machine
from tests.support.servers.broker import RabbitMQ
from tests.support.servers.databases import MariaDB
from tests.support.servers.keystone import Account, Keystone
from tests.support.servers.standalone import ask, texts

START_S = 60
ADDRESS = "192.0.2.80"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The servers of one deployment, with names of its own in each.

    account is the service's own in Keystone, and region the only one in which it is.
    """

    folder: Path
    keystone: Keystone
    account: Account
    region: str
    database_url: str
    transport_url: str
    secret: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def values(self) -> dict[str, Any]:
        """The servers and the account, by the names that the files of the tools have for them."""
        return {
            "transport_url": self.transport_url,
            "database_url": self.database_url,
            "keystone": self.keystone.url,
            "project": self.account.project_name,
            "project_id": self.account.project_id,
            "user": self.account.name,
            "password": self.account.password,
            "region": self.region,
        }


def make_parts(folder: Path, keystone: Keystone, mariadb: MariaDB, transport_url: str) -> Parts:
    """Return parts with an empty database, an account and a region."""
    name = secrets.token_hex(4)
    region = keystone.region(f"region-{name}")
    return Parts(
        folder=folder,
        keystone=keystone,
        account=keystone.account(f"designate-{name}", "admin", "service"),
        region=region,
        database_url=mariadb.fresh(),
        transport_url=transport_url,
    )


class Client:
    """An administrator of the deployment: a plain HTTP client of its API."""

    def __init__(self, parts: Parts, url: str, ca_file: Path | None = None) -> None:
        self.url = url
        admin = parts.keystone.account(f"admin-{secrets.token_hex(4)}", "admin")
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = str(ca_file) if ca_file else True
        self.http.headers["X-Auth-Token"] = parts.keystone.token(admin)

    def status(self, path: str) -> int:
        """Return the status of a request without a token, as a load balancer sends it; 0: no connection."""
        try:
            headers = {"X-Auth-Token": None}
            response = self.http.get(
                self.url + path, headers=headers, timeout=scaled(10), allow_redirects=False
            )
        except requests.ConnectionError:
            return 0
        return response.status_code

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        response = self.http.request(method, f"{self.url}/v2{path}", json=body, timeout=scaled(60))
        return response.status_code, response.json() if response.content else None

    def ready(self, *machines: Machine) -> None:
        """Wait until the API and central serve; the programs of the machines must not end."""

        def serves() -> bool:
            for machine in machines:
                machine.check()
            try:
                return self.call("GET", "/zones?limit=1")[0] == 200
            except (requests.ConnectionError, requests.Timeout):
                return False

        until(serves, START_S, "the first list of zones", pause_s=0.05)

    def serve_zone(self, name: str, port: int) -> dict[str, Any]:
        """Create a zone with a record, wait until both are ACTIVE and query the nameserver.

        Returns:
            The zone.
        """
        status, zone = self.call("POST", "/zones", {"name": name, "email": "a@example.org"})
        assert status == 202, zone
        record = {"name": f"www.{name}", "type": "A", "records": [ADDRESS]}
        path = f"/zones/{zone['id']}"
        status, made = self.call("POST", f"{path}/recordsets", record)
        assert status == 202, made
        self.active(f"{path}/recordsets/{made['id']}")
        zone = self.active(path)
        assert texts(ask(("127.0.0.1", port), f"www.{name}", "A")) == {ADDRESS}
        return zone

    def active(self, path: str) -> dict[str, Any]:
        def read() -> dict[str, Any] | None:
            status, found = self.call("GET", path)
            assert status == 200, found
            assert found["status"] != "ERROR", found
            return found if found["status"] == "ACTIVE" else None

        found = until(read, 30, f"{path} ACTIVE", pause_s=0.05)
        assert isinstance(found, dict)
        return found

    def services(self) -> set[str]:
        """Return the names of the services that are UP."""
        status, found = self.call("GET", "/service_statuses")
        assert status == 200, found
        return {s["service_name"] for s in found["service_statuses"] if s["status"] == "UP"}


def vhost(broker: RabbitMQ, name: str) -> str:
    """Return the transport_url of a virtual host."""
    return f"rabbit://guest:guest@127.0.0.1:{broker.port}/{name}"
