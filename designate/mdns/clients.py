"""Identities of clients: the TSIG key of a message, or none (RFC 8945 section 5.2).

Each signed message reads its key's row by an index. Nothing is cached, so a key that is added, changed or
deleted takes effect with the next message.
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
LOG_GAP_S = 1.0


@dataclass(frozen=True, slots=True)
class ClientIdentity:
    """The sender of one message.

    Attributes:
        verdict: the result of verifying the signature; None without one.
        view: the zones that the key permits; None without a valid key.
    """

    verdict: tsig.Verdict | None = None
    view: View | None = None

    @property
    def error(self) -> int:
        """The TSIG error of the signature, or 0."""
        return 0 if self.verdict is None else self.verdict.error

    def signer(self) -> tsig.Signer | None:
        """Return the signer of the reply; None: the reply is not signed."""
        return None if self.verdict is None or self.verdict.error else self.verdict.signer()


class Clients:
    """Identifies the senders of messages. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._quiet_until = 0.0

    def identify(self, wire: bytes, peer: str) -> ClientIdentity:
        """Return the sender; raises ValueError when the reply must be FORMERR."""
        keys = _StoredKeys(self._database)
        verdict = tsig.verify(wire, keys)
        if verdict is None:
            return ClientIdentity()
        if verdict.error:
            self._log_invalid(verdict, peer)
            return ClientIdentity(verdict)
        return ClientIdentity(verdict, keys.view)

    def _log_invalid(self, verdict: tsig.Verdict, peer: str) -> None:
        """Log an invalid signature, at most once in LOG_GAP_S, since anyone can send one."""
        now = monotonic()
        if now < self._quiet_until:
            return
        self._quiet_until = now + LOG_GAP_S
        error = dns.rcode.to_text(dns.rcode.Rcode.make(verdict.error), tsig=True)
        LOG.warning("client %s: invalid TSIG signature with key %s: %s", peer, verdict.owner, error)


class _StoredKeys:
    """The key ring of one message, from the database; `view`: the zones that the found key permits."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.view: View | None = None

    def get(self, name: str, /) -> tsig_keys.SigningKey | None:
        """Return the stored key of this name and set `view`."""
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
        LOG.warning("TSIG key %s: invalid, ignored: %s", stored.id, error)
        return None


def networks(texts: Sequence[str], option: str) -> tuple[Network, ...]:
    """Parse the addresses and networks of an option; raises ConfigurationError."""
    try:
        return tuple(ipaddress.ip_network(text.strip(), strict=False) for text in texts)
    except ValueError as error:
        raise errors.ConfigurationError(f"{option}: {error}") from None


def in_networks(peer: str, among: Sequence[Network]) -> bool:
    """Return whether an address is in one of the networks."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    return any(address in network for network in among)
