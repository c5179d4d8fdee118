"""`designate-manage pool check`: what the targets of pools have, before anything is changed there."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from time import monotonic

from designate import domain_names, errors
from designate.backend import base
from designate.cmd.lists import every_item
from designate.model.pools import Pool, Target
from designate.model.zones import Action, Zone, ZoneAnnouncement, ZoneId, ZoneType
from designate.rpc.clients import CentralClient

OURS, FOREIGN, MISSING = "ours", "foreign", "missing"
LEFTOVER, UNKNOWN = "leftover", "unknown"
KINDS = (OURS, FOREIGN, MISSING, LEFTOVER, UNKNOWN)


@dataclass(slots=True)
class TargetResult:
    """The zones that a target has, and whether they are in order.

    Attributes:
        zones: kind, name and description of each zone.
        remark: what could not be found out, if anything.
        failed: the target could not be asked to the end.
    """

    zones: list[tuple[str, str, str]] = field(default_factory=list)
    remark: str = ""
    failed: bool = False

    @property
    def in_order(self) -> bool:
        """Whether no zone of others is in the way of one of the pool."""
        return not self.failed and not any(kind == FOREIGN for kind, _, _ in self.zones)

    def lines(self, *, ours: bool) -> Iterator[str]:
        """Yield the counts, and a line for each zone that needs a look; with `ours` for all."""
        counts = Counter(kind for kind, _, _ in self.zones)
        yield ", ".join(f"{counts[kind]} {kind}" for kind in KINDS)
        for kind, name, description in sorted(self.zones):
            if ours or kind != OURS:
                yield f"{kind:8}  {name}  {description}".rstrip()
        if self.remark:
            yield self.remark


def zones_by_pool(central: CentralClient) -> dict[str, list[Zone]]:
    """Return the stored zones of each pool, without the catalog zones."""
    found: dict[str, list[Zone]] = defaultdict(list)
    for zone in every_item(central.zones.find):
        if zone.type is not ZoneType.CATALOG:
            found[zone.pool_id].append(zone)
    return found


def check_target(
    pool: Pool, target: Target, stored: Mapping[str, list[Zone]], timeout_s: float
) -> TargetResult:
    """Return what a target has of the pool's zones, and what else, within about timeout_s.

    Nothing is changed there. `stored` has the zones of all pools, which may share the server.
    """
    result = TargetResult()
    if pool.catalog_zone is not None:
        result.remark = "not asked: its server takes the zones from the catalog zone"
        return result
    zones = stored.get(pool.id, [])
    names = {zone.name.lower() for others in stored.values() for zone in others}
    try:
        backend = base.load(target)
        if backend.LISTS_ZONES:
            _list(backend, zones, names, result, timeout_s)
        elif backend.INSPECTS:
            _inspect(backend, zones, result, timeout_s)
        else:
            result.remark = f"not asked: {target.type} has no control channel"
    except errors.DesignateError as error:
        result.remark, result.failed = error.message or error.type, True
    return result


def _list(
    backend: base.Backend,
    zones: list[Zone],
    names: set[str],
    result: TargetResult,
    timeout_s: float,
) -> None:
    """Compare the pool's zones with a list of all zones of the server."""
    expected: Mapping[str, Zone] = {zone.name.lower(): zone for zone in zones}
    seen = set()
    for found in backend.find_zones(timeout_s):
        name = _key(found.name)
        seen.add(name)
        if found.is_ours:
            kind = OURS if name in names else LEFTOVER
        else:
            kind = FOREIGN if name in expected else UNKNOWN
        result.zones.append((kind, found.name, found.kind))
    result.zones += [
        (MISSING, zone.name, "") for name, zone in expected.items() if name not in seen
    ]


def _key(name: str) -> str:
    """Return a server's spelling of a name in lower case, with the escapes of stored names."""
    return domain_names.search_form(name) if name.isascii() else name.lower()


def _inspect(
    backend: base.Backend, zones: list[Zone], result: TargetResult, timeout_s: float
) -> None:
    """Look at each of the pool's zones on a server that does not list its zones."""
    deadline = monotonic() + timeout_s
    result.remark = "other zones of the server are unknown: it does not list its zones"
    for number, zone in enumerate(zones):
        if monotonic() > deadline:
            result.remark = f"{len(zones) - number} zones not checked: time is up (--timeout)"
            result.failed = True
            return
        found = backend.inspect(_announcement(zone))
        if found is None:
            result.zones.append((MISSING, zone.name, ""))
        else:
            kind = OURS if found.is_ours else FOREIGN
            result.zones.append((kind, zone.name, found.kind))
    if not zones:
        backend.inspect(_announcement(None))


def _announcement(zone: Zone | None) -> ZoneAnnouncement:
    """Return what a back end needs to look at a zone; None: at a name that no server has."""
    return ZoneAnnouncement(
        zone_id=zone.id if zone else ZoneId("none"),
        name=zone.name if zone else "designate-pool-check.invalid.",
        type=zone.type if zone else ZoneType.PRIMARY,
        pool_id=zone.pool_id if zone else "",
        pool_version=0,
        revision=zone.revision if zone else 0,
        serial=zone.serial if zone else 0,
        action=Action.NONE,
    )
