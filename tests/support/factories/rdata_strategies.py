"""Hypothesis strategies for record data and owner names: legal texts and texts that are nearly so.

Shared by every test that puts arbitrary records in front of a nameserver. What the strategies give
need not be accepted; the claim under test is that whatever is accepted also loads.
"""

import base64
from collections.abc import Callable
from functools import cache

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from designate import errors, rrtypes
from tests.support.factories import rdata_of_all_types
from tests.support.factories.rdata_parts import (
    BASE64,
    DECIMAL,
    DOMAIN,
    IPV4,
    IPV6,
    LABEL,
    NASTY,
    PRINTABLE,
    TEXT,
    UINT8,
    hexadecimal,
    joined,
    maybe_quoted,
)

# Every type that clients may write, and two of those without a name.
TYPES = (
    *(name for name in rrtypes.SUPPORTED if name not in ("SOA", "TYPEn")),
    "TYPE261",
    "TYPE65400",
)

# -- one strategy per type --------------------------------------------------------------------------

LONG_TEXT = st.builds(lambda text, times: (text * times)[:253], TEXT, st.integers(1, 40))
SHORT_TEXTS = ["", '"', '""', '"\\"', "\\", 'a"b', '""a""', '"";a""', '""(a""', '"\\""', '""a']
BARE_TEXT = TEXT.map(lambda text: "".join(text.split()))


def _strings() -> SearchStrategy[str]:
    quoted = TEXT.map(lambda text: f'"{text}"')
    several = st.lists(LONG_TEXT, min_size=1, max_size=4).map('" "'.join).map('"{}"'.format)
    long = st.builds(lambda text, times: text * times, TEXT, st.integers(1, 40))
    return (
        quoted
        | BARE_TEXT
        | several
        | TEXT
        | long
        | long.map('"{}"'.format)
        | st.sampled_from(SHORT_TEXTS)
    )


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
    strings = (maybe_quoted(text) for text in (FLAGS, SERVICES, _substitution()))
    return joined(DECIMAL, DECIMAL, *strings, DOMAIN)


CA = DOMAIN.map(lambda name: name[:-1])
ISSUER = CA | joined(CA.map(lambda name: name + ";"), st.sampled_from(["a=b", "policy=ev; x=1"]))
MAIL = st.builds("mailto:{}@{}".format, st.sampled_from(["a", "a-b_c", "a+b", "a.b", ""]), CA)
PATH = st.text(PRINTABLE, max_size=10)
PAGE = st.builds("{}://{}/{}".format, st.sampled_from(["http", "https"]), CA, PATH)


def _caa() -> SearchStrategy[str]:
    flags = st.sampled_from(["0", "1", "128"])
    tags = st.sampled_from(["issue", "issuewild", "issuemail"])
    issuer = ISSUER | st.sampled_from([";", "; a=b", "ca.a;accounturi=https://a/1?x;b=c"])
    issue = joined(flags, tags, maybe_quoted(issuer))
    other = joined(flags, st.sampled_from(["x1", "ContactEmail"]), TEXT.map('"{}"'.format))
    return issue | joined(flags, st.just("iodef"), maybe_quoted(MAIL | PAGE)) | other


CERT_TYPES = DECIMAL | st.sampled_from(
    ["PKIX", "SPKI", "IACPKIX", "URI", "OID", "DPKIX", "DPTR", "X"]
)
CERT_ALGORITHMS = UINT8.map(str) | st.sampled_from(["RSAMD5", "DSA", "ECC-GOST", "ED448", "X"])
SSHFP = st.sampled_from(
    [("0", (5, 11, 20, 32)), ("1", (20, 19, 32)), ("2", (32, 20)), ("3", (20,))]
)
TLSA = st.sampled_from(["0", "1", "2", "3", "255", "256"]).flatmap(
    lambda matching: joined(UINT8, UINT8, st.just(matching), hexadecimal(0, 1, 32, 64, 300))
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
        return maybe_quoted(value).map(lambda text: f"{key}={text}")

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
            ["no-default-alpn", "no-default-alpn=", "no-default-alpn=x", "key9=x", "key65000", "x"]
        ),
    )


DOHPATH = st.sampled_from(TEMPLATES).map("dohpath={}".format)


def _binding(parameter: SearchStrategy[str]) -> SearchStrategy[str]:
    parameters = st.lists(parameter, max_size=3, unique=True)
    return st.builds(
        lambda priority, target, rest: " ".join([str(priority), target, *rest]),
        st.sampled_from([0, 1, 1, 1, 65535, 65536]),
        NAME,
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
NAME = rdata_of_all_types.NAME
LEGAL: dict[str, Callable[[], SearchStrategy[str]]] = {
    **rdata_of_all_types.LEGAL,
    "A": lambda: IPV4,
    "AAAA": lambda: IPV6,
    "CNAME": lambda: DOMAIN | NAME,
    "MX": lambda: joined(DECIMAL, EXCHANGE),
    "SRV": lambda: joined(DECIMAL, DECIMAL, DECIMAL, NAME),
    "TXT": _strings,
    "SPF": lambda: _strings() | TEXT.map(lambda text: f'"v=spf1 {text * 30}"'),
    "NS": lambda: DOMAIN | NAME,
    "PTR": lambda: DOMAIN | NAME,
    "SSHFP": lambda: SSHFP.flatmap(
        lambda kind: joined(st.integers(0, 7), st.just(kind[0]), hexadecimal(*kind[1]))
    ),
    "SOA": lambda: joined(DOMAIN, DOMAIN, *[DECIMAL] * 5),
    "NAPTR": _naptr,
    "CAA": _caa,
    "CERT": lambda: joined(CERT_TYPES, DECIMAL, CERT_ALGORITHMS, BASE64),
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
def accepted_text(rtype: str) -> SearchStrategy[str]:
    """Texts for one record that the API accepts, for an owner without a meaning of its own."""
    return record_text(rtype).filter(lambda text: _is_accepted(rtype, text))


def _is_accepted(rtype: str, text: str) -> bool:
    try:
        rrtypes.rdata(rtype, "x.example.", [text])
    except errors.InvalidObject:
        return False
    return True


@cache
def owner_for(rtype: str, zone: str) -> SearchStrategy[str]:
    """Legal owner names of a recordset of this type in the zone, which ends with a dot."""
    below = st.lists(LABEL, min_size=1, max_size=2).map(lambda labels: f"{'.'.join(labels)}.{zone}")
    if rtype in ("NS", "CNAME", "DNAME", "DS"):
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
