"""Callers and the objects that they request, for tests of authorisation.

Project `one` owns a zone that it shares with `two`; `three` shares nothing with them; `ops` belongs to the
operators.
"""

from __future__ import annotations

import http.client
import itertools
import json
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from designate.storage.sqlalchemy.tables import pools
from tests.support.clients import openapi_checker
from tests.support.deadlines import scaled, until
from tests.support.servers.standalone import Service

EVERYWHERE = {"X-Auth-All-Projects": "true"}
DROP_SHARES = {"X-Designate-Delete-Shares": "true"}
POOL = "794ccc2c-d751-44fe-b57f-8894c9f5c842"


def who(project: str, roles: str, **more: str) -> dict[str, str]:
    named = {name.replace("_", "-"): value for name, value in more.items()}
    return {"X-Auth-Project-ID": project, "X-Roles": roles, **named}


# Tokens of members have the reader role too; "bare" is the exception.
CALLERS = {
    "admin": who("ops", "admin"),
    "all": who("ops", "admin") | EVERYWHERE,
    "sudo": who("ops", "admin", X_Auth_Sudo_Project_ID="one"),
    "own": who("one", "admin"),
    "memb": who("one", "member,reader"),
    "bare": who("one", "member"),
    "read": who("one", "reader"),
    "none": who("one", "guest"),
    "memb2": who("two", "member,reader"),
    "read2": who("two", "reader"),
    "none2": who("two", "guest"),
    "memb3": who("three", "member,reader"),
    "read3": who("three", "reader"),
    "syst": who("", "admin", OpenStack_System_Scope="all"),
    "doma": who("", "admin", X_Domain_Id="default"),
}
OPS, OWNER, TARGET = CALLERS["all"], CALLERS["memb"], CALLERS["memb2"]
STRANGER = CALLERS["memb3"]


class Http:
    """One keep-alive connection to the service; a call returns the status and the JSON or text."""

    def __init__(self, service: Service) -> None:
        self.service = service
        host, port = service.parts.api_address
        self._connection = http.client.HTTPConnection(host, port, timeout=scaled(30))
        self.headers: dict[str, str] = {}

    def __call__(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Send a request; a body that is not bytes is sent as JSON."""
        sent = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        self._connection.request(method, path, body, sent)
        response = self._connection.getresponse()
        raw = response.read()
        self.headers = dict(response.getheaders())
        openapi_checker.check(method, path, response.status, self.headers, raw)
        content_type = self.headers.get("Content-Type", "").split(";")[0]
        is_json = raw and content_type == "application/json"
        return response.status, json.loads(raw) if is_json else raw

    def close(self) -> None:
        self._connection.close()


class World:
    """Objects by the names that tests use in paths and bodies.

    `{zone}` is always the same zone, `{zone!}` a new one every time.
    """

    def __init__(self, call: Http) -> None:
        self.call = call
        self.known: dict[str, Any] = {}
        self._numbers = itertools.count(1)

    def made(self, method: str, path: str, body: Any = None, by: dict[str, str] = OWNER) -> Any:
        status, found = self.call(method, path, body, by)
        assert status < 300, (method, path, found)
        return found

    def name(self) -> str:
        return f"n{next(self._numbers)}"

    def get(self, what: str) -> Any:
        """Return the object, or a new one if the name ends with `!`."""
        if what.endswith("!"):
            return self._make(what[:-1])
        if what not in self.known:
            self.known[what] = self._make(what)
        return self.known[what]

    def _make(self, what: str) -> Any:
        maker: Callable[[], Any] = getattr(self, f"make_{what}")
        return maker()

    def fill(self, text: str, *, fresh: bool = True) -> str:
        """Replace placeholders of objects with ids, names or keys.

        Args:
            text: The text with placeholders.
            fresh: Whether `!` makes new objects; otherwise it has no effect.
        """
        parts = text.split("{")
        filled = parts[0]
        for part in parts[1:]:
            word, _, rest = part.partition("}")
            filled += self._word(word if fresh else word.replace("!", "")) + rest
        return filled

    def _word(self, word: str) -> str:
        what, _, member = word.partition(".")
        found = self.get(what)
        return str(found if isinstance(found, str) else found[member or "id"])

    # -- makers ----------------------------------------------------------------------------------

    def make_name(self) -> str:
        return self.name()

    def make_zone(self) -> Any:
        """Create a zone that is shared with project two."""
        zone = self.make_private()
        self.made("POST", f"/v2/zones/{zone['id']}/shares", {"target_project_id": "two"})
        return zone

    def make_private(self) -> Any:
        body = {"name": f"{self.name()}.example.", "email": "a@example.com"}
        return self.made("POST", "/v2/zones", body)

    def make_secondary(self) -> Any:
        body = {"name": f"{self.name()}.example.", "type": "SECONDARY", "masters": ["127.0.0.9"]}
        zone = self.made("POST", "/v2/zones", body)
        self.made("POST", f"/v2/zones/{zone['id']}/shares", {"target_project_id": "two"})
        return zone

    def _recordset(self, zone: str, by: dict[str, str]) -> Any:
        at = self.get(zone)
        body = {"name": f"{self.name()}.{at['name']}", "type": "A", "records": ["192.0.2.1"]}
        return self.made("POST", f"/v2/zones/{at['id']}/recordsets", body, by)

    def make_rs(self) -> Any:
        return self._recordset("zone", OWNER)

    def make_theirs(self) -> Any:
        return self._recordset("zone", TARGET)

    def make_secondary_rs(self) -> Any:
        return self._recordset("secondary", OPS)

    def make_share(self) -> Any:
        """Share the zone with a project that no other test uses."""
        body = {"target_project_id": self.name()}
        return self.made("POST", self.fill("/v2/zones/{zone}/shares"), body)

    def make_shared(self) -> Any:
        """Return the share of the zone with project two."""
        path = self.fill("/v2/zones/{zone}/shares?target_project_id=two")
        return self.made("GET", path, by=OPS)["shared_zones"][0]

    def make_request(self) -> Any:
        """Create a transfer request for project two."""
        path = self.fill("/v2/zones/{private!}/tasks/transfer_requests")
        return self.made("POST", path, {"target_project_id": "two"})

    def make_open(self) -> Any:
        return self.made("POST", self.fill("/v2/zones/{private!}/tasks/transfer_requests"), {})

    def make_accept(self) -> Any:
        """Accept a transfer as project two."""
        request = self.make_request()
        body = {"key": request["key"], "zone_transfer_request_id": request["id"]}
        return self.made("POST", "/v2/zones/tasks/transfer_accepts", body, TARGET)

    def _finished(self, path: str) -> Any:
        def finished() -> Any:
            found = self.made("GET", path)
            return found if found["status"] != "PENDING" else None

        return until(finished, 20, path)

    def make_import(self) -> Any:
        sent = OWNER | {"Content-Type": "text/dns"}
        made = self.made("POST", "/v2/zones/tasks/imports", self.zonefile(), sent)
        return self._finished(f"/v2/zones/tasks/imports/{made['id']}")

    def zonefile(self) -> bytes:
        name = f"{self.name()}.example."
        return f"$ORIGIN {name}\n$TTL 300\n@ SOA ns.x.example. a.x.example. 1 2 3 4 5\n".encode()

    def make_export(self) -> Any:
        made = self.made("POST", self.fill("/v2/zones/{zone}/tasks/export"))
        return self._finished(f"/v2/zones/tasks/exports/{made['id']}")

    def make_tld(self) -> Any:
        return self.made("POST", "/v2/tlds", {"name": f"example.{self.name()}"}, OPS)

    def make_blacklist(self) -> Any:
        return self.made("POST", "/v2/blacklists", {"pattern": f"^{self.name()}$"}, OPS)

    def make_tsigkey(self) -> Any:
        body = {"name": self.name(), "algorithm": "hmac-sha256", "secret": "c2VjcmV0"}
        return self.made("POST", "/v2/tsigkeys", body | {"scope": "POOL", "resource_id": POOL}, OPS)

    def make_pool(self) -> Any:
        """Create a pool of project ops, with a key, so that zones can be moved to it."""
        body = {"name": self.name(), "ns_records": [{"hostname": "ns.x.example.", "priority": 1}]}
        pool = self.made("POST", "/v2/pools", body, OPS)
        key = {"name": self.name(), "algorithm": "hmac-sha256", "secret": "c2VjcmV0"}
        self.made("POST", "/v2/tsigkeys", key | {"scope": "POOL", "resource_id": pool["id"]}, OPS)
        return pool

    def make_open_pool(self) -> Any:
        """Create a pool of no project, so that every project may have zones in it."""
        pool = self.make_pool()
        database = self.call.service.parts.database
        mine = pools.c.id == pool["id"]
        database.write(lambda tx: tx.execute(sa.update(pools).where(mine).values(project_id=None)))
        return pool

    def make_service(self) -> Any:
        def services() -> Any:
            return self.made("GET", "/v2/service_statuses", by=OPS)["service_statuses"]

        return until(services, 20, "a heartbeat")[0]  # type: ignore[index]  # a list
