"""Hypothesis strategies for record data of the types that Designate does not have; see rdata_strategies."""

import base64
from collections.abc import Callable
from ipaddress import IPv6Address

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.support.factories.rdata_parts import (
    DOMAIN,
    IPV4,
    IPV6,
    UINT8,
    UINT16,
    hexadecimal,
    joined,
    quoted_text,
)

UINT32 = st.integers(0, 2**32 - 1)
NAME = DOMAIN | st.sampled_from(
    [".", "*.a.", "0/25.2.0.192.in-addr.arpa.", "a\\.b.c.", "a\\032b.", "-a."]
)
MNEMONICS = ["A", "NS", "SOA", "MX", "TXT", "AAAA", "SRV", "DS", "RRSIG", "NSEC", "DNSKEY"]
TYPES = st.lists(
    st.sampled_from([*MNEMONICS, "CAA", "TYPE1234", "TYPE65534"]), min_size=1, max_size=6
)
OLD_TYPES = st.lists(st.sampled_from(MNEMONICS), min_size=1, max_size=6)
DIGESTS = {1: 20, 2: 32, 4: 48}
DIGIT = st.sampled_from("0123456789")
SOME_BASE64 = st.binary(min_size=1, max_size=64).map(lambda data: base64.b64encode(data).decode())


def _digest(sizes: dict[int, int]) -> SearchStrategy[str]:
    return st.sampled_from(sorted(sizes.items())).flatmap(
        lambda kind: joined(st.just(kind[0]), hexadecimal(kind[1]))
    )


def _ds() -> SearchStrategy[str]:
    return joined(UINT16, UINT8, _digest(DIGESTS))


def _key(flags: SearchStrategy[int]) -> SearchStrategy[str]:
    return joined(flags, st.just(3), UINT8, SOME_BASE64)


def _degrees(most: int, ends: str) -> SearchStrategy[str]:
    return joined(
        st.integers(0, most - 1),
        st.integers(0, 59),
        st.integers(0, 59),
        st.sampled_from(list(ends)),
    )


def _loc() -> SearchStrategy[str]:
    sizes = st.sampled_from(["", " 1m", " 30m 10000m", " 1m 10m 2m", " 0.05m 1.00m 2000.00m"])
    metres = st.integers(-100000, 42849672).map("{}m".format)
    place = joined(_degrees(90, "NS"), _degrees(180, "EW"), metres)
    return st.builds("{}{}".format, place, sizes)


def _apl() -> SearchStrategy[str]:
    four = st.builds("{}1:{}/{}".format, st.sampled_from(["", "!"]), IPV4, st.integers(0, 32))
    six = st.builds("{}2:{}/{}".format, st.sampled_from(["", "!"]), IPV6, st.integers(0, 128))
    return st.lists(four | six, max_size=3).map(" ".join)


GATEWAYS = (st.just("."), IPV4, st.ip_addresses(v=6).map(str), DOMAIN)


def _ipseckey() -> SearchStrategy[str]:
    return st.one_of(
        *(
            joined(UINT8, st.just(kind), st.just(2), gateway, SOME_BASE64)
            | joined(UINT8, st.just(kind), st.just(0), gateway)
            for kind, gateway in enumerate(GATEWAYS)
        )
    )


def _amtrelay() -> SearchStrategy[str]:
    return st.one_of(
        *(
            joined(UINT8, st.integers(0, 1), st.just(kind), gateway)
            for kind, gateway in enumerate(GATEWAYS)
        )
    )


def _hip() -> SearchStrategy[str]:
    servers = st.lists(DOMAIN, max_size=2).map(" ".join)
    return st.builds(
        lambda head, rest: f"{head} {rest}".strip(),
        joined(st.integers(0, 3), hexadecimal(16), SOME_BASE64),
        servers,
    )


def _a6() -> SearchStrategy[str]:
    def of(length: int) -> SearchStrategy[str]:
        host = st.integers(0, 2 ** (128 - length) - 1).map(
            lambda number: "" if length == 128 else str(IPv6Address(number))
        )
        parts = st.tuples(host, DOMAIN if length else st.just(""))
        return parts.map(lambda pair: " ".join(filter(None, (str(length), *pair))))

    return st.sampled_from([0, 1, 7, 8, 64, 65, 127, 128]).flatmap(of)


def _opaque() -> SearchStrategy[str]:
    data = st.binary(max_size=60)
    return data.map(lambda value: f"\\# {len(value)} {value.hex()}".rstrip())


def _groups(separator: str, count: int, size: int) -> SearchStrategy[str]:
    group = st.text("0123456789abcdefABCDEF", min_size=size, max_size=size)
    return st.lists(group, min_size=count, max_size=count).map(separator.join)


def _digits(minimum: int, maximum: int) -> SearchStrategy[str]:
    return st.lists(DIGIT, min_size=minimum, max_size=maximum).map("".join)


def _gpos() -> SearchStrategy[str]:
    return st.builds(
        "{}.{} {}.{} {}.0".format,
        st.integers(-89, 89), st.integers(0, 99), st.integers(-179, 179), st.integers(0, 99),
        st.integers(-100, 9000),
    )  # fmt: skip


def _wks() -> SearchStrategy[str]:
    ports = st.lists(st.integers(0, 1000), min_size=1, max_size=5, unique=True)
    return joined(
        IPV4, st.sampled_from(["6", "17"]), ports.map(lambda some: " ".join(map(str, some)))
    )


HASH = st.sampled_from([(0, (1, 40)), (1, (32, 31)), (2, (64,)), (255, (1,))]).flatmap(
    lambda kind: joined(UINT8, UINT8, st.just(kind[0]), hexadecimal(*kind[1]))
)
MB = [*("MD", "MF", "MB", "MG", "MR", "NSAP-PTR", "DNAME")]
LEGAL: dict[str, Callable[[], SearchStrategy[str]]] = {
    **dict.fromkeys(MB, lambda: NAME),
    **dict.fromkeys(("MINFO", "RP"), lambda: joined(NAME, NAME)),
    **dict.fromkeys(("AFSDB", "RT", "KX", "LP"), lambda: joined(UINT16, NAME)),
    **dict.fromkeys(("NULL", "UNSPEC", "TYPE65400", "TYPE261"), _opaque),
    **dict.fromkeys(("DS", "DLV", "TA"), _ds),
    **dict.fromkeys(
        ("NINFO", "AVC"), lambda: st.lists(quoted_text(), min_size=1, max_size=3).map(" ".join)
    ),
    **dict.fromkeys(("NID", "L64"), lambda: joined(UINT16, _groups(":", 4, 4))),
    "CDS": lambda: _ds() | st.just("0 0 0 00"),
    "KEY": lambda: _key(st.sampled_from([0, 512, 513, 256, 0x4000])),
    "DNSKEY": lambda: _key(st.sampled_from([256, 257, 0, 385])),
    "CDNSKEY": lambda: _key(st.sampled_from([256, 257])) | st.just("0 3 0 AA=="),
    "WKS": _wks,
    "HINFO": lambda: joined(quoted_text(), quoted_text()),
    "X25": lambda: _digits(4, 15),
    "ISDN": lambda: _digits(1, 15) | joined(_digits(1, 15), _digits(1, 4)),
    "NSAP": lambda: hexadecimal(1, 20).map("0x{}".format),
    "PX": lambda: joined(UINT16, NAME, NAME),
    "GPOS": _gpos,
    "LOC": _loc,
    "NXT": lambda: joined(DOMAIN, OLD_TYPES.map(" ".join)),
    "A6": _a6,
    "APL": _apl,
    "IPSECKEY": _ipseckey,
    "DHCID": lambda: SOME_BASE64,
    "SMIMEA": lambda: HASH,
    "HIP": _hip,
    "OPENPGPKEY": lambda: SOME_BASE64,
    "CSYNC": lambda: joined(UINT32, UINT16, TYPES.map(" ".join)),
    "ZONEMD": lambda: joined(UINT32, st.just(1), _digest({1: 48, 2: 64})),
    "L32": lambda: joined(UINT16, IPV4),
    "EUI48": lambda: _groups("-", 6, 2),
    "EUI64": lambda: _groups("-", 8, 2),
    "URI": lambda: joined(
        UINT16, UINT16, st.sampled_from(['"https://a.b/c?d=e;f"', '"x"', '"a\\"b"'])
    ),
    "AMTRELAY": _amtrelay,
}
