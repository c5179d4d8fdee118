"""What unmodified clients are tried against: the service behind a real Keystone, with accounts of every
role in several projects, and the record of which of a client's calls a test made."""

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
    """`with Cloud(keystone, folder) as cloud`. admin: of all. owner and reader are of one project;
    other is a member of another one. region: where the catalogue has the service."""

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
            # A service asks the network of every region that the catalogue has.
            opening.callback(self.keystone.withdraw, self.region)
            self._open = opening.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def token(self, account: Account) -> str:
        """One of that account, always the same."""
        if account.id not in self._tokens:
            self._tokens[account.id] = self.keystone.token(account)
        return self._tokens[account.id]

    def call(self, account: Account, method: str, path: str, body: Any = None, **more: str) -> Any:
        """(status, body) of a request as that account."""
        headers = {"X-Auth-Token": self.token(account), **more}
        return self.service.call(method, path, body, **headers)

    def zone(self, account: Account, name: str) -> dict[str, Any]:
        """A new zone, ACTIVE."""
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
        """The finished import or export."""
        token = {"X-Auth-Token": self.token(account)}

        def look() -> Any:
            found = self.service.call("GET", path, **token)[1]
            return found if found["status"] != "PENDING" else None

        found = until(look, 20, f"{path} finished")
        assert isinstance(found, dict)
        assert found["status"] == "COMPLETE", found
        return found

    def second_pool(self) -> str:
        """Another pool's id, with the key that zones may come into it."""
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


class Calls:
    """The names that were called."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def of(self, client: Any, prefix: str = "", parts: tuple[str, ...] = ()) -> Any:
        """client, with the names of its methods noted when they are fetched; those in parts have
        methods themselves."""
        return _Noted(client, prefix, parts, self)


class _Noted:
    def __init__(self, client: Any, prefix: str, parts: tuple[str, ...], calls: Calls) -> None:
        self._client, self._prefix, self._parts, self._calls = client, prefix, parts, calls

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name in self._parts:
            return _Noted(found, f"{name}.", (), self._calls)
        self._calls.names.add(self._prefix + name)
        return found


def exercises(*names: str) -> Callable[[Test], Test]:
    """Says of a test which of a client's calls it makes; `said_and_done` holds it to its word."""

    def mark(test: Test) -> Test:
        test.exercises = names  # type: ignore[attr-defined]
        return test

    return mark


def said_and_done(test: Any, calls: Calls) -> None:
    missed = set(getattr(test, "exercises", ())) - calls.names
    assert not missed, f"{test.__name__} does not call {sorted(missed)}"


def said(module: dict[str, Any]) -> Iterator[str]:
    """What all tests of a module say that they exercise."""
    for found in module.values():
        yield from getattr(found, "exercises", ())
