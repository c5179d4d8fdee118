"""MiniDNS over TLS, for confidential transfers (RFC 9103) and queries (RFC 7858)."""

from __future__ import annotations

import logging
import os
import socket
import ssl
import threading

from oslo_config import cfg

from designate import errors
from designate.runtime.bounded_cache import BoundedCache

LOG = logging.getLogger(__name__)

GROUP = "service:mdns"
OPTS = [
    cfg.ListOpt(
        "tls_listen",
        default=[],
        help="Addresses to listen on for TLS (RFC 9103), in the form of listen; the usual port is 853. "
        "Requires tls_cert_file and tls_key_file. Empty: no TLS.",
    ),
    cfg.StrOpt(
        "tls_cert_file",
        help="PEM file with the certificate and its chain. The file is read again when it changes.",
    ),
    cfg.StrOpt(
        "tls_key_file", help="PEM file with the certificate's private key, without a passphrase."
    ),
    cfg.StrOpt(
        "tls_ca_file",
        help="PEM file with the issuers of client certificates. If it is set, clients over TLS must "
        "present a certificate.",
    ),
]

# RFC 7858 section 3.1, RFC 9103 section 8.1.
PROTOCOL = "dot"
# OpenSSL's name for it.
NO_CERTIFICATE = "PEER_DID_NOT_RETURN_A_CERTIFICATE"
MAX_CLIENTS = 10_000


class TlsServerContext:
    """The TLS settings of the server, reloaded when the files change. Thread-safe."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        group = conf[GROUP]
        self._cert = group.tls_cert_file
        self._key = group.tls_key_file
        self._ca = group.tls_ca_file
        self._lock = threading.Lock()
        self._loaded_state: tuple[int, ...] = ()
        self._context: ssl.SSLContext | None = None

    def wrap(self, sock: socket.socket) -> ssl.SSLSocket:
        """Return the TLS connection, before its handshake. Raises OSError, ConfigurationError."""
        return self.context().wrap_socket(sock, server_side=True, do_handshake_on_connect=False)

    def context(self) -> ssl.SSLContext:
        """Return the settings from the files, or the previous ones when loading fails.

        Raises ConfigurationError when loading has never succeeded.
        """
        with self._lock:
            try:
                now = self._state()
                if self._context is None or now != self._loaded_state:
                    self._context = self._load()
                    self._loaded_state = now
            except (OSError, ValueError) as error:
                if self._context is None:
                    raise errors.ConfigurationError(f"[{GROUP}] tls: {error}") from None
                LOG.warning(
                    "TLS certificate %s: reload failed, using the old one: %s",
                    self._cert,
                    error,
                )
            return self._context

    def _state(self) -> tuple[int, ...]:
        if not (self._cert and self._key):
            raise ValueError("tls_listen needs both tls_cert_file and tls_key_file")
        files = filter(None, (self._cert, self._key, self._ca))
        return tuple(os.stat(file).st_mtime_ns for file in files)

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # RFC 9103 section 8.2.
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.set_alpn_protocols([PROTOCOL])
        context.load_cert_chain(self._cert, self._key, password=_no_passphrase)
        if self._ca:
            context.load_verify_locations(self._ca)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


class TlsClients:
    """Does the TLS handshakes, and logs each client whose TLS fails once. Thread-safe."""

    def __init__(self) -> None:
        self._reported: BoundedCache[str, bool] = BoundedCache(MAX_CLIENTS)

    def handshake(self, sock: ssl.SSLSocket, peer: str, timeout_s: float) -> bool:
        """Do the handshake and return whether DNS was negotiated by ALPN. Raises OSError."""
        sock.settimeout(timeout_s)
        sock.do_handshake()
        if sock.selected_alpn_protocol() == PROTOCOL:
            return True
        self._log(peer, f"the client did not negotiate the protocol {PROTOCOL}")
        return False

    def failed(self, peer: str, error: ssl.SSLError) -> None:
        """Log the failure of a connection, of its handshake or later.

        A client rejects the certificate of MiniDNS after the handshake.
        """
        if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
            LOG.debug("client %s: TLS connection ended: %s", peer, error)
        elif error.reason == NO_CERTIFICATE:
            self._log(peer, "the client has no certificate, which tls_ca_file requires")
        else:
            self._log(peer, str(error))

    def _log(self, peer: str, reason: str) -> None:
        level = logging.DEBUG if self._reported.get(peer) else logging.WARNING
        self._reported.put(peer, True)
        LOG.log(level, "client %s: TLS failed: %s", peer, reason)


def _no_passphrase() -> str:
    """Fail instead of prompting on the terminal."""
    raise ValueError("tls_key_file has a passphrase")
