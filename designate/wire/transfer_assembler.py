"""Assembly of a transfer's records while they arrive (RFC 5936 section 2.2, RFC 1995 section 4).

It uses neither sockets nor a clock; `wire.transfer_in` feeds it. The result is stored RRs (see `wire.rr`)
in the form of the journal: for a whole zone its SOA and all other records, for a difference one or more
steps of old SOA, deleted RRs, new SOA, added RRs. The closing SOA is checked and omitted.
"""

from __future__ import annotations

import enum
from typing import Any

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from designate import errors
from designate.wire import packet, rr
from designate.wire.names import APEX_POINTER, serial_ge, serial_gt

# A record may have to be sent in a message of its own, with a header, the longest question, the longest
# owner, fixed fields, OPT, and a signature.
MAX_RDATA_BYTES = packet.MAX_MESSAGE_BYTES - 12 - 259 - 255 - 10 - packet.OPT_LENGTH - 512


class TransferFailed(errors.BackendError):
    """Raised when a primary sent no usable zone.

    Attributes:
        final: another kind of transfer from the same primary will not help.
    """

    def __init__(self, message: str, *, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


class TransferKind(enum.StrEnum):
    """What a transfer brought; CURRENT: the primary has no newer version."""

    WHOLE = "WHOLE"
    DIFFERENCE = "DIFFERENCE"
    CURRENT = "CURRENT"


class _At(enum.Enum):
    START = enum.auto()
    FIRST = enum.auto()
    WHOLE = enum.auto()
    DELETIONS = enum.auto()
    ADDITIONS = enum.auto()
    DONE = enum.auto()


class TransferAssembler:
    """Assembles one transfer.

    Attributes:
        kind: what the transfer brought, known once done.
        dropped: number of records outside the zone.
    """

    def __init__(self, zone: dns.name.Name, since: int | None, newer_than: int | None) -> None:
        """Begin a transfer.

        Args:
            zone: name of the zone.
            since: serial from which the difference was requested; None: the whole zone was.
            newer_than: the primary's serial must be newer than this; None: any serial will do.
        """
        self._zone = zone
        self._since = since
        self._newer_than = newer_than
        self._at = _At.START
        self._soa: Any = None
        self._soa_ttl = 0
        self._current = 0
        self.kind = TransferKind.WHOLE
        self.dropped = 0

    @property
    def done(self) -> bool:
        """Whether the closing SOA has arrived."""
        return self._at is _At.DONE

    @property
    def serial(self) -> int:
        """The serial of the primary's version, known once done."""
        return int(self._soa.serial)

    def take(self, name: dns.name.Name, ttl: int, rdata: dns.rdata.Rdata) -> bytes:
        """Take the next RR and return the stored RRs to add.

        Raises TransferFailed when the record is not permitted at this point.
        """
        if rdata.rdclass != dns.rdataclass.IN:
            raise TransferFailed(f"it sent a record of class {int(rdata.rdclass)}")
        if self.done:
            raise TransferFailed("it sent records behind the closing SOA")
        if rdata.rdtype == dns.rdatatype.SOA:
            if name != self._zone:
                raise TransferFailed("it sent an SOA of another name")
            return self._take_soa(ttl, rdata)
        if self._at is _At.START:
            raise TransferFailed("its answer does not begin with the zone's SOA")
        first = b""
        if self._at is _At.FIRST:
            self._at = _At.WHOLE
            first = rr.soa(self._soa_ttl, _wire(self._soa))
        return first + self._take_data(name, ttl, rdata)

    def _take_data(self, name: dns.name.Name, ttl: int, rdata: dns.rdata.Rdata) -> bytes:
        rtype = int(rdata.rdtype)
        if rtype in (0, dns.rdatatype.OPT) or 128 <= rtype <= 255:
            raise TransferFailed(f"it sent a record of the meta type {rtype}")
        if not name.is_subdomain(self._zone):
            self.dropped += 1
            return b""
        wire = _wire(rdata)
        if len(wire) > MAX_RDATA_BYTES:
            raise TransferFailed(
                f"it sent a record of {len(wire)} bytes, which no message can hold"
            )
        labels = name.labels[: len(name.labels) - len(self._zone.labels)]
        owner = b"".join(bytes((len(label),)) + label for label in labels) + APEX_POINTER
        return rr.pack(owner, rtype, ttl, (wire,))

    def _take_soa(self, ttl: int, soa: Any) -> bytes:
        if self._at is _At.START:
            return self._begin(ttl, soa)
        if self._at is _At.FIRST:
            return self._second(ttl, soa)
        if self._at is _At.DELETIONS:
            if not (serial_gt(soa.serial, self._current) and serial_ge(self.serial, soa.serial)):
                raise TransferFailed(
                    f"its difference goes from serial {self._current} to {soa.serial}"
                )
            if soa.serial == self.serial and soa != self._soa:
                raise TransferFailed("its difference ends in another SOA than it announced")
            self._at = _At.ADDITIONS
            self._current = soa.serial
            return rr.soa(ttl, _wire(soa))
        if self._at is _At.ADDITIONS and self._current != self.serial:
            if soa.serial != self._current:
                raise TransferFailed(f"its difference has a gap behind serial {self._current}")
            self._at = _At.DELETIONS
            return rr.soa(ttl, _wire(soa))
        if soa != self._soa:
            raise TransferFailed("it closed with another SOA than it began with")
        self._at = _At.DONE
        return b""

    def _begin(self, ttl: int, soa: Any) -> bytes:
        self._at = _At.FIRST
        self._soa, self._soa_ttl = soa, ttl
        if self._newer_than is None or serial_gt(soa.serial, self._newer_than):
            return b""
        if soa.serial != self._newer_than:
            raise TransferFailed(
                f"its serial {soa.serial} is older than {self._newer_than}", final=True
            )
        self.kind = TransferKind.CURRENT
        self._at = _At.DONE
        return b""

    def _second(self, ttl: int, soa: Any) -> bytes:
        if soa == self._soa:
            # A zone that has only an SOA.
            self._at = _At.DONE
            return rr.soa(ttl, _wire(soa))
        if self._since is None or soa.serial != self._since:
            raise TransferFailed("it sent a second SOA that belongs to no requested difference")
        self.kind = TransferKind.DIFFERENCE
        self._at = _At.DELETIONS
        self._current = soa.serial
        return rr.soa(ttl, _wire(soa))


def _wire(rdata: Any) -> bytes:
    return rdata.to_wire() or b""
