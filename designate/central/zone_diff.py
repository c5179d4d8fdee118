"""What a transfer changes in a secondary zone: the zone's recordsets against what its primary sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from designate import errors
from designate.runtime.cooperative import yielding
from designate.storage.sqlalchemy.secondary import CurrentRecordSet
from designate.wire import rr, rrsets
from designate.wire.rrsets import Key, Namer, RRset, Step

TYPE_NS = 2


class Unfit(Exception):
    """The difference is not one of what the zone holds. Never leaves central."""


@dataclass(slots=True)
class Changes:
    """made, changed, gone: recordsets. deleted, added: single RRs, with the TTLs that nameservers
    see. recordsets, records: by how many the zone's numbers change."""

    made: list[RRset] = field(default_factory=list)
    changed: list[tuple[CurrentRecordSet, RRset]] = field(default_factory=list)
    gone: list[CurrentRecordSet] = field(default_factory=list)
    deleted: list[bytes] = field(default_factory=list)
    added: list[bytes] = field(default_factory=list)

    @property
    def recordsets(self) -> int:
        return len(self.made) - len(self.gone)

    @property
    def records(self) -> int:
        """As the zone's row counts them: without those of managed recordsets."""
        new = sum(len(rrset.rdatas) for rrset in self.made)
        new += sum(len(rrset.rdatas) for held, rrset in self.changed if not held.managed)
        old = sum(held.record_count for held, _ in self.changed if not held.managed)
        return new - old - sum(held.record_count for held in self.gone if not held.managed)


def compare(held: Iterable[CurrentRecordSet], wanted: dict[Key, RRset], zone_ttl: int) -> Changes:
    """What makes the held recordsets equal to the wanted ones. Raises BadRequest for an RRset that
    could not be sent on."""
    changes = Changes()
    left = dict(wanted)
    for one in yielding(held):
        rrset = left.pop((one.name_key, rrsets.type_number(one.type)), None)
        old = _real(one, zone_ttl)
        new = b"" if rrset is None else rrset.wire
        deleted, added = ([], []) if old == new else rr.difference(old, new)
        changes.deleted += deleted
        changes.added += added
        if rrset is None:
            changes.gone.append(one)
        elif deleted or added or one.ttl is None:
            changes.changed.append((one, rrset))
    for rrset in yielding(left.values()):
        changes.made.append(rrset)
        changes.added += rr.split(rrset.wire)
    for rrset in yielding((*changes.made, *(rrset for _, rrset in changes.changed))):
        try:
            rrsets.check_size(rrset)
        except ValueError as error:
            raise errors.BadRequest(str(error)) from None
    return changes


def touched(steps: Sequence[Step], zone: str) -> list[str]:
    """The lower-case names at which a difference changes something. Raises ValueError."""
    namer = Namer(zone)
    owners = {owner: None for step in steps for owner, *_ in (*step.deleted, *step.added)}
    return list(dict.fromkeys(namer.name(owner).lower() for owner in owners))


def follow(
    held: Iterable[CurrentRecordSet], steps: Sequence[Step], zone: str, zone_ttl: int
) -> dict[Key, RRset]:
    """The recordsets at the touched names as the steps leave them (RFC 1995 section 4). Raises Unfit
    when something that a step deletes is not there; ValueError."""
    namer = Namer(zone)
    found: dict[Key, RRset] = {}
    for one in held:
        rtype = rrsets.type_number(one.type)
        wire = _real(one, zone_ttl)
        if wire:
            found[one.name_key, rtype] = rrsets.stored(one.name, rtype, one.ttl or zone_ttl, wire)
    for step in steps:
        for owner, rtype, _, rdata in step.deleted:
            name = namer.name(owner)
            rrset = found.get((name.lower(), rtype))
            if rrset is None or rdata not in rrset.rdatas:
                raise Unfit(f"{name} {rrsets.type_text(rtype)} is not as the primary believes")
            del rrset.rdatas[rdata]
            if not rrset.rdatas:
                del found[name.lower(), rtype]
        for owner, rtype, ttl, rdata in step.added:
            name = namer.name(owner)
            rrset = found.setdefault((name.lower(), rtype), RRset(owner, name, rtype, ttl))
            rrset.ttl = ttl
            rrset.rdatas[rdata] = None
    return found


def _real(held: CurrentRecordSet, zone_ttl: int) -> bytes:
    return rr.with_ttl(held.wire, zone_ttl) if held.ttl is None else held.wire
