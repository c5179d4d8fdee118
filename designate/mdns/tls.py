"""MiniDNS over TLS, for transfers that nobody reads along (RFC 9103) and queries (RFC 7858)."""

from __future__ import annotations

import logging
import os
import socket
import ssl
import threading

from oslo_config import cfg

from designate import errors

LOG = logging.getLogger(__name__)

GROUP = "service:mdns"
OPTS = [
    cfg.ListOpt(
        "tls_listen",
        default=[],
        help="Addresses to serve on over TLS (RFC 9103), as in listen; port 853 is the usual one. "
        "Needs tls_cert_file and tls_key_file. Empty: no TLS.",
    ),
    cfg.StrOpt(
        "tls_cert_file",
        help="The certificate with those that lead to its issuer, PEM. A file that has changed is "
        "read anew.",
    ),
    cfg.StrOpt("tls_key_file", help="The certificate's private key, PEM, without a passphrase."),
    cfg.StrOpt(
        "tls_ca_file",
        help="PEM file of the issuers of clients' certificates: clients over TLS must have one then.",
    ),
]

# RFC 7858 section 3.1, RFC 9103 section 8.1.
PROTOCOL = "dot"


class Tls:
    """What TLS needs, read from its files again when they have changed. Thread-safe."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        group = conf[GROUP]
        self._cert = group.tls_cert_file
        self._key = group.tls_key_file
        self._ca = group.tls_ca_file
        self._lock = threading.Lock()
        self._read_as: tuple[int, ...] = ()
        self._context: ssl.SSLContext | None = None

    def wrap(self, sock: socket.socket) -> ssl.SSLSocket:
        """The connection; its handshake is still to be done. Raises OSError, ConfigurationError."""
        return self.context().wrap_socket(sock, server_side=True, do_handshake_on_connect=False)

    def context(self) -> ssl.SSLContext:
        """As the files are now; as they were when they cannot be read. Raises ConfigurationError when
        they never could."""
        with self._lock:
            try:
                now = self._state()
                if self._context is None or now != self._read_as:
                    self._context = self._load()
                    self._read_as = now
            except (OSError, ValueError) as error:
                if self._context is None:
                    raise errors.ConfigurationError(f"[{GROUP}] tls: {error}") from None
                LOG.warning("the new TLS certificate cannot be used: %s", error)
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


def shake_hands(sock: ssl.SSLSocket, timeout_s: float) -> bool:
    """Whether both sides agree, also on the protocol. Raises OSError."""
    sock.settimeout(timeout_s)
    sock.do_handshake()
    return sock.selected_alpn_protocol() == PROTOCOL


def _no_passphrase() -> str:
    """Instead of a question on the terminal."""
    raise ValueError("tls_key_file has a passphrase")
