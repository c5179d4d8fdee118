"""The HTTP server of designate-api and of the standalone service: cheroot with limits."""

from __future__ import annotations

import ctypes
import logging
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from cheroot import server as cheroot
from cheroot import wsgi
from cheroot.ssl.builtin import BuiltinSSLAdapter
from oslo_config import cfg

from designate import errors
from designate.runtime import concurrency

LOG = logging.getLogger(__name__)

OPTIONS_BY_GROUP = {
    "service:api": [
        cfg.ListOpt(
            "listen",
            default=["0.0.0.0:9001"],
            help="Addresses to listen on: host:port, IPv6 in brackets.",
        ),
        cfg.IntOpt(
            "threads",
            default=16,
            min=1,
            help="Number of requests that a process handles at the same time.",
        ),
        cfg.IntOpt("workers", min=1, help="Number of designate-api processes; default: one."),
    ],
    "ssl": [
        cfg.StrOpt(
            "cert_file", help="Certificate of designate-api, PEM; if unset, it serves plain HTTP."
        ),
        cfg.StrOpt("key_file", help="Private key of the certificate, PEM."),
        cfg.StrOpt(
            "ca_file",
            help="CA of client certificates, PEM; if unset, clients need no certificate.",
        ),
        cfg.StrOpt(
            "ciphers", help="Ciphers offered, as an OpenSSL cipher list; default: Python's."
        ),
    ],
}

WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]
TIMEOUT_S = 20
MAX_HEADER_BYTES = 65536
MAX_BODY_BYTES = 256 * 2**20
BACKLOG = 1024
# Idle connections that are kept open for TIMEOUT_S; cheroot's default is ten.
MAX_IDLE_CONNECTIONS = 1024
SO_ATTACH_FILTER = 26
POLL_S = 0.01
# How often an idle server checks for expired connections and for the request to stop.
EXPIRATION_INTERVAL_S = 0.25
# On green threads a running select does not see a connection that a worker gives back for its next request.
GREEN_EXPIRATION_INTERVAL_S = 0.02
DRAIN_S = 1.0  # of a server with others on the same port


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpsSettings:
    """Certificate files and ciphers of an HTTPS server, which requires TLS 1.2 or newer."""

    cert_file: str
    key_file: str
    ca_file: str | None
    ciphers: str | None

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts) -> HttpsSettings | None:
        """Return the settings in [ssl]; None: plain HTTP.

        Raises:
            ConfigurationError: Only one of cert_file and key_file is set.
        """
        group = conf["ssl"]
        if not group.cert_file and not group.key_file:
            return None
        if not group.cert_file or not group.key_file:
            raise errors.ConfigurationError("[ssl] needs both cert_file and key_file")
        return cls(
            cert_file=group.cert_file,
            key_file=group.key_file,
            ca_file=group.ca_file,
            ciphers=group.ciphers,
        )

    def adapter(self) -> BuiltinSSLAdapter:
        """Return cheroot's adapter.

        Raises:
            ConfigurationError: A file or the list of ciphers cannot be used.
        """
        try:
            for path in filter(None, (self.cert_file, self.key_file, self.ca_file)):
                with open(path, "rb"):
                    pass  # the TLS library's error does not name the file
            adapter = BuiltinSSLAdapter(self.cert_file, self.key_file, ciphers=self.ciphers)
            adapter.context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.ca_file:
                adapter.context.load_verify_locations(self.ca_file)
                adapter.context.verify_mode = ssl.CERT_REQUIRED
        except (OSError, ssl.SSLError) as error:
            raise errors.ConfigurationError(f"[ssl] {error}") from None
        return adapter


class _Connection(cheroot.HTTPConnection):
    def __init__(self, server: _Server, *args: Any, **kwargs: Any) -> None:
        super().__init__(server, *args, **kwargs)
        self._open_connections = server.register(self)

    def close(self) -> None:
        self._open_connections.discard(self)
        super().close()


class _Server(wsgi.Server):
    """Tracks its open connections, and closes each after its next response while `draining`."""

    ConnectionClass = _Connection
    draining = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connections: set[_Connection] = set()

    def register(self, connection: _Connection) -> set[_Connection]:
        self.connections.add(connection)
        return self.connections

    @property
    def can_add_keepalive_connection(self) -> bool:
        return not self.draining and bool(super().can_add_keepalive_connection)


class HttpServer:
    """Serves one WSGI application on one address; port 0 selects a free port at start()."""

    def __init__(
        self,
        app: WsgiApp,
        host: str,
        port: int,
        threads: int,
        *,
        shared_port: bool = False,
        tls: HttpsSettings | None = None,
        drain_s: float = 0.0,
    ) -> None:
        """Set up the server; it does not listen yet.

        Args:
            app: The application.
            host: The address to listen on.
            port: The port; 0 selects a free one.
            threads: Number of requests handled at the same time.
            shared_port: Whether other processes listen on the same address.
            tls: Serve HTTPS with these settings.
            drain_s: How long idle connections stay open while the server stops. The response to the next
                request on such a connection closes it, so that the client connects to another server.
        """
        self._tls = tls
        self._drain_s = drain_s
        self._server = _Server(
            (host, port),
            app,
            numthreads=threads,
            max=threads,
            request_queue_size=BACKLOG,
            timeout=TIMEOUT_S,
            shutdown_timeout=5,
            reuse_port=shared_port,
        )
        self._server.max_request_header_size = MAX_HEADER_BYTES
        self._server.max_request_body_size = MAX_BODY_BYTES
        self._server.keep_alive_conn_limit = MAX_IDLE_CONNECTIONS
        self._server.error_log = _log  # type: ignore[method-assign,assignment]  # cheroot's hook for its log
        green = concurrency.choice() == "eventlet"
        self._server.expiration_interval = (
            GREEN_EXPIRATION_INTERVAL_S if green else EXPIRATION_INTERVAL_S
        )
        self._thread = threading.Thread(target=self._serve, name="http", daemon=True)

    def start(self) -> None:
        """Bind and serve.

        Raises:
            OSError: The address is in use.
        """
        if self._tls is not None:
            self._server.ssl_adapter = self._tls.adapter()
        try:
            self._server.prepare()
        except OSError as error:
            raise OSError(f"[service:api] listen: {error}") from None
        self._thread.start()
        LOG.info("HTTP server: listening on %s:%d", *self.address)

    def stop(self) -> None:
        """Drain open connections for up to twice `drain_s`, then finish running requests and stop."""
        if self._thread.ident is None:
            return  # start() failed
        self._server.draining = True
        if self._drain_s:
            self._wait_for_clients(self._drain_s)
            _drop_new_connections(self._server.socket)
            self._wait_for_clients(self._drain_s)
        self._server.stop()
        if self._thread.ident is not None:
            self._thread.join(timeout=10)

    def _wait_for_clients(self, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        empty_polls = 0
        while empty_polls < 3 and time.monotonic() < deadline:
            time.sleep(POLL_S)
            empty_polls = 0 if self._server.connections else empty_polls + 1

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that the server listens on."""
        host, port = self._server.bind_addr[:2]
        return str(host), int(port)

    def _serve(self) -> None:
        self._server.serve()


def _drop_new_connections(listener: socket.socket) -> None:
    """Drop the packets of new connections, so that clients retry until the port is closed.

    Closing the port directly would reset connections accepted a moment before. The classic BPF program
    `return 0` drops the packets (Linux; elsewhere nothing changes).
    """
    instruction = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
    program = struct.pack("HL", 1, ctypes.addressof(instruction))
    try:
        listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
    except OSError as error:
        LOG.debug("HTTP server: new connections are not dropped: %s", error)


def _log(message: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
    LOG.log(level, "%s", message, exc_info=traceback)
