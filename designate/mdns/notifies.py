"""NOTIFY messages from the primaries of secondary zones (RFC 1996).

A NOTIFY is only a hint: a worker queries the primary itself. So a forged one causes at most one more query,
and the number of those is bounded here and by the worker's queue.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from time import monotonic

import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype

from designate import errors
from designate.context import admin_context
from designate.mdns.hostnames import HostNames, same_address
from designate.rpc.interfaces import WorkerApi
from designate.runtime.bounded_cache import BoundedCache
from designate.storage.sqlalchemy import serving
from designate.storage.sqlalchemy.db.engine import Database
from designate.storage.sqlalchemy.serving import StoredSecondary, View
from designate.wire import packet
from designate.wire.names import serial_ge
from designate.wire.primary_rules import PrimaryRules

LOG = logging.getLogger(__name__)

# Per zone: a burst, then one per gap. A primary without a reply sends again (RFC 1996 section 3.6), so
# nothing is lost.
BURST = 4
GAP_S = 0.5
ZONES_REMEMBERED = 10_000


class Notifies:
    """Replies to NOTIFY messages and passes the news to a worker. Thread-safe."""

    def __init__(self, database: Database, worker: WorkerApi, rules: PrimaryRules) -> None:
        self._database = database
        self._worker = worker
        self._rules = rules
        self._names = HostNames()
        self._lock = threading.Lock()
        # Time up to which a zone's allowance is used, by the monotonic clock.
        self._used: BoundedCache[str, float] = BoundedCache(ZONES_REMEMBERED)

    def stop(self) -> None:
        """Stop the look-ups of host names."""
        self._names.stop()

    def answer(
        self,
        wire: bytes,
        query: dns.message.Message,
        question: packet.Question,
        peer: str,
        view: View | None,
    ) -> Iterator[bytes]:
        """Return the reply and, for a newer serial, notify a worker.

        NOTAUTH: no secondary zone of this name, or the key does not permit it. REFUSED: the sender is no
        primary of the zone, neither by its address nor by a key of the zone. No reply: the allowance is
        used, or a primary's name is being looked up. Otherwise NOERROR.

        Args:
            wire: the message.
            query: the message, parsed.
            question: its question.
            peer: address of the sender.
            view: the zones that the key permits; None: the message is not signed.
        """
        if question.rtype != dns.rdatatype.SOA or question.rclass != dns.rdataclass.IN:
            return _reply(wire, dns.rcode.NOTIMP, question)
        with self._database.read() as connection:
            found = serving.find_secondaries(connection, question.key)
        if view is not None:
            found = [zone for zone in found if view.shows(zone.id, zone.pool_id)]
        if not found:
            return _reply(wire, dns.rcode.NOTAUTH, question)
        signed_for = None if view is None else view.zone_id
        candidates = [
            (zone, zone.id == signed_for or self._is_primary(zone, peer)) for zone in found
        ]
        matching = [zone for zone, is_primary in candidates if is_primary]
        if not matching and any(is_primary is None for _, is_primary in candidates):
            return iter(())
        if not matching:
            LOG.debug("zone %s: NOTIFY refused, %s is not one of its primaries", question.key, peer)
            return _reply(wire, dns.rcode.REFUSED, question)
        serial = _hint(query)
        for zone in matching:
            current = zone.primary_serial
            if serial is not None and current is not None and serial_ge(current, serial):
                continue
            if not self._allowed(zone.id):
                return iter(())
            try:
                self._worker.refresh_zone(admin_context(), zone.id, peer)
            except errors.DesignateError as error:
                LOG.warning("zone %s: NOTIFY could not be passed to a worker: %s", zone.id, error)
                return _reply(wire, dns.rcode.SERVFAIL, question)
        return _reply(wire, dns.rcode.NOERROR, question, authoritative=True)

    def _is_primary(self, zone: StoredSecondary, peer: str) -> bool | None:
        """Return whether the sender is a primary (RFC 1996 section 3.10); None: a look-up is pending."""
        if not self._rules.permits(peer):
            return False
        known = [self._names.addresses(master.host) for master in zone.masters]
        if any(same_address(peer, one) for addresses in known for one in addresses or ()):
            return True
        return None if None in known else False

    def _allowed(self, zone_id: str) -> bool:
        now = monotonic()
        with self._lock:
            used = max(self._used.get(zone_id) or now, now)
            allowed = used - now < BURST * GAP_S
            self._used.put(zone_id, used + GAP_S if allowed else used)
        return allowed


def _hint(query: dns.message.Message) -> int | None:
    """Return the serial in the answer section, if there is one (RFC 1996 section 3.7)."""
    for rrset in query.answer:
        if rrset.rdtype == dns.rdatatype.SOA and len(rrset):
            serial: int = rrset[0].serial
            return serial
    return None


def _reply(
    wire: bytes, rcode: int, question: packet.Question, *, authoritative: bool = False
) -> Iterator[bytes]:
    reply = packet.bare_reply(wire, rcode, question.wire)
    if reply is not None:
        flags = int.from_bytes(reply[2:4]) | (packet.AA if authoritative else 0)
        yield reply[:2] + flags.to_bytes(2) + reply[4:]
