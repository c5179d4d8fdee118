"""A very small nameserver on loopback that answers queries and records NOTIFYs."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import ClassVar, Self

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.rrset
import dns.tsig

from designate.wire import digests, names
from tests.support.deadlines import scaled

SOA = "ns1.example.org. admin.example.org. {} 3600 600 86400 300"


class NanoServer:
    """A nameserver over UDP and TCP: `with NanoServer() as server`.

    Attributes:
        serials: zone name to serial. All attributes can be changed at any time.
        soa: the SOAs' data, with a place for the serial.
        rrsets: what the zones have besides, by name and type; "*" labels match as in RFC 4592.
        scripts: by name and type, functions that fill a reply instead.
        rcode: the answer for other zones.
        aa: whether answers are authoritative.
        unresponsive: receive and never reply. lose_data_queries: the same for queries of other types than
            SOA.
        truncate: answer queries over UDP with TC and nothing else.
        refuses_udp: refuse queries over UDP.
        lose_notifies: how many NOTIFYs are lost before they arrive.
        on_notify: a serial that the zone of an arriving NOTIFY is set to; None: nothing happens.
        keyring: the TSIG keys that it knows, dnspython's; what other keys sign gets no reply.
        unsigned: reply to signed queries without a signature.
        notifies: the NOTIFYs that arrived.
        lost: the NOTIFYs that were lost.
        queries: the queries that arrived. data_queries: those for other types than SOA.
        tcp_queries: how many of them came over TCP.
        running: all running servers, by host and port.
    """

    running: ClassVar[dict[tuple[str, int], NanoServer]] = {}

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host
        self.serials: dict[str, int] = {}
        self.soa = SOA
        self.rrsets: dict[tuple[str, str], dns.rrset.RRset] = {}
        self.scripts: dict[tuple[str, str], Callable[[dns.message.Message], object]] = {}
        self.rcode = dns.rcode.REFUSED
        self.aa = True
        self.unresponsive = False
        self.lose_data_queries = False
        self.truncate = False
        self.refuses_udp = False
        self.lose_notifies = 0
        self.on_notify: int | None = None
        self.notify_rcode = dns.rcode.NOERROR
        self.raw_reply: bytes | None = None
        self.keyring: dict[dns.name.Name, dns.tsig.Key] = {}
        self.unsigned = False
        self.notifies: list[dns.message.Message] = []
        self.lost: list[dns.message.Message] = []
        self.queries: list[dns.message.Message] = []
        self.tcp_queries = 0

    @property
    def data_queries(self) -> list[dns.message.Message]:
        return [one for one in self.queries if one.question[0].rdtype != dns.rdatatype.SOA]

    def has(self, name: str, ttl: int, rtype: str, *texts: str) -> str:
        """Serve an RRset and return its digest."""
        rrset = dns.rrset.from_text(name, ttl, "IN", rtype, *texts)
        self.rrsets[name, rtype] = rrset
        return digests.of_rrset(rrset.rdtype, ttl, [rdata.to_wire() or b"" for rdata in rrset])

    def soa_digest(self) -> str:
        """Return the digest of its SOAs."""
        rdata = dns.rdata.from_text("IN", "SOA", self.soa.format(1))
        return digests.of_soa(300, rdata.to_wire() or b"")

    def __enter__(self) -> Self:
        self._tcp, self._udp = _pair(self.host)
        self.port = int(self._udp.getsockname()[1])
        self._threads = [
            threading.Thread(target=self._serve_udp, daemon=True),
            threading.Thread(target=self._serve_tcp, daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        self.running[self.host, self.port] = self
        return self

    def __exit__(self, *_: object) -> None:
        del self.running[self.host, self.port]
        with socket.socket(self._udp.family, socket.SOCK_DGRAM) as wake:
            wake.sendto(b"", (self.host, self.port))
        self._tcp.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(scaled(5))
        self._tcp.close()
        self._udp.close()

    def _serve_udp(self) -> None:
        while True:
            wire, peer = self._udp.recvfrom(65535)
            if not wire:
                return
            reply = self.receive(self._read(wire), tcp=False)
            if reply is not None:
                self._udp.sendto(reply, peer)

    def _serve_tcp(self) -> None:
        while True:
            try:
                connection, _ = self._tcp.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                stream = connection.makefile("rb")
                length = int.from_bytes(stream.read(2), "big")
                reply = self.receive(self._read(stream.read(length)), tcp=True)
                stream.close()
                if reply is not None:
                    connection.sendall(len(reply).to_bytes(2, "big") + reply)

    def _read(self, wire: bytes) -> dns.message.Message | None:
        try:
            return dns.message.from_wire(wire, keyring=self.keyring)
        except (dns.message.UnknownTSIGKey, dns.tsig.BadSignature):
            return None

    def receive(self, query: dns.message.Message | None, *, tcp: bool) -> bytes | None:
        """Record a query or NOTIFY and return the reply's wire form; None without a reply."""
        if query is None:
            return None
        name = query.question[0].name.to_text()
        reply = dns.message.make_response(query)
        if self.unsigned:
            reply.tsig = None
            reply.keyring = None
        if query.opcode() == dns.opcode.NOTIFY:
            if self.lose_notifies > 0:
                self.lose_notifies -= 1
                self.lost.append(query)
                return None
            self.notifies.append(query)
            if self.on_notify is not None:
                self.serials[name] = self.on_notify
            reply.set_rcode(self.notify_rcode)
        else:
            self.queries.append(query)
            self.tcp_queries += tcp
            self._fill(reply, name, tcp)
        if self.unresponsive:
            return None
        if self.raw_reply is not None:
            return reply.to_wire()[:2] + self.raw_reply
        return reply.to_wire()

    def _fill(self, reply: dns.message.Message, name: str, tcp: bool) -> None:
        if self.truncate and not tcp:
            reply.flags |= dns.flags.TC
            return
        if self.refuses_udp and not tcp:
            reply.set_rcode(dns.rcode.REFUSED)
            return
        rtype = dns.rdatatype.to_text(reply.question[0].rdtype)
        if (name, rtype) in self.scripts:
            self.scripts[name, rtype](reply)
            return
        zone = next((zone for zone in names.suffixes(name) if zone in self.serials), None)
        if zone is None or (rtype == "SOA" and name != zone and not self.rrsets):
            reply.set_rcode(self.rcode)
            return
        if self.aa:
            reply.flags |= dns.flags.AA
        soa = dns.rrset.from_text(zone, 300, "IN", "SOA", self.soa.format(self.serials[zone]))
        if rtype == "SOA" and name == zone:
            reply.answer.append(soa)
        elif found := self._find(name, rtype):
            reply.answer.append(found)
        else:
            reply.set_rcode(dns.rcode.NOERROR if self._exists(name) else dns.rcode.NXDOMAIN)
            reply.authority.append(soa)

    def _exists(self, name: str) -> bool:
        return any(names.is_below(owner, name) for owner, _ in self.rrsets)

    def _find(self, name: str, rtype: str) -> dns.rrset.RRset | None:
        found = self.rrsets.get((name, rtype))
        if found is None and not self._exists(name):
            wildcard = self.rrsets.get((f"*.{name.partition('.')[2]}", rtype))
            if wildcard is not None:
                found = dns.rrset.from_rdata_list(name, wildcard.ttl, list(wildcard))
        return found


def _pair(host: str) -> tuple[socket.socket, socket.socket]:
    """Return a listening TCP socket and a UDP socket on one free port."""
    address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while True:
        udp = socket.socket(address_family, socket.SOCK_DGRAM)
        udp.bind((host, 0))
        tcp = socket.socket(address_family, socket.SOCK_STREAM)
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tcp.bind((host, udp.getsockname()[1]))
        except OSError:
            udp.close()
            tcp.close()
            continue
        tcp.listen(50)
        return tcp, udp
