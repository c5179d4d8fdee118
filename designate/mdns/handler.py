"""What MiniDNS answers to one message: queries, transfers, and refusals in the right words."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import dns.exception
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from oslo_config import cfg

from designate import errors
from designate.mdns.answers import Answerer
from designate.mdns.notifies import Notifies
from designate.mdns.transfers import Expired, Request, Transfers
from designate.mdns.zonecache import ZoneCache
from designate.rpc.interfaces import WorkerApi
from designate.storage import serving
from designate.storage.engine import Database
from designate.wire import packet, transfer

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
        help="Largest message of a transfer in bytes. A record that is larger gets a message of its "
        "own.",
    ),
    cfg.IntOpt(
        "ixfr_max_steps",
        default=1000,
        min=1,
        help="Changes that one incremental transfer may carry; beyond it the whole zone is sent.",
    ),
]

# Types that are no data and that nobody asks for in earnest (RFC 6895 section 3.1).
META_TYPES = frozenset(
    {
        dns.rdatatype.OPT,
        dns.rdatatype.TKEY,
        dns.rdatatype.TSIG,
        dns.rdatatype.MAILB,
        dns.rdatatype.MAILA,
    }
)


class Handler:
    """Thread-safe. Reads the database; writes nothing."""

    def __init__(self, conf: cfg.ConfigOpts, database: Database, worker: WorkerApi) -> None:
        group = conf[GROUP]
        self._conf = conf
        self._database = database
        self._enforce_tsig = group.query_enforce_tsig
        self._notifies = Notifies(database, worker)
        body_bytes = group.max_message_size - transfer.OVERHEAD
        self._transfers = Transfers(
            database,
            ZoneCache(database, group.zone_cache_bytes, body_bytes),
            worker,
            body_bytes=body_bytes,
            ixfr_max_steps=group.ixfr_max_steps,
        )

    def stop(self) -> None:
        self._notifies.stop()

    def handle(self, wire: bytes, peer: str, *, tcp: bool) -> Iterator[bytes]:
        """The messages that answer this one; none for what deserves silence. Never raises.

        peer: the client's address. The iterator must be exhausted or closed: a transfer holds what
        it reads from.
        """
        try:
            yield from self._handle(wire, peer, tcp)
        except errors.DesignateError as error:
            LOG.warning("query from %s could not be answered: %s", peer, error)
            yield from _bare(wire, dns.rcode.SERVFAIL)
        except Exception:
            LOG.exception("query from %s failed", peer)
            yield from _bare(wire, dns.rcode.SERVFAIL)

    def _handle(self, wire: bytes, peer: str, tcp: bool) -> Iterator[bytes]:
        if len(wire) < packet.HEADER.size or wire[2] & 0x80:
            return iter(())
        opcode = (wire[2] >> 3) & 0x0F
        if opcode == dns.opcode.UPDATE:
            return _bare(wire, dns.rcode.REFUSED)
        if opcode not in (dns.opcode.QUERY, dns.opcode.NOTIFY):
            return _bare(wire, dns.rcode.NOTIMP)
        try:
            # keyring False: signatures are read but not verified, as no key is known.
            query = dns.message.from_wire(wire, keyring=False, ignore_trailing=True)
            question = packet.question(wire) if len(query.question) == 1 else None
        except (dns.exception.DNSException, ValueError, IndexError, OverflowError):
            return _bare(wire, dns.rcode.FORMERR)
        if question is None:
            return _bare(wire, dns.rcode.FORMERR)
        if query.tsig is not None:
            return iter((_bad_key(wire, query.tsig, question),))
        if opcode == dns.opcode.NOTIFY:
            return self._notifies.answer(wire, query, question, peer)
        return self._query(query, question, peer, tcp)

    def _query(
        self, query: dns.message.Message, question: packet.Question, peer: str, tcp: bool
    ) -> Iterator[bytes]:
        payload = query.payload if query.edns >= 0 else None
        rcode = self._refusal(query, question, tcp)
        if rcode is None and question.rtype in (dns.rdatatype.AXFR, dns.rdatatype.IXFR):
            request = Request(
                number=query.id,
                flags=int(query.flags),
                question=question,
                peer=peer,
                tcp=tcp,
                payload=payload,
                serial=_client_serial(query) or 0,
            )
            partial = question.rtype == dns.rdatatype.IXFR
            send = self._transfers.difference if partial else self._transfers.whole
            rcode = dns.rcode.REFUSED
            try:
                messages = send(request, self._pool_id)
                if messages is not None:
                    return messages
            except Expired:
                rcode = dns.rcode.SERVFAIL
        reply = packet.Reply(
            number=query.id,
            flags=int(query.flags),
            question=question.wire,
            largest=packet.room(tcp=tcp, payload=payload),
            edns=payload is not None,
        )
        if rcode is None:
            self._ordinary(reply, question, tcp)
        else:
            reply.rcode = rcode
        return iter((reply.to_wire(),))

    def _refusal(
        self, query: dns.message.Message, question: packet.Question, tcp: bool
    ) -> dns.rcode.Rcode | None:
        """Why a query is not even looked up; None: it is."""
        if query.edns > 0:
            return dns.rcode.BADVERS
        if question.rclass != dns.rdataclass.IN or self._enforce_tsig:
            return dns.rcode.REFUSED
        if question.rtype in META_TYPES:
            return dns.rcode.NOTIMP
        if question.rtype == dns.rdatatype.AXFR and not tcp:
            # It would send a forged sender a whole zone; the RFC leaves AXFR over UDP undefined
            # (RFC 5936 section 4.2).
            return dns.rcode.REFUSED
        if question.rtype == dns.rdatatype.IXFR and _client_serial(query) is None:
            return dns.rcode.FORMERR
        return None

    def _ordinary(self, reply: packet.Reply, question: packet.Question, tcp: bool) -> None:
        with self._database.read() as connection:
            zone = serving.find_zone(connection, self._pool_id, question.keys)
            if zone is None:
                reply.rcode = dns.rcode.REFUSED
            elif zone.expired:
                # No authority without data (RFC 1034 section 4.3.5, RFC 8499: expired zones).
                reply.rcode = dns.rcode.SERVFAIL
            else:
                Answerer(connection, zone, question, reply).answer(brief=not tcp)

    @property
    def _pool_id(self) -> str:
        """Without a key a client sees the default pool."""
        pool_id: str = self._conf["service:central"].default_pool_id
        return pool_id


def _client_serial(query: dns.message.Message) -> int | None:
    """The serial that the client of an IXFR has: in the authority section (RFC 1995 section 3)."""
    for rrset in query.authority:
        if rrset.rdtype == dns.rdatatype.SOA and len(rrset):
            serial: int = rrset[0].serial
            return serial
    return None


def _bare(wire: bytes, rcode: int, question: bytes = b"") -> Iterator[bytes]:
    reply = packet.bare_reply(wire, rcode, question)
    if reply is not None:
        yield reply


def _bad_key(wire: bytes, signature: dns.rrset.RRset, question: packet.Question) -> bytes:
    """NOTAUTH and an unsigned TSIG that says which key is not known (RFC 8945 section 5.2.1)."""
    reply = packet.bare_reply(wire, dns.rcode.NOTAUTH, question.wire) or b""
    owner = signature.name.to_wire() or b""
    rdata = signature[0].replace(mac=b"", error=dns.rcode.BADKEY, other=b"").to_wire() or b""
    fixed = dns.rdatatype.TSIG.to_bytes(2) + dns.rdataclass.ANY.to_bytes(2) + bytes(4)
    one_additional = (1).to_bytes(2)
    counted = reply[:10] + one_additional + reply[12:]
    return b"".join((counted, owner, fixed, len(rdata).to_bytes(2), rdata))
