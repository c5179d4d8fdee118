"""Record types of keys and certificates: CAA, CERT, SSHFP and TLSA."""

from __future__ import annotations

import base64
import binascii
import re

from designate import errors
from designate.rrtypes.base import RecordField, RRType, register
from designate.rrtypes.grammar import is_number
from designate.rrtypes.grammar import is_plain_domain as is_domain

HEX = re.compile(r"[0-9A-Fa-f]+\Z")
CA_PARAMETERS = re.compile(r"(?:; [A-Za-z0-9]+=[A-Za-z0-9]+)*\Z")
MAILBOX = re.compile(r"mailto:[A-Za-z0-9_-]+(?:\+[A-Za-z0-9_-]+)?@(?P<host>[^@]+)\Z")
WEB_PAGE = re.compile(r"https?://(?P<host>[^/:]+)/[!#-\[\]-~]*\Z")
TLSA_OWNER = re.compile(r"_(?P<port>[0-9]{1,5})\._[A-Za-z]+\..")
CERT_TYPES = {
    "PKIX": 1, "SPKI": 2, "PGP": 3, "IPKIX": 4, "ISPKI": 5, "IPGP": 6, "ACPKIX": 7,
    "IACPKIX": 8, "URI": 253, "OID": 254,
}  # fmt: skip
UNNUMBERED_CERT_TYPES = frozenset(("DPKIX", "DPTR"))
ALGORITHMS = {
    "RSAMD5": 1, "DSA": 3, "RSASHA1": 5, "DSA-NSEC3-SHA1": 6, "RSASHA1-NSEC3-SHA1": 7,
    "RSASHA256": 8, "RSASHA512": 10, "ECC-GOST": 12, "ECDSAP256SHA256": 13,
    "ECDSAP384SHA384": 14, "ED25519": 15, "ED448": 16,
}  # fmt: skip


def _issuer(value: str) -> bool:
    """Return whether the value is a CA's domain, no trailing dot, and parameters (RFC 8659 section 4.2)."""
    domain, separator, parameters = value.partition(";")
    return is_domain(domain + ".") and CA_PARAMETERS.match(separator + parameters) is not None


def _report_address(value: str) -> bool:
    """Return whether the value is a URL for reports (RFC 8659 section 4.4)."""
    found = MAILBOX.match(value) or WEB_PAGE.match(value)
    return found is not None and is_domain(found["host"] + ".")


CAA_TAGS = {"issue": _issuer, "issuewild": _issuer, "iodef": _report_address}


@register
class Caa(RRType):
    """Which certificate authorities may issue certificates."""

    type = "CAA"
    code = 257
    rfc = "RFC 8659"

    def grammar(self, text: str, owner: str) -> bool:  # noqa: ARG002 - part of the interface
        flags, _, rest = text.partition(" ")
        tag, space, value = rest.partition(" ")
        if flags not in ("0", "1") or tag not in CAA_TAGS:
            return False
        if not space:
            raise errors.InvalidObject(f"CAA record '{text}' has a tag without a value")
        return CAA_TAGS[tag](value)

    def presentation(self, text: str) -> str:
        flags, tag, value = text.split(" ", 2)
        return f'{flags} {tag} "{value}"'


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
    code = 37
    rfc = "RFC 4398"
    fields = (
        RecordField(
            "type",
            lambda text: (
                text in CERT_TYPES or text in UNNUMBERED_CERT_TYPES or is_number(text, 65535)
            ),
        ),
        RecordField("key tag", lambda text: is_number(text, 65535)),
        RecordField("algorithm", lambda text: text in ALGORITHMS or is_number(text, 255)),
        RecordField(
            "data", lambda text: text == text.strip() != "" and decode_base64(text) is not None
        ),
    )

    def grammar(self, text: str, owner: str) -> bool:  # noqa: ARG002 - part of the interface
        parts = text.split(" ", 3)
        return (
            "\n" not in text
            and len(parts) == len(self.fields)
            and all(field.accepts(part) for field, part in zip(self.fields, parts, strict=True))
        )

    def presentation(self, text: str) -> str:
        cert_type, tag, algorithm, data = text.split(" ", 3)
        if cert_type in UNNUMBERED_CERT_TYPES:
            raise ValueError(f"{cert_type} has no number in the registry of certificate types")
        # Characters that the lenient decoder ignored must not be parsed by a stricter one.
        decoded = decode_base64(data)
        if not decoded:
            raise ValueError("the certificate is empty")
        numbers = (
            CERT_TYPES.get(cert_type) or int(cert_type),
            int(tag),
            ALGORITHMS.get(algorithm) or int(algorithm),
        )
        return f"{' '.join(map(str, numbers))} {base64.b64encode(decoded).decode()}"


def _fingerprint(text: str) -> bool:
    return HEX.match(text) is not None and (10 <= len(text) <= 40 or len(text) == 64)


@register
class Sshfp(RRType):
    """The fingerprint of an SSH host key."""

    type = "SSHFP"
    code = 44
    rfc = "RFC 4255; RFC 6594 for SHA-256"
    fields = (
        RecordField("algorithm", lambda text: is_number(text, 4, canonical=True)),
        RecordField("fingerprint type", lambda text: is_number(text, 2, canonical=True)),
        RecordField("fingerprint", _fingerprint),
    )
    digits = {"1": 40, "2": 64}

    def presentation(self, text: str) -> str:
        _, digest_type, fingerprint = text.split(" ")
        expected = self.digits.get(digest_type)
        if expected is not None and len(fingerprint) != expected:
            # Nameservers reject a digest whose length is not that of its type.
            raise ValueError(f"a fingerprint of type {digest_type} has {expected} digits")
        if len(fingerprint) % 2:
            raise ValueError("the number of digits is odd")
        return text


@register
class Tlsa(RRType):
    """The certificate of a TLS server."""

    type = "TLSA"
    code = 52
    rfc = "RFC 6698"
    digits = {1: 64, 2: 128}
    max_digits = 65535

    def check_owner(self, name: str) -> None:
        super().check_owner(name)
        found = TLSA_OWNER.match(name)
        if found is None or not is_number(found["port"], 65535):
            raise errors.BadRequest(
                "The name of a TLSA recordset starts with port and protocol, such as _443._tcp"
            )

    def grammar(self, text: str, owner: str) -> bool:  # noqa: ARG002 - part of the interface
        parts = _tlsa_parts(text)
        if not text.isascii() or len(parts) < 4 or not all(is_number(p, 255) for p in parts[:3]):
            return False
        data = "".join(parts[3:])
        if not HEX.match(data) or len(data) % 2 or len(data) > self.max_digits:
            return False
        return len(data) == self.digits.get(int(parts[2]), len(data))

    def presentation(self, text: str) -> str:
        usage, selector, matching, *data = _tlsa_parts(text)
        return f"{int(usage)} {int(selector)} {int(matching)} {''.join(data)}"


def _tlsa_parts(text: str) -> list[str]:
    """Split a text; brackets only permit line breaks in master files, so they are white space."""
    return text.replace("(", " ").replace(")", " ").split()
