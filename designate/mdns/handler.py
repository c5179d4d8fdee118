"""MiniDNS's replies to messages: ordinary queries, transfers, NOTIFY and errors."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass

import dns.exception
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
from oslo_config import cfg

from designate import errors
from designate.mdns.answers import Answerer
from designate.mdns.clients import ClientIdentity, Clients, in_networks, networks
from designate.mdns.notifies import Notifies
from designate.mdns.transfers import TransferQuery, Transfers, ZoneExpired
from designate.mdns.zone_cache import ZoneCache
from designate.rpc.interfaces import WorkerApi
from designate.storage.sqlalchemy import serving
from designate.storage.sqlalchemy.db.engine import Database
from designate.storage.sqlalchemy.serving import View
from designate.wire import packet, transfer_out, tsig
from designate.wire.primary_rules import PrimaryRules

LOG = logging.getLogger(__name__)

GROUP = "service:mdns"
OPTS = [
    cfg.BoolOpt(
        "query_enforce_tsig",
        default=False,
        help="Refuse queries and transfers without TSIG. NOTIFY messages of primaries are accepted "
        "without it.",
    ),
    cfg.ListOpt(
        "allow_transfer",
        default=["0.0.0.0/0", "::/0"],
        help="Addresses and networks that may transfer zones without TSIG. Clients with a key may "
        "transfer from any address. Empty: no transfers without a key.",
    ),
    cfg.IntOpt(
        "max_message_size",
        default=65535,
        min=512,
        max=65535,
        help="Maximum size of a transfer message in bytes. A larger record gets a message of its own; "
        "signed messages may be larger when this is less than 1100.",
    ),
    cfg.IntOpt(
        "ixfr_max_steps",
        default=1000,
        min=1,
        help="Maximum number of changes in one incremental transfer; beyond it the whole zone is sent.",
    ),
]

# Types without data that no genuine client queries (RFC 6895 section 3.1).
META_TYPES = frozenset(
    {
        dns.rdatatype.OPT,
        dns.rdatatype.TKEY,
        dns.rdatatype.TSIG,
        dns.rdatatype.MAILB,
        dns.rdatatype.MAILA,
    }
)


TRANSFERS = (dns.rdatatype.AXFR, dns.rdatatype.IXFR)


@dataclass(frozen=True, slots=True)
class _Client:
    """The sender of a query.

    Attributes:
        view: the zones that its key permits; None without a key.
        signature_bytes: maximum size of the reply's signature.
    """

    peer: str
    tcp: bool
    view: View | None
    signature_bytes: int


class MessageHandler:
    """Replies to messages from the database, which it only reads. Thread-safe."""

    def __init__(self, conf: cfg.ConfigOpts, database: Database, worker: WorkerApi) -> None:
        group = conf[GROUP]
        self._conf = conf
        self._database = database
        self._enforce_tsig = group.query_enforce_tsig
        self._may_transfer = networks(group.allow_transfer, f"[{GROUP}] allow_transfer")
        self._clients = Clients(database)
        self._notifies = Notifies(database, worker, PrimaryRules.from_conf(conf))
        body_bytes = transfer_out.max_body_bytes(group.max_message_size)
        self._transfers = Transfers(
            database,
            ZoneCache(database, group.zone_cache_bytes, body_bytes),
            worker,
            body_bytes=body_bytes,
            ixfr_max_steps=group.ixfr_max_steps,
        )

    def stop(self) -> None:
        """Stop the look-ups of host names."""
        self._notifies.stop()

    def handle(self, wire: bytes, peer: str, *, tcp: bool) -> Iterator[bytes]:
        """Yield the replies to a message; none if it must not be answered. Never raises.

        The iterator must be exhausted or closed, since a transfer holds resources.

        Args:
            wire: the message.
            peer: address of the client.
            tcp: whether the message came over TCP.
        """
        signer: tsig.Signer | None = None
        try:
            if len(wire) < packet.HEADER.size or wire[2] & 0x80:
                return
            try:
                identity = self._clients.identify(wire, peer)
            except ValueError:
                yield from _bare(wire, dns.rcode.FORMERR)
                return
            if identity.verdict is not None and identity.error:
                for reply in _bare(wire, dns.rcode.NOTAUTH, _question_bytes(wire)):
                    yield identity.verdict.refuse(reply)
                return
            signer = identity.signer()
            with closing(self._answer(wire, peer, tcp, identity, signer)) as replies:
                for reply in replies:
                    yield reply if signer is None else signer.sign(reply)
        except errors.DesignateError as error:
            LOG.warning("client %s: query not answered: %s", peer, error)
            yield from _failed(wire, signer)
        except Exception:
            LOG.exception("client %s: query failed", peer)
            yield from _failed(wire, signer)

    def _answer(
        self,
        wire: bytes,
        peer: str,
        tcp: bool,
        identity: ClientIdentity,
        signer: tsig.Signer | None,
    ) -> Generator[bytes]:
        opcode = (wire[2] >> 3) & 0x0F
        if opcode == dns.opcode.UPDATE:
            yield from _bare(wire, dns.rcode.REFUSED)
            return
        if opcode not in (dns.opcode.QUERY, dns.opcode.NOTIFY):
            yield from _bare(wire, dns.rcode.NOTIMP)
            return
        try:
            # keyring False: the signature has been verified already.
            query = dns.message.from_wire(wire, keyring=False, ignore_trailing=True)
            question = packet.question(wire) if len(query.question) == 1 else None
        except (dns.exception.DNSException, ValueError, IndexError, OverflowError):
            question = None
        if question is None:
            yield from _bare(wire, dns.rcode.FORMERR)
        elif opcode == dns.opcode.NOTIFY:
            yield from self._notifies.answer(wire, query, question, peer, identity.view)
        else:
            signature_bytes = 0 if signer is None else signer.size_bytes
            client = _Client(peer, tcp, identity.view, signature_bytes)
            yield from self._query(query, question, client)

    def _query(
        self, query: dns.message.Message, question: packet.Question, client: _Client
    ) -> Iterator[bytes]:
        payload = query.payload if query.edns >= 0 else None
        rcode = self._rejection(query, question, client)
        view = client.view or View(pool_id=self._conf["service:central"].default_pool_id)
        if rcode is None and question.rtype in TRANSFERS:
            request = TransferQuery(
                number=query.id,
                flags=int(query.flags),
                question=question,
                peer=client.peer,
                tcp=client.tcp,
                payload=payload,
                soa=_client_soa(query),
                signature_bytes=client.signature_bytes,
            )
            partial = question.rtype == dns.rdatatype.IXFR
            send = self._transfers.ixfr if partial else self._transfers.axfr
            rcode = dns.rcode.REFUSED
            try:
                messages = send(request, view)
                if messages is not None:
                    return messages
            except ZoneExpired:
                rcode = dns.rcode.SERVFAIL
        reply = packet.ReplyBuilder(
            number=query.id,
            flags=int(query.flags),
            question=question.wire,
            max_bytes=packet.max_reply_bytes(tcp=client.tcp, payload=payload)
            - client.signature_bytes,
            edns=payload is not None,
        )
        if rcode is None:
            self._ordinary(reply, question, view, client.tcp)
        else:
            reply.rcode = rcode
        return iter((reply.to_wire(),))

    def _rejection(
        self, query: dns.message.Message, question: packet.Question, client: _Client
    ) -> dns.rcode.Rcode | None:
        """Return the rcode of a query that is rejected before any look-up, else None."""
        if query.edns > 0:
            return dns.rcode.BADVERS
        unsigned = client.view is None
        if question.rclass != dns.rdataclass.IN or (unsigned and self._enforce_tsig):
            return dns.rcode.REFUSED
        if question.rtype in META_TYPES:
            return dns.rcode.NOTIMP
        if question.rtype == dns.rdatatype.AXFR and not client.tcp:
            # It would send a whole zone to a forged address. AXFR over UDP is undefined (RFC 5936
            # section 4.2).
            return dns.rcode.REFUSED
        if (
            question.rtype in TRANSFERS
            and unsigned
            and not in_networks(client.peer, self._may_transfer)
        ):
            return dns.rcode.REFUSED
        if question.rtype == dns.rdatatype.IXFR and not _client_soa(query):
            return dns.rcode.FORMERR
        return None

    def _ordinary(
        self, reply: packet.ReplyBuilder, question: packet.Question, view: View, tcp: bool
    ) -> None:
        with self._database.read() as connection:
            zone = serving.find_zone(connection, view, question.keys)
            if zone is None:
                reply.rcode = dns.rcode.REFUSED
            elif zone.expired:
                # An expired zone has no authoritative data (RFC 1034 section 4.3.5, RFC 8499).
                reply.rcode = dns.rcode.SERVFAIL
            else:
                Answerer(connection, zone, question, reply).answer(minimal_any=not tcp)


def _client_soa(query: dns.message.Message) -> bytes:
    """Return the SOA's data in the authority section of an IXFR query (RFC 1995 section 3), if any."""
    for rrset in query.authority:
        if rrset.rdtype == dns.rdatatype.SOA and len(rrset):
            return rrset[0].to_wire() or b""
    return b""


def _bare(wire: bytes, rcode: int, question: bytes = b"") -> Iterator[bytes]:
    reply = packet.bare_reply(wire, rcode, question)
    if reply is not None:
        yield reply


def _question_bytes(wire: bytes) -> bytes:
    """Return the question if there is exactly one, and it is valid; else nothing."""
    try:
        return packet.question(wire).wire if wire[4:6] == b"\0\1" else b""
    except ValueError:
        return b""


def _failed(wire: bytes, signer: tsig.Signer | None) -> Iterator[bytes]:
    for reply in _bare(wire, dns.rcode.SERVFAIL):
        yield reply if signer is None else signer.sign(reply)
