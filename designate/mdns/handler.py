"""What MiniDNS answers to one message: queries, transfers, and refusals in the right words."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
from oslo_config import cfg

from designate import errors
from designate.context import admin_context
from designate.mdns.answers import Answerer
from designate.mdns.zonecache import ZoneCache
from designate.rpc.interfaces import WorkerApi
from designate.storage import serving
from designate.storage.engine import Database
from designate.storage.serving import ServedZone
from designate.wire import names, packet, rr

LOG = logging.getLogger(__name__)

GROUP = "service:mdns"
OPTS = [
    cfg.BoolOpt(
        "query_enforce_tsig", default=False, help="Refuse queries and transfers without TSIG."
    ),
    cfg.IntOpt(
        "max_message_size",
        default=65535,
        min=512,
        max=65535,
        help="Largest message of a transfer in bytes.",
    ),
    cfg.IntOpt(
        "ixfr_max_steps",
        default=1000,
        min=1,
        help="Changes that one incremental transfer may carry; beyond it the whole zone is sent.",
    ),
]

UDP_PLAIN = 512
UDP_EDNS = 1232
# Header, the longest question, and room for rounding.
OVERHEAD = 300


class Handler:
    """Thread-safe. Reads the database; writes nothing."""

    def __init__(self, conf: cfg.ConfigOpts, database: Database, worker: WorkerApi) -> None:
        group = conf[GROUP]
        self._conf = conf
        self._database = database
        self._worker = worker
        self._enforce_tsig = group.query_enforce_tsig
        self._ixfr_max_steps = group.ixfr_max_steps
        self._body_bytes = group.max_message_size - OVERHEAD
        self._cache = ZoneCache(database, group.zone_cache_bytes, self._body_bytes)

    def handle(self, wire: bytes, peer: str, *, tcp: bool) -> Iterator[bytes]:
        """The messages that answer this one; none for what deserves silence. Never raises."""
        try:
            yield from self._handle(wire, peer, tcp)
        except errors.DesignateError as error:
            LOG.warning("query from %s could not be answered: %s", peer, error)
            yield from _bare(wire, dns.rcode.SERVFAIL)
        except Exception:
            LOG.exception("query from %s failed", peer)
            yield from _bare(wire, dns.rcode.SERVFAIL)

    def _handle(self, wire: bytes, peer: str, tcp: bool) -> Iterator[bytes]:
        try:
            query = dns.message.from_wire(wire, ignore_trailing=True)
        except dns.message.UnknownTSIGKey:
            return _bare(wire, dns.rcode.NOTAUTH)
        except (dns.exception.DNSException, ValueError, IndexError, OverflowError):
            return _bare(wire, dns.rcode.FORMERR)
        if query.flags & dns.flags.QR:
            return iter(())
        opcode = query.opcode()
        if opcode == dns.opcode.NOTIFY:
            return _bare(wire, dns.rcode.NOTAUTH)
        if opcode == dns.opcode.UPDATE:
            return _bare(wire, dns.rcode.REFUSED)
        if opcode != dns.opcode.QUERY:
            return _bare(wire, dns.rcode.NOTIMP)
        if len(query.question) != 1:
            return _bare(wire, dns.rcode.FORMERR)
        return self._query(query, wire, peer, tcp)

    def _query(
        self, query: dns.message.Message, wire: bytes, peer: str, tcp: bool
    ) -> Iterator[bytes]:
        question = query.question[0]
        reply = dns.message.make_response(query, our_payload=UDP_EDNS)
        if query.edns > 0:
            reply.set_rcode(dns.rcode.BADVERS)
        elif question.rdclass != dns.rdataclass.IN or self._enforce_tsig:
            reply.set_rcode(dns.rcode.REFUSED)
        elif question.rdtype == dns.rdatatype.AXFR and not tcp:
            # A transfer over UDP would answer a forged sender with a whole zone (RFC 5936 4.2).
            reply.set_rcode(dns.rcode.REFUSED)
        elif question.rdtype == dns.rdatatype.AXFR:
            return self._transfer(query, wire, peer, None)
        elif question.rdtype == dns.rdatatype.IXFR:
            return self._ixfr(query, wire, peer, tcp)
        else:
            self._ordinary(reply, question, tcp)
        return iter((_rendered(reply, query, tcp),))

    def _find(self, name: str, *, exact: bool) -> ServedZone | None:
        key = name.lower()
        keys = [key] if exact else list(names.suffixes(key))
        if not keys:
            return None
        with self._database.read() as connection:
            return serving.find_zone(connection, self._pool_id, keys)

    @property
    def _pool_id(self) -> str:
        pool_id: str = self._conf["service:central"].default_pool_id
        return pool_id

    def _ordinary(self, reply: dns.message.Message, question: object, tcp: bool) -> None:
        asked = reply.question[0]
        with self._database.read() as connection:
            keys = list(names.suffixes(asked.name.to_text().lower()))
            zone = serving.find_zone(connection, self._pool_id, keys) if keys else None
            if zone is None:
                reply.set_rcode(dns.rcode.REFUSED)
                return
            Answerer(connection, zone, reply).answer(asked.name, asked.rdtype, brief=not tcp)

    # -- transfers -------------------------------------------------------------------------------

    def _transfer(
        self, query: dns.message.Message, wire: bytes, peer: str, zone: ServedZone | None
    ) -> Iterator[bytes]:
        """The whole zone (RFC 5936), then the hint that this nameserver has it."""
        asked = query.question[0].name.to_text()
        zone = zone or self._find(asked, exact=True)
        if zone is None:
            yield from _bare(wire, dns.rcode.REFUSED)
            return
        question = packet.question_bytes(wire)
        zone, bodies = self._cache.bodies(zone, self._pool_id)
        flags = int(query.flags)
        for count, body in bodies:
            yield packet.transfer_message(query.id, flags, question, count) + body
        self._served(zone, peer)

    def _ixfr(
        self, query: dns.message.Message, wire: bytes, peer: str, tcp: bool
    ) -> Iterator[bytes]:
        """The differences since the client's serial (RFC 1995), or what stands for them."""
        serial = _client_serial(query)
        if serial is None:
            yield from _bare(wire, dns.rcode.FORMERR)
            return
        zone = self._find(query.question[0].name.to_text(), exact=True)
        if zone is None:
            yield from _bare(wire, dns.rcode.REFUSED)
            return
        current = rr.soa(zone.ttl, zone.soa_wire)
        current_only = [(1, current)]
        if names.serial_ge(serial, zone.serial):
            pieces: list[tuple[int, bytes]] | None = current_only
        else:
            zone, pieces = self._difference(zone, serial)
        if pieces is None and tcp:
            yield from self._transfer(query, wire, peer, zone)
            return
        question = packet.question_bytes(wire)
        largest = self._body_bytes
        if not tcp:
            room = min(query.payload, UDP_EDNS) if query.edns == 0 else UDP_PLAIN
            largest = room - packet.HEADER.size - len(question)
            if pieces is None or sum(len(piece) for _, piece in pieces) > largest:
                pieces = current_only
        for count, body in packet.fill(pieces or current_only, largest):
            yield packet.transfer_message(query.id, int(query.flags), question, count) + body
        if pieces is not current_only:
            self._served(zone, peer)

    def _difference(
        self, zone: ServedZone, serial: int
    ) -> tuple[ServedZone, list[tuple[int, bytes]] | None]:
        """The zone and its steps as of one moment; None: the whole zone is the shorter way."""
        with self._database.read() as connection:
            fresh = serving.find_zone(connection, self._pool_id, [zone.name.lower()]) or zone
            steps = serving.steps_since(connection, zone.id, serial, self._ixfr_max_steps)
        if steps is None:
            return fresh, None
        soa = rr.soa(fresh.ttl, fresh.soa_wire)
        pieces = [(1, soa)]
        for payload in steps:
            pieces += ((1, piece) for piece in rr.split(payload))
        pieces.append((1, soa))
        return fresh, pieces

    def _served(self, zone: ServedZone, peer: str) -> None:
        self._worker.zone_served(admin_context(), zone.id, zone.serial, peer)


def _client_serial(query: dns.message.Message) -> int | None:
    """The serial that the client of an IXFR has: in the authority section (RFC 1995 section 3)."""
    for rrset in query.authority:
        if rrset.rdtype == dns.rdatatype.SOA and len(rrset):
            serial: int = rrset[0].serial
            return serial
    return None


def _bare(wire: bytes, rcode: int) -> Iterator[bytes]:
    reply = packet.bare_reply(wire, rcode)
    if reply is not None:
        yield reply


def _rendered(reply: dns.message.Message, query: dns.message.Message, tcp: bool) -> bytes:
    """The reply in the room that its way has; cut and marked when it does not fit (RFC 2181 9)."""
    if tcp:
        room = packet.LARGEST
    else:
        room = max(UDP_PLAIN, min(query.payload, UDP_EDNS)) if query.edns >= 0 else UDP_PLAIN
    try:
        return reply.to_wire(max_size=room)
    except dns.exception.TooBig:
        reply.answer.clear()
        reply.authority.clear()
        reply.additional.clear()
        reply.flags |= dns.flags.TC
        return reply.to_wire(max_size=room)
