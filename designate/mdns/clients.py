"""Who asks, and what they may see: the TSIG key of a message, or none (RFC 8945 section 5.2).

Each signed message reads its key's row by an index. So nothing is cached here, and a key that is added,
changed or removed counts from the next message on.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

import dns.rcode

from designate import errors
from designate.storage.sqlalchemy import serving
from designate.storage.sqlalchemy.db.engine import Database
from designate.storage.sqlalchemy.serving import StoredTsigKey, View
from designate.wire import tsig, tsig_keys

LOG = logging.getLogger(__name__)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
COMPLAINT_GAP_S = 1.0


@dataclass(frozen=True, slots=True)
class Caller:
    """The sender of one message. verdict: None without a signature. view: what its key opens; None for
    those without a key that counts."""

    verdict: tsig.Verdict | None = None
    view: View | None = None

    @property
    def error(self) -> int:
        """0, or what is wrong with the signature."""
        return 0 if self.verdict is None else self.verdict.error

    def signer(self) -> tsig.Signer | None:
        """For the answer; None: it goes unsigned."""
        return None if self.verdict is None or self.verdict.error else self.verdict.signer()


class Callers:
    """Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._quiet_until = 0.0

    def of(self, wire: bytes, peer: str) -> Caller:
        """Raises ValueError for a message that is to be answered with FORMERR."""
        ring = _Ring(self._database)
        verdict = tsig.verify(wire, ring)
        if verdict is None:
            return Caller()
        if verdict.error:
            self._complain(verdict, peer)
            return Caller(verdict)
        return Caller(verdict, ring.view)

    def _complain(self, verdict: tsig.Verdict, peer: str) -> None:
        """Once a second, since anybody can send such messages."""
        now = monotonic()
        if now < self._quiet_until:
            return
        self._quiet_until = now + COMPLAINT_GAP_S
        error = dns.rcode.to_text(dns.rcode.Rcode.make(verdict.error), tsig=True)
        LOG.warning("message of %s under TSIG key %s: %s", peer, verdict.owner, error)


class _Ring:
    """The stored keys, for one message. view: what the key that was found opens."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.view: View | None = None

    def get(self, name: str, /) -> tsig_keys.SigningKey | None:
        with self._database.read() as connection:
            stored = serving.find_key(connection, name)
        if stored is None:
            return None
        self.view = stored.view
        return _usable(stored)


def _usable(stored: StoredTsigKey) -> tsig_keys.SigningKey | None:
    try:
        return tsig_keys.make_key(stored.name, stored.algorithm, stored.secret)
    except ValueError as error:
        LOG.warning("TSIG key %s cannot be used: %s", stored.id, error)
        return None


def networks(texts: Sequence[str], option: str) -> tuple[Network, ...]:
    """Addresses and networks as options list them. Raises ConfigurationError."""
    try:
        return tuple(ipaddress.ip_network(text.strip(), strict=False) for text in texts)
    except ValueError as error:
        raise errors.ConfigurationError(f"{option}: {error}") from None


def is_in(peer: str, among: Sequence[Network]) -> bool:
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    return any(address in network for network in among)
