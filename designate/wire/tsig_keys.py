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

# RFC 8945 section 6; hmac-md5 is for old peers only.
ALGORITHMS = {
    "hmac-md5": dns.tsig.HMAC_MD5,
    "hmac-sha1": dns.tsig.HMAC_SHA1,
    "hmac-sha224": dns.tsig.HMAC_SHA224,
    "hmac-sha256": dns.tsig.HMAC_SHA256,
    "hmac-sha384": dns.tsig.HMAC_SHA384,
    "hmac-sha512": dns.tsig.HMAC_SHA512,
}
# Fixed fields of an RR and of TSIG's data, and the server's time in a BADTIME reply.
_FIXED_BYTES = 10 + 16 + 6
# The longest signature: a name of 255 bytes and the longest algorithm name and MAC.
MAX_SIGNATURE_BYTES = 255 + len(dns.tsig.HMAC_MD5.to_wire() or b"") + 64 + _FIXED_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A shared secret, made and checked by `make_key`.

    Attributes:
        name: lower case with a trailing dot.
        algorithm: one of ALGORITHMS.
    """

    name: str
    algorithm: str
    secret: bytes = field(repr=False)

    @property
    def size_bytes(self) -> int:
        """The maximum size that a signature by this key adds to a message."""
        key = for_dnspython(self)
        names = len(key.name.to_wire() or b"") + len(key.algorithm.to_wire() or b"")
        return names + dns.tsig.mac_sizes[key.algorithm] + _FIXED_BYTES


class KeyRing(Protocol):
    """A source of keys by name; a dict from names to keys is one."""

    def get(self, name: str, /) -> SigningKey | None:
        """Return the key of this name (lower case, trailing dot), or None."""


def key_name(text: str) -> str:
    """Return a key's name in the form used for comparison; raises ValueError.

    The trailing dot of the text is optional.
    """
    try:
        return dns.name.from_text(text.rstrip(".") + ".").canonicalize().to_text()
    except (dns.exception.DNSException, UnicodeError) as error:
        raise ValueError(f"{text!r} is not the name of a key") from error


def make_key(name: str, algorithm: str, secret: str) -> SigningKey:
    """Return a key from its name, algorithm and base64 secret.

    Raises ValueError, whose text never contains the secret.
    """
    if algorithm not in ALGORITHMS:
        raise ValueError(f"key {name}: {algorithm!r} is not an algorithm")
    try:
        raw = base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"key {name}: the secret is not base64") from None
    if not raw:
        # Anyone could sign with an empty secret.
        raise ValueError(f"key {name}: the secret is empty")
    return SigningKey(name=key_name(name), algorithm=algorithm, secret=raw)


def key_ring(keys: Iterable[SigningKey]) -> dict[str, SigningKey]:
    """Return a key ring of these keys."""
    return {key.name: key for key in keys}


@lru_cache(maxsize=256)
def for_dnspython(key: SigningKey) -> dns.tsig.Key:
    """Return the key in the form that dnspython's messages use."""
    return dns.tsig.Key(dns.name.from_text(key.name), key.secret, ALGORITHMS[key.algorithm])
