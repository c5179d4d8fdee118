"""Keys, certificates and who may issue them: CAA, CERT, SSHFP, TLSA."""

from __future__ import annotations

import base64
import binascii
import re

from designate import errors
from designate.rrtypes.base import RRType, is_domain, number, register

HEX = re.compile(r"[0-9A-Fa-f]+\Z")
CA_PARAMETERS = re.compile(r"(?:; [A-Za-z0-9]+=[A-Za-z0-9]+)*\Z")
MAIL = re.compile(r"mailto:[A-Za-z0-9_.-]+(?:\+[A-Za-z0-9_.-]+)?@(?P<domain>[^@]+)\Z")
WEB = re.compile(r"https?://(?P<host>[^/:]+)/[^\s\"\\]*\Z")
TLSA_OWNER = re.compile(r"_(?P<port>[0-9]{1,5})\._[A-Za-z]+\..+\Z")
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


@register
class Caa(RRType):
    type = "CAA"
    code = 257
    rfc = "RFC 8659"

    def grammar(self, text: str, owner: str) -> bool:
        flags, _, rest = text.partition(" ")
        tag, _, value = rest.partition(" ")
        if flags not in ("0", "1") or '"' in value or not value:
            return False
        if tag in ("issue", "issuewild"):
            domain, separator, parameters = value.partition(";")
            return is_domain(domain + ".") and (
                CA_PARAMETERS.match(separator + parameters) is not None
            )
        if tag == "iodef":
            mail, web = MAIL.match(value), WEB.match(value)
            if mail:
                return is_domain(mail["domain"] + ".")
            return web is not None and is_domain(web["host"] + ".")
        return False

    def presentation(self, text: str) -> str:
        flags, tag, value = text.split(" ", 2)
        return f'{flags} {tag} "{value}"'


@register
class Cert(RRType):
    type = "CERT"
    code = 37
    rfc = "RFC 4398"

    def grammar(self, text: str, owner: str) -> bool:
        parts = text.split(" ", 3)
        if len(parts) != 4 or "\n" in text:
            return False
        kind, tag, algorithm, data = parts
        try:
            decoded = base64.b64decode(data.replace(" ", ""))
        except (binascii.Error, ValueError):
            return False
        return (
            (kind in CERT_TYPES or kind in UNNUMBERED_CERT_TYPES or number(kind, 65535))
            and number(tag, 65535)
            and (algorithm in ALGORITHMS or number(algorithm, 255))
            and bool(decoded)
        )

    def presentation(self, text: str) -> str:
        kind, tag, algorithm, data = text.split(" ", 3)
        if kind in UNNUMBERED_CERT_TYPES:
            raise ValueError(f"{kind} has no number in the registry of certificate types")
        kind = str(CERT_TYPES.get(kind, kind))
        algorithm = str(ALGORITHMS.get(algorithm, algorithm))
        # What the lenient decoder skipped must not reach the wire by another reading.
        data = base64.b64encode(base64.b64decode(data.replace(" ", ""))).decode()
        return f"{kind} {tag} {algorithm} {data}"


def _fingerprint(text: str) -> bool:
    return HEX.match(text) is not None and (10 <= len(text) <= 40 or len(text) == 64)


@register
class Sshfp(RRType):
    type = "SSHFP"
    code = 44
    rfc = "RFC 4255; RFC 6594 for SHA-256"
    fields = (lambda text: number(text, 4), lambda text: number(text, 2), _fingerprint)

    def wire(self, text: str) -> bytes:
        _, kind, fingerprint = text.split(" ")
        expected = {"1": 40, "2": 64}.get(kind)
        if expected is not None and len(fingerprint) != expected:
            # Nameservers refuse a digest of another length than its type has.
            raise ValueError(f"a fingerprint of type {kind} has {expected} digits")
        return super().wire(text)


@register
class Tlsa(RRType):
    type = "TLSA"
    code = 52
    rfc = "RFC 6698"

    def check_owner(self, name: str) -> None:
        super().check_owner(name)
        found = TLSA_OWNER.match(name)
        if found is None or int(found["port"]) > 65535:
            raise errors.BadRequest(
                "TLSA names start with a port and a protocol, such as _443._tcp"
            )

    def grammar(self, text: str, owner: str) -> bool:
        parts = text.replace("(", " ").replace(")", " ").split()
        if len(parts) < 4 or not all(number(part, 255) for part in parts[:3]):
            return False
        data = "".join(parts[3:])
        if not HEX.match(data) or len(data) % 2 or len(data) > 65535:
            return False
        expected = {"1": 64, "2": 128}.get(parts[2])
        return expected is None or len(data) == expected

    def presentation(self, text: str) -> str:
        parts = text.replace("(", " ").replace(")", " ").split()
        return f"{' '.join(parts[:3])} {''.join(parts[3:])}"
