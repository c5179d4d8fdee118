"""A primary on loopback that sends what a test chooses, well formed or not."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import ClassVar, Self

import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import dns.rrset

from designate.wire.primary_rules import PrimaryRules
from tests.support.deadlines import scaled

# For transfers from primaries of tests.
LOOPBACK = PrimaryRules(allowed_networks=map(ipaddress.ip_network, ("127.0.0.0/8", "::1/128")))
ZONE = "example.org."
Script = Callable[[dns.message.Message], Iterable[bytes]]


def soa(
    serial: int,
    zone: str = ZONE,
    *,
    refresh: int = 3600,
    retry: int = 600,
    expire: int = 86400,
    ttl: int = 300,
    rname: str = f"host\\.master.{ZONE}",
) -> dns.rrset.RRset:
    data = f"ns1.{zone} {rname} {serial} {refresh} {retry} {expire} 300"
    return dns.rrset.from_text(zone, ttl, "IN", "SOA", data)


def rrs(*lines: str) -> list[dns.rrset.RRset]:
    """Return an RRset per line of name, TTL, type and data."""
    return [
        dns.rrset.from_text(name, int(ttl), "IN", rtype, data)
        for name, ttl, rtype, data in (line.split(" ", 3) for line in lines)
    ]


CONTENT = rrs(
    f"{ZONE} 300 NS ns1.{ZONE}",
    f"ns1.{ZONE} 300 A 192.0.2.1",
    f"www.{ZONE} 60 A 192.0.2.2",
)


def whole(serial: int, content: Iterable[dns.rrset.RRset] = CONTENT) -> list[dns.rrset.RRset]:
    return [soa(serial), *content, soa(serial)]


def message(
    query: dns.message.Message, records: Iterable[dns.rrset.RRset], *, question: bool = True
) -> bytes:
    """Return one message of a transfer, with its length in front."""
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.AA
    if not question:
        reply.question = []
    # A transfer depends on the order of its records, so none may be merged.
    reply.answer = list(records)
    return framed(reply.to_wire(max_size=65535))


def framed(wire: bytes) -> bytes:
    return len(wire).to_bytes(2, "big") + wire


class ScriptedPrimary:
    """A primary over TCP, and over UDP for SOA queries: `with ScriptedPrimary(script) as primary`.

    Attributes:
        script: returns the bytes to send for a query, piece by piece; may be replaced at any time.
        serial: the answer to SOA queries; None: SOA queries over UDP get no reply.
        keyring: dnspython's; False reads signatures without verifying them.
        queries: what arrived over TCP.
        datagrams: how many queries arrived over UDP.
        running: all running primaries, by host and port.
    """

    running: ClassVar[dict[tuple[str, int], ScriptedPrimary]] = {}

    def __init__(self, script: Script, host: str = "127.0.0.1") -> None:
        self.script = script
        self.host = host
        self.serial: int | None = None
        self.keyring: object = False
        self.queries: list[dns.message.Message] = []
        self.datagrams = 0
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []

    def __enter__(self) -> Self:
        address_family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        while True:
            self._tcp = socket.socket(address_family, socket.SOCK_STREAM)
            self._tcp.bind((self.host, 0))
            self.port = int(self._tcp.getsockname()[1])
            self._udp = socket.socket(address_family, socket.SOCK_DGRAM)
            try:
                self._udp.bind((self.host, self.port))
            except OSError:
                self._tcp.close()
                self._udp.close()
                continue
            break
        self._tcp.listen(20)
        for target in (self._accept, self._serve_udp):
            thread = threading.Thread(target=target, daemon=True)
            thread.start()
            self._threads.append(thread)
        self.running[self.host, self.port] = self
        return self

    def __exit__(self, *_: object) -> None:
        self.running.pop((self.host, self.port), None)
        self._stopping.set()
        for sock in (self._tcp, *self._open):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        with socket.socket(self._udp.family, socket.SOCK_DGRAM) as wake:
            wake.sendto(b"", (self.host, self.port))
        for thread in self._threads:
            thread.join(scaled(5))
        self._tcp.close()
        self._udp.close()

    def _read(self, wire: bytes) -> dns.message.Message:
        return dns.message.from_wire(wire, keyring=self.keyring)

    def _serve_udp(self) -> None:
        while True:
            wire, peer = self._udp.recvfrom(65535)
            if self._stopping.is_set():
                return
            self.datagrams += 1
            if self.serial is not None and wire:
                query = self._read(wire)
                reply = dns.message.make_response(query)
                reply.flags |= dns.flags.AA
                reply.answer = [soa(self.serial, query.question[0].name.to_text())]
                self._udp.sendto(reply.to_wire(), peer)

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._tcp.accept()
            except OSError:
                return
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(10)
            stream = connection.makefile("rb")
            query = self._read(stream.read(int.from_bytes(stream.read(2), "big")))
            self.queries.append(query)
            if query.question[0].rdtype == dns.rdatatype.SOA:
                connection.sendall(message(query, [soa(self.serial or 0)]))
                return
            for piece in self.script(query):
                if self._stopping.is_set():
                    return
                connection.sendall(piece)
            # Data that the client still sends must not turn the end into a reset.
            connection.shutdown(socket.SHUT_WR)
            stream.read()
