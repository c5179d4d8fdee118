"""A fake of Infoblox NIOS: its WAPI."""

from __future__ import annotations

import base64
import ipaddress
from typing import Any, ClassVar

from tests.support.fakes.hosted_api import HOSTNAMES, Product
from tests.support.fakes.http_server import Request, Response


class Infoblox(Product):
    """Infoblox, WAPI 2.10, a grid with two name server groups and two views.

    Attributes:
        zones: by view and fqdn; reverse zones by their network.
        pending: the changes that the DNS servers load at their next restart.
    """

    USER, PASSWORD = "designate", "infoblox-password"
    BASE = "/wapi/v2.10/"
    GRID = "grid/b25lLmNsdXN0ZXIkMA:Infoblox"
    GROUPS: ClassVar[dict[str, list[str]]] = {
        "minidns": ["127.0.0.1:53", "::1:53"],
        "other": ["192.0.2.7:53"],
    }

    def __init__(self) -> None:
        super().__init__()
        self.views = {"default", "internal"}
        self.pending = 0
        self.restarts = True
        self._last = 0

    def named(self, fqdn: str, view: str = "default") -> dict[str, Any] | None:
        zones = self.zones.values()
        return next((z for z in zones if (z["fqdn"], z["view"]) == (fqdn, view)), None)

    def respond(self, request: Request) -> Response:
        expected = base64.b64encode(f"{self.USER}:{self.PASSWORD}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {expected}":
            return Response(status=401, body=b"<html>Authorization Required</html>")
        if not request.path.startswith(self.BASE):
            return _wapi(400, "Client.Ibap.Proto", "Version is not supported")
        path, method = request.path.removeprefix(self.BASE), request.method
        if path == "zone_auth" and method == "GET":
            return self._search(request.query)
        if path == "zone_auth" and method == "POST":
            return self._create(request.data)
        if path == "grid" and method == "GET":
            return Response(body=[{"_ref": self.GRID}])
        if path == self.GRID and request.query == {"_function": "restartservices"}:
            return self._restart(request.data)
        return self._at(path, request)

    def _search(self, query: dict[str, str]) -> Response:
        if query["view"] not in self.views:
            return _wapi(404, "Client.Ibap.Data.NotFound", f"View {query['view']} not found")
        found = self.named(query["fqdn"], query["view"])
        requested = {"_ref", *query["_return_fields"].split(",")}
        shown = {name: value for name, value in (found or {}).items() if name in requested}
        return Response(body=[shown] if shown else [])

    def _create(self, body: dict[str, Any]) -> Response:
        fqdn, view = body["fqdn"], body["view"]
        if self.named(fqdn, view):
            return _wapi(400, "Client.Ibap.Data.Conflict", f"The zone '{fqdn}' already exists.")
        fault = self._fault(body)
        if fault:
            return _wapi(400, "Client.Ibap.Data", fault)
        self._last += 1
        ref = f"zone_auth/ZG5zLnpvbmUkLl9k{self._last}:{fqdn}/{view}"
        self.zones[ref] = {"_ref": ref, **body}
        self.pending += 1
        return Response(status=201, body=ref)

    def _fault(self, body: dict[str, Any]) -> str | None:
        fqdn = body["fqdn"]
        if body["view"] not in self.views:
            return f"View {body['view']} not found"
        if body.get("ns_group", "minidns") not in self.GROUPS:
            return f"ns_group {body['ns_group']} not found"
        if body["zone_format"] == "FORWARD":
            reverse = fqdn.endswith((".in-addr.arpa", ".ip6.arpa", "."))
            return None if HOSTNAMES.fullmatch(fqdn) and not reverse else f"Bad zone name {fqdn}"
        try:
            network = ipaddress.ip_network(fqdn)
        except ValueError:
            return f"Bad network {fqdn}"
        if body["zone_format"] != f"IPV{network.version}":
            return f"Bad format of {fqdn}"
        partial = network.version == 4 and 24 < network.prefixlen < 32
        return None if partial == ("prefix" in body) else f"Bad prefix of {fqdn}"

    def _restart(self, body: dict[str, Any]) -> Response:
        if not self.restarts or body["restart_option"] != "RESTART_IF_NEEDED":
            return _wapi(400, "Client.Ibap.Data", "The grid cannot be restarted now")
        self.pending = 0
        return Response(body={})

    def _at(self, ref: str, request: Request) -> Response:
        if ref not in self.zones:
            return _wapi(404, "Client.Ibap.Data.NotFound", f"Reference {ref} not found")
        self.pending += 1
        if request.method == "DELETE":
            del self.zones[ref]
        elif request.data["ns_group"] not in self.GROUPS:
            return _wapi(400, "Client.Ibap.Data", "ns_group not found")
        else:
            self.zones[ref].update(request.data)
        return Response(body=ref)


def _wapi(status: int, code: str, text: str) -> Response:
    return Response(
        status=status, body={"Error": f"AdmConError: {text}", "code": code, "text": text}
    )
