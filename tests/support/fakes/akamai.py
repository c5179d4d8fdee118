"""A fake of Akamai Edge DNS: its API v2."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.support.fakes.hosted_api import HOSTNAMES, Product, is_address
from tests.support.fakes.http_server import Request, Response


class Akamai(Product):
    """Akamai Edge DNS v2, with EdgeGrid signatures.

    Attributes:
        force: whether this client may delete at once; otherwise `polls` polls complete a deletion.
        fails: whether deletions fail.
    """

    CLIENT_TOKEN, CLIENT_SECRET = "akab-client-token", "akamai-client-secret"
    ACCESS_TOKEN, CONTRACT = "akab-access-token", "C-1ABCDE"
    ROOT = "/config-dns/v2/zones"
    TYPES = ("PRIMARY", "SECONDARY", "ALIAS")

    def __init__(self) -> None:
        super().__init__()
        self.force, self.polls, self.fails = True, 2, False
        self.taken: set[str] = set()
        self.deletions: dict[str, dict[str, Any]] = {}
        self._nonces: set[str] = set()

    def respond(self, request: Request) -> Response:
        fault = self._signature_fault(request)
        if fault:
            return _detail(401, f"{fault}: {request.headers.get('authorization')}")
        path = urlsplit(request.target).path.removeprefix(self.ROOT)
        if path == "" and request.method == "POST":
            return self._create(request)
        if path == "/delete-requests":
            return self._delete(request)
        if path.startswith("/delete-requests/"):
            return self._poll(path.rsplit("/", 1)[1])
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
        fields = dict(pair.split("=", 1) for pair in text.split(";") if pair)
        if scheme != "EG1-HMAC-SHA256" or fields.get("client_token") != self.CLIENT_TOKEN:
            return "Unknown client"
        if fields["access_token"] != self.ACCESS_TOKEN or fields["nonce"] in self._nonces:
            return "Bad access token or nonce"
        sent = datetime.strptime(fields["timestamp"], "%Y%m%dT%H:%M:%S%z")
        if abs((datetime.now(UTC) - sent).total_seconds()) > 30:
            return "Bad timestamp"
        self._nonces.add(fields["nonce"])
        posted = request.body[:131072] if request.method == "POST" else b""
        digest = base64.b64encode(hashlib.sha256(posted).digest()).decode() if posted else ""
        data = "\t".join(
            [request.method, "http", request.headers["host"], request.target, "", digest, unsigned]
        )
        key = _hmac(self.CLIENT_SECRET, fields["timestamp"])
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
        self.deletions[request_id] = {"names": names, "polls": 0 if force else self.polls}
        return Response(status=201, body={"requestId": request_id})

    def _poll(self, request_id: str) -> Response:
        deletion = self.deletions[request_id]
        deletion["polls"] -= 1
        if deletion["polls"] >= 0:
            return Response(body={"requestId": request_id, "isComplete": False})
        for name in () if self.fails else deletion["names"]:
            self.zones.pop(name, None)
        return Response(body={"isComplete": True, "failureCount": int(self.fails)})


def _hmac(key: str, data: str) -> str:
    return base64.b64encode(hmac.digest(key.encode(), data.encode(), "sha256")).decode()


def _detail(status: int, text: str) -> Response:
    return Response(status=status, body={"status": status, "detail": text})
