"""Authoritative answers to ordinary queries (RFC 1034 section 4.3.2, RFC 2308, RFC 4592)."""

from __future__ import annotations

from collections.abc import Iterable

import dns.name
import dns.rcode
import dns.rdatatype
import sqlalchemy as sa

from designate.mdns import corrupt_records
from designate.storage.sqlalchemy import serving
from designate.storage.sqlalchemy.serving import ServedZone, StoredRRset
from designate.wire import names, packet, rr, types

MAX_ALIASES = 8
AtName = dict[str, StoredRRset]


class Answerer:
    """Fills the reply to one query from one zone."""

    def __init__(
        self,
        connection: sa.Connection,
        zone: ServedZone,
        question: packet.Question,
        reply: packet.ReplyBuilder,
    ) -> None:
        """Answer a question whose name is in the zone; the connection must read one snapshot."""
        self._connection = connection
        self._zone = zone
        self._question = question
        self._reply = reply
        self._apex = names.key(zone.name)
        self._apex_depth = len(packet.keys_of(dns.name.from_text(zone.name)))
        # Offset of the apex in the question, whose name ends with it.
        above = question.name.labels[: len(question.keys) - self._apex_depth]
        self._apex_offset = packet.HEADER.size + sum(len(label) + 1 for label in above)

    def answer(self, *, minimal_any: bool) -> None:
        """Fill the reply, following aliases; minimal_any: one RRset for ANY (RFC 8482 section 4.1)."""
        self._reply.authoritative = True
        name: dns.name.Name | None = self._question.name
        seen: set[str] = set()
        while name is not None and len(seen) < MAX_ALIASES:
            keys = packet.keys_of(name)
            depth = len(keys) - self._apex_depth
            if depth < 0 or keys[depth] != self._apex or keys[0] in seen:
                return
            seen.add(keys[0])
            name = self._answer_name(name, keys[: depth + 1], minimal_any=minimal_any)

    def _answer_name(
        self, name: dns.name.Name, keys: tuple[str, ...], *, minimal_any: bool
    ) -> dns.name.Name | None:
        """Answer for one name and return the target of an alias to follow, or None.

        keys: the name and its ancestors up to the apex.
        """
        found = self._read(keys)
        delegation = self._delegation_point(keys, found)
        if delegation is not None:
            self._refer(name.labels[delegation:], found[keys[delegation]]["NS"])
            return None
        here = found.get(keys[0])
        if here is None:
            here = self._synthesised(keys, found)
        if here is None:
            self._negative(dns.rcode.NXDOMAIN)
            return None
        rtype = types.name_of(self._question.rtype)
        if rtype == "ANY" and here:
            every = [here[type] for type in sorted(here)]
            for stored in every[:1] if minimal_any else every:
                self._put(self._reply.answer, name.labels, stored)
        elif rtype in here:
            self._put(self._reply.answer, name.labels, here[rtype])
        elif "CNAME" in here:
            self._put(self._reply.answer, name.labels, here["CNAME"])
            return next(iter(_targets(here["CNAME"])))
        else:
            self._negative(dns.rcode.NOERROR)
        return None

    def _read(self, keys: tuple[str, ...]) -> dict[str, AtName]:
        """Return the RRsets at the name, its ancestors in the zone, and the wildcards beside them."""
        names_and_wildcards = [*keys, *("*." + key for key in keys[1:])]
        found: dict[str, AtName] = {}
        for stored in self._at_names(names_and_wildcards):
            found.setdefault(stored.name_key, {})[stored.type] = stored
        return found

    def _at_names(self, keys: list[str]) -> Iterable[StoredRRset]:
        stored = serving.at_names(self._connection, self._zone.id, keys)
        return corrupt_records.readable_rrsets(self._zone.id, stored)

    def _delegation_point(self, keys: tuple[str, ...], found: dict[str, AtName]) -> int | None:
        """Return the index of the highest delegation; the parent answers DS itself (RFC 4035 3.1.4.1)."""
        for at in range(len(keys) - 2, -1, -1):
            if "NS" in found.get(keys[at], {}):
                of_parent = at == 0 and self._question.rtype == dns.rdatatype.DS
                return None if of_parent else at
        return None

    def _synthesised(self, keys: tuple[str, ...], found: dict[str, AtName]) -> AtName | None:
        """Return the RRsets of the closest encloser's wildcard (RFC 4592 section 3.3.1).

        Empty: the name is an empty non-terminal. None: the name does not exist.
        """
        near = self._neighbours(keys[0])
        if _is_above(keys[0], near):
            return {}
        encloser = next(key for key in keys[1:] if key in found or _is_above(key, near))
        wildcard = "*." + encloser
        if wildcard in found:
            return found[wildcard]
        return {} if _is_above(wildcard, self._neighbours(wildcard)) else None

    def _neighbours(self, key: str) -> list[str]:
        return serving.neighbours(self._connection, self._zone.id, key)

    def _refer(self, labels: tuple[bytes, ...], servers: StoredRRset) -> None:
        """Add a referral with the addresses that the delegation needs (RFC 1034 section 4.2.1)."""
        if not self._reply.answer:
            self._reply.authoritative = False
        self._put(self._reply.authority, labels, servers)
        targets_in_zone = {}
        for target in _targets(servers):
            keys = packet.keys_of(target)
            if len(keys) > self._apex_depth and keys[-self._apex_depth] == self._apex:
                targets_in_zone[keys[0]] = target
        if targets_in_zone:
            for glue in self._at_names(list(targets_in_zone)):
                if glue.type in ("A", "AAAA"):
                    self._put(self._reply.additional, targets_in_zone[glue.name_key].labels, glue)

    def _negative(self, rcode: dns.rcode.Rcode) -> None:
        """Answer NODATA or NXDOMAIN, with the SOA for negative caching (RFC 2308 section 3)."""
        self._reply.rcode = rcode
        ttl = min(self._zone.ttl, self._zone.minimum)
        self._reply.authority += self._soa(self._owner(self._question.name.labels[-1:], 0), ttl)

    def _put(self, section: list[bytes], labels: tuple[bytes, ...], stored: StoredRRset) -> None:
        """Add RRs under the absolute name with these labels, which is in the zone."""
        owner = self._owner(labels, len(labels) - 1 - self._apex_depth)
        if stored.type == "SOA":
            section += self._soa(owner, self._zone.ttl)
            return
        ttl = self._zone.ttl if stored.ttl is None else None
        section += packet.with_owner(stored.wire, owner, ttl)

    def _soa(self, owner: bytes, ttl: int) -> Iterable[bytes]:
        return packet.with_owner(rr.soa(ttl, self._zone.soa_wire), owner, None)

    def _owner(self, labels: tuple[bytes, ...], depth: int) -> bytes:
        if labels == self._question.name.labels:
            return names.APEX_POINTER
        return packet.owner(labels[:depth], self._apex_offset)


def _is_above(key: str, reversed_names: list[str]) -> bool:
    prefix = key[::-1] + "."
    return any(name.startswith(prefix) for name in reversed_names)


def _targets(stored: StoredRRset) -> Iterable[dns.name.Name]:
    """Yield the targets of NS or CNAME records, which are stored uncompressed."""
    at = rr.owner_length(stored.wire) + 10
    for piece in rr.split(stored.wire):
        yield dns.name.from_wire(piece, at)[0]
