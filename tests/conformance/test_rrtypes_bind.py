"""BIND loads and returns all data that rrtypes accepts, and each rejection has a reason.

The zones are made from the accepted wire forms, once as a master file of their canonical texts and once in
BIND's raw format, which takes the way of a zone transfer: wire to BIND, never text. BIND writes both back
as raw, since it has names of its own for numbers that dnspython names differently.
DESIGNATE_FUZZ_EXAMPLES sets the number of zones (about 20 recordsets each) and of arbitrary texts.
"""

import json
import os
import struct
import subprocess
from collections.abc import Callable, Iterable, Sequence
from functools import cache

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.zone
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from designate import errors, rrtypes
from designate.rrtypes.naptr_regex import check_substitution
from designate.wire import names, presentation, types
from tests.support.deadlines import scaled
from tests.support.factories.rdata_strategies import TYPES, owner_for, record_text
from tests.support.servers import programs

ORIGIN = "fuzz.test."
EXAMPLES = int(os.environ.get("DESIGNATE_FUZZ_EXAMPLES", "30"))
# Hypothesis stores all examples of one run, half a megabyte per zone; so a long run is divided into rounds,
# each with a seed of its own.
ROUND = min(EXAMPLES, 250)
# Only errors that break a zone matter, not the style checks of these options.
COMPILE = programs.command(
    "named-compilezone", "-q", "-i", "none", "-n", "ignore", "-k", "ignore", "-m", "ignore"
)
TIMEOUT_S = 60
RAW_HEADER = struct.Struct(">6I")
# Bytes in all, class, type, type covered, TTL, number of records, bytes of the owner.
RAW_RRSET = struct.Struct(">IHHHIIH")
pytestmark = pytest.mark.timeout(max(120, 2 * ROUND))
in_rounds = pytest.mark.parametrize("turn", range(-(-EXAMPLES // ROUND)))
fuzz = settings(
    max_examples=ROUND,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

RRset = tuple[str, str, tuple[bytes, ...]]
Content = dict[tuple[str, str], frozenset[dns.rdata.Rdata]]


@cache
def _draft(rtype: str) -> st.SearchStrategy[tuple[str, str, list[str]]]:
    single = st.lists(record_text(rtype), min_size=1, max_size=1)
    several = st.lists(record_text(rtype), min_size=1, max_size=3)
    # Names in another case are the same data in DNS.
    twice = several.map(lambda texts: [*texts, texts[0].swapcase()])
    records = single if rtype in ("CNAME", "DNAME", "NXT") else several | twice
    return st.tuples(st.just(rtype), owner_for(rtype, ORIGIN), records)


# BIND loads no master file with the obsolete types MD and MF.
KINDS = [rtype for rtype in TYPES if rtype not in ("MD", "MF")]
DRAFTS = st.lists(st.sampled_from(KINDS).flatmap(_draft), min_size=12, max_size=40)


def _check_reasons(error: errors.BadRequest, rtype: str, records: Sequence[str]) -> set[int]:
    """Return the indexes of the rejected records, after checking the form of the error."""
    json.dumps(errors.to_plain(error), ensure_ascii=False).encode()
    if error.message is not None:
        assert error.errors == ()
        return set(range(len(records)))
    assert error.errors
    if error.errors[0].path == ("records",):
        assert len(error.errors) == 1
        return set(range(len(records)))
    for reason in error.errors:
        kind, index = reason.path
        shown = str(records[int(index)]).encode("utf-8", "backslashreplace").decode()
        assert kind == "records"
        assert reason.message.startswith(f"'{shown}' is not a '{rtype}' Record")
        assert (reason.validator, reason.validator_value) == ("format", [rtype])
    return {int(reason.path[1]) for reason in error.errors}


def _accepted(drafts: Iterable[tuple[str, str, list[str]]]) -> list[RRset]:
    """Return the accepted drafts, each under a name of its own."""
    rrsets: list[RRset] = []
    for index, (rtype, owner, records) in enumerate(drafts):
        name = f"{owner.removesuffix(ORIGIN)}r{index}.{ORIGIN}"
        rrtypes.check_owner(rtype, name)
        try:
            wires = rrtypes.rdata(rtype, name, records)
        except errors.InvalidObject as error:
            refused = _check_reasons(error, rtype, records)
            rest = [text for at, text in enumerate(records) if at not in refused]
            wires = rrtypes.rdata(rtype, name, rest)
        if wires:
            rrsets.append((name, rtype, wires))
    return rrsets


def _rdata(rtype: str, wire: bytes) -> dns.rdata.Rdata:
    return dns.rdata.from_wire(dns.rdataclass.IN, rtype, wire, 0, len(wire))


def _with_apex(rrsets: list[RRset]) -> list[RRset]:
    apex = [("SOA", "ns.other. admin.other. 1 3600 600 86400 300"), ("NS", "ns.other.")]
    parsed = [(rtype, dns.rdata.from_text("IN", rtype, text)) for rtype, text in apex]
    return [(ORIGIN, rtype, (rdata.to_wire(),)) for rtype, rdata in parsed] + rrsets


def _content(rrsets: list[RRset]) -> Content:
    content = {
        (name.lower(), rtype): frozenset(_rdata(rtype, wire) for wire in wires)
        for name, rtype, wires in rrsets
    }
    assert sum(map(len, content.values())) == sum(len(wires) for _, _, wires in rrsets)
    return content


def _as_text(rrsets: list[RRset]) -> bytes:
    lines = [
        f"{name} 300 IN {rtype} {presentation.to_text(types.number_of(rtype), wire)}\n"
        for name, rtype, wires in rrsets
        for wire in wires
    ]
    return "".join(lines).encode()


def _as_raw(rrsets: list[RRset]) -> bytes:
    """Return BIND's raw format, version 1, which BIND reads in the same way as a transfer."""
    parts = [RAW_HEADER.pack(2, 1, 0, 0, 0, 0)]
    for name, rtype, wires in rrsets:
        owner = dns.name.from_text(name).to_wire()
        code = rrtypes.numeric_type(rtype)
        body = owner + b"".join(struct.pack(">H", len(wire)) + wire for wire in wires)
        whole = RAW_RRSET.size + len(body)
        parts += [RAW_RRSET.pack(whole, 1, code, 0, 300, len(wires), len(owner)), body]
    return b"".join(parts)


def _from_raw(zone: bytes) -> Content:
    content = {}
    at = RAW_HEADER.size
    while at < len(zone):
        _, _, code, _, _, count, owner_bytes = RAW_RRSET.unpack_from(zone, at)
        at += RAW_RRSET.size
        owner, _ = dns.name.from_wire(zone[at : at + owner_bytes], 0)
        at += owner_bytes
        rdatas = []
        for _ in range(count):
            (length,) = struct.unpack_from(">H", zone, at)
            rdatas.append(dns.rdata.from_wire(dns.rdataclass.IN, code, zone, at + 2, length))
            at += 2 + length
        content[owner.to_text().lower(), types.name_of(code)] = frozenset(rdatas)
    return content


def _compile(zone: bytes, form: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*COMPILE, "-r", "fail", "-f", form, "-F", "raw", "-o", "-", ORIGIN, "/dev/stdin"],
        input=zone,
        capture_output=True,
        timeout=scaled(TIMEOUT_S),
        check=False,
    )


def _parsed(text: str) -> Content:
    zone = dns.zone.from_text(text, origin=ORIGIN, relativize=False)
    return {
        (name.to_text().lower(), types.name_of(rdataset.rdtype)): frozenset(rdataset)
        for name, rdataset in zone.iterate_rdatasets()
    }


def _fault(rrsets: list[RRset]) -> str | None:
    """Return the error of a zone with these recordsets; None: it is loaded."""
    whole = _with_apex(rrsets)
    expected = _content(whole)
    text = _as_text(whole)
    if _parsed(text.decode()) != expected:
        return "dnspython reads it differently"
    forms = [("raw", _as_raw(whole))]
    # BIND takes the obsolete types MD and MF by transfer only.
    if not {rtype for _, rtype, _ in rrsets} & {"MD", "MF"}:
        forms.append(("text", text))
    for form, zone in forms:
        done = _compile(zone, form)
        if done.returncode != 0:
            return f"BIND refuses it as {form}: {done.stderr.decode(errors='replace')}"
        if _from_raw(done.stdout) != expected:
            return f"BIND reads it differently as {form}: {done.stdout!r}"
    return None


# Without shrinking, which would take minutes of nameserver starts: each recordset is tried alone.
@in_rounds
@settings(fuzz, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(DRAFTS)
def test_what_is_accepted_loads_and_comes_back_equal(turn, drafts):  # noqa: ARG001 - from in_rounds
    rrsets = _accepted(drafts)

    fault = _fault(rrsets)

    if fault is not None:
        spoilers = {rrset[:2]: alone for rrset in rrsets if (alone := _fault([rrset]))}
        pytest.fail(str(spoilers or fault))


def test_rfc4398_s2_every_number_of_a_certificate_comes_back_equal():
    """BIND and dnspython have different names for some algorithms, so numbers are compared."""
    algorithms = [f"PKIX 1 {algorithm} AAAA" for algorithm in range(256)]
    types = [f"{kind} 1 0 AAAA" for kind in (*range(300), 65535)]
    owners = [f"{kind}.{ORIGIN}" for kind in ("algorithms", "types")]

    assert not _fault(
        [
            (owner, "CERT", rrtypes.rdata("CERT", owner, texts))
            for owner, texts in zip(owners, (algorithms, types), strict=True)
        ]
    )


def _strings(total: int) -> str:
    """Return a text with this many bytes of data, including the lengths of its strings."""
    whole = ["a" * 253] * (total // 254)
    rest = total % 254
    return " ".join(f'"{text}"' for text in [*whole, *(["b" * (rest - 1)] if rest else [])])


LARGE_RRSETS = [
    ("A", [f"10.0.{n // 250}.{n % 250}" for n in range(4048)]),
    ("TXT", [_strings(32_000), _strings(32_728), _strings(1)]),
    ("TXT", [_strings(64_000), _strings(729)]),  # one byte too many
    ("SPF", [f'"{n}{"x" * 20_000}"' for n in range(4)]),
]


@pytest.mark.parametrize(("rtype", "records"), LARGE_RRSETS, ids=["A", "TXT", "TXT-over", "SPF"])
def test_rfc2181_s9_a_recordset_fits_into_a_message_and_into_bind(rtype, records):
    owner = f"a.{ORIGIN}"

    assert not _fault([(owner, rtype, rrtypes.rdata(rtype, owner, records[:-1]))])
    with pytest.raises(errors.InvalidObject) as caught:
        rrtypes.rdata(rtype, owner, records)
    (reason,) = caught.value.errors
    assert reason.path == ("records",)
    assert "fit into a DNS message" in reason.message


def _refusal(call: Callable[..., object], *arguments: object) -> errors.BadRequest | None:
    try:
        call(*arguments)
    except errors.BadRequest as error:
        return error
    return None


@in_rounds
@settings(fuzz, max_examples=10 * ROUND)
@given(st.data(), st.sampled_from(TYPES), st.sampled_from(["a.", "_dns.b.", "*.c."]))
def test_any_text_is_accepted_or_refused_with_a_reason(turn, data, rtype, owner):  # noqa: ARG001 - from in_rounds
    text = data.draw(st.text(st.characters()) | record_text(rtype))

    refusal = _refusal(rrtypes.rdata, rtype, owner, [text])

    assert refusal is None or _check_reasons(refusal, rtype, [text]) == {0}


@in_rounds
@settings(fuzz, max_examples=5 * ROUND)
@given(st.sampled_from(TYPES), st.text(st.characters()) | record_text("CNAME"))
def test_any_owner_is_accepted_or_refused_with_a_message(turn, rtype, name):  # noqa: ARG001 - from in_rounds
    refusal = _refusal(rrtypes.check_owner, rtype, name)

    if refusal is None:
        assert rrtypes.is_host(name)
        assert len(names.to_wire(name)) <= 255
    else:
        assert refusal.message
        assert json.dumps(refusal.message, ensure_ascii=False).encode()


@in_rounds
@settings(fuzz, max_examples=5 * ROUND)
@given(st.text(st.characters()) | record_text("CNAME"))
def test_any_domain_is_accepted_or_refused_with_a_message(turn, name):  # noqa: ARG001 - from in_rounds
    refusal = _refusal(rrtypes.check_domain, name)

    assert (refusal is None) == rrtypes.is_domain(name)
    assert refusal is None or refusal.message
    assert not (rrtypes.is_email(name) and rrtypes.is_domain(name))


SUBSTITUTIONS = r"""
!a!b! !a!b!i !a!b!I !a!b !a!! !!b! !!! !a!x!y! a iaibi 1a1b1 0a0b0 /a/x/ aabab IxIbI (a(b( *a*b*
!a!\1! !(a)!\1! !(a)!\0! !(a)!\2! !(a)!\x! !(a)!x\! !(a)!x\!y! !(a\!)!x! !(a\)!x! !(a)!\11!
!(a!x! !a)!x! !()!x! !(|a)!x! !(a|)!x! !(*)!x! !()*!x! !)*!x! !((a)!\1! !(a)(b)!\2\1!
!*a!x! !a**!x! !a|!x! !|a!x! !a||b!x! !a|^b!x! !a|*b!x! !a|b!x! !^|a!x! !$*!x! !^*!x! !^!x! !a^!x!
!a{1,2}!x! !a{2,1}!x! !a{!x! !a}!x! !a{256}!x! !a{255}!x! !a{001}!x! !a{0001}!x! !a{x!x! !a{1!x!
!a{1,}!x! !a{,1}!x! !{1}!x! !{!x! !a{1}{2}!x! !a{1}*!x! !a*{1}!x! !a|{1}!x! !({1})!x! !({)!x!
![a]!x! ![!x! !]!x! ![]]!x! ![^]]!x! ![]!x! ![^]!x! ![[:alpha:]]!x! ![[:foo:]]!x! ![[.a.]]!x!
![[=a=]]!x! ![b-a]!x! ![a-]!x! ![-a]!x! ![a-c-e]!x! ![a-b-]!x! ![a--]!x! ![--a]!x! ![a-a]!x!
![a-[:alpha:]]!x! ![a-[.c.]]!x! ![a-[=c=]]!x! ![[]!x! ![[a]!x! ![a[]]!x! ![[:]!x! ![[.]!x! ![a\]!x!
!\d!x! !\1!x! !(a)\1!x! !\1(a)!x! !(a\1)!x! !\0!x! !a\\!x! +a\++b+ |a\|b|b| [a\[b[b[
""".split()  # noqa: SIM905 - a table to read


@pytest.mark.parametrize("expression", SUBSTITUTIONS)
def test_rfc3402_s3_2_bind_gives_the_same_verdict_on_a_substitution(expression):
    wire = struct.pack(">HHBBB", 1, 1, 0, 0, len(expression)) + expression.encode() + b"\x00"
    zone = _as_raw(_with_apex([(f"a.{ORIGIN}", "NAPTR", (wire,))]))
    try:
        check_substitution(expression.encode())
        accepted = True
    except ValueError:
        accepted = False

    assert accepted == (_compile(zone, "raw").returncode == 0)
