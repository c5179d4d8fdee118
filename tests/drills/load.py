"""Load during a fault: changes posted by several threads, and what must hold for them afterwards."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

import dns.exception
import requests
from urllib3.exceptions import NewConnectionError

from tests.support.deadlines import scaled, until
from tests.support.servers.daemons import Daemons
from tests.support.servers.nameservers import Named
from tests.support.servers.standalone import ask, texts

PACE_S = 0.05
# An allowance for a busy machine.
ALLOWANCE_S = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PostResult:
    """The result of one POST; status 0 if the connection broke."""

    path: str
    name: str
    status: int
    retry_after: str | None
    took_s: float
    body: Any


def refused(error: requests.ConnectionError) -> bool:
    """Return whether the connection was refused before anything was sent."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(reason, NewConnectionError)


class Load:
    """A context manager that posts changes from several threads until its block ends.

    Each thread creates recordsets in its own zone, and sometimes a new zone.
    """

    def __init__(self, cloud: Daemons, label: str, threads: int = 3) -> None:
        self._cloud = cloud
        self._label = label
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self.results: list[PostResult] = []
        self.serials: list[int] = []
        self._zones = [self._first_zone(number) for number in range(threads)]
        self._threads = [
            threading.Thread(target=self._run, args=(zone,), daemon=True) for zone in self._zones
        ]

    def _first_zone(self, number: int) -> dict[str, Any]:
        name = f"{self._label}{number}.example."
        status, zone = self._cloud.call("POST", "/zones", {"name": name, "email": "a@example.org"})
        assert status == 202, zone
        assert isinstance(zone, dict)
        return zone

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join(timeout=scaled(60))
            assert not thread.is_alive(), "a request did not end"

    @property
    def accepted(self) -> list[PostResult]:
        return [result for result in self.results if 200 <= result.status < 300]

    def _run(self, zone: dict[str, Any]) -> None:
        session = requests.Session()
        number = 0
        while not self._ending.is_set():
            if number % 15 == 7:
                name = f"z{number}.{zone['name']}"
                body: dict[str, Any] = {"name": name, "email": "a@example.org"}
                self._post(session, "/zones", name, body)
            else:
                name = f"r{number}.{zone['name']}"
                body = {"name": name, "type": "A", "records": [f"192.0.2.{number % 250}"]}
                self._post(session, f"/zones/{zone['id']}/recordsets", name, body)
            number += 1
            self._ending.wait(PACE_S)
        session.close()

    def _post(self, session: requests.Session, path: str, name: str, body: dict[str, Any]) -> None:
        before_s = time.monotonic()
        try:
            response = self._post_balanced(session, path, body)
            status, headers, found = response.status_code, response.headers, response.json()
        except requests.ConnectionError:
            status, headers, found = 0, {}, None
        result = PostResult(
            path=path,
            name=name,
            status=status,
            retry_after=headers.get("Retry-After"),
            took_s=time.monotonic() - before_s,
            body=found,
        )
        with self._lock:
            self.results.append(result)

    def _post_balanced(
        self, session: requests.Session, path: str, body: dict[str, Any]
    ) -> requests.Response:
        """Post as behind a load balancer: skip an API that refuses connections."""
        *others, last = self._cloud.urls
        for url in others:
            try:
                return session.post(f"{url}/v2{path}", json=body, timeout=scaled(60))
            except requests.ConnectionError as error:
                if not refused(error):
                    raise
        return session.post(f"{last}/v2{path}", json=body, timeout=scaled(60))

    def check(self, bind: Named, deadline_s: float, within_s: float, broken: int = 0) -> None:
        """Check the results of all requests.

        Every accepted change must exist, and be ACTIVE and served within_s. Failures must be a 503 with
        Retry-After. Each response must arrive within deadline_s. At most `broken` connections may end
        without a response.
        """
        assert self.accepted, "nothing was accepted at all"
        wrong = [
            result
            for result in self.results
            if not (200 <= result.status < 300 or (result.status == 503 and result.retry_after))
        ]
        assert len([result for result in wrong if result.status == 0]) <= broken, wrong[:5]
        assert not [result for result in wrong if result.status], wrong[:5]
        longest_s = deadline_s + scaled(ALLOWANCE_S)
        slow = [result for result in self.results if result.took_s > longest_s]
        assert not slow, slow[:5]
        until_s = time.monotonic() + scaled(within_s)
        for result in self.accepted:
            remaining_s = max(1.0, until_s - time.monotonic())
            until(lambda r=result: self._is_active(r), remaining_s, f"{result.name} ACTIVE")
            assert self._is_served(bind, result), f"{result.name} is ACTIVE and not served"

    def _is_active(self, result: PostResult) -> bool:
        url = self._cloud.urls[-1]
        found = self._cloud.http.get(
            f"{url}/v2{result.path}/{result.body['id']}", timeout=scaled(60)
        )
        assert found.status_code != 404, f"{result.name} was accepted and is lost"
        return found.status_code == 200 and found.json()["status"] == "ACTIVE"

    @staticmethod
    def _is_served(bind: Named, result: PostResult) -> bool:
        is_zone = result.path == "/zones"
        try:
            found = ask(("127.0.0.1", bind.port), result.name, "SOA" if is_zone else "A")
        except dns.exception.DNSException:
            return False
        return bool(texts(found)) if is_zone else texts(found) == set(result.body["records"])
