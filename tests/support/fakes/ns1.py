"""A fake of NS1's API."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.support.fakes.hosted_api import HOSTNAMES, Product, is_address, segments
from tests.support.fakes.http_server import Request, Response


class Ns1(Product):
    """NS1, API v1; zones by name without the trailing dot."""

    TOKEN: ClassVar[str] = "ns1-api-key"

    def respond(self, request: Request) -> Response:
        if request.headers.get("x-nsone-key") != self.TOKEN:
            sent_key = request.headers.get("x-nsone-key")
            return _message(401, f"Unauthorized: {sent_key}")
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
