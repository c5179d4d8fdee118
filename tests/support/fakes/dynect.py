"""A fake of DynECT's REST API."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.support.fakes.hosted_api import HOSTNAMES, Product, is_address, segments
from tests.support.fakes.http_server import Request, Response


class Dynect(Product):
    """DynECT's REST API, which needs a session that serves one request at a time.

    Attributes:
        slow: every change becomes a job, which the third poll completes.
        elsewhere: the target of the redirections of jobs.
        taken: names of other customers' zones.
        primary: names of this customer's primary zones.
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
        self.primary: set[str] = set()
        self.jobs: dict[str, dict[str, Any]] = {}
        self.keys = {"xfr"}

    def respond(self, request: Request) -> Response:
        root, kind, *rest = segments(request)
        if root != "REST" or request.headers.get("api-version") != "3.5.6":
            return _dyn(400, "INVALID_REQUEST", "API version")
        if kind == "Session" and request.method == "POST":
            return self._open(request.data)
        token = request.headers.get("auth-token")
        if token not in self.sessions:
            return _dyn(400, "INVALID_DATA", f"login: Bad or expired credentials {token}")
        if kind == "Job":
            return self._poll(rest[0])
        if any(job["token"] == token and job["polls"] > 0 for job in self.jobs.values()):
            return _dyn(400, "ILLEGAL_OPERATION", "session: This session already has a job running")
        call = getattr(self, f"_{request.method.lower()}_{kind.lower()}")
        if not self.slow or request.method == "GET":
            return call(rest[0], request.data)
        job = f"{len(self.jobs) + 1}"
        self.jobs[job] = {"token": token, "polls": 3, "do": lambda: call(rest[0], request.data)}
        return Response(status=307, headers={"Location": f"{self.elsewhere}/REST/Job/{job}"})

    def _open(self, body: Any) -> Response:
        if body != self.LOGIN:
            return _dyn(400, "INVALID_DATA", f"login: {body['password']} is not right")
        self.logins += 1
        token = f"session-token-{self.logins}"
        self.sessions.add(token)
        return _dyn(200, None, "login: Login successful", {"token": token, "version": "3.5.6"})

    def _poll(self, job: str) -> Response:
        self.jobs[job]["polls"] -= 1
        if self.jobs[job]["polls"] > 0:
            return Response(body={"status": "incomplete", "job_id": job, "msgs": []})
        done: Response = self.jobs[job]["do"]()
        return Response(status=200, body=done.body)

    def _get_secondary(self, name: str, _: Any) -> Response:
        if name not in self.zones:
            return _dyn(404, "NOT_FOUND", "zone: No such zone")
        return _dyn(200, None, "get: Here is your zone", self.zones[name])

    def _get_zone(self, name: str, _: Any) -> Response:
        if name in self.zones or name in self.primary:
            return _dyn(200, None, "get: Your zone", {"zone": name, "zone_type": "Primary"})
        return _dyn(404, "NOT_FOUND", "zone: No such zone")

    def _post_secondary(self, name: str, body: Any) -> Response:
        if name in self.zones or name in self.taken | self.primary:
            return _dyn(400, "TARGET_EXISTS", f"name: {name} already exists")
        if not HOSTNAMES.fullmatch(name) or name.endswith("."):
            return _dyn(400, "INVALID_DATA", f"zone: {name} is not valid")
        self.zones[name] = {"zone": name, "active": "N"}
        response = self._put_secondary(name, body)
        if response.body["status"] != "success":
            del self.zones[name]
        return response

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
