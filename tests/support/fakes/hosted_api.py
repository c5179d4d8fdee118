"""Base of the fakes of hosted nameservers' APIs: each stores zones and refuses what its product refuses.

Built on tests.support.fakes.http_server.
"""

from __future__ import annotations

import ipaddress
import re
import threading
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from tests.support.fakes.http_server import Request, Response, Weblet

HOSTNAMES = re.compile(r"[A-Za-z0-9_/.-]+")


class Product:
    """Base of the fakes: `with Ns1() as product`. Requests are served one at a time.

    Attributes:
        zones: by name, as the product shows them; a restart does not lose them.
    """

    def __init__(self) -> None:
        self.zones: dict[str, dict[str, Any]] = {}
        self.web = Weblet(self._one)
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self.web.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.web.__exit__()

    def _one(self, request: Request) -> Response:
        with self._lock:
            if request.body and request.headers.get("content-type") != "application/json":
                return Response(status=415)
            return self.respond(request)

    def respond(self, request: Request) -> Response:
        raise NotImplementedError

    def calls(self, *methods: str) -> list[str]:
        """Return the requests so far with these methods, such as `PUT /path`."""
        return [f"{r.method} {r.target}" for r in self.web.requests if r.method in methods]


def segments(request: Request) -> list[str]:
    """Return the decoded segments of the path."""
    return [unquote(part) for part in urlsplit(request.target).path.split("/")[1:]]


def is_address(text: Any) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
