"""NSD 4: secondary zones through its control channel (the protocol of nsd-control)."""

from __future__ import annotations

import errno
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from time import monotonic
from typing import ClassVar

from designate import errors
from designate.backend.base import (
    ADOPT_OPTION,
    MAX_LISTING_BYTES,
    Backend,
    BackendOption,
    FoundZone,
)
from designate.model.pools import Target
from designate.model.zones import ZoneAnnouncement

VERSION = "NSDCT1"
MAX_RESPONSE_BYTES = 1 << 20
_NOT_A_WORD = re.compile(r"[\s\x00-\x1f]")
_ZONE = re.compile(r"^zone:", re.MULTILINE)
_PATTERN = re.compile(r"^\s*pattern: (\S+)", re.MULTILINE)


class Nsd4Backend(Backend):
    """Creates secondary zones in NSD 4.

    Needs `remote-control: control-enable: yes` and a pattern with `request-xfr` and `allow-notify`
    for the target's masters: NSD takes masters, and the keys for transfers, only from its own
    configuration.
    """

    OPTIONS: ClassVar[tuple[BackendOption, ...]] = (
        BackendOption(name="host", default="127.0.0.1", meaning="address or name of the server"),
        BackendOption(name="port", default="8952", meaning="port of the control channel"),
        BackendOption(name="notify_host", meaning="address that NOTIFY is sent to; unset: host"),
        BackendOption(name="notify_port", default="53", meaning="port that NOTIFY is sent to"),
        BackendOption(
            name="certfile",
            default="/etc/nsd/nsd_control.pem",
            meaning="file with the client certificate",
        ),
        BackendOption(
            name="keyfile", default="/etc/nsd/nsd_control.key", meaning="file with its key"
        ),
        BackendOption(name="pattern", default="slave", meaning="name of the pattern for new zones"),
        BackendOption(
            name="former_patterns",
            meaning="names of earlier patterns of the target, separated by commas: zones with these are "
            "this service's too, and are given the target's pattern",
        ),
        ADOPT_OPTION,
        BackendOption(
            name="verify_ssl",
            default="true",
            meaning="whether the certificate of the server is verified",
        ),
        BackendOption(
            name="check_hostname",
            default="true",
            meaning="whether the certificate must name the host",
        ),
        BackendOption(
            name="ca_certs",
            meaning="file with the authorities of the server's certificate, or with that certificate; "
            "unset: the system's authorities",
        ),
        BackendOption(name="timeout", default="5", meaning="timeout of one command in seconds"),
    )

    INSPECTS: ClassVar[bool] = True
    LISTS_ZONES: ClassVar[bool] = True

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._host = self.required_option("host").rstrip(".")
        self._port = self.port_option("port")
        self._timeout_s = self.seconds_option("timeout")
        self._verify = self.bool_option("verify_ssl")
        self._check_hostname = self.bool_option("check_hostname")
        self._pattern = self.required_option("pattern")
        if _NOT_A_WORD.search(self._pattern):
            raise errors.ConfigurationError(
                f"target type nsd4: pattern {self._pattern!r} is not a name"
            )
        former = self.option("former_patterns") or ""
        self._patterns = {self._pattern, *filter(None, map(str.strip, former.split(",")))}
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None

    @property
    def notify_address(self) -> tuple[str, int]:
        """Host and port for NOTIFY, which the control channel does not accept."""
        return self.option("notify_host") or self._host, self.port_option("notify_port")

    def create_zone(self, zone: ZoneAnnouncement) -> None:
        # For an existing zone the reply is a remark and "ok" (before 4.2: the remark only).
        if "already exists" not in self._run(
            "addzone", zone, self._pattern, harmless="already exists"
        ):
            return
        pattern = self._pattern_of(zone)
        if self._is_ours(pattern):
            if pattern != self._pattern:
                self._run("changezone", zone, self._pattern)
            # An earlier zone of this name may have had a higher serial.
            self._run("force_transfer", zone)
        elif pattern is not None and not self.adopts:
            raise self.foreign(self._label, _kind(pattern))
        else:
            if pattern is not None:
                self._run("delzone", zone)
            self._run("addzone", zone, self._pattern)

    def update_zone(self, zone: ZoneAnnouncement) -> None:
        """Add a missing zone, correct its pattern, or trigger a transfer.

        NSD by itself queries masters that failed less and less often.
        """
        pattern = self._pattern_of(zone)
        if pattern == self._pattern:
            self._run("transfer", zone)
        elif pattern and self._is_ours(pattern):
            self._run("changezone", zone, self._pattern)
        else:
            self.create_zone(zone)

    def delete_zone(
        self,
        zone: ZoneAnnouncement,
        *,
        hard_delete: bool,  # noqa: ARG002 - part of the interface
    ) -> None:
        """Remove the zone; NSD leaves its file."""
        pattern = self._pattern_of(zone)
        if pattern is None:
            return
        if not self._is_ours(pattern):
            raise self.foreign(self._label, _kind(pattern))
        self._run("delzone", zone, harmless="not present")

    def inspect(self, zone: ZoneAnnouncement) -> FoundZone | None:
        pattern = self._pattern_of(zone)
        if pattern is None:
            return None
        return FoundZone(name=zone.name, kind=_kind(pattern), is_ours=self._is_ours(pattern))

    def find_zones(self, timeout_s: float) -> Iterator[FoundZone]:
        text = self._exchange("zonestatus", timeout_s, MAX_LISTING_BYTES)
        if text.startswith("error"):
            raise self._error(f"zonestatus failed: {text[:200]}")
        for part in _ZONE.split(text)[1:]:
            name = part.partition("\n")[0].strip()
            found = _PATTERN.search(part)
            pattern = found.group(1) if found else ""
            is_ours = self._is_ours(pattern)
            yield FoundZone(name=f"{name.rstrip('.')}.", kind=_kind(pattern), is_ours=is_ours)

    def _pattern_of(self, zone: ZoneAnnouncement) -> str | None:
        """Return the pattern of NSD's zone: empty if its configuration file has it, None without a zone."""
        status = self._run("zonestatus", zone, harmless="not configured")
        if "not configured" in status:
            return None
        found = _PATTERN.search(status)
        return found.group(1) if found else ""

    def _is_ours(self, pattern: str | None) -> bool:
        return pattern in self._patterns

    def _run(
        self, verb: str, zone: ZoneAnnouncement, *words: str, harmless: str | None = None
    ) -> str:
        """Run a command and return the reply; one with the remark `harmless` is a success without "ok"."""
        if _NOT_A_WORD.search(zone.name):
            raise errors.BackendError(f"zone {zone.zone_id}: the name contains a space")
        text = self._exchange(" ".join((verb, zone.name, *words)))
        lines = text.split("\n")
        good = lines[-1] == "ok" or (verb == "zonestatus" and not text.startswith("error"))
        if not good and (harmless is None or harmless not in text):
            raise self._error(f"{verb} {zone.name} failed: {text[:200] or 'no reply'}")
        return text

    def _exchange(
        self, command: str, timeout_s: float | None = None, max_bytes: int = MAX_RESPONSE_BYTES
    ) -> str:
        """Send one command on a connection of its own, as the protocol requires."""
        deadline = monotonic() + (timeout_s or self._timeout_s)
        try:
            context = self._tls()
            with (
                socket.create_connection((self._host, self._port), self._timeout_s) as plain,
                context.wrap_socket(plain, server_hostname=self._host) as sock,
            ):
                sock.sendall(f"{VERSION} {command}\n".encode())
                return _read(sock, deadline, max_bytes)
        except TimeoutError:
            raise self._unavailable(f"no reply within {self._timeout_s:g} s") from None
        except ssl.SSLError as error:
            with self._lock:
                self._context = None  # the files may have been renewed
            raise self._error(f"TLS failed: {error.reason or error}") from None
        except OSError as error:
            raise self._unavailable(errors.os_error_text(error)) from None

    def _tls(self) -> ssl.SSLContext:
        with self._lock:
            if self._context is None:
                self._context = self._new_context()
            return self._context

    def _new_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        ca_certs = self.option("ca_certs")
        certfile, keyfile = self.required_option("certfile"), self.required_option("keyfile")
        context.check_hostname = self._verify and self._check_hostname
        context.verify_mode = ssl.CERT_REQUIRED if self._verify else ssl.CERT_NONE
        try:
            context.load_cert_chain(certfile, keyfile)
            if self._verify and ca_certs:
                context.load_verify_locations(ca_certs)
            elif self._verify:
                context.load_default_certs()
        except OSError as error:
            files = ", ".join(filter(None, (certfile, keyfile, ca_certs)))
            reason = errors.os_error_text(error)
            raise self._error(f"one of {files}: {reason}") from None
        return context

    def _error(self, reason: str) -> errors.BackendError:
        return errors.BackendError(f"{self._label}: {reason}")

    def _unavailable(self, reason: str) -> errors.BackendUnavailable:
        return errors.BackendUnavailable(f"{self._label}: {reason}")

    @property
    def _label(self) -> str:
        return f"NSD {self._host}:{self._port}"


def _kind(pattern: str) -> str:
    return f"pattern {pattern}" if pattern else "in nsd.conf"


def _read(sock: ssl.SSLSocket, deadline: float, max_bytes: int) -> str:
    """Return everything until the server closes the connection."""
    received = bytearray()
    while True:
        remaining_s = deadline - monotonic()
        if remaining_s <= 0:
            raise TimeoutError
        sock.settimeout(remaining_s)
        part = sock.recv(16384)
        if not part:
            return received.decode("utf-8", "replace").rstrip("\n")
        received += part
        if len(received) > max_bytes:
            raise OSError(errno.EMSGSIZE, "the reply is too long")
