"""Differences of secondary zones: the stored recordsets compared with what the primary sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from designate import errors
from designate.runtime.cooperative import yielding
from designate.storage.sqlalchemy.secondary import CurrentRecordSet
from designate.wire import rr, rrsets, types
from designate.wire.rrsets import IxfrStep, OwnerNames, RRset, RRsetKey

TYPE_NS = 2


class DiffMismatch(Exception):
    """A difference deletes what the zone does not have; never leaves central."""


@dataclass(slots=True)
class ZoneDiff:
    """The changes that make a zone's recordsets equal to the desired ones.

    inserted, updated, deleted: Recordsets. deleted_rrs, added_rrs: Single RRs in wire form, with the
    TTLs that nameservers serve.
    """

    inserted: list[RRset] = field(default_factory=list)
    updated: list[tuple[CurrentRecordSet, RRset]] = field(default_factory=list)
    deleted: list[CurrentRecordSet] = field(default_factory=list)
    deleted_rrs: list[bytes] = field(default_factory=list)
    added_rrs: list[bytes] = field(default_factory=list)

    @property
    def recordset_count_delta(self) -> int:
        """By how much the number of the zone's recordsets changes."""
        return len(self.inserted) - len(self.deleted)

    @property
    def record_count_delta(self) -> int:
        """By how much the number of the zone's records changes, managed recordsets not counted."""
        new = sum(len(rrset.rdatas) for rrset in self.inserted)
        new += sum(len(rrset.rdatas) for current, rrset in self.updated if not current.managed)
        old = sum(current.record_count for current, _ in self.updated if not current.managed)
        gone = sum(current.record_count for current in self.deleted if not current.managed)
        return new - old - gone


def compare(
    current: Iterable[CurrentRecordSet], desired: dict[RRsetKey, RRset], zone_ttl: int
) -> ZoneDiff:
    """Return the changes that turn the current recordsets into the desired ones.

    Raises:
        BadRequest: An RRset is too large for a DNS message.
    """
    diff = ZoneDiff()
    remaining = dict(desired)
    for recordset in yielding(current):
        rrset = remaining.pop((recordset.name_key, types.number_of(recordset.type)), None)
        old = _served_wire(recordset, zone_ttl)
        new = b"" if rrset is None else rrset.wire
        deleted_rrs, added_rrs = ([], []) if old == new else rr.difference(old, new)
        diff.deleted_rrs += deleted_rrs
        diff.added_rrs += added_rrs
        if rrset is None:
            diff.deleted.append(recordset)
        elif deleted_rrs or added_rrs or recordset.ttl is None:
            diff.updated.append((recordset, rrset))
    for rrset in yielding(remaining.values()):
        diff.inserted.append(rrset)
        diff.added_rrs += rr.split(rrset.wire)
    for rrset in yielding((*diff.inserted, *(rrset for _, rrset in diff.updated))):
        try:
            rrsets.check_size(rrset)
        except ValueError as error:
            raise errors.BadRequest(str(error)) from None
    return diff


def changed_names(steps: Sequence[IxfrStep], zone: str) -> list[str]:
    """Return the lower-case names at which an IXFR changes records.

    Raises:
        ValueError: A name is not in the zone.
    """
    namer = OwnerNames(zone)
    owners = {owner: None for step in steps for owner, *_ in (*step.deleted, *step.added)}
    return list(dict.fromkeys(namer.name(owner).lower() for owner in owners))


def apply_steps(
    current: Iterable[CurrentRecordSet], steps: Sequence[IxfrStep], zone: str, zone_ttl: int
) -> dict[RRsetKey, RRset]:
    """Apply the steps of an IXFR (RFC 1995 section 4) to the recordsets at the changed names.

    Args:
        current: All recordsets at those names, except the SOA.
        steps: The steps.
        zone: The zone's name.
        zone_ttl: The zone's TTL before them.

    Raises:
        DiffMismatch: A step deletes a record that does not exist.
        ValueError: A record cannot be stored.
    """
    namer = OwnerNames(zone)
    found: dict[RRsetKey, RRset] = {}
    for recordset in current:
        rtype = types.number_of(recordset.type)
        wire = _served_wire(recordset, zone_ttl)
        if wire:
            found[recordset.name_key, rtype] = rrsets.from_stored(
                recordset.name, rtype, zone_ttl if recordset.ttl is None else recordset.ttl, wire
            )
    for step in steps:
        for owner, rtype, _, rdata in step.deleted:
            name = namer.name(owner)
            rrset = found.get((name.lower(), rtype))
            if rrset is None or rdata not in rrset.rdatas:
                raise DiffMismatch(
                    f"{name} {types.name_of(rtype)}: the record to delete does not exist"
                )
            del rrset.rdatas[rdata]
            if not rrset.rdatas:
                del found[name.lower(), rtype]
        for owner, rtype, ttl, rdata in step.added:
            name = namer.name(owner)
            rrset = found.setdefault((name.lower(), rtype), RRset(owner, name, rtype, ttl))
            rrset.add(rdata, ttl)
    rrsets.align_signatures(found, zone, steps[-1].new.ttl)
    return found


def _served_wire(recordset: CurrentRecordSet, zone_ttl: int) -> bytes:
    if recordset.ttl is None:
        return rr.with_ttl(recordset.wire, zone_ttl)
    return recordset.wire
