"""Ordinary authoritative answers (RFC 1034 section 4.3.2, RFC 2308, RFC 4592)."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import sqlalchemy as sa

from designate.storage import serving
from designate.storage.serving import ServedZone, StoredRRset
from designate.wire import packet, rr

MOST_ALIASES = 8
AtName = dict[str, StoredRRset]


class Answerer:
    """Answers one question from one zone; made per query."""

    def __init__(
        self, connection: sa.Connection, zone: ServedZone, reply: dns.message.Message
    ) -> None:
        self._connection = connection
        self._zone = zone
        self._reply = reply
        self._apex = zone.name.lower()

    def answer(self, qname: dns.name.Name, qtype: dns.rdatatype.RdataType, *, brief: bool) -> None:
        """Fill the reply. brief: give one RRset for ANY (RFC 8482 section 4.1)."""
        self._reply.flags |= dns.flags.AA
        seen: set[str] = set()
        for _ in range(MOST_ALIASES):
            key = qname.to_text().lower()
            if key in seen or not (key == self._apex or key.endswith("." + self._apex)):
                return
            seen.add(key)
            target = self._step(qname, key, qtype, brief=brief)
            if target is None:
                return
            qname = target

    def _step(
        self, qname: dns.name.Name, key: str, qtype: dns.rdatatype.RdataType, *, brief: bool
    ) -> dns.name.Name | None:
        """Answer for one name; the alias's target when it is to be followed."""
        found = self._read(key)
        cut = self._cut(key, qtype, found)
        if cut is not None:
            self._refer(found[cut]["NS"])
            return None
        here = found.get(key)
        if here is None:
            here = self._wildcard(key, found)
        if here is None:
            self._negative(dns.rcode.NXDOMAIN)
            return None
        wanted = dns.rdatatype.to_text(qtype)
        if qtype == dns.rdatatype.ANY:
            stored = sorted(here.values(), key=lambda item: item.type)
            self._reply.answer += [self._rrset(qname, s) for s in (stored[:1] if brief else stored)]
            if not stored:
                self._negative(dns.rcode.NOERROR)
        elif wanted in here:
            self._reply.answer.append(self._rrset(qname, here[wanted]))
        elif "CNAME" in here:
            alias = self._rrset(qname, here["CNAME"])
            self._reply.answer.append(alias)
            target: dns.name.Name = alias[0].target
            return target
        else:
            self._negative(dns.rcode.NOERROR)
        return None

    def _read(self, key: str) -> dict[str, AtName]:
        """Everything at the name, its ancestors in the zone, and the wildcards beside them."""
        names = [key]
        rest = key
        while rest != self._apex:
            rest = rest.partition(".")[2]
            names += (rest, "*." + rest)
        found: dict[str, AtName] = {}
        for stored in serving.at_names(self._connection, self._zone.id, names):
            found.setdefault(stored.name_key, {})[stored.type] = stored
        return found

    def _cut(
        self, key: str, qtype: dns.rdatatype.RdataType, found: dict[str, AtName]
    ) -> str | None:
        """The highest delegation at or above the name; the parent answers for DS itself."""
        labels = key[: len(key) - len(self._apex)].rstrip(".").split(".")
        if key == self._apex:
            return None
        for start in range(len(labels) - 1, -1, -1):
            name = ".".join(labels[start:]) + "." + self._apex
            if "NS" in found.get(name, {}) and not (name == key and qtype == dns.rdatatype.DS):
                return name
        return None

    def _wildcard(self, key: str, found: dict[str, AtName]) -> AtName | None:
        """What the closest encloser's wildcard has; empty: the name exists without data; None: it
        does not exist (RFC 4592 section 3.3.1)."""
        if serving.has_names_below(self._connection, self._zone.id, key):
            return {}
        encloser = key.partition(".")[2]
        while encloser != self._apex and encloser not in found:
            if serving.has_names_below(self._connection, self._zone.id, encloser):
                break
            encloser = encloser.partition(".")[2]
        wildcard = "*." + encloser
        if wildcard in found:
            return found[wildcard]
        if serving.has_names_below(self._connection, self._zone.id, wildcard):
            return {}
        return None

    def _refer(self, stored: StoredRRset) -> None:
        """A referral with the addresses that the delegation needs (RFC 1034 section 4.2.1)."""
        if not self._reply.answer:
            self._reply.flags &= ~dns.flags.AA
        servers = self._rrset(dns.name.from_text(stored.name), stored)
        self._reply.authority.append(servers)
        inside = [
            name
            for name in (server.target.to_text().lower() for server in servers)
            if name.endswith("." + self._apex)
        ]
        if inside:
            for glue in serving.at_names(self._connection, self._zone.id, inside):
                if glue.type in ("A", "AAAA"):
                    self._reply.additional.append(self._rrset(dns.name.from_text(glue.name), glue))

    def _negative(self, rcode: dns.rcode.Rcode) -> None:
        """NODATA or NXDOMAIN, with how long to remember it (RFC 2308 section 3)."""
        self._reply.set_rcode(rcode)
        zone = self._zone
        wire = rr.soa(min(zone.ttl, zone.minimum), zone.soa_wire)
        self._reply.authority.append(packet.rrset(dns.name.from_text(zone.name), wire, None))

    def _rrset(self, owner: dns.name.Name, stored: StoredRRset) -> dns.rrset.RRset:
        if stored.type == "SOA":
            return packet.rrset(owner, rr.soa(self._zone.ttl, self._zone.soa_wire), None)
        return packet.rrset(owner, stored.wire, self._zone.ttl if stored.ttl is None else None)
