"""Hypothesis strategies for record data and owner names: legal texts and texts that are nearly so.

Shared by every test that puts arbitrary records in front of a nameserver. What the strategies give
need not be accepted; the claim under test is that whatever is accepted also loads.
"""

import base64
from collections.abc import Callable
from functools import cache

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

LABEL = st.from_regex(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,8}[A-Za-z0-9_])?", fullmatch=True)
LONG_LABEL = st.from_regex(r"[a-z]{60,63}", fullmatch=True)
DOMAIN = st.lists(LABEL | LABEL | LABEL | LONG_LABEL, min_size=1, max_size=4).map(
    lambda labels: ".".join(labels) + "."
)
# Characters with a meaning for parsers of master files, names and SQL.
NASTY = st.sampled_from(list(' "\\;()\n\t\r\x00\x7f,.=@$*{}[]<>|!#%é\u2028\xa0\ud80009aZ-_+/:'))
PRINTABLE = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
UINT8 = st.integers(0, 255) | st.sampled_from([0, 1, 2, 255, 256])
UINT16 = st.integers(0, 65535) | st.sampled_from([0, 1, 65535, 65536])
DECIMAL = st.builds(
    lambda zeros, value: "0" * zeros + str(value), st.sampled_from([0, 0, 0, 1]), UINT16
)
IPV4 = st.ip_addresses(v=4).map(str)
IPV6 = st.ip_addresses(v=6).flatmap(
    lambda address: st.sampled_from([str(address), address.exploded, str(address).upper()])
) | IPV4.map(lambda address: f"::ffff:{address}")
BASE64 = st.binary(min_size=0, max_size=80).map(lambda data: base64.b64encode(data).decode())


def _hex(*sizes_bytes: int) -> SearchStrategy[str]:
    sizes = st.sampled_from(sizes_bytes)
    data = sizes.flatmap(lambda size: st.binary(min_size=size, max_size=size))
    return data.flatmap(lambda value: st.sampled_from([value.hex(), value.hex().upper()]))


def _joined(*parts: SearchStrategy[object]) -> SearchStrategy[str]:
    return st.tuples(*parts).map(lambda values: " ".join(map(str, values)))


def _maybe_quoted(text: SearchStrategy[str]) -> SearchStrategy[str]:
    return text | text.map(lambda value: f'"{value}"')


# -- one strategy per type --------------------------------------------------------------------------

TEXT_ATOM = (
    PRINTABLE.filter(lambda char: char not in '"\\')
    | st.sampled_from([" ", "  ", "\t", ";", "(", ")", "é", "\u2028", "中", "\xa0"])
    | st.sampled_from(['\\"', "\\\\", "\\;", "\\ ", "\\000", "\\010", "\\255", "\\300", "\\é"])
)
TEXT = st.lists(TEXT_ATOM, max_size=30).map("".join)
LONG_TEXT = st.builds(lambda text, times: (text * times)[:253], TEXT, st.integers(1, 40))
SHORT_TEXTS = ["", '"', '""', '"\\"', "\\", 'a"b', '""a""', '"";a""', '""(a""', '"\\""', '""a']
BARE_TEXT = TEXT.map(lambda text: "".join(text.split()))


def _strings() -> SearchStrategy[str]:
    quoted = TEXT.map(lambda text: f'"{text}"')
    several = st.lists(LONG_TEXT, min_size=1, max_size=4).map('" "'.join).map('"{}"'.format)
    return quoted | BARE_TEXT | several | st.sampled_from(SHORT_TEXTS)


ATOMS = [
    "a", "b", ".", "x", "[a-z]", "[^0-9]", "[[:alpha:]]", "[]a]", "[z-a]", "[", "]", "(", ")", "(a)",
    "()", "*", "+", "?", "{2}", "{1,3}", "{3,1}", "{", "|", "^", "$", "\\\\1", "\\\\.", "\\\\", "\\1",
    "\\\\0", "-", "sip:", "@", ";", "#", "~", "/", "é",
]  # fmt: skip


def _substitution() -> SearchStrategy[str]:
    pattern = st.lists(st.sampled_from(ATOMS), max_size=6).map("".join)
    whole = st.sampled_from(["^.*$", "^(.*)$", "^(a+)(b?)$", "a|b", "^[[:digit:]]{2,}$"])
    replacement = st.sampled_from(
        ["", "x", "\\\\1", "\\\\2", "\\\\0", "sip:\\\\1@example.com", "\\\\"]
    )
    delimiter = st.sampled_from([*"!!!!/#~|.i0\\([+", "é"])
    return st.builds(
        lambda mark, before, after, end: f"{mark}{before}{mark}{after}{mark}{end}",
        delimiter,
        whole | pattern,
        replacement,
        st.sampled_from(["", "i", "ii", "I"]),
    ) | st.just("")


FLAGS = st.sampled_from(["", "S", "u", "AP", "s" * 255, "Q"])
SERVICES = st.sampled_from(["", "SIP+D2U", "E2U+sip", "http", "a" * 32, "a" * 33, "9", "a+9"])


def _naptr() -> SearchStrategy[str]:
    strings = (_maybe_quoted(text) for text in (FLAGS, SERVICES, _substitution()))
    return _joined(DECIMAL, DECIMAL, *strings, DOMAIN)


CA = DOMAIN.map(lambda name: name[:-1])
ISSUER = CA | _joined(CA.map(lambda name: name + ";"), st.sampled_from(["a=b", "policy=ev; x=1"]))
MAIL = st.builds("mailto:{}@{}".format, st.sampled_from(["a", "a-b_c", "a+b", "a.b", ""]), CA)
PATH = st.text(PRINTABLE, max_size=10)
PAGE = st.builds("{}://{}/{}".format, st.sampled_from(["http", "https"]), CA, PATH)


def _caa() -> SearchStrategy[str]:
    flags = st.sampled_from(["0", "1", "128"])
    issue = _joined(flags, st.sampled_from(["issue", "issuewild"]), ISSUER)
    return issue | _joined(flags, st.just("iodef"), MAIL | PAGE)


CERT_TYPES = DECIMAL | st.sampled_from(
    ["PKIX", "SPKI", "IACPKIX", "URI", "OID", "DPKIX", "DPTR", "X"]
)
CERT_ALGORITHMS = UINT8.map(str) | st.sampled_from(["RSAMD5", "DSA", "ECC-GOST", "ED448", "X"])
SSHFP = st.sampled_from(
    [("0", (5, 11, 20, 32)), ("1", (20, 19, 32)), ("2", (32, 20)), ("3", (20,))]
)
TLSA = st.sampled_from(["0", "1", "2", "3", "255", "256"]).flatmap(
    lambda matching: _joined(UINT8, UINT8, st.just(matching), _hex(0, 1, 32, 64, 300))
)


def _wrapped(text: str) -> SearchStrategy[str]:
    """Return TLSA data over several lines."""
    head, _, data = text.rpartition(" ")
    half = len(data) // 2
    return st.sampled_from([text, f"{head} (\n{data[:half]}\n\t{data[half:]} )"])


ECH = st.binary(max_size=20).flatmap(
    lambda data: st.sampled_from([len(data).to_bytes(2) + data, data])
)
TEMPLATES = [
    "/{?dns}", "/q{?dns}", "/{x}/{?dns}", "/%20{?dns}", "/%zz{?dns}", "/{?dns}{", "/{{?dns}", "/{?dns}}",
    "/é{?dns}", "/;,{?dns}", "/{+a,b:3}{?dns}", "/{a*}{?dns}", "/{a:0}{?dns}", "/<>{?dns}", "{?dns}",
    "/\\{?dns}",
]  # fmt: skip


def _parameter() -> SearchStrategy[str]:
    def of(key: str, value: SearchStrategy[str]) -> SearchStrategy[str]:
        return value.map(lambda text: f"{key}={text}")

    def listed(value: SearchStrategy[str]) -> SearchStrategy[str]:
        return st.lists(value, min_size=1, max_size=3).map(",".join)

    keys = [
        "alpn",
        "port",
        "ipv4hint",
        "ipv6hint",
        "ech",
        "mandatory",
        "no-default-alpn",
        "dohpath",
    ]
    return st.one_of(
        of("alpn", listed(st.sampled_from(["h2", "h3", "h2c", "http/1.1", "http/1.0", "dot"]))),
        of("port", DECIMAL),
        of("ipv4hint", listed(IPV4)),
        of("ipv6hint", listed(IPV6)),
        of("ech", ECH.map(lambda data: base64.b64encode(data).decode())),
        of("mandatory", listed(st.sampled_from(keys))),
        st.sampled_from(
            ["no-default-alpn", "no-default-alpn=", "no-default-alpn=x", "key9=x", "x"]
        ),
    )


DOHPATH = st.sampled_from(TEMPLATES).map("dohpath={}".format)


def _binding(parameter: SearchStrategy[str]) -> SearchStrategy[str]:
    parameters = st.lists(parameter, max_size=3, unique=True)
    return st.builds(
        lambda priority, target, rest: " ".join([str(priority), target, *rest]),
        st.sampled_from([0, 1, 1, 1, 65535, 65536]),
        DOMAIN,
        parameters,
    )


EXCHANGE = DOMAIN | st.sampled_from(
    [
        ".",
        "*.a.",
        "a/b.",
        "a@b.",
        "\\000.b.",
        "\\;.",
        "a\\.b.c.",
        "a;b.",
        "bü.",
        "a..b.",
        "$.",
        "a",
        "",
    ]
)
LEGAL: dict[str, Callable[[], SearchStrategy[str]]] = {
    "A": lambda: IPV4,
    "AAAA": lambda: IPV6,
    "CNAME": lambda: DOMAIN,
    "MX": lambda: _joined(DECIMAL, EXCHANGE),
    "SRV": lambda: _joined(DECIMAL, DECIMAL, DECIMAL, DOMAIN),
    "TXT": _strings,
    "SPF": lambda: _strings() | TEXT.map(lambda text: f'"v=spf1 {text * 30}"'),
    "NS": lambda: DOMAIN,
    "PTR": lambda: DOMAIN,
    "SSHFP": lambda: SSHFP.flatmap(
        lambda kind: _joined(st.integers(0, 5), st.just(kind[0]), _hex(*kind[1]))
    ),
    "SOA": lambda: _joined(DOMAIN, DOMAIN, *[DECIMAL] * 5),
    "NAPTR": _naptr,
    "CAA": _caa,
    "CERT": lambda: _joined(CERT_TYPES, DECIMAL, CERT_ALGORITHMS, BASE64),
    "HTTPS": lambda: _binding(_parameter()),
    "SVCB": lambda: _binding(_parameter()) | DOHPATH.map("1 a. alpn=h2 {}".format),
    "TLSA": lambda: TLSA.flatmap(_wrapped),
}


def _spoilt(text: str) -> SearchStrategy[str]:
    """Return the text with one character inserted, replaced or removed."""
    return st.builds(
        lambda at, new, gone: text[:at] + new + text[at + gone :],
        st.integers(0, len(text)),
        NASTY | st.just(""),
        st.integers(0, 1),
    )


@cache
def record_text(rtype: str) -> SearchStrategy[str]:
    """Texts for one record: mostly valid, else with one error."""
    legal = LEGAL[rtype]()
    return st.one_of(legal, legal, legal, legal.flatmap(_spoilt))


@cache
def owner_for(rtype: str, zone: str) -> SearchStrategy[str]:
    """Legal owner names of a recordset of this type in the zone, which ends with a dot."""
    below = st.lists(LABEL, min_size=1, max_size=2).map(lambda labels: f"{'.'.join(labels)}.{zone}")
    if rtype in ("NS", "CNAME"):
        return below
    if rtype == "SRV":
        return st.builds("_{}._{}.{}".format, LABEL, LABEL, st.just(zone) | below)
    if rtype == "TLSA":
        protocol = st.sampled_from(["tcp", "udp", "SCTP"])
        return st.builds(
            "_{}._{}.{}".format, st.integers(0, 65535), protocol, st.just(zone) | below
        )
    names = below | st.just(zone) | st.just(f"*.{zone}")
    if rtype == "SVCB":
        return names | st.sampled_from([f"_dns.{zone}", f"_8443._dns.{zone}"])
    return names
