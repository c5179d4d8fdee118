"""wire.tsig: signatures on bytes, compared with dnspython's own and by sections of RFC 8945."""

import base64
import time

import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.tsig
import pytest
from hypothesis import given
from hypothesis import strategies as st

from designate.wire import tsig, tsig_keys

SECRET = base64.b64encode(b"a secret of thirty-two bytes ...").decode()
KEY = tsig_keys.make_key("Transfer.Example", "hmac-sha256", SECRET)
RING = tsig_keys.key_ring([KEY])


def theirs(key=KEY):
    return dns.tsig.Key(key.name, key.secret, tsig_keys.ALGORITHMS[key.algorithm])


def query(key=KEY, name="example.org.", **how):
    """Return a query signed by dnspython, as bytes, and its MAC."""
    message = dns.message.make_query(name, "SOA")
    message.use_tsig(theirs(key), **how)
    wire = message.to_wire()
    return wire, message.mac


def reply_to(wire):
    """Return an unsigned reply to a signed query."""
    asked = dns.message.from_wire(wire, keyring=False)
    reply = dns.message.make_response(asked)
    reply.tsig = None
    reply.keyring = None
    return reply.to_wire()


def replaced(wire, **members):
    """Return the message with changed members of its TSIG data."""
    message = dns.message.from_wire(wire, keyring=False)
    data = message.tsig[0].replace(**members)
    start = len(wire) - len(data_wire(wire))
    verdict = tsig.verify(wire, RING)
    assert verdict is not None
    bare = wire[:10] + (int.from_bytes(wire[10:12]) - 1).to_bytes(2) + wire[12:start]
    return tsig._appended(bare, message.tsig.name, data)


def data_wire(wire):
    """Return the bytes of the message's last record."""
    message = dns.message.from_wire(wire, keyring=False)
    return tsig._appended(bytes(12), message.tsig.name, message.tsig[0])[12:]


@pytest.mark.parametrize("algorithm", tsig_keys.ALGORITHMS)
def test_dnspython_and_this_module_believe_each_other(algorithm):
    key = tsig_keys.make_key("k", algorithm, SECRET)
    wire, mac = query(key)

    verdict = tsig.verify(wire, tsig_keys.key_ring([key]))
    answer = verdict.signer().sign(reply_to(wire))

    assert (verdict.key, verdict.error, verdict.data.mac) == (key, 0, mac)
    read = dns.message.from_wire(answer, keyring={theirs(key).name: theirs(key)}, request_mac=mac)
    assert read.had_tsig
    assert len(answer) - len(reply_to(wire)) <= key.size_bytes <= tsig_keys.MAX_SIGNATURE_BYTES


def test_rfc8945_s5_3_1_each_message_of_a_stream_is_under_the_mac_before_it():
    wire, mac = query()
    signer = tsig.verify(wire, RING).signer()
    context = None
    for _ in range(4):
        part = dns.message.from_wire(
            signer.sign(reply_to(wire)),
            keyring={theirs().name: theirs()},
            request_mac=mac,
            multi=True,
            tsig_ctx=context,
        )
        context = part.tsig_ctx
        assert part.had_tsig


def test_a_missing_message_breaks_the_stream():
    wire, mac = query()
    signer = tsig.verify(wire, RING).signer()
    how = {"keyring": {theirs().name: theirs()}, "request_mac": mac, "multi": True}
    first = dns.message.from_wire(signer.sign(reply_to(wire)), **how)
    signer.sign(reply_to(wire))

    with pytest.raises(dns.tsig.BadSignature):
        dns.message.from_wire(signer.sign(reply_to(wire)), tsig_ctx=first.tsig_ctx, **how)


def test_an_unsigned_query_has_no_verdict():
    assert tsig.verify(dns.message.make_query("example.org.", "SOA").to_wire(), RING) is None


def test_rfc8945_s5_2_1_an_unknown_key_is_badkey_unsigned():
    wire, _ = query()

    verdict = tsig.verify(wire, {})
    answer = dns.message.from_wire(verdict.refuse(reply_to(wire)), keyring=False)

    assert (verdict.error, verdict.key) == (dns.rcode.BADKEY, None)
    assert (answer.tsig[0].error, answer.tsig[0].mac) == (dns.rcode.BADKEY, b"")


def test_rfc8945_s5_2_1_the_keys_own_algorithm_counts_alone():
    wire, _ = query(tsig_keys.make_key("transfer.example", "hmac-sha1", SECRET))

    assert tsig.verify(wire, RING).error == dns.rcode.BADKEY


def test_rfc8945_s5_2_2_a_wrong_secret_is_badsig_unsigned():
    other = base64.b64encode(b"another secret").decode()
    wire, _ = query(tsig_keys.make_key("transfer.example", "hmac-sha256", other))

    verdict = tsig.verify(wire, RING)
    answer = dns.message.from_wire(verdict.refuse(reply_to(wire)), keyring=False)

    assert (verdict.error, verdict.key) == (dns.rcode.BADSIG, None)
    assert (answer.tsig[0].error, answer.tsig[0].mac) == (dns.rcode.BADSIG, b"")


@pytest.mark.parametrize(("late_s", "error"), [(299, 0), (-299, 0), (302, 18), (-302, 18)])
def test_rfc8945_s5_2_3_a_clock_that_is_off_is_badtime_signed_with_our_time(late_s, error):
    wire, mac = query()
    now = time.time() + late_s

    verdict = tsig.verify(wire, RING, now)

    assert verdict.error == error
    if error:
        refusal = verdict.refuse(reply_to(wire))
        assert dns.message.from_wire(refusal, keyring=False).tsig[0].time_signed == (
            verdict.data.time_signed
        )
        assert len(dns.message.from_wire(refusal, keyring=False).tsig[0].other) == 6
        with pytest.raises(tsig.UntrustedReply, match="BADTIME"):
            tsig.check_reply(refusal, KEY, mac)


def test_rfc8945_s5_2_4_a_shortened_mac_is_badtrunc_signed():
    wire, mac = query()
    short = replaced(wire, mac=mac[:16])

    verdict = tsig.verify(short, RING)

    assert verdict.error == dns.rcode.BADTRUNC
    with pytest.raises(tsig.UntrustedReply, match="BADTRUNC"):
        tsig.check_reply(verdict.refuse(reply_to(wire)), KEY, mac[:16])


@pytest.mark.parametrize("length", [0, 9, 15, 33])
def test_rfc8945_s5_2_2_1_an_impossible_length_is_malformed(length):
    wire, mac = query()

    with pytest.raises(ValueError, match="length"):
        tsig.verify(replaced(wire, mac=(mac + mac)[:length]), RING)


def test_rfc8945_s5_1_the_record_is_the_last_and_the_only_one():
    wire, _ = query()
    record = data_wire(wire)
    twice = wire[:10] + (2).to_bytes(2) + wire[12:] + record
    opt = b"\0\0\x29\x04\xd0" + bytes(6)
    not_last = wire[:10] + (2).to_bytes(2) + wire[12:] + opt

    for bad in (twice, not_last):
        with pytest.raises(ValueError, match="out of place"):
            tsig.verify(bad, RING)


def test_a_reply_is_believed_only_as_the_answer_to_our_request():
    question = dns.message.make_query("example.org.", "SOA", use_edns=False).to_wire()
    signer = tsig.Signer(KEY)
    asked = signer.sign(question)
    verdict = tsig.verify(asked, RING)
    answer = verdict.signer().sign(reply_to(asked))

    assert tsig.check_reply(answer, KEY, signer.mac) == reply_to(asked)
    with pytest.raises(tsig.UntrustedReply, match="wrong"):
        tsig.check_reply(answer, KEY, bytes(32))
    with pytest.raises(tsig.UntrustedReply, match="not signed"):
        tsig.check_reply(reply_to(asked), KEY, signer.mac)
    other = tsig_keys.make_key("other", "hmac-sha256", SECRET)
    with pytest.raises(tsig.UntrustedReply, match="another key"):
        tsig.check_reply(answer, other, signer.mac)
    with pytest.raises(tsig.UntrustedReply, match="BADKEY"):
        tsig.check_reply(tsig.verify(asked, {}).refuse(reply_to(asked)), KEY, signer.mac)
    with pytest.raises(tsig.UntrustedReply, match="time"):
        tsig.check_reply(answer, KEY, signer.mac, time.time() + 400)


@pytest.mark.parametrize("flip", [2, 13, 20, -1, -20, -60])
def test_any_changed_byte_is_noticed(flip):
    wire, _ = query()
    changed = bytearray(wire)
    changed[flip] ^= 1
    try:
        verdict = tsig.verify(bytes(changed), RING)
    except ValueError:
        return

    assert verdict is None or verdict.error


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_value_error(noise):
    wire, _ = query()
    for bad in (noise, wire[:12] + noise, wire[:10] + b"\0\3" + noise + wire[12:]):
        try:
            verdict = tsig.verify(bad, RING)
        except ValueError:
            continue
        assert verdict is None or verdict.error


def test_a_secret_is_never_shown():
    for shown in (repr(KEY), str(KEY)):
        assert SECRET not in shown
        assert "secret of" not in shown
    with pytest.raises(ValueError, match="base64") as caught:
        tsig_keys.make_key("k", "hmac-sha256", "!not base64!")
    assert "not base64!" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "algorithm", "secret"),
    [("k", "hmac-sha3", SECRET), ("k", "hmac-sha256", ""), ("a..b", "hmac-sha256", SECRET)],
)
def test_what_is_no_key_is_refused(name, algorithm, secret):
    with pytest.raises(ValueError):
        tsig_keys.make_key(name, algorithm, secret)


@pytest.mark.parametrize("text", ["Foo.Example", "foo.example.", "FOO.EXAMPLE."])
def test_names_are_compared_without_case_and_final_dot(text):
    assert tsig_keys.key_name(text) == "foo.example."
