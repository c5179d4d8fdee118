"""A real Keystone for tests: one process with SQLite on a free loopback port.

Projects, users, roles and the catalogue are created through its API. One Keystone serves the whole
session (the fixture `keystone` in conftest.py): each test creates its own projects and accounts, and each
service under test has its own region in the catalogue.
"""

from __future__ import annotations

import secrets
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import requests

from tests.support.deadlines import scaled, until
from tests.support.servers.nameservers import free_port

DOMAIN = "default"
START_S = 90
REPOSITORY = Path(__file__).parents[3]
INTERFACES = ("public", "internal", "admin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user with roles in one project."""

    id: str
    name: str
    password: str
    project_id: str
    project_name: str


class Keystone:
    """A running Keystone: `with Keystone(folder) as keystone`; `token_s` is the lifetime of tokens."""

    def __init__(self, folder: Path, token_s: int = 3600) -> None:
        self._folder = folder
        self._token_s = token_s
        self._password = secrets.token_hex(12)
        self._process: subprocess.Popen[bytes] | None = None
        self._http = requests.Session()
        self._http.trust_env = False
        self._admin_token = ""
        self._roles: dict[str, str] = {}
        self._services: dict[str, str] = {}
        self.port = free_port()

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "keystone.conf").write_text(self._config())
        self.start()
        self._admin_token = self.token_of(
            {"name": "admin", "domain": {"id": DOMAIN}, "password": self._password},
            {"project": {"name": "admin", "domain": {"id": DOMAIN}}},
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()
        self.stop()

    def _config(self) -> str:
        return f"""
[database]
connection = sqlite:///{self._folder}/keystone.sqlite?timeout=20
[fernet_tokens]
key_repository = {self._folder}/fernet
[fernet_receipts]
key_repository = {self._folder}/fernet
[credential]
key_repository = {self._folder}/credential
[token]
expiration = {self._token_s}
[identity]
password_hash_rounds = 4
max_password_length = 72
"""

    def start(self) -> None:
        """Start the process; after a stop() it continues with the same database."""
        log_file = self._folder / "keystone.log"
        with log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "tests.support.servers.keystone_host",
                 str(self._folder), str(self.port), self._password],
                stdout=log, stderr=log, cwd=REPOSITORY,
            )  # fmt: skip
        until(self._is_up, START_S, "Keystone's first response")

    def _is_up(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "keystone.log").read_text()
        try:
            return self._http.get(self.url, timeout=scaled(5)).status_code == 200
        except requests.RequestException:
            return False

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=scaled(20))
            self._process = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v3"

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Return the decoded response to an administrator's request below /v3, which must succeed."""
        response = self._http.request(
            method,
            self.url + path,
            json=body,
            headers={"X-Auth-Token": self._admin_token},
            timeout=scaled(30),
        )
        assert response.ok, (method, path, response.status_code, response.text)
        return response.json() if response.content else None

    def project(self, name: str) -> str:
        """Create a project and return its id."""
        made = self.call("POST", "/projects", {"project": {"name": name, "domain_id": DOMAIN}})
        return str(made["project"]["id"])

    def account(self, name: str, *roles: str, project_id: str = "", **anywhere: str) -> Account:
        """Create a user with these roles in a project, which is created unless its id is given.

        `anywhere` has a role by `system` or `domain`.
        """
        if not project_id:
            project_id = self.project(f"{name}-project")
        project = self.call("GET", f"/projects/{project_id}")["project"]
        password = secrets.token_hex(12)
        body = {"name": name, "password": password, "domain_id": DOMAIN}
        user_id = self.call("POST", "/users", {"user": body})["user"]["id"]
        account = Account(
            id=user_id,
            name=name,
            password=password,
            project_id=project_id,
            project_name=project["name"],
        )
        for role in roles:
            self.grant(account, role, f"/projects/{project_id}")
        for where, role in anywhere.items():
            self.grant(account, role, "/system" if where == "system" else f"/domains/{DOMAIN}")
        return account

    def grant(self, account: Account, role: str, where: str) -> None:
        """Grant the role at the path of a project, a domain or the system."""
        self.call("PUT", f"{where}/users/{account.id}/roles/{self._role(role)}")

    def _role(self, name: str) -> str:
        if not self._roles:
            self._roles = {role["name"]: role["id"] for role in self.call("GET", "/roles")["roles"]}
        return self._roles[name]

    def publish(self, region: str, **urls: str) -> None:
        """Add services to a region of the catalogue; `urls` has the URL by type."""
        for type_, url in urls.items():
            if type_ not in self._services:
                made = self.call("POST", "/services", {"service": {"type": type_, "name": type_}})
                self._services[type_] = made["service"]["id"]
            for interface in INTERFACES:
                endpoint = {
                    "service_id": self._services[type_],
                    "interface": interface,
                    "url": url,
                    "region_id": region,
                }
                self.call("POST", "/endpoints", {"endpoint": endpoint})

    def region(self, name: str, **urls: str) -> str:
        """Create a region with this Keystone and other services, and return its name."""
        self.call("POST", "/regions", {"region": {"id": name}})
        self._services.setdefault("identity", self._identity())
        self.publish(name, identity=self.url, **urls)
        return name

    def withdraw(self, region: str) -> None:
        """Remove a region's services from the catalogue."""
        for endpoint in self.call("GET", f"/endpoints?region_id={region}")["endpoints"]:
            self.call("DELETE", f"/endpoints/{endpoint['id']}")

    def _identity(self) -> str:
        return str(self.call("GET", "/services?type=identity")["services"][0]["id"])

    def token(self, account: Account, scope: Any = None) -> str:
        """Return a new token; `scope` is as in Keystone's API, or "unscoped"; default: the project."""
        user = {"id": account.id, "password": account.password}
        return self.token_of(user, scope or {"project": {"id": account.project_id}})

    def token_of(self, user: dict[str, Any], scope: Any) -> str:
        return self.authenticate({"methods": ["password"], "password": {"user": user}}, scope)

    def authenticate(self, identity: dict[str, Any], scope: Any = None) -> str:
        """Return a new token; `identity` is the method of authentication, as in Keystone's API."""
        auth = {"identity": identity} | ({"scope": scope} if scope else {})
        response = self._http.post(
            f"{self.url}/auth/tokens", json={"auth": auth}, timeout=scaled(30)
        )
        assert response.status_code == 201, response.text
        return str(response.headers["X-Subject-Token"])

    def short_token(self, account: Account, seconds: int) -> str:
        """Return a token that expires soon: with the application credential that it belongs to."""
        ends = datetime.now(UTC) + timedelta(seconds=seconds)
        return self._credential_token(
            account, {"expires_at": ends.strftime("%Y-%m-%dT%H:%M:%S.%f")}
        )

    def narrow_token(self, account: Account, method: str, path: str) -> str:
        """Return a token that is valid only for these requests to the DNS service.

        It belongs to an application credential with an access rule. The service must be in the catalogue.
        """
        rule = {"service": "dns", "method": method, "path": path}
        return self._credential_token(account, {"access_rules": [rule]})

    def _credential_token(self, account: Account, settings: dict[str, Any]) -> str:
        """Return a token of a new application credential."""
        body = {"name": secrets.token_hex(4), **settings}
        response = self._http.post(
            f"{self.url}/users/{account.id}/application_credentials",
            json={"application_credential": body},
            headers={"X-Auth-Token": self.token(account)},
            timeout=scaled(30),
        )
        assert response.status_code == 201, response.text
        made = response.json()["application_credential"]
        credential = {"id": made["id"], "secret": made["secret"]}
        return self.authenticate(
            {"methods": ["application_credential"], "application_credential": credential}
        )

    def project_of(self, token: str) -> str | None:
        """Return the project of a token; None if it is not a valid token of a project."""
        response = self._http.get(
            f"{self.url}/auth/tokens",
            headers={"X-Auth-Token": self._admin_token, "X-Subject-Token": token},
            timeout=scaled(30),
        )
        if response.status_code != 200:
            return None
        project = response.json()["token"].get("project")
        return str(project["id"]) if project else None

    def requests(self) -> int:
        """Return the number of requests that it has received."""
        return int((self._folder / "requests").stat().st_size)

    def revoke(self, token: str) -> None:
        response = self._http.delete(
            f"{self.url}/auth/tokens",
            headers={"X-Auth-Token": self._admin_token, "X-Subject-Token": token},
            timeout=scaled(30),
        )
        assert response.status_code == 204, response.text

    def config_file(self, folder: Path, more: str = "", url: str = "") -> Path:
        """Write a service's configuration of this Keystone.

        Args:
            folder: gets the file.
            more: is added to [keystone_authtoken].
            url: where the service reaches Keystone, where that is not its own address.
        """
        account = self.account(f"designate-{secrets.token_hex(4)}", "admin", "service")
        path = folder / "keystone-authtoken.conf"
        path.write_text(
            f"""[service:api]
auth_strategy = keystone
[keystone_authtoken]
auth_type = password
auth_url = {url or self.url}
www_authenticate_uri = {url or self.url}
username = {account.name}
password = {account.password}
project_name = {account.project_name}
user_domain_id = {DOMAIN}
project_domain_id = {DOMAIN}
{more}
"""
        )
        return path

    def cloud(self, account: Account, region: str) -> dict[str, Any]:
        """Return the settings of the account for openstack.connect() or a clouds.yaml."""
        return {
            "region_name": region,
            "auth_type": "password",
            "auth": {
                "auth_url": self.url,
                "username": account.name,
                "password": account.password,
                "project_id": account.project_id,
                "user_domain_id": DOMAIN,
            },
        }
