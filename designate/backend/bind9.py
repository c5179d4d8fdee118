"""BIND 9 (9.11 and later): secondary zones through its control channel."""

from __future__ import annotations

import re
import zlib
from typing import ClassVar

from designate import errors
from designate.backend import primaries, rndc, rndc_key
from designate.backend.base import (
    NOTIFY_OPTIONS,
    OWNERSHIP_OPTIONS,
    Backend,
    BackendOption,
    FoundZone,
)
from designate.backend.bind_zone import SECONDARY, Primary, ShownZone, further_statements
from designate.model.pools import Target
from designate.model.zones import ZoneAnnouncement

_QUOTE = re.compile(r'(\\.)|"')
_NOT_A_WORD = re.compile(r'["\\\s;{}]')


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
        BackendOption(
            name="zone_statements",
            meaning="further statements of each zone, such as "
            "`dnssec-policy default; inline-signing yes;`",
        ),
        *OWNERSHIP_OPTIONS,
    )

    INSPECTS: ClassVar[bool] = True

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._host = self.option("rndc_host") or ""
        self._port = self.port_option("rndc_port")
        self._timeout_s = self.seconds_option("rndc_timeout")
        self._clean = self.bool_option("clean_zonefile")
        self._view = self.option("view")
        if self._view is not None and _NOT_A_WORD.search(self._view):
            raise errors.ConfigurationError(f"target type bind9: view {self._view!r} is not a name")
        self._statements = self.option("zone_statements") or ""
        self._more = further_statements(self._statements)

    def create_zone(self, zone: ZoneAnnouncement) -> None:
        reply = self._run(f"addzone {self._name(zone)} {self._block(zone)}")
        if not reply.code:
            return
        found = self._shown(zone) if "already exists" in reply.error else None
        if found is None:
            raise self._refused("addzone", zone, reply)
        if self._is_ours(zone, found):
            # The file of an earlier zone of this name may have a higher serial, so it is not taken over.
            self._repair(zone, found, found.file if found.has_mark(zone) else self._file(zone))
            return
        if not self.adopts:
            raise self.foreign(self._label, found.kind)
        self._delete(zone, "")
        reply = self._run(f"addzone {self._name(zone)} {self._block(zone)}")
        if reply.code:
            raise self._refused("addzone", zone, reply)

    def update_zone(self, zone: ZoneAnnouncement) -> None:
        """Add a missing zone; correct the masters and statements of ours and leave its file."""
        found = self._shown(zone)
        if found is not None and self._is_ours(zone, found):
            self._repair(zone, found, found.file or self._file(zone))
        else:
            self.create_zone(zone)

    def delete_zone(self, zone: ZoneAnnouncement, *, hard_delete: bool) -> None:
        found = self._shown(zone)
        if found is None:
            return
        if not self._is_ours(zone, found):
            raise self.foreign(self._label, found.kind)
        self._delete(zone, "-clean " if self._clean or hard_delete else "")

    def inspect(self, zone: ZoneAnnouncement) -> FoundZone | None:
        found = self._shown(zone)
        if found is None:
            return None
        return FoundZone(name=zone.name, kind=found.kind, is_ours=self._is_ours(zone, found))

    def _is_ours(self, zone: ZoneAnnouncement, found: ShownZone) -> bool:
        if found.type not in SECONDARY:
            return False
        return found.has_mark(zone) or self.follows_ours(found.addresses)

    def _shown(self, zone: ZoneAnnouncement) -> ShownZone | None:
        """Return the zone as BIND has it; None if there is none. Raises BackendError without the view."""
        reply = self._run(f"showzone {self._name(zone)}")
        if not reply.code:
            return ShownZone.of(reply.text)
        # A missing view also gives "not found".
        if "not found" not in reply.error or "no matching view" in reply.text:
            raise self._refused("showzone", zone, reply)
        return None

    def _repair(self, zone: ZoneAnnouncement, found: ShownZone, file_name: str) -> None:
        """Give a zone of ours the target's masters and statements, and this file."""
        desired = set(self._primaries(zone)), file_name, self._more
        if (set(found.listed), found.file, found.more) == desired:
            return
        reply = self._run(f"modzone {self._name(zone)} {self._block(zone, file_name)}")
        if reply.code:
            raise self._refused("modzone", zone, reply)

    def _delete(self, zone: ZoneAnnouncement, clean: str) -> None:
        reply = self._run(f"delzone {clean}{self._name(zone)}")
        if reply.code and "not found" not in reply.error:
            raise self._refused("delzone", zone, reply)

    @property
    def _label(self) -> str:
        return f"BIND {self._host}:{self._port}"

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
        # Without a class, a zone such as version.bind is also looked for in the views of class CH.
        # The view is not quoted, since BIND's parser accepts no quotes here.
        return f'"{name}" IN' + (f" {self._view}" if self._view else "")

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

    def _block(self, zone: ZoneAnnouncement, file_name: str | None = None) -> str:
        """Return the zone's configuration block.

        BIND 9.11 to 9.20 know the older terms `slave` and `masters`; only newer ones know `secondary` and
        `primaries`.
        """
        listed = "".join(
            f" {host} port {port}" + (f' key "{key}";' if key else ";")
            for host, port, key in self._primaries(zone)
        )
        file_name = file_name or self._file(zone)
        more = f" {self._statements}" if self._statements else ""
        return f'{{ type slave; masters {{{listed} }}; file "{file_name}";{more} }};'

    def _primaries(self, zone: ZoneAnnouncement) -> tuple[Primary, ...]:
        key = self.key_name or ""
        found = primaries.addresses(self.target, zone.zone_id)
        return tuple((host, port, key) for host, port in found)
