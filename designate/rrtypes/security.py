"""Record types of keys and certificates: CAA, CDNSKEY, CERT, DNSKEY, KEY, SMIMEA, SSHFP and TLSA."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

import dns.exception
import dns.name

from designate import errors
from designate.rrtypes.base import FormError, RRType, register
from designate.rrtypes.grammar import is_number, printable
from designate.rrtypes.mail import has_free_quote

CAA_TEXT = re.compile(r"([0-9]{1,3})[ \t]+([A-Za-z0-9]+)(?:[ \t]+(.*))?", re.DOTALL)
_LABEL = rb"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?"
_WSP = rb"[ \t]*"
_PARAMETER = rb"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?" + _WSP + rb"=" + _WSP + rb"[!-:<-~]*"
# RFC 8659 section 4.2.
ISSUER = re.compile(
    _WSP + rb"(?:" + _LABEL + rb"(?:\." + _LABEL + rb")*" + _WSP + rb")?"
    rb"(?:;" + _WSP + rb"(?:" + _PARAMETER + _WSP
    + rb"(?:;" + _WSP + _PARAMETER + _WSP + rb")*)?)?"
)  # fmt: skip
# RFC 8659 section 4.4.
REPORTS = re.compile(rb"(?i:mailto):[!-?A-~]+@[!-?A-~]+|(?i:https?)://[!-.0-~][!-~]*")
CAA_VALUES = {b"issue": ISSUER, b"issuewild": ISSUER, b"issuemail": ISSUER, b"iodef": REPORTS}
CAA_HINTS = {
    ISSUER: 'the value is "<domain without trailing dot>; <key>=<value>; ...", or ";" for none',
    REPORTS: 'the value is "mailto:<address>" or "https://<host>/..."',
}
TLSA_OWNER = re.compile(r"(?:\*|_(?P<port>[0-9]{1,5}))\._[A-Za-z]+\..")
# Names that many TLSA records are aliases of (RFC 7671 section 7).
DANE_OWNER = re.compile(r"(?:.*\.)?_dane\..", re.IGNORECASE)
MAX_PORT = 65535
CERT_TYPES = {
    "PKIX": 1, "SPKI": 2, "PGP": 3, "IPKIX": 4, "ISPKI": 5, "IPGP": 6, "ACPKIX": 7,
    "IACPKIX": 8, "URI": 253, "OID": 254,
}  # fmt: skip
UNNUMBERED_CERT_TYPES = frozenset(("DPKIX", "DPTR"))
ALGORITHMS = {
    "RSAMD5": 1, "DH": 2, "DSA": 3, "RSASHA1": 5, "DSA-NSEC3-SHA1": 6, "RSASHA1-NSEC3-SHA1": 7,
    "RSASHA256": 8, "RSASHA512": 10, "ECC-GOST": 12, "ECDSAP256SHA256": 13,
    "ECDSAP384SHA384": 14, "ED25519": 15, "ED448": 16,
}  # fmt: skip
# The name type of a key that belongs to a zone (RFC 2535 section 3.1.2).
KEY_NAME_TYPE = 0x0300
KEY_OF_ZONE = 0x0100
NO_KEY = 0xC000
# Algorithms of one's own (RFC 4034 appendix A.1.1).
PRIVATE_BY_NAME = 253
PRIVATE_BY_OID = 254
_BREAKS = re.compile(r"[ \t\r\n()]+")


@register
class Caa(RRType):
    """Which certificate authorities may issue certificates."""

    type = "CAA"

    def master_form(self, text: str) -> str:
        found = CAA_TEXT.fullmatch(text)
        if found is None:
            return text
        flags, tag, value = found.groups()
        if value is None:
            raise errors.InvalidObject(f"CAA record '{printable(text)}' has a tag without a value")
        if value.startswith(('"', "(")):
            return text
        if has_free_quote(value) or value.endswith("\\"):
            raise FormError("put the value in quotes")
        # Without quotes the rest of the text is the value.
        return f'{flags} {tag} "{value}"'

    def check_api(self, rdata: Any, owner: str) -> None:  # noqa: ARG002 - part of the interface
        accepted = CAA_VALUES.get(rdata.tag.lower())
        if accepted is not None and not accepted.fullmatch(rdata.value):
            raise FormError(CAA_HINTS[accepted])


def decode_base64(text: str) -> bytes | None:
    """Decode base64, ignoring characters outside its alphabet; None: the text cannot be decoded."""
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        return None


@register
class Cert(RRType):
    """A certificate."""

    type = "CERT"

    def master_form(self, text: str) -> str:
        parts = text.split(" ", 3)
        if len(parts) < 4 or "\n" in text:
            return text
        cert_type, tag, algorithm, data = parts
        if cert_type in UNNUMBERED_CERT_TYPES:
            raise ValueError(f"{cert_type} has no number in the registry of certificate types")
        # Characters that the lenient decoder ignored must not be parsed by a stricter one.
        decoded = decode_base64(data)
        if decoded is None:
            return text
        if not decoded and data.strip():
            raise ValueError("the certificate is empty")
        kind = CERT_TYPES.get(cert_type, cert_type)
        number = ALGORITHMS.get(algorithm, algorithm)
        return f"{kind} {tag} {number} {base64.b64encode(decoded).decode()}"

    def check_rdata(self, rdata: Any) -> None:
        if not rdata.certificate:
            raise ValueError("the certificate is empty")


class _PublicKey(RRType):
    """A type whose data is that of DNSKEY."""

    def check_rdata(self, rdata: Any) -> None:
        if rdata.algorithm == PRIVATE_BY_NAME:
            try:
                dns.name.from_wire(rdata.key, 0)
            except dns.exception.DNSException:
                raise ValueError(
                    "a key of algorithm 253 begins with a domain name (RFC 4034 appendix A.1.1)"
                ) from None
        elif rdata.algorithm == PRIVATE_BY_OID and not 0 < rdata.key[0] < len(rdata.key):
            raise ValueError(
                "a key of algorithm 254 begins with an object identifier (RFC 4034 appendix A.1.1)"
            )


@register
class Dnskey(_PublicKey):
    """A public key of a zone."""

    type = "DNSKEY"


@register
class Cdnskey(_PublicKey):
    """A key that the parent shall have."""

    type = "CDNSKEY"


@register
class Key(_PublicKey):
    """A public key, of a host or for SIG(0)."""

    type = "KEY"

    def check_api(self, rdata: Any, owner: str) -> None:  # noqa: ARG002 - part of the interface
        if rdata.flags & KEY_NAME_TYPE == KEY_OF_ZONE:
            raise ValueError("keys that sign zones are DNSKEY records (RFC 3755)")

    def check_rdata(self, rdata: Any) -> None:
        if rdata.key:
            super().check_rdata(rdata)
        elif rdata.flags & NO_KEY != NO_KEY:
            raise ValueError("the key is empty")


@register
class Sshfp(RRType):
    """The fingerprint of an SSH host key."""

    type = "SSHFP"
    sizes_bytes = {1: 20, 2: 32}

    def check_rdata(self, rdata: Any) -> None:
        # Nameservers reject a digest whose length is not that of its type.
        size = len(rdata.fingerprint)
        expected = self.sizes_bytes.get(rdata.fp_type, size)
        if size != expected:
            raise ValueError(f"a fingerprint of type {rdata.fp_type} has {2 * expected} digits")

    def check_api(self, rdata: Any, owner: str) -> None:  # noqa: ARG002 - part of the interface
        if not rdata.fingerprint:
            raise FormError(f"the form is: {self.info.form}")


class _Association(RRType):
    """A certificate or its hash."""

    sizes_bytes = {1: 32, 2: 64}
    permits_outer_space = True

    def master_form(self, text: str) -> str:
        # Designate takes brackets and line ends anywhere.
        return " ".join(part for part in _BREAKS.split(text) if part)

    def check_api(self, rdata: Any, owner: str) -> None:  # noqa: ARG002 - part of the interface
        # dnspython's lowest release takes hashes of any length.
        if len(rdata.cert) != self.sizes_bytes.get(rdata.mtype, len(rdata.cert)):
            raise FormError(self.reason_for_bytes(rdata.to_wire()))

    def reason_for_bytes(self, wire: bytes) -> str:
        kind = wire[2]
        return f"data of matching type {kind} has {2 * self.sizes_bytes.get(kind, 0)} digits"


@register
class Tlsa(_Association):
    """The certificate of a TLS server."""

    type = "TLSA"

    def check_owner(self, name: str) -> None:
        super().check_owner(name)
        found = TLSA_OWNER.match(name)
        if found is not None and (found["port"] is None or is_number(found["port"], MAX_PORT)):
            return
        if not DANE_OWNER.match(name):
            raise errors.BadRequest(
                "The name of a TLSA recordset starts with port and protocol, such as _443._tcp or "
                "*._tcp, or has a label _dane"
            )


@register
class Smimea(_Association):
    """The certificate of a person's mail."""

    type = "SMIMEA"
