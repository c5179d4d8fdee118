"""A stand-in for Neutron's floating IPs: a real HTTP server on loopback.

It knows tokens, filters by project, pages by marker, and can be made to fail as servers do.
"""

from __future__ import annotations

import json
import ssl
import threading
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.support.deadlines import scaled


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class Neutron:
    """Neutron: `with Neutron() as neutron`.

    Attributes:
        tokens: Each token's project; a token of ADMIN sees all projects.
        identify: Returns the project of a token that is not among them.
        page_size: The largest number of rows on a page.
        behave: What to do with a request instead of serving it.
        requests: Paths and queries as they came.
        pem: Speak TLS with this certificate and key.
    """

    ADMIN = "admin"

    def __init__(
        self, pem: str | None = None, identify: Callable[[str], str | None] = lambda _: None
    ) -> None:
        self._scheme = "https" if pem else "http"
        self._identify = identify
        self.tokens: dict[str, str] = {}
        self.rows: dict[str, dict[str, Any]] = {}
        self.page_size = 1000
        self.behave: Callable[[BaseHTTPRequestHandler], None] | None = None
        self.requests: list[str] = []
        self.released = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        if pem:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(pem)
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    def has(self, project_id: str, address: str, id: str | None = None) -> str:
        """The project has the address now, as a new floating IP; answers its id."""
        id = id or str(uuid.uuid4())
        self.rows[id] = {"id": id, "project_id": project_id, "floating_ip_address": address}
        return id

    def release(self, id: str) -> None:
        del self.rows[id]

    # -- ways to fail ----------------------------------------------------------------------------

    def hang(self, _request: BaseHTTPRequestHandler) -> None:
        """Say nothing until the test is over."""
        self.released.wait(scaled(60))

    def trickle(self, request: BaseHTTPRequestHandler) -> None:
        """Begin to answer and never come to the end."""
        request.send_response(200)
        request.send_header("Content-Type", "application/json")
        request.end_headers()
        try:
            while not self.released.wait(0.05):
                request.wfile.write(b" ")
                request.wfile.flush()
        except OSError:
            return

    @staticmethod
    def says(status: int, body: bytes = b"", **headers: str) -> Callable[..., None]:
        def behave(request: BaseHTTPRequestHandler) -> None:
            request.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                request.send_header(name, value)
            request.end_headers()
            request.wfile.write(body)

        return behave

    # -- answers ---------------------------------------------------------------------------------

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        neutron = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                neutron.requests.append(self.path)
                if neutron.behave is not None:
                    neutron.behave(self)
                    return
                status, page = neutron.respond(self.path, self.headers.get("X-Auth-Token", ""))
                neutron.says(status, json.dumps(page).encode())(self)

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def respond(self, path: str, token: str) -> tuple[int, dict[str, Any]]:
        parts = urlsplit(path)
        if parts.path != "/v2.0/floatingips":
            return 404, {"NeutronError": "not found"}
        project_id = self.tokens.get(token) or self._identify(token)
        if project_id is None:
            return 401, {"NeutronError": "unauthorized"}
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        rows = [
            row
            for row in sorted(self.rows.values(), key=lambda row: str(row["id"]))
            if project_id in (self.ADMIN, row["project_id"])
            and all(row[name] == query[name] for name in ("id", "project_id") if name in query)
            and row["id"] > query.get("marker", "")
        ]
        size = min(self.page_size, int(query.get("limit", self.page_size)))
        page: dict[str, Any] = {"floatingips": rows[:size]}
        if len(rows) > size:
            page["floatingips_links"] = [{"rel": "next", "href": f"{self.url}/elsewhere"}]
        return 200, page
