"""BIND 9 (9.11 and later), told by its control channel to add and remove secondary zones."""

from __future__ import annotations

import ipaddress
import re
import zlib
from typing import ClassVar

from designate import errors
from designate.backend import primaries, rndc, rndc_key
from designate.backend.base import NOTIFY_OPTIONS, Backend, BackendOption
from designate.model.pools import Target
from designate.model.zones import ZoneAnnouncement

_PRIMARIES = re.compile(r"\b(?:masters|primaries)\b[^{]*\{([^}]*)\}")
_PRIMARY = re.compile(r'([0-9a-fA-F:.]+)(?:\s+port\s+(\d+))?(?:\s+key\s+"?([^\s";]+)"?)?[^;]*;')
_QUOTE = re.compile(r'(\\.)|"')
_NO_WORD = re.compile(r'["\\\s;{}]')

# host, port, and the key's name or nothing
Primary = tuple[str, int, str]


class Bind9Backend(Backend):
    """Needs `allow-new-zones yes` and a `controls` statement that lets this host in.

    BIND works off control commands one at a time, and an addzone also writes its new-zone file.
    """

    OPTIONS: ClassVar[tuple[BackendOption, ...]] = (
        *NOTIFY_OPTIONS,
        BackendOption(name="rndc_host", default="127.0.0.1", meaning="control channel: host"),
        BackendOption(name="rndc_port", default="953", meaning="control channel: port"),
        BackendOption(name="rndc_key_file", meaning="file with the control channel's key"),
        BackendOption(
            name="rndc_config_file", meaning="rndc.conf, used when rndc_key_file is not set"
        ),
        BackendOption(
            name="rndc_bin_path", meaning="accepted and ignored: the rndc program is not used"
        ),
        BackendOption(
            name="rndc_timeout",
            default="5",
            meaning="seconds for one command; 0: the longest, 60",
        ),
        BackendOption(name="view", meaning="name of the view that holds the zones"),
        BackendOption(
            name="clean_zonefile", default="false", meaning="remove zone files on deletion"
        ),
    )

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._host = self.option("rndc_host") or ""
        self._port = self.port_option("rndc_port")
        self._timeout_s = self.seconds_option("rndc_timeout")
        self._clean = self.bool_option("clean_zonefile")
        self._view = self.option("view")
        if self._view is not None and _NO_WORD.search(self._view):
            raise errors.ConfigurationError(f"target type bind9: view {self._view!r} is not a name")

    def create_zone(self, zone: ZoneAnnouncement) -> None:
        block = _block(self._primaries(zone), self._file(zone))
        reply = self._run(f"addzone {self._name(zone)} {block}")
        if reply.code and "already exists" not in reply.error:
            raise self._refused("addzone", zone, reply)

    def update_zone(self, zone: ZoneAnnouncement) -> None:
        """Adds a missing zone; gives one with other masters the target's, keeping its file."""
        reply = self._run(f"showzone {self._name(zone)}")
        if reply.code:
            if "not found" not in reply.error:
                raise self._refused("showzone", zone, reply)
            self.create_zone(zone)
            return
        wanted = self._primaries(zone)
        if set(_shown_masters(reply.text)) == set(wanted):
            return
        shown_file = re.search(r'\bfile "([^"]+)"', reply.text)
        block = _block(wanted, shown_file.group(1) if shown_file else self._file(zone))
        reply = self._run(f"modzone {self._name(zone)} {block}")
        if reply.code:
            raise self._refused("modzone", zone, reply)

    def delete_zone(self, zone: ZoneAnnouncement, *, hard_delete: bool) -> None:
        clean = "-clean " if self._clean or hard_delete else ""
        reply = self._run(f"delzone {clean}{self._name(zone)}")
        if not reply.code:
            return
        # A missing view also reads "not found", but leaves the zone where it is.
        if "not found" not in reply.error or "no matching view" in reply.text:
            raise self._refused("delzone", zone, reply)

    def _run(self, text: str) -> rndc.Reply:
        key = rndc_key.load(
            self.option("rndc_key_file"), self.option("rndc_config_file"), self._host
        )
        return rndc.command(self._host, self._port, key, text, self._timeout_s)

    def _refused(self, verb: str, zone: ZoneAnnouncement, reply: rndc.Reply) -> errors.BackendError:
        details = f" ({reply.text.strip()})" if reply.text.strip() else ""
        return errors.BackendError(
            f"rndc {self._host}:{self._port}: {verb} {zone.name} failed: {reply.error}{details}"
        )

    def _name(self, zone: ZoneAnnouncement) -> str:
        # Escapes of DNS (RFC 1035 section 5.1) are left alone: BIND's strings have them as well.
        name = _QUOTE.sub(lambda match: match[1] or '\\"', zone.name.rstrip(".") or ".")
        if "\n" in name or "\r" in name:
            raise errors.BackendError(f"zone {zone.zone_id}: the name holds a line break")
        # The view stands without quotes: BIND's parser takes no quoted one here.
        return f'"{name}"' + (f" IN {self._view}" if self._view else "")

    def _file(self, zone: ZoneAnnouncement) -> str:
        """From the zone's id, so that no zone name can lead out of BIND's directory or be too long;
        with the view, because two views must not share a file."""
        view = f"{zlib.crc32(self._view.encode()):08x}." if self._view else ""
        return f"slave.{view}{zone.zone_id}"

    def transfer_with(self, key_name: str) -> None:
        """named.conf must have the key."""
        if _NO_WORD.search(key_name):
            raise errors.ConfigurationError(f"target type bind9: no key may be named {key_name!r}")
        super().transfer_with(key_name.rstrip("."))

    def _primaries(self, zone: ZoneAnnouncement) -> tuple[Primary, ...]:
        key = self.key_name or ""
        found = primaries.addresses(self.target, zone.zone_id)
        return tuple((host, port, key) for host, port in found)


def _block(found: tuple[Primary, ...], file_name: str) -> str:
    """The older words `slave` and `masters` are understood by BIND 9.11 up to 9.20; `secondary` and
    `primaries` by the newer ones alone."""
    listed = "".join(
        f" {host} port {port}" + (f' key "{key}";' if key else ";") for host, port, key in found
    )
    return f'{{ type slave; masters {{{listed} }}; file "{file_name}"; }};'


def _shown_masters(text: str) -> list[Primary]:
    match = _PRIMARIES.search(text)
    if match is None:
        return []
    return [
        (str(ipaddress.ip_address(host)), int(port or 53), key.rstrip("."))
        for host, port, key in _PRIMARY.findall(match.group(1))
        if ":" in host or "." in host
    ]
