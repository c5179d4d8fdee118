"""TSIG keys: their names, algorithms and secrets (RFC 8945 section 6).

Where keys come from is up to the caller: a `KeyRing` finds them by name.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

import dns.exception
import dns.name
import dns.tsig

# RFC 8945 section 6; hmac-md5 is there for old peers alone.
ALGORITHMS = {
    "hmac-md5": dns.tsig.HMAC_MD5,
    "hmac-sha1": dns.tsig.HMAC_SHA1,
    "hmac-sha224": dns.tsig.HMAC_SHA224,
    "hmac-sha256": dns.tsig.HMAC_SHA256,
    "hmac-sha384": dns.tsig.HMAC_SHA384,
    "hmac-sha512": dns.tsig.HMAC_SHA512,
}
# Fixed fields of an RR and of TSIG's data, and the server's time that a BADTIME carries.
_FIXED_BYTES = 10 + 16 + 6
# The longest signature: a name of 255 bytes and the longest algorithm name and MAC.
MAX_SIGNATURE_BYTES = 255 + len(dns.tsig.HMAC_MD5.to_wire() or b"") + 64 + _FIXED_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A shared secret. name: lower case with its trailing dot; algorithm: one of ALGORITHMS. Made by
    `make_key`, which checks them."""

    name: str
    algorithm: str
    secret: bytes = field(repr=False)

    @property
    def size_bytes(self) -> int:
        """What a signature by it adds to a message at most."""
        key = for_dnspython(self)
        names = len(key.name.to_wire() or b"") + len(key.algorithm.to_wire() or b"")
        return names + dns.tsig.mac_sizes[key.algorithm] + _FIXED_BYTES


class KeyRing(Protocol):
    """Finds keys; a dict from names to keys is one."""

    def get(self, name: str, /) -> SigningKey | None:
        """name: lower case with its trailing dot. None: there is no such key."""


def key_name(text: str) -> str:
    """A key's name as it is compared, written with or without the trailing dot. Raises ValueError."""
    try:
        return dns.name.from_text(text.rstrip(".") + ".").canonicalize().to_text()
    except (dns.exception.DNSException, UnicodeError) as error:
        raise ValueError(f"{text!r} is not the name of a key") from error


def make_key(name: str, algorithm: str, secret: str) -> SigningKey:
    """secret: base64. Raises ValueError, whose text never holds the secret."""
    if algorithm not in ALGORITHMS:
        raise ValueError(f"key {name}: {algorithm!r} is not an algorithm")
    try:
        raw = base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"key {name}: the secret is not base64") from None
    if not raw:
        # It would let everybody in.
        raise ValueError(f"key {name}: the secret is empty")
    return SigningKey(name=key_name(name), algorithm=algorithm, secret=raw)


def key_ring(keys: Iterable[SigningKey]) -> dict[str, SigningKey]:
    return {key.name: key for key in keys}


@lru_cache(maxsize=256)
def for_dnspython(key: SigningKey) -> dns.tsig.Key:
    """The key as dnspython's own messages take it."""
    return dns.tsig.Key(dns.name.from_text(key.name), key.secret, ALGORITHMS[key.algorithm])
