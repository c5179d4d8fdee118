"""Small servers in the place of commercial nameservers' APIs: each keeps its zones, and refuses what
the product refuses. Built on tests.weblet."""

from __future__ import annotations

import ipaddress
import re
import threading
from typing import Any, ClassVar, Self
from urllib.parse import unquote, urlsplit

from tests.weblet import Request, Response, Weblet

HOSTNAMES = re.compile(r"[A-Za-z0-9_/.-]+")


class Product:
    """`with Ns1() as product`. zones: by name, as the product shows them; they outlive a restart.
    Requests are answered one after the other."""

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
            return self.answer(request)

    def answer(self, request: Request) -> Response:
        raise NotImplementedError

    def calls(self, *methods: str) -> list[str]:
        """The requests so far by these methods: `PUT /path`."""
        return [f"{r.method} {r.target}" for r in self.web.requests if r.method in methods]


def segments(request: Request) -> list[str]:
    """Of the path, each decoded."""
    return [unquote(part) for part in urlsplit(request.target).path.split("/")[1:]]


def is_address(text: Any) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


class Ns1(Product):
    """API v1: zones by name without the last dot."""

    TOKEN: ClassVar[str] = "ns1-api-key"

    def answer(self, request: Request) -> Response:
        if request.headers.get("x-nsone-key") != self.TOKEN:
            told = request.headers.get("x-nsone-key")
            return _message(401, f"Unauthorized: {told}")
        version, kind, name = segments(request)
        if (version, kind) != ("v1", "zones") or name.endswith("."):
            return _message(404, "not found")
        return getattr(self, f"_{request.method.lower()}")(name, request.data)

    def _get(self, name: str, _: Any) -> Response:
        zone = self.zones.get(name)
        return Response(body=zone) if zone else _message(404, "zone not found")

    def _put(self, name: str, body: Any) -> Response:
        if name in self.zones:
            return _message(400, "zone already exists")
        if not HOSTNAMES.fullmatch(name) or body["zone"] != name:
            return _message(400, "Input validation failed")
        return self._set(name, body)

    def _post(self, name: str, body: Any) -> Response:
        return self._set(name, body) if name in self.zones else _message(404, "zone not found")

    def _delete(self, name: str, _: Any) -> Response:
        if self.zones.pop(name, None) is None:
            return _message(404, "zone not found")
        return Response(body={})

    def _set(self, name: str, body: Any) -> Response:
        secondary = body["secondary"]
        ips = [secondary["primary_ip"], *secondary["other_ips"]]
        ports = [secondary["primary_port"], *secondary["other_ports"]]
        tsig = secondary["tsig"]
        if (
            len(ips) != len(ports)
            or not all(map(is_address, ips))
            or not all(isinstance(port, int) and 0 < port < 65536 for port in ports)
            or (tsig["enabled"] and not str(tsig["hash"]).startswith("hmac-"))
        ):
            return _message(400, f"Input validation failed: {tsig}")
        self.zones[name] = {"zone": name, "ttl": 3600, "secondary": {"status": "pending"}}
        self.zones[name]["secondary"].update(secondary)
        return Response(body=self.zones[name])


def _message(status: int, text: str) -> Response:
    return Response(status=status, body={"message": text})
