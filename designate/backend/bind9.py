"""BIND 9 (9.11 and later): secondary zones through its control channel."""

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
_NOT_A_WORD = re.compile(r'["\\\s;{}]')

# Host, port, and the name of the key or "".
Primary = tuple[str, int, str]


class Bind9Backend(Backend):
    """Creates secondary zones in BIND 9.

    Needs `allow-new-zones yes` and a `controls` statement that admits this host. BIND executes control
    commands one at a time, and addzone also writes the new-zone file.
    """

    OPTIONS: ClassVar[tuple[BackendOption, ...]] = (
        *NOTIFY_OPTIONS,
        BackendOption(name="rndc_host", default="127.0.0.1", meaning="host of the control channel"),
        BackendOption(name="rndc_port", default="953", meaning="port of the control channel"),
        BackendOption(name="rndc_key_file", meaning="file with the key of the control channel"),
        BackendOption(
            name="rndc_config_file",
            meaning="rndc.conf to take the key from when rndc_key_file is not set",
        ),
        BackendOption(
            name="rndc_bin_path", meaning="accepted and ignored: the rndc program is not used"
        ),
        BackendOption(
            name="rndc_timeout",
            default="5",
            meaning="timeout of one command in seconds; 0: 60, the maximum",
        ),
        BackendOption(name="view", meaning="name of the view of the zones"),
        BackendOption(
            name="clean_zonefile",
            default="false",
            meaning="whether zone files are removed with their zones",
        ),
    )

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._host = self.option("rndc_host") or ""
        self._port = self.port_option("rndc_port")
        self._timeout_s = self.seconds_option("rndc_timeout")
        self._clean = self.bool_option("clean_zonefile")
        self._view = self.option("view")
        if self._view is not None and _NOT_A_WORD.search(self._view):
            raise errors.ConfigurationError(f"target type bind9: view {self._view!r} is not a name")

    def create_zone(self, zone: ZoneAnnouncement) -> None:
        block = _block(self._primaries(zone), self._file(zone))
        reply = self._run(f"addzone {self._name(zone)} {block}")
        if reply.code and "already exists" not in reply.error:
            raise self._refused("addzone", zone, reply)

    def update_zone(self, zone: ZoneAnnouncement) -> None:
        """Add a missing zone; correct the masters of an existing one and leave its file."""
        reply = self._run(f"showzone {self._name(zone)}")
        if reply.code:
            if "not found" not in reply.error:
                raise self._refused("showzone", zone, reply)
            self.create_zone(zone)
            return
        desired = self._primaries(zone)
        if set(_shown_masters(reply.text)) == set(desired):
            return
        shown_file = re.search(r'\bfile "([^"]+)"', reply.text)
        block = _block(desired, shown_file.group(1) if shown_file else self._file(zone))
        reply = self._run(f"modzone {self._name(zone)} {block}")
        if reply.code:
            raise self._refused("modzone", zone, reply)

    def delete_zone(self, zone: ZoneAnnouncement, *, hard_delete: bool) -> None:
        clean = "-clean " if self._clean or hard_delete else ""
        reply = self._run(f"delzone {clean}{self._name(zone)}")
        if not reply.code:
            return
        # A missing view also gives "not found", but the zone still exists.
        if "not found" not in reply.error or "no matching view" in reply.text:
            raise self._refused("delzone", zone, reply)

    def _run(self, text: str) -> rndc.RndcReply:
        key = rndc_key.load(
            self.option("rndc_key_file"), self.option("rndc_config_file"), self._host
        )
        return rndc.command(self._host, self._port, key, text, self._timeout_s)

    def _refused(
        self, verb: str, zone: ZoneAnnouncement, reply: rndc.RndcReply
    ) -> errors.BackendError:
        details = f" ({reply.text.strip()})" if reply.text.strip() else ""
        return errors.BackendError(
            f"rndc {self._host}:{self._port}: {verb} {zone.name} failed: {reply.error}{details}"
        )

    def _name(self, zone: ZoneAnnouncement) -> str:
        # DNS escapes (RFC 1035 section 5.1) stay, since BIND's strings have the same.
        name = _QUOTE.sub(lambda match: match[1] or '\\"', zone.name.rstrip(".") or ".")
        if "\n" in name or "\r" in name:
            raise errors.BackendError(f"zone {zone.zone_id}: the name contains a line break")
        # The view is not quoted, since BIND's parser accepts no quotes here.
        return f'"{name}"' + (f" IN {self._view}" if self._view else "")

    def _file(self, zone: ZoneAnnouncement) -> str:
        """Return the name of the zone's file.

        It has the zone's id, so that no zone name can leave BIND's directory or be too long, and a
        checksum of the view, because two views must not share a file.
        """
        view = f"{zlib.crc32(self._view.encode()):08x}." if self._view else ""
        return f"slave.{view}{zone.zone_id}"

    def transfer_with(self, key_name: str) -> None:
        """Use the key of that name, which named.conf must have."""
        if _NOT_A_WORD.search(key_name):
            raise errors.ConfigurationError(
                f"target type bind9: {key_name!r} cannot be the name of a key"
            )
        super().transfer_with(key_name.rstrip("."))

    def _primaries(self, zone: ZoneAnnouncement) -> tuple[Primary, ...]:
        key = self.key_name or ""
        found = primaries.addresses(self.target, zone.zone_id)
        return tuple((host, port, key) for host, port in found)


def _block(found: tuple[Primary, ...], file_name: str) -> str:
    """Return the zone's configuration block.

    BIND 9.11 to 9.20 know the older terms `slave` and `masters`; only newer ones know `secondary` and
    `primaries`.
    """
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
