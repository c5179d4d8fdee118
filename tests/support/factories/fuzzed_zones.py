"""Random zones in wire form: all types, odd names, odd texts, TTLs and mailboxes; a seed names each."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

import dns.name

from designate import domain_names
from designate.wire import names, rr
from designate.wire.zonefile_writer import WrittenRecordSet

# What a file's reader could take for something else: directives, comments, groups, owners, TTLs, types.
ODD_LABELS = (
    b"$ORIGIN", b"$INCLUDE /etc/passwd", b"$TTL", b"@", b";", b"(", b")", b'"', b"\\", b".", b"a.b",
    b"\n", b"a\nb IN A 192.0.2.66", b"\r\n", b"\t", b" ", b"\0", b"\x7f", b"\xff", b"\xc3\xa9", b"*",
    b"IN", b"A", b"60", b"1h", b"TYPE1", b"\\#", b"_tcp", b"0/25", b"-x-", b"xn--mnchen-3ya", b"Mixed",
    b"x" * 63, b"'", b"#", b"\\065", b"\\.",
)  # fmt: skip
ODD_STRINGS = (
    *ODD_LABELS, b"", b'" ; "', b'"\n$ORIGIN evil.\n', b"\\", b'\\"', bytes(range(256))[:255], b"x" * 255,
    "naïve café 中".encode(), b"v=spf1 -all", b"\\# 1 00",
)  # fmt: skip
TTLS = (0, 1, 60, 3600, 86400, 2**31 - 1)
SPECIAL_TYPES = frozenset((5, 39))  # beside them a name has no other data
NOT_WILD = frozenset((2, 39, 50))  # BIND refuses a zone where a wildcard has them


@dataclass
class FuzzedZone:
    """A zone as it is stored.

    Attributes:
        records: (owner, type, TTL, data) of all RRs except the SOA, for comparison.
    """

    name: str
    ttl: int
    soa: bytes
    recordsets: list[WrittenRecordSet] = field(default_factory=list)
    records: set[tuple[bytes, int, int, bytes]] = field(default_factory=set)


class _Random:
    """Makes parts of data."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)

    def octets(self, least: int = 1, most: int = 40) -> bytes:
        return self.random.randbytes(self.random.randint(least, most))

    def label(self) -> bytes:
        if self.random.random() < 0.4:
            return self.random.choice(ODD_LABELS)
        if self.random.random() < 0.2:
            return self.octets(1, 63)
        return f"h{self.random.randrange(1000)}".encode()

    def name(self) -> bytes:
        labels = [self.label() for _ in range(self.random.randint(0, 3))]
        if self.random.random() < 0.8:
            labels += [b"example", b"org"]
        return _wire([] if sum(map(len, labels)) > 200 else labels)

    def string(self) -> bytes:
        text = self.random.choice((self.random.choice(ODD_STRINGS), self.octets(0, 255), b"text"))
        return bytes((len(text),)) + text

    def strings(self) -> bytes:
        return b"".join(self.string() for _ in range(self.random.randint(1, 4)))

    def digits(self) -> bytes:
        text = str(self.random.randrange(10**8)).encode()
        return bytes((len(text),)) + text

    def bitmap(self) -> bytes:
        bits = bytearray(self.octets(1, 6))
        bits[0] &= 0x7F  # There is no type 0.
        bits[-1] |= 1
        return bytes((0, len(bits))) + bits

    def number(self, size: int) -> bytes:
        largest = 256**size - 1
        return self.random.choice((0, 1, largest, self.random.randint(0, largest))).to_bytes(size)


def _wire(labels: list[bytes]) -> bytes:
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


def _layout(text: str) -> Callable[[_Random], bytes]:
    """Return a maker of data of a layout.

    Digits are numbers of so many bytes; n: a name, s: a string, S: strings, d: digits as a string,
    b: bytes, t: a bitmap of types.
    """
    makers: dict[str, Callable[[_Random], bytes]] = {
        "n": _Random.name, "s": _Random.string, "S": _Random.strings, "d": _Random.digits,
        "b": _Random.octets, "t": _Random.bitmap,
    }  # fmt: skip

    def make(made: _Random) -> bytes:
        return b"".join(
            made.number(int(part)) if part.isdigit() else makers[part](made) for part in text
        )

    return make


def _hash(prefix: str) -> Callable[[_Random], bytes]:
    """Return a maker of digests: the last octet of the prefix tells the length."""

    def make(made: _Random) -> bytes:
        kind, size = made.random.choice(((1, 20), (2, 32), (4, 48)))
        return _layout(prefix)(made) + bytes((kind,)) + made.random.randbytes(size)

    return make


def _loc(made: _Random) -> bytes:
    chance = made.random
    sizes = bytes(chance.randint(1, 9) << 4 | chance.randint(0, 9) for _ in range(3))
    latitude = 2**31 + chance.randint(-(90 * 3600000), 90 * 3600000)
    longitude = 2**31 + chance.randint(-(180 * 3600000), 180 * 3600000)
    return b"\0" + sizes + struct.pack(">III", latitude, longitude, chance.randrange(2**25) * 100)


def _gpos(made: _Random) -> bytes:
    texts = (f"{made.random.uniform(-90, 90):.3f}", f"{made.random.uniform(-180, 180):.2f}", "10.0")
    return b"".join(bytes((len(text),)) + text.encode() for text in texts)


def _apl(made: _Random) -> bytes:
    items = []
    for _ in range(made.random.randint(0, 3)):
        address = made.octets(4, 4).rstrip(b"\0")
        items.append(
            struct.pack(">HBB", 1, 32, len(address) | made.random.choice((0, 128))) + address
        )
    return b"".join(items)


def _gateway(made: _Random, prefix: bytes, kinds: int) -> bytes:
    """Return precedence, type of the gateway, and the gateway, of an IPSECKEY or AMTRELAY."""
    kind = made.random.randrange(kinds)
    # NSD refuses the root and odd names as gateways of an IPSECKEY, in any form.
    gateway = (b"", made.octets(4, 4), made.octets(16, 16), b"\2gw\7example\0")[kind]
    return bytes((made.random.randrange(256), kind)) + prefix + gateway


def _hip(made: _Random) -> bytes:
    hit, key = made.octets(1, 20), made.octets(1, 40)
    servers = b"".join(made.name() for _ in range(made.random.randint(0, 2)))
    return struct.pack(">BBH", len(hit), 2, len(key)) + hit + key + servers


def _nsec3(made: _Random) -> bytes:
    salt, following = made.octets(0, 8), made.octets(20, 20)
    return (
        struct.pack(">BBHB", 1, 0, 5, len(salt)) + salt + bytes((20,)) + following + made.bitmap()
    )


def _nsec3param(made: _Random) -> bytes:
    salt = made.octets(0, 8)
    return struct.pack(">BBHB", 1, 0, 5, len(salt)) + salt


def _rrsig(made: _Random) -> bytes:
    covered = made.random.choice((1, 6, 16, 38, 65400))
    signer = made.name()
    labels = len(dns.name.from_wire(signer, 0)[0]) - 1
    times = (2**31 - 1, made.random.randrange(2**30))
    return (
        struct.pack(">HBBIIIH", covered, 13, labels, 60, *times, 7) + signer + made.octets(64, 64)
    )


def _binding(made: _Random) -> bytes:
    priority = made.random.choice((0, 1, 65535))
    found = struct.pack(">H", priority) + made.name()
    if not priority:
        return found
    parameters = {
        1: b"\x02h2\x03a,b",
        3: made.number(2),
        4: made.octets(4, 4),
        6: made.octets(16, 16),
        7: b"/dns{?dns}",
        made.random.randint(100, 65279): made.random.choice((made.octets(0, 20), b'"\n;\\ ')),
    }
    chosen = sorted(made.random.sample(sorted(parameters), made.random.randint(0, 4)))
    return found + b"".join(
        struct.pack(">HH", key, len(parameters[key])) + parameters[key] for key in chosen
    )


def _caa(made: _Random) -> bytes:
    tag = made.random.choice((b"issue", b"issuewild", b"iodef", b"tbs", b"ISSUE1"))
    flags = made.random.choice((0, 128))
    return (
        bytes((flags, len(tag)))
        + tag
        + made.random.choice((b";", b"ca.example", made.octets(0, 60)))
    )


def _naptr(made: _Random) -> bytes:
    regexp = made.random.choice((b"", b"!^.*$!sip:info@example.com!", b"!a\\.b!c!i"))
    flags = made.random.choice((b"", b"u", b"S"))
    return _layout("22")(made) + b"".join(
        bytes((len(text),)) + text for text in (flags, b"E2U+sip", regexp)
    ) + made.name()  # fmt: skip


def _uri(made: _Random) -> bytes:
    return _layout("22")(made) + made.random.choice((b"https://a.example/ ", made.octets(1, 80)))


def _tlsa(made: _Random) -> bytes:
    kind, size = made.random.choice(((0, 30), (1, 32), (2, 64)))
    return bytes((3, 1, kind)) + made.random.randbytes(size)


def _sshfp(made: _Random) -> bytes:
    kind, size = made.random.choice(((1, 20), (2, 32)))
    return bytes((made.random.choice((1, 2, 3, 4, 6)), kind)) + made.random.randbytes(size)


def _nxt(made: _Random) -> bytes:
    return made.name() + b"\x40\x01"


# The data of each type by its number, without MD and MF, which BIND refuses in files.
TYPES: dict[int, Callable[[_Random], bytes]] = {
    1: _layout("4"), 2: _layout("n"), 5: _layout("n"), 7: _layout("n"),
    8: _layout("n"), 9: _layout("n"), 10: _layout("b"),
    11: lambda made: made.octets(4, 4) + b"\x06\0\0\x40",
    12: _layout("n"), 13: _layout("ss"), 14: _layout("nn"), 15: _layout("2n"), 16: _layout("S"),
    17: _layout("nn"), 18: _layout("2n"), 19: _layout("d"), 20: _layout("dd"), 21: _layout("2n"),
    22: _layout("b"), 23: _layout("n"), 25: lambda made: b"\x02\0\x03\x0d" + made.octets(64, 64),
    26: _layout("2nn"), 27: _gpos, 28: lambda made: made.octets(16, 16), 29: _loc, 30: _nxt,
    33: _layout("222n"), 35: _naptr, 36: _layout("2n"), 37: _layout("221b"),
    38: lambda made: b"\x40" + made.octets(8, 8) + made.name(), 39: _layout("n"), 42: _apl, 43: _hash("21"),
    44: _sshfp, 45: lambda made: _gateway(made, b"\x02", 4) + made.octets(), 46: _rrsig, 47: _layout("nt"),
    48: lambda made: b"\x01\x01\x03\x0d" + made.octets(64, 64), 49: _layout("b"), 50: _nsec3,
    51: _nsec3param, 52: _tlsa, 53: _tlsa, 55: _hip, 56: _layout("S"), 59: _hash("21"),
    60: lambda made: b"\x01\x01\x03\x0d" + made.octets(64, 64), 61: _layout("b"), 62: _layout("42t"),
    63: lambda made: made.number(4) + b"\x01\x01" + made.random.randbytes(48), 64: _binding, 65: _binding,
    99: _layout("S"), 103: _layout("b"), 104: _layout("28"), 105: _layout("24"), 106: _layout("28"),
    107: _layout("2n"), 108: _layout("6"), 109: _layout("8"), 256: _uri, 257: _caa, 258: _layout("S"),
    260: lambda made: _gateway(made, b"", 4), 32768: _hash("21"), 32769: _hash("21"),
    65280: _layout("b"), 65400: lambda _made: b"",
}  # fmt: skip


def make(seed: str) -> FuzzedZone:
    """Return the zone of a seed."""
    made = _Random(seed)
    chance = made.random
    labels = [b"zone" if chance.random() < 0.7 else made.label(), b"example"]
    if labels[0] == b"*":
        labels[0] = b"star"
    zone = FuzzedZone(
        name=domain_names.text(labels),
        ttl=chance.choice(TTLS),
        soa=b"\x02ns\0" + made.name() + struct.pack(">5I", chance.randrange(2**32), 60, 60, 60, 60),
    )
    _add(zone, made, zone.name, 2, [b"\x02ns\x07example\0"])
    taken: dict[str, set[int]] = {}
    for _ in range(chance.randint(1, 25)):
        owner = made.label()
        rtype = chance.choice(list(TYPES))
        if rtype in NOT_WILD and owner == b"*":
            continue
        name = domain_names.text([owner, *labels])
        present = taken.setdefault(name.lower(), set())
        if rtype in present or (SPECIAL_TYPES & {rtype, *present} and present):
            continue
        present.add(rtype)
        count = 1 if rtype in SPECIAL_TYPES else chance.randint(1, 3)
        _add(zone, made, name, rtype, [TYPES[rtype](made) for _ in range(count)])
    return zone


def _add(zone: FuzzedZone, made: _Random, name: str, rtype: int, rdatas: list[bytes]) -> None:
    ttl = made.random.choice((None, *TTLS))
    rdatas = list(dict.fromkeys(rdatas))
    owner = names.relative_owner(name, zone.name)
    wire = rr.pack(owner, rtype, ttl or 0, rdatas)
    zone.recordsets.append(WrittenRecordSet(name, str(rtype), ttl, len(rdatas), wire))
    absolute = dns.name.from_text(name).to_wire() or b""
    zone.records |= {(absolute, rtype, zone.ttl if ttl is None else ttl, rdata) for rdata in rdatas}
