"""TLS of an HTTP server."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from oslo_config import cfg

from designate import errors

GROUP = "ssl"
OPTS = [
    cfg.StrOpt(
        "cert_file", help="Certificate of designate-api, PEM; if unset, it serves plain HTTP."
    ),
    cfg.StrOpt("key_file", help="Private key of the certificate, PEM."),
    cfg.StrOpt(
        "ca_file", help="CA of client certificates, PEM; if unset, clients need no certificate."
    ),
    cfg.StrOpt("ciphers", help="Ciphers offered, as an OpenSSL cipher list; default: Python's."),
]


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
        group = conf[GROUP]
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

    def context(self) -> ssl.SSLContext:
        """Return the context of a server.

        Raises:
            ConfigurationError: A file or the list of ciphers cannot be used.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            for path in filter(None, (self.cert_file, self.key_file, self.ca_file)):
                with open(path, "rb"):
                    pass  # the TLS library's error does not name the file
            context.load_cert_chain(self.cert_file, self.key_file)
            if self.ciphers:
                context.set_ciphers(self.ciphers)
            if self.ca_file:
                context.load_verify_locations(self.ca_file)
                context.verify_mode = ssl.CERT_REQUIRED
        except (OSError, ssl.SSLError) as error:
            raise errors.ConfigurationError(f"[ssl] {error}") from None
        return context
