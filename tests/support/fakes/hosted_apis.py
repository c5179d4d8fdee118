"""Fakes of the APIs of commercial nameservers: each stores its zones and refuses what the product refuses.

Built on tests.support.fakes.http_server.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import re
import threading
from datetime import UTC, datetime
from typing import Any, ClassVar, Self
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
            return self.answer(request)

    def answer(self, request: Request) -> Response:
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


class Ns1(Product):
    """NS1, API v1; zones by name without the trailing dot."""

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

    def answer(self, request: Request) -> Response:
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
        wanted = {"_ref", *query["_return_fields"].split(",")}
        shown = {name: value for name, value in (found or {}).items() if name in wanted}
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


class Akamai(Product):
    """Akamai Edge DNS v2, with EdgeGrid signatures.

    Attributes:
        force: whether this client may delete at once; otherwise `looks` polls complete a deletion.
        fails: whether deletions fail.
    """

    CLIENT_TOKEN, CLIENT_SECRET = "akab-client-token", "akamai-client-secret"
    ACCESS_TOKEN, CONTRACT = "akab-access-token", "C-1ABCDE"
    ROOT = "/config-dns/v2/zones"
    TYPES = ("PRIMARY", "SECONDARY", "ALIAS")

    def __init__(self) -> None:
        super().__init__()
        self.force, self.looks, self.fails = True, 2, False
        self.taken: set[str] = set()
        self.deletions: dict[str, dict[str, Any]] = {}
        self._nonces: set[str] = set()

    def answer(self, request: Request) -> Response:
        fault = self._signature_fault(request)
        if fault:
            return _detail(401, f"{fault}: {request.headers.get('authorization')}")
        path = urlsplit(request.target).path.removeprefix(self.ROOT)
        if path == "" and request.method == "POST":
            return self._create(request)
        if path == "/delete-requests":
            return self._delete(request)
        if path.startswith("/delete-requests/"):
            return self._look(path.rsplit("/", 1)[1])
        name = unquote(path.removeprefix("/"))
        if name not in self.zones:
            return _detail(404, "Zone not found")
        if request.method == "PUT":
            return self._set(name, request.data, 200)
        return Response(body=self.zones[name])

    def _signature_fault(self, request: Request) -> str | None:
        """Check a request as EdgeGrid V1 describes it."""
        unsigned, _, signature = request.headers.get("authorization", "").partition("signature=")
        scheme, _, text = unsigned.partition(" ")
        told = dict(pair.split("=", 1) for pair in text.split(";") if pair)
        if scheme != "EG1-HMAC-SHA256" or told.get("client_token") != self.CLIENT_TOKEN:
            return "Unknown client"
        if told["access_token"] != self.ACCESS_TOKEN or told["nonce"] in self._nonces:
            return "Bad access token or nonce"
        sent = datetime.strptime(told["timestamp"], "%Y%m%dT%H:%M:%S%z")
        if abs((datetime.now(UTC) - sent).total_seconds()) > 30:
            return "Bad timestamp"
        self._nonces.add(told["nonce"])
        posted = request.body[:131072] if request.method == "POST" else b""
        digest = base64.b64encode(hashlib.sha256(posted).digest()).decode() if posted else ""
        data = "\t".join(
            [request.method, "http", request.headers["host"], request.target, "", digest, unsigned]
        )
        key = _hmac(self.CLIENT_SECRET, told["timestamp"])
        return None if _hmac(key, data) == signature else "The signature does not match"

    def _create(self, request: Request) -> Response:
        name = request.data["zone"]
        if request.query.get("contractId") != self.CONTRACT:
            return _detail(403, "No access to this contract")
        if name in self.zones or name in self.taken:
            return _detail(409, f"Zone {name} already exists")
        return self._set(name, request.data, 201)

    def _set(self, name: str, body: dict[str, Any], status: int) -> Response:
        key = body.get("tsigKey", {"algorithm": "hmac-sha256"})
        if (
            not HOSTNAMES.fullmatch(name)
            or name.endswith(".")
            or body["zone"] != name
            or body["type"].upper() not in self.TYPES
            or not all(map(is_address, body["masters"]))
            or not key["algorithm"].startswith("hmac-")
        ):
            return _detail(400, f"The zone is not valid: {key}")
        self.zones[name] = {"activationState": "PENDING", **body}
        return Response(status=status, body=self.zones[name])

    def _delete(self, request: Request) -> Response:
        force, names = request.query["force"] == "true", request.data["zones"]
        if force and not self.force:
            return _detail(403, "This client may not force deletions")
        if not all(name in self.zones for name in names):
            return _detail(404, "Zone not found")
        request_id = f"deletion-{len(self.deletions)}"
        self.deletions[request_id] = {"names": names, "looks": 0 if force else self.looks}
        return Response(status=201, body={"requestId": request_id})

    def _look(self, request_id: str) -> Response:
        deletion = self.deletions[request_id]
        deletion["looks"] -= 1
        if deletion["looks"] >= 0:
            return Response(body={"requestId": request_id, "isComplete": False})
        for name in () if self.fails else deletion["names"]:
            self.zones.pop(name, None)
        return Response(body={"isComplete": True, "failureCount": int(self.fails)})


class Dynect(Product):
    """DynECT's REST API, which needs a session that serves one request at a time.

    Attributes:
        slow: every change becomes a job, which the third poll completes.
        elsewhere: the target of the redirections of jobs.
    """

    LOGIN: ClassVar[dict[str, str]] = {
        "customer_name": "customer",
        "user_name": "designate",
        "password": "dynect-password",
    }

    def __init__(self) -> None:
        super().__init__()
        self.sessions: set[str] = set()
        self.logins = 0
        self.slow, self.elsewhere = False, ""
        self.taken: set[str] = set()
        self.jobs: dict[str, dict[str, Any]] = {}
        self.keys = {"xfr"}

    def answer(self, request: Request) -> Response:
        root, kind, *rest = segments(request)
        if root != "REST" or request.headers.get("api-version") != "3.5.6":
            return _dyn(400, "INVALID_REQUEST", "API version")
        if kind == "Session" and request.method == "POST":
            return self._open(request.data)
        token = request.headers.get("auth-token")
        if token not in self.sessions:
            return _dyn(400, "INVALID_DATA", f"login: Bad or expired credentials {token}")
        if kind == "Job":
            return self._look(rest[0])
        if any(job["token"] == token and job["looks"] > 0 for job in self.jobs.values()):
            return _dyn(400, "ILLEGAL_OPERATION", "session: This session already has a job running")
        call = getattr(self, f"_{request.method.lower()}_{kind.lower()}")
        if not self.slow or request.method == "GET":
            return call(rest[0], request.data)
        job = f"{len(self.jobs) + 1}"
        self.jobs[job] = {"token": token, "looks": 3, "do": lambda: call(rest[0], request.data)}
        return Response(status=307, headers={"Location": f"{self.elsewhere}/REST/Job/{job}"})

    def _open(self, body: Any) -> Response:
        if body != self.LOGIN:
            return _dyn(400, "INVALID_DATA", f"login: {body['password']} is not right")
        self.logins += 1
        token = f"session-token-{self.logins}"
        self.sessions.add(token)
        return _dyn(200, None, "login: Login successful", {"token": token, "version": "3.5.6"})

    def _look(self, job: str) -> Response:
        self.jobs[job]["looks"] -= 1
        if self.jobs[job]["looks"] > 0:
            return Response(body={"status": "incomplete", "job_id": job, "msgs": []})
        done: Response = self.jobs[job]["do"]()
        return Response(status=200, body=done.body)

    def _get_secondary(self, name: str, _: Any) -> Response:
        if name not in self.zones:
            return _dyn(404, "NOT_FOUND", "zone: No such zone")
        return _dyn(200, None, "get: Here is your zone", self.zones[name])

    def _post_secondary(self, name: str, body: Any) -> Response:
        if name in self.zones or name in self.taken:
            return _dyn(400, "TARGET_EXISTS", f"name: {name} already exists")
        if not HOSTNAMES.fullmatch(name) or name.endswith("."):
            return _dyn(400, "INVALID_DATA", f"zone: {name} is not valid")
        self.zones[name] = {"zone": name, "active": "N"}
        answer = self._put_secondary(name, body)
        if answer.body["status"] != "success":
            del self.zones[name]
        return answer

    def _put_secondary(self, name: str, body: Any) -> Response:
        if name not in self.zones:
            return _dyn(404, "NOT_FOUND", "zone: No such zone")
        if not all(map(is_address, body.get("masters", []))):
            return _dyn(400, "INVALID_DATA", "masters: Invalid address")
        if body.get("tsig_key_name", "xfr") not in self.keys:
            return _dyn(404, "NOT_EXIST", "tsig_key_name: No such key")
        if body.pop("activate", False):
            self.zones[name]["active"] = "Y"
        self.zones[name].update(body)
        return _dyn(200, None, "update: done", self.zones[name])

    def _delete_zone(self, name: str, _: Any) -> Response:
        if self.zones.pop(name, None) is None:
            return _dyn(404, "NOT_FOUND", "zone: No such zone")
        return _dyn(200, None, "remove: Zone removed")


def _dyn(status: int, code: str | None, info: str, data: Any = None) -> Response:
    message = {"INFO": info, "ERR_CD": code, "LVL": "ERROR" if code else "INFO", "SOURCE": "BLL"}
    word = "failure" if code else "success"
    return Response(status=status, body={"status": word, "data": data or {}, "msgs": [message]})


def _hmac(key: str, data: str) -> str:
    return base64.b64encode(hmac.digest(key.encode(), data.encode(), "sha256")).decode()


def _detail(status: int, text: str) -> Response:
    return Response(status=status, body={"status": status, "detail": text})


def _wapi(status: int, code: str, text: str) -> Response:
    return Response(
        status=status, body={"Error": f"AdmConError: {text}", "code": code, "text": text}
    )
