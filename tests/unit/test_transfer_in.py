"""Transfers in from small real servers: correct, unusual and hostile ones."""

import itertools
import threading
import tracemalloc
from time import monotonic

import dns.message
import dns.name
import dns.rdatatype
import dns.rrset
import dns.tsig
import hypothesis
import pytest
from hypothesis import strategies as st

from designate.wire import rr, transfer_in, tsig_keys
from designate.wire.transfer_assembler import TransferFailed, TransferKind
from designate.wire.transfer_in import Primary, TransferLimits, fetch
from tests.support.deadlines import scaled
from tests.support.fakes.scripted_primary import (
    CONTENT,
    LOOPBACK,
    ZONE,
    ScriptedPrimary,
    framed,
    message,
    rrs,
    soa,
    whole,
)

LIMITS = TransferLimits(deadline_s=10, read_s=5, records=10_000, size_bytes=2**20)
SECRET = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"


class Chunks:
    """A sink that stores all chunks."""

    def __init__(self):
        self.chunks = []
        self.resets = 0

    def put(self, chunk):
        self.chunks.append(chunk)

    def reset(self):
        self.chunks = []
        self.resets += 1

    def texts(self, zone=ZONE):
        """Return "name ttl type data" of each RR, in order."""
        wire = dns.name.from_text(zone).to_wire()
        found = []
        for piece in rr.split(b"".join(self.chunks)):
            question = b"\0\0\x84\0\0\x01\0\x01\0\0\0\0" + wire + b"\0\x06\0\x01"
            answer = dns.message.from_wire(question + piece).answer[0]
            found.append(answer.to_text().replace(" IN ", " "))
        return found


def run(script, *, limits=LIMITS, key=None, **serials):
    """Do one transfer and return (what was received, the sink, the primary)."""
    sink = Chunks()
    with ScriptedPrimary(script) as primary:
        got = fetch(
            Primary(host=primary.host, port=primary.port, key=key, rules=LOOPBACK),
            ZONE,
            limits,
            sink,
            **serials,
        )
    return got, sink, primary


def fails(script, match, **how):
    with pytest.raises(TransferFailed, match=match):
        run(script, **how)


def lines(*rrsets):
    return [rrset.to_text().replace(" IN ", " ") for rrset in rrsets]


def in_one(*records):
    return lambda query: [message(query, records)]


def test_a_whole_zone_is_taken_without_its_closing_soa():
    got, sink, primary = run(in_one(*whole(7)))

    assert (got.kind, got.serial, got.records) == (TransferKind.WHOLE, 7, 5)
    assert sink.texts() == lines(soa(7), *CONTENT)
    assert primary.queries[0].question[0].rdtype == dns.rdatatype.AXFR


def test_one_record_per_message_and_questions_in_the_first_alone_are_fine():
    def script(query):
        for number, record in enumerate(whole(7)):
            yield message(query, [record], question=not number)

    got, sink, _ = run(script)

    assert sink.texts() == lines(soa(7), *CONTENT)
    assert got.records == 5


def test_a_zone_of_nothing_but_its_soa_is_whole():
    got, sink, _ = run(in_one(soa(7), soa(7)))

    assert got.kind is TransferKind.WHOLE
    assert sink.texts() == lines(soa(7))


def test_a_difference_of_two_steps_is_taken_in_journal_form():
    steps = [
        soa(5), *rrs(f"a.{ZONE} 60 A 192.0.2.1"), soa(6), *rrs(f"b.{ZONE} 60 A 192.0.2.2"),
        soa(6), soa(7), *rrs(f"c.{ZONE} 60 A 192.0.2.3"),
    ]  # fmt: skip
    got, sink, primary = run(in_one(soa(7), *steps, soa(7)), since=5, newer_than=5)

    assert (got.kind, got.serial) == (TransferKind.DIFFERENCE, 7)
    assert sink.texts() == lines(*steps)
    query = primary.queries[0]
    assert query.question[0].rdtype == dns.rdatatype.IXFR
    assert query.authority[0][0].serial == 5


def test_a_whole_zone_may_answer_the_question_for_a_difference():
    got, sink, _ = run(in_one(*whole(7)), since=5, newer_than=5)

    assert got.kind is TransferKind.WHOLE
    assert sink.texts() == lines(soa(7), *CONTENT)


@pytest.mark.parametrize("answer", [(soa(5),), (soa(5), *CONTENT, soa(5))])
@pytest.mark.parametrize("since", [5, None])
def test_a_primary_with_our_serial_has_nothing_newer(answer, since):
    got, _, _ = run(in_one(*answer), since=since, newer_than=5)

    assert (got.kind, got.serial) == (TransferKind.CURRENT, 5)


@pytest.mark.parametrize("since", [5, None])
def test_a_serial_must_go_forward_also_around_the_end(since):
    fails(in_one(*whole(4)), "serial 4 is older than 5", since=since, newer_than=5)
    fails(in_one(*whole(5 + 2**31)), "is older than 5", since=since, newer_than=5)

    got, _, _ = run(in_one(*whole(3)), since=2**32 - 2, newer_than=2**32 - 2)

    assert got.serial == 3


@pytest.mark.parametrize("rcode", ["NOTIMP", "FORMERR", "REFUSED", "SERVFAIL"])
def test_a_primary_that_refuses_ixfr_is_asked_for_axfr(rcode):
    def script(query):
        if query.question[0].rdtype == dns.rdatatype.AXFR:
            return [message(query, whole(7))]
        reply = dns.message.make_response(query)
        reply.set_rcode(dns.rcode.from_text(rcode))
        return [framed(reply.to_wire())]

    got, sink, primary = run(script, since=5, newer_than=5)

    assert got.kind is TransferKind.WHOLE
    assert sink.texts() == lines(soa(7), *CONTENT)
    assert len(primary.queries) == 2


def test_a_broken_difference_is_forgotten_and_the_whole_zone_asked_for():
    def script(query):
        if query.question[0].rdtype == dns.rdatatype.AXFR:
            return [message(query, whole(7))]
        return [message(query, [soa(7), soa(5), soa(6), soa(4), soa(7)])]

    got, sink, _ = run(script, since=5, newer_than=5)

    assert got.kind is TransferKind.WHOLE
    assert sink.texts() == lines(soa(7), *CONTENT)
    assert sink.resets == 2


def test_records_outside_the_zone_are_left_out():
    strangers = rrs("example.com. 60 A 192.0.2.9", f"x{ZONE} 60 A 192.0.2.9")
    _, sink, _ = run(in_one(soa(7), *strangers, *CONTENT, soa(7)))

    assert sink.texts() == lines(soa(7), *CONTENT)


def test_unknown_types_keep_their_bytes():
    unknown = rrs(f"x.{ZONE} 60 TYPE65400 \\# 4 0a0b0c0d")
    _, sink, _ = run(in_one(soa(7), *unknown, soa(7)))

    assert sink.texts() == lines(soa(7), *unknown)


def test_ipv6_primaries_are_asked():
    sink = Chunks()
    with ScriptedPrimary(in_one(*whole(7)), "::1") as primary:
        fetch(Primary(host="::1", port=primary.port, rules=LOOPBACK), ZONE, LIMITS, sink)

    assert sink.texts() == lines(soa(7), *CONTENT)


def endless(query):
    yield message(query, [soa(7)])
    for number in itertools.count():
        yield message(query, rrs(f"n{number}.{ZONE} 60 A 192.0.2.1"))


def dripping(query):
    for byte in message(query, whole(7)):
        threading.Event().wait(0.02)
        yield bytes([byte])


def wrong_id(query):
    query.id ^= 1
    return [message(query, whole(7))]


def unasked(query):
    query.question[0].name = dns.name.from_text("example.com.")
    return [message(query, whole(7))]


def looping_pointer(query):
    head = message(query, [])[2:]
    to_itself = (0xC000 | len(head)).to_bytes(2, "big")
    return [framed(head[:6] + b"\0\1" + head[8:] + to_itself + b"\0\1\0\1" + bytes(6))]


def of_class_chaos(query):
    return [message(query, [soa(7), dns.rrset.from_text(f"x.{ZONE}", 60, "CH", "TXT", "x")])]


@pytest.mark.parametrize(
    ("script", "match"),
    [
        (in_one(*CONTENT), "does not begin"),
        (in_one(soa(7, "example.com."), soa(7, "example.com.")), "SOA of another name"),
        (in_one(soa(7), *CONTENT), "closed the connection"),
        (in_one(soa(7), *CONTENT, soa(8)), "closed with another SOA"),
        (in_one(soa(7), soa(6)), "second SOA"),
        (in_one(*whole(7), *CONTENT), "behind the closing SOA"),
        (in_one(), "without records"),
        (wrong_id, "another question"),
        (unasked, "another question"),
        (looping_pointer, "malformed"),
        (of_class_chaos, "class 3"),
        (lambda _: [b"\0\x05abcde"], "another question"),
        (lambda query: [framed(query.to_wire()[:2] + b"\xff" * 400)], "malformed|answered"),
        (lambda query: [message(query, whole(7))[:-9]], "closed the connection"),
        (lambda _: [], "closed the connection"),
    ],
)  # fmt: skip
def test_what_is_no_transfer_is_refused_with_the_reason(script, match):
    fails(script, match)


def test_steps_that_leave_the_announced_way_are_refused():
    one = rrs(f"a.{ZONE} 60 A 192.0.2.1")
    for steps in (
        [soa(5), *one, soa(5)],  # stands still
        [soa(5), *one, soa(8)],  # goes beyond what was announced
        [soa(5), soa(6), *one, soa(7)],  # has a gap
        [soa(4), soa(7)],  # begins elsewhere
    ):
        fails(
            in_one(soa(7), *steps, soa(7)), "malformed|closed|difference|second|answered", since=5
        )


def test_a_record_that_could_not_be_sent_on_is_refused():
    data = " ".join(["a" * 255] * 253)
    fails(
        lambda query: [
            message(query, [soa(7)]),
            message(query, rrs(f"x.{ZONE} 60 TXT {data}"), question=False),
        ],
        "which no message can hold",
    )


def test_an_endless_stream_ends_at_the_limit_of_records():
    limits = TransferLimits(deadline_s=30, read_s=5, records=500, size_bytes=2**30)
    fails(endless, "more than 500 records", limits=limits)


def test_an_endless_stream_ends_at_the_limit_of_bytes():
    limits = TransferLimits(deadline_s=30, read_s=5, records=2**30, size_bytes=20_000)
    fails(endless, "20000 bytes", limits=limits)


def test_what_is_left_out_counts_too():
    def strangers(query):
        yield message(query, [soa(7)])
        yield from itertools.repeat(message(query, rrs("x.example.com. 60 A 192.0.2.1") * 50))

    limits = TransferLimits(deadline_s=30, read_s=5, records=2**30, size_bytes=20_000)
    fails(strangers, "sends more than 20000 bytes", limits=limits)


def test_names_that_lead_through_thousands_of_pointers_are_refused_at_once():
    """Return a small message that would take seconds to parse."""

    def script(query):
        start = message(query, [soa(7)])[2:]
        data = len(start) + 12
        chain = b"".join((0xC000 | data + 2 * n).to_bytes(2, "big") for n in range(6999))
        head = b"\xc0\x0c" + (65400).to_bytes(2, "big") + b"\0\1" + bytes(4)
        first = head + (2 + len(chain)).to_bytes(2, "big") + b"\xc0\x0c" + chain
        end = 0xC000 | data + len(chain)
        dear = (end.to_bytes(2, "big") + b"\0\1\0\1" + bytes(4) + b"\0\4abcd") * 2000
        return [framed(start[:6] + (2002).to_bytes(2, "big") + start[8:] + first + dear)]

    began = monotonic()
    fails(script, "malformed")
    assert monotonic() - began < scaled(2)


def test_names_that_grow_when_they_are_written_out_end_at_the_limit_of_bytes():
    long = ".".join(["a" * 60] * 3)
    many = rrs(f"{long}.{ZONE} 60 NS {long}.{ZONE}")
    limits = TransferLimits(deadline_s=30, read_s=5, records=2**30, size_bytes=20_000)

    def script(query):
        reply = message(query, [soa(7), *(many * 300)])
        assert len(reply) < 20_000
        return [reply]

    fails(script, "larger than 20000 bytes", limits=limits)


def test_a_drip_ends_when_its_message_is_too_slow_and_all_messages_when_time_is_up():
    began = monotonic()
    fails(
        dripping,
        "too long",
        limits=TransferLimits(deadline_s=30, read_s=0.2, records=9, size_bytes=9999),
    )

    def slow(query):
        yield message(query, [soa(7)])
        for number in itertools.count():
            yield message(query, rrs(f"n{number}.{ZONE} 60 A 192.0.2.1"))

    fails(
        slow,
        "too long",
        limits=TransferLimits(deadline_s=0.3, read_s=5, records=2**40, size_bytes=2**50),
    )
    assert monotonic() - began < scaled(5)


def test_memory_is_bounded_by_chunks_not_by_the_zone():
    def script(query):
        yield message(query, [soa(7)])
        record = rrs(f"x.{ZONE} 60 TXT {' '.join(['a' * 250] * 240)}")
        for _ in range(80):
            yield message(query, record)
        yield message(query, [soa(7)])

    class Counter(Chunks):
        def put(self, chunk):
            self.chunks.append(len(chunk))

    sink = Counter()
    limits = TransferLimits(deadline_s=60, read_s=5, records=10_000, size_bytes=2**26)
    with ScriptedPrimary(script) as primary:
        tracemalloc.start()
        fetch(Primary(host=primary.host, port=primary.port, rules=LOOPBACK), ZONE, limits, sink)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert sum(sink.chunks) > 4_500_000
    assert max(sink.chunks) < 2 * transfer_in.CHUNK_BYTES
    assert peak < 3_500_000


KEY = tsig_keys.make_key("k", "hmac-sha256", SECRET)
RING = {dns.name.from_text("k."): dns.tsig.Key("k.", SECRET, "hmac-sha256")}


def signed(*messages, secret=SECRET):
    """Return a script: one signed message per list of records; not signed if it begins with None."""

    def script(query):
        key, context = dns.tsig.Key("k.", secret, "hmac-sha256"), None
        for records in messages:
            reply = dns.message.make_response(query)
            reply.tsig = None
            reply.answer = [record for record in records if record is not None]
            if records[0] is None:
                wire = reply.to_wire(max_size=65535)
                context.update(wire)
            else:
                reply.use_tsig(key)
                reply.request_mac = query.mac
                wire = reply.to_wire(multi=True, tsig_ctx=context, max_size=65535)
                context = reply.tsig_ctx
            yield framed(wire)

    return script


def run_signed(script, match=None):
    sink = Chunks()
    with ScriptedPrimary(script) as server:
        server.keyring = RING
        primary = Primary(host=server.host, port=server.port, key=KEY, rules=LOOPBACK)
        if match is None:
            fetch(primary, ZONE, LIMITS, sink)
        else:
            with pytest.raises(TransferFailed, match=match):
                fetch(primary, ZONE, LIMITS, sink)
    return sink


@pytest.mark.parametrize(
    "messages",
    [
        [whole(7)],
        [[soa(7)], CONTENT, [soa(7)]],
        [[soa(7)], [None, *CONTENT], [soa(7)]],
        [[soa(7)], *([None, record] for record in CONTENT for _ in range(30)), [soa(7)]],
    ],
)
def test_signed_transfers_are_taken_with_gaps_between_the_signatures(messages):
    sink = run_signed(signed(*messages))

    assert len(sink.texts()) == sum(len([r for r in m if r]) for m in messages) - 1


@pytest.mark.parametrize(
    ("script", "match"),
    [
        (signed([soa(7), *CONTENT], [None, soa(7)]), "last message is not signed"),
        (signed([soa(7)], *[[None, CONTENT[0]]] * 100, [soa(7)]), "not signed"),
        (signed(whole(7), secret="d3Jvbmd3cm9uZw=="), "signature is wrong"),
    ],
)
def test_signatures_that_are_wrong_or_missing_are_refused(script, match):
    run_signed(script, match)


def test_an_answer_without_a_signature_is_refused_when_a_key_is_used():
    run_signed(lambda query: [framed(unsigned(query))], "not signed")


def unsigned(query):
    reply = dns.message.make_response(query)
    reply.tsig = None
    reply.answer = whole(7)
    return reply.to_wire()


def test_the_key_never_shows_its_secret():
    assert SECRET not in repr(Primary(host="192.0.2.1", port=53, key=KEY))


@hypothesis.settings(max_examples=60)
@hypothesis.given(
    damage=st.lists(
        st.tuples(st.integers(0, 400), st.binary(min_size=1, max_size=6)), min_size=1, max_size=6
    ),
    since=st.sampled_from([None, 5]),
)
def test_damaged_transfers_are_taken_whole_or_refused(damage, since):
    def script(query):
        reply = bytearray(message(query, whole(7)))
        for at, put in damage:
            at %= len(reply)
            reply[at : at + len(put)] = put
        return [bytes(reply)]

    limits = TransferLimits(deadline_s=5, read_s=2, records=1000, size_bytes=100_000)
    try:
        got, _, _ = run(script, limits=limits, since=since, newer_than=since)
    except TransferFailed:
        return
    assert got.kind in TransferKind
