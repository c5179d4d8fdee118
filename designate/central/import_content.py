"""The content of an imported zone file: its recordsets, checked by what the wire and other zones need.

The forms that clients must keep to do not count here: what any nameserver serves can be imported.
"""

from __future__ import annotations

from collections.abc import Iterator

from designate import errors, rrtypes
from designate.central import zone_rules
from designate.central.base import Core
from designate.central.zone_creation import NewRecordSet, ZoneContent
from designate.context import Context
from designate.wire import zonefile
from designate.wire.zonefile import InvalidZonefile
from designate.wire.zonefile_collector import FileFault, ZonefileRRset

PROGRESS_BATCH = 500  # recordsets between two progress reports
# May be beside a CNAME (RFC 2181 section 10.1, RFC 4035 section 2.5).
_BESIDE_CNAME = frozenset(("RRSIG", "NSEC", "KEY", "SIG", "NXT"))
# Types of which a name has one record (RFC 1034 section 3.6.2, RFC 6672 section 2.4).
_SINGLE = ("CNAME", "DNAME")


def read(
    core: Core, context: Context, found: zonefile.ZoneFile, progress: zonefile.Progress
) -> ZoneContent:
    """Return the file's recordsets in wire form.

    Raises:
        InvalidZonefile: Recordsets are invalid; of type invalid_ttl where it is only for their TTLs.
    """
    checks = _Checks(core, context, found)
    faults: list[FileFault] = []
    sets = []
    for number, rrset in enumerate(found.rrsets):
        if number % PROGRESS_BATCH == PROGRESS_BATCH - 1:
            progress(f"Checking: {number + 1} of {len(found.rrsets)} recordsets")
        try:
            checks.check(rrset)
        except errors.BadRequest as error:
            faults += _faults_of(rrset, error)
            if len(faults) >= zonefile.MAX_FAULTS:
                break
        sets.append(
            NewRecordSet(
                rrset.name, rrset.type, rrset.ttl, rrset.texts, rrset.rdatas, rrset.covered_ttls
            )
        )
    if faults:
        raise InvalidZonefile(sorted(faults))
    if checks.low_ttls:
        raise LowTtl(checks.low_ttls)
    return ZoneContent(
        serial=found.serial, retry=found.retry, expire=found.expire, recordsets=tuple(sets)
    )


class LowTtl(InvalidZonefile):
    """Raised when the only faults of a file are TTLs below the minimum."""

    def __init__(self, faults: list[FileFault]) -> None:
        super().__init__(sorted(faults), type="invalid_ttl")
        self.message = faults[0].reason


class _Checks:
    """The rules for the recordsets of one file.

    Attributes:
        low_ttls: the faults that are TTLs below the minimum, at most MAX_FAULTS.
    """

    def __init__(self, core: Core, context: Context, found: zonefile.ZoneFile) -> None:
        self._core = core
        self._context = context
        self._enabled = frozenset(core.conf.supported_record_type)
        self._max_name_chars = core.conf["service:central"].max_recordset_name_len
        self._min_ttl = core.conf["service:central"].min_ttl
        self._origin = found.origin.lower()
        self._types: dict[str, set[str]] = {}
        self.low_ttls: list[FileFault] = []

    def check(self, rrset: ZonefileRRset) -> None:
        """Raise BadRequest for what is wrong with a recordset, given those before it."""
        if rrset.ttl < self._min_ttl and len(self.low_ttls) < zonefile.MAX_FAULTS:
            self._check_ttl(rrset)
        self._check_place(rrset)
        if rrset.type not in self._enabled:
            rrtypes.check_type(rrset.type, self._enabled, imported=True)
        rrtypes.check_rdatas(rrset.type, rrset.rdatas)

    def _check_ttl(self, rrset: ZonefileRRset) -> None:
        try:
            zone_rules.check_ttl(self._core, self._context, rrset.ttl)
        except errors.BadRequest as error:
            self.low_ttls.append(FileFault(rrset.lines[0], reason_of(error)))

    def _check_place(self, rrset: ZonefileRRset) -> None:
        """Check that the recordset may be at its name, beside those before it."""
        if len(rrset.name) > self._max_name_chars:
            raise errors.BadRequest(f"the name has more than {self._max_name_chars} characters")
        name = rrset.name.lower()
        if rrset.type in ("NS", "DNAME") and name.startswith("*."):
            # Nameservers reject the zone (RFC 4592 sections 4.2 and 4.4).
            raise errors.BadRequest(f"a wildcard cannot have {rrset.type} records")
        if rrset.type in _SINGLE and len(rrset.records) > 1:
            raise errors.BadRequest(f"there is more than one {rrset.type} record of the name")
        types = self._types.setdefault(name, set())
        if rrset.type not in _BESIDE_CNAME:
            types.add(rrset.type)
        if "CNAME" in types and (len(types) > 1 or name == self._origin):
            raise errors.BadRequest("a CNAME record must be the only one of its name")


def _faults_of(rrset: ZonefileRRset, error: errors.BadRequest) -> Iterator[FileFault]:
    """Yield each reason with the line of its record, else of the recordset's first one."""
    lines = rrset.lines
    if not error.errors:
        yield FileFault(lines[0], reason_of(error))
    for reason in error.errors:
        at = reason.path[1] if len(reason.path) > 1 and reason.path[0] == "records" else 0
        yield FileFault(lines[at if isinstance(at, int) else 0], reason.message)


def reason_of(error: errors.DesignateError) -> str:
    """Return an error's message, or its reasons, or at least its type."""
    return error.message or "; ".join(one.message for one in error.errors) or error.type
