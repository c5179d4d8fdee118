"""The service with a real Keystone, for tests of unmodified clients.

There are accounts of every role in several projects, and a record of the client's calls that a test made.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self, TypeVar

from tests.support.deadlines import until
from tests.support.fakes.neutron import Neutron
from tests.support.servers.keystone import Account, Keystone
from tests.support.servers.standalone import Service

Test = TypeVar("Test", bound=Callable[..., Any])
SECOND_POOL = "second"


class Cloud:
    """A running service with Keystone and Neutron: `with Cloud(keystone, folder) as cloud`.

    The account `admin` administers all projects, `owner` and `reader` belong to one project and `other` to
    another one. `region` is the service's region in the catalogue.
    """

    def __init__(self, keystone: Keystone, folder: Path) -> None:
        self.keystone = keystone
        self.neutron = Neutron(identify=keystone.project_of)
        self.service = Service(folder, config_file=keystone.config_file(folder))
        self._open = ExitStack()
        self._tokens: dict[str, str] = {}
        name = secrets.token_hex(4)
        self.region = f"region-{name}"
        self.admin = keystone.account(f"{name}-admin", "admin")
        self.owner = keystone.account(f"{name}-owner", "member")
        self.reader = keystone.account(f"{name}-reader", "reader", project_id=self.owner.project_id)
        self.other = keystone.account(f"{name}-other", "member")

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            opening.enter_context(self.neutron)
            opening.enter_context(self.service)
            self.keystone.region(self.region, dns=self.service.url, network=self.neutron.url)
            # A service queries the network service of every region in the catalogue.
            opening.callback(self.keystone.withdraw, self.region)
            self._open = opening.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def token(self, account: Account) -> str:
        """Return a token of the account, always the same one."""
        if account.id not in self._tokens:
            self._tokens[account.id] = self.keystone.token(account)
        return self._tokens[account.id]

    def call(self, account: Account, method: str, path: str, body: Any = None, **more: str) -> Any:
        """Send a request as the account, and return the status and the body."""
        headers = {"X-Auth-Token": self.token(account), **more}
        return self.service.call(method, path, body, **headers)

    def zone(self, account: Account, name: str) -> dict[str, Any]:
        """Create a zone and wait until it is ACTIVE."""
        body = {"name": name, "email": "admin@example.com"}
        status, zone = self.call(account, "POST", "/zones", body)
        assert status == 202, zone
        self.until_active(account, f"/zones/{zone['id']}")
        assert isinstance(zone, dict)
        return zone

    def until_active(self, account: Account, path: str) -> None:
        token = {"X-Auth-Token": self.token(account)}
        until(
            lambda: self.service.call("GET", path, **token)[1].get("status") == "ACTIVE",
            20,
            f"{path} ACTIVE",
        )

    def until_complete(self, account: Account, path: str) -> dict[str, Any]:
        """Wait for an import or export to finish, and return it."""
        token = {"X-Auth-Token": self.token(account)}

        def finished() -> Any:
            found = self.service.call("GET", path, **token)[1]
            return found if found["status"] != "PENDING" else None

        found = until(finished, 20, f"{path} finished")
        assert isinstance(found, dict)
        assert found["status"] == "COMPLETE", found
        return found

    def second_pool(self) -> str:
        """Return the id of another pool, with the key that moves of zones into it need."""
        pools = self.call(self.admin, "GET", f"/pools?name={SECOND_POOL}")[1]["pools"]
        if pools:
            return str(pools[0]["id"])
        body: dict[str, Any] = {
            "name": SECOND_POOL,
            "ns_records": [{"hostname": "ns2.example.org.", "priority": 1}],
        }
        status, pool = self.call(self.admin, "POST", "/pools", body)
        assert status == 201, pool
        key = {"name": "second.", "algorithm": "hmac-sha256", "scope": "POOL",
               "secret": base64.b64encode(b"secret").decode(), "resource_id": pool["id"]}  # fmt: skip
        status, made = self.call(self.admin, "POST", "/tsigkeys", key)
        assert status == 201, made
        return str(pool["id"])


class CallRecorder:
    """Records the names of the client methods that a test uses."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def of(self, client: Any, prefix: str = "", parts: tuple[str, ...] = ()) -> Any:
        """Return a proxy of the client that records the names of its methods when they are fetched.

        Args:
            client: The client.
            prefix: Written before the names.
            parts: Attributes of the client that have methods themselves.
        """
        return _RecordingProxy(client, prefix, parts, self)


class _RecordingProxy:
    def __init__(
        self, client: Any, prefix: str, parts: tuple[str, ...], calls: CallRecorder
    ) -> None:
        self._client, self._prefix, self._parts, self._calls = client, prefix, parts, calls

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name in self._parts:
            return _RecordingProxy(found, f"{name}.", (), self._calls)
        self._calls.names.add(self._prefix + name)
        return found


def exercises(*names: str) -> Callable[[Test], Test]:
    """Declare which of a client's methods a test uses; `assert_exercised` checks the declaration."""

    def mark(test: Test) -> Test:
        test.exercises = names  # type: ignore[attr-defined]
        return test

    return mark


def assert_exercised(test: Any, calls: CallRecorder) -> None:
    missed = set(getattr(test, "exercises", ())) - calls.names
    assert not missed, f"{test.__name__} does not call {sorted(missed)}"


def exercised_in(module: dict[str, Any]) -> Iterator[str]:
    """Yield the methods that the tests of a module declare to use."""
    for found in module.values():
        yield from getattr(found, "exercises", ())
