"""MiniDNS and TSIG (RFC 8945): verification, permissions of a key, and signed answers."""

import base64
import secrets
import socket
import time

import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.rrset
import dns.tsig
import dns.xfr
import dns.zone
import pytest
import sqlalchemy as sa

from designate import errors
from designate.context import Context, admin_context
from designate.model.pools import NsRecord, PoolSpec
from designate.model.tsigkeys import TSIG_ALGORITHMS, TsigKeyDraft, TsigKeyPatch, TsigScope
from designate.model.zones import ZoneDraft
from designate.wire import tsig, tsig_keys
from tests.support.deadlines import scaled
from tests.support.factories.zone_data import Hidden

DEFAULT = "794ccc2c-d751-44fe-b57f-8894c9f5c842"
OTHER = "0f1e2d3c-4b5a-4697-8877-665544332211"


def new_secret() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


class Keyed(Hidden):
    """Two pools, and dnspython's keys by name."""

    def __enter__(self):
        super().__enter__()
        pools = [
            PoolSpec(
                id=DEFAULT, name="default", ns_records=(NsRecord(hostname="ns1.example.org."),)
            ),
            PoolSpec(id=OTHER, name="other", ns_records=(NsRecord(hostname="ns2.example.org."),)),
        ]
        self.central.pools.apply(admin_context(), tuple(pools), False, False)
        self.keys = {}
        return self

    def key(self, name, resource_id, *, scope=TsigScope.POOL, algorithm="hmac-sha256"):
        """Create a key."""
        secret = new_secret()
        draft = TsigKeyDraft(
            name=name, algorithm=algorithm, secret=secret, scope=scope, resource_id=resource_id
        )
        stored = self.central.tsigkeys.create(self.context, draft)
        made = tsig_keys.make_key(name, algorithm, secret)
        self.keys[name] = dns.tsig.Key(made.name, made.secret, tsig_keys.ALGORITHMS[algorithm])
        return stored


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with Keyed(tmp_path_factory.mktemp("tsig"), DEFAULT={"quota_recordset_records": -1}) as served:
        served.key("default-key", DEFAULT)
        served.key("other-key", OTHER)
        here = served.zone("split.example.")
        served.add(here, "www", "A", "192.0.2.1")
        with served.database.engine.begin() as connection:
            # The scheduler cannot choose the other pool in this configuration.
            move = "UPDATE zones SET pool_id = :pool WHERE id = :zone"
            connection.execute(sa.text(move), {"pool": OTHER, "zone": here.id})
        served.there = here
        served.here = served.zone("split.example.")
        served.add(served.here, "www", "A", "198.51.100.1")
        yield served


def signed(served, key, name="split.example.", rtype="SOA", **how):
    query = dns.message.make_query(name, rtype, use_edns=False)
    query.use_tsig(served.keys[key] if isinstance(key, str) else key, **how)
    return query


def raw(served, wire: bytes, *, tcp=False) -> bytes:
    """Return the first reply to bytes."""
    kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
    with socket.socket(type=kind) as sock:
        sock.settimeout(5)
        sock.connect(served.address)
        if not tcp:
            sock.send(wire)
            return sock.recv(65535)
        sock.sendall(len(wire).to_bytes(2) + wire)
        reader = sock.makefile("rb")
        return reader.read(int.from_bytes(reader.read(2)))


def unread(served, query, **how):
    """Return the answer with its TSIG unverified."""
    wire = query if isinstance(query, bytes) else query.to_wire()
    return dns.message.from_wire(raw(served, wire, **how), keyring=False)


def ask(served, query, *, tcp=False):
    """Return the answer, verified by dnspython."""
    host, port = served.address
    send = dns.query.tcp if tcp else dns.query.udp
    return send(query, host, port=port, timeout=scaled(5))


def axfr(served, name, key=None):
    """Return {name: texts of its addresses} of a transfer."""
    host, port = served.address
    query = dns.message.make_query(name, "AXFR")
    if key is not None:
        query.use_tsig(served.keys[key])
    zone = dns.zone.Zone(name)
    dns.query.inbound_xfr(host, zone, query=query, port=port, timeout=scaled(5))
    return {rdata.to_text() for _, _, rdata in zone.iterate_rdatas("A")}


@pytest.mark.parametrize("tcp", [False, True])
@pytest.mark.parametrize("algorithm", TSIG_ALGORITHMS)
def test_rfc8945_s6_every_algorithm_signs_answers_to_signed_queries(served, algorithm, tcp):
    name = f"{algorithm}-{tcp}"
    served.key(name, DEFAULT, algorithm=algorithm)

    answer = ask(served, signed(served, name), tcp=tcp)

    assert answer.had_tsig
    assert answer.rcode() == dns.rcode.NOERROR


def test_an_unsigned_query_gets_an_unsigned_answer(served):
    answer = unread(served, dns.message.make_query("split.example.", "SOA"))

    assert answer.tsig is None


@pytest.mark.parametrize("tcp", [False, True])
def test_rfc8945_s5_2_1_an_unknown_key_is_badkey_and_unsigned(served, tcp):
    stranger = dns.tsig.Key("stranger.", new_secret(), "hmac-sha256")

    answer = unread(served, signed(served, stranger), tcp=tcp)

    assert answer.rcode() == dns.rcode.NOTAUTH
    assert (answer.tsig[0].error, answer.tsig[0].mac) == (dns.rcode.BADKEY, b"")
    assert answer.tsig.name.to_text() == "stranger."


def test_rfc8945_s5_2_2_a_wrong_secret_is_badsig_and_unsigned(served):
    forged = dns.tsig.Key("default-key.", new_secret(), "hmac-sha256")

    answer = unread(served, signed(served, forged))

    assert answer.rcode() == dns.rcode.NOTAUTH
    assert (answer.tsig[0].error, answer.tsig[0].mac) == (dns.rcode.BADSIG, b"")


@pytest.mark.parametrize("algorithm", ["hmac-sha1", "hmac-sha512"])
def test_the_right_secret_under_another_algorithm_is_badkey(served, algorithm):
    key = served.keys["default-key"]

    answer = unread(served, signed(served, dns.tsig.Key(key.name, key.secret, algorithm)))

    assert answer.tsig[0].error == dns.rcode.BADKEY


def test_rfc8945_s5_2_3_an_old_signature_is_badtime_and_signed_with_our_clock(served):
    query = dns.message.make_query("split.example.", "SOA")
    key = served.keys["default-key"]
    data = dns.rdata.from_text("ANY", "TSIG", f"hmac-sha256. {int(time.time()) - 1000} 300 0 ''"
                               .replace("''", '""') + f" {query.id} NOERROR 0")  # fmt: skip
    wire = query.to_wire()
    old, _ = dns.tsig.sign(wire, key, data, data.time_signed)
    sent = tsig._appended(wire, key.name, old)

    answer = raw(served, sent)

    ours = tsig_keys.make_key("default-key", "hmac-sha256", base64.b64encode(key.secret).decode())
    with pytest.raises(tsig.UntrustedReply, match="BADTIME"):
        tsig.check_reply(answer, ours, old.mac)
    read = dns.message.from_wire(answer, keyring=False)
    assert read.rcode() == dns.rcode.NOTAUTH
    assert read.tsig[0].time_signed == data.time_signed
    assert abs(int.from_bytes(read.tsig[0].other) - time.time()) < 5


def of_length(served, length_bytes):
    """Return a query whose MAC is cut or zero-padded to this length, and its whole MAC."""
    query = dns.message.make_query("split.example.", "SOA", use_edns=False)
    key = served.keys["default-key"]
    data = tsig._data(key, int(time.time()), query.id.to_bytes(2))
    whole, _ = dns.tsig.sign(query.to_wire(), key, data, data.time_signed)
    cut = whole.replace(mac=(whole.mac + bytes(64))[:length_bytes])
    return tsig._appended(query.to_wire(), key.name, cut), whole.mac


@pytest.mark.parametrize("tcp", [False, True])
@pytest.mark.parametrize("length_bytes", [16, 31])
def test_rfc8945_s5_2_4_a_shortened_mac_is_badtrunc_and_signed_in_full(served, length_bytes, tcp):
    sent, mac = of_length(served, length_bytes)
    key = served.keys["default-key"]
    ours = tsig_keys.make_key("default-key", "hmac-sha256", base64.b64encode(key.secret).decode())

    answer = raw(served, sent, tcp=tcp)

    read = dns.message.from_wire(answer, keyring=False)
    assert read.rcode() == dns.rcode.NOTAUTH
    assert not read.answer
    assert (read.tsig[0].error, len(read.tsig[0].mac)) == (dns.rcode.BADTRUNC, 32)
    with pytest.raises(tsig.UntrustedReply, match="BADTRUNC"):
        tsig.check_reply(answer, ours, mac[:length_bytes])


@pytest.mark.parametrize("length_bytes", [0, 9, 10, 15, 33, 64])
def test_rfc8945_s5_2_2_1_a_mac_of_an_impossible_length_is_formerr(served, length_bytes):
    answer = unread(served, of_length(served, length_bytes)[0])

    assert (answer.rcode(), answer.tsig, answer.answer) == (dns.rcode.FORMERR, None, [])


def test_a_mac_of_its_full_length_is_believed(served):
    answer = unread(served, of_length(served, 32)[0])

    assert (answer.rcode(), answer.tsig[0].error) == (dns.rcode.NOERROR, dns.rcode.NOERROR)
    assert answer.answer


def test_rfc8945_s5_1_two_signatures_are_formerr(served):
    once = signed(served, "default-key").to_wire()
    start = len(dns.message.from_wire(once, keyring=False).to_wire())
    record = once[len(dns.message.make_query("split.example.", "SOA", use_edns=False).to_wire()) :]
    twice = once[:10] + (2).to_bytes(2) + once[12:] + record

    assert start == len(once)
    assert unread(served, twice).rcode() == dns.rcode.FORMERR


@pytest.mark.parametrize("opcode", [dns.opcode.UPDATE, dns.opcode.STATUS, dns.opcode.NOTIFY])
def test_every_kind_of_message_is_verified_and_answered_signed(served, opcode):
    """A rejected query is rejected with a signature too."""
    wire = bytearray(dns.message.make_query("split.example.", "SOA", use_edns=False).to_wire())
    wire[2] = (wire[2] & 0x87) | (opcode << 3)
    good = served.keys["default-key"]
    ours = tsig_keys.make_key("default-key", "hmac-sha256", base64.b64encode(good.secret).decode())
    signer = tsig.Signer(ours)
    forged = tsig.Signer(tsig_keys.make_key("default-key", "hmac-sha256", new_secret()))
    sent = signer.sign(bytes(wire))

    answer = tsig.check_reply(raw(served, sent), ours, signer.mac)
    refused = dns.message.from_wire(raw(served, forged.sign(bytes(wire))), keyring=False)

    assert answer[3] & 15 in (dns.rcode.REFUSED, dns.rcode.NOTIMP, dns.rcode.NOTAUTH)
    assert refused.tsig[0].error == dns.rcode.BADSIG


def test_split_horizon_a_key_sees_the_zone_of_its_own_pool_alone(served):
    def address(key):
        query = dns.message.make_query("www.split.example.", "A")
        if key:
            query.use_tsig(served.keys[key])
        return ask(served, query).answer[0][0].to_text()

    assert address(None) == "198.51.100.1"
    assert address("default-key") == "198.51.100.1"
    assert address("other-key") == "192.0.2.1"
    assert axfr(served, "split.example.") == {"198.51.100.1"}
    assert axfr(served, "split.example.", "default-key") == {"198.51.100.1"}
    assert axfr(served, "split.example.", "other-key") == {"192.0.2.1"}


def test_a_zone_of_one_pool_is_unknown_under_the_others_key(served):
    zone = served.zone("only-here.example.")

    assert ask(served, signed(served, "other-key", zone.name)).rcode() == dns.rcode.REFUSED
    refusal = ask(served, signed(served, "other-key", zone.name, "AXFR"), tcp=True)
    assert (refusal.rcode(), refusal.had_tsig) == (dns.rcode.REFUSED, True)
    assert ask(served, signed(served, "default-key", zone.name)).rcode() == dns.rcode.NOERROR


def test_a_key_of_scope_zone_opens_that_zone_alone(served):
    zone = served.zone("mine.example.")
    served.key("zone-key", zone.id, scope=TsigScope.ZONE)

    assert ask(served, signed(served, "zone-key", zone.name)).rcode() == dns.rcode.NOERROR
    assert axfr(served, zone.name, "zone-key") == set()
    assert ask(served, signed(served, "zone-key", "split.example.")).rcode() == dns.rcode.REFUSED


def test_a_pool_has_several_keys_for_a_rollover(served):
    served.key("next-key", OTHER)

    assert axfr(served, "split.example.", "other-key") == {"192.0.2.1"}
    assert axfr(served, "split.example.", "next-key") == {"192.0.2.1"}


def test_a_key_counts_from_the_next_message_on_and_no_longer_than_it_is_stored(served):
    stored = served.key("short-lived", OTHER)
    before = ask(served, signed(served, "short-lived"))
    secret = new_secret()
    served.central.tsigkeys.update(served.context, stored.id, TsigKeyPatch(secret=secret))
    old = unread(served, signed(served, "short-lived"))
    served.keys["short-lived"] = dns.tsig.Key("short-lived.", secret, "hmac-sha256")
    new = ask(served, signed(served, "short-lived"))
    served.central.tsigkeys.delete(served.context, stored.id)
    gone = unread(served, signed(served, "short-lived"))

    assert (before.rcode(), new.rcode()) == (dns.rcode.NOERROR, dns.rcode.NOERROR)
    assert (old.tsig[0].error, gone.tsig[0].error) == (dns.rcode.BADSIG, dns.rcode.BADKEY)


@pytest.mark.parametrize("stored", ["Dotted.Example.", "Plain.Example"])
def test_key_names_are_compared_without_case_and_final_dot(served, stored):
    served.key(stored, DEFAULT)
    key = served.keys[stored]
    shouted = dns.tsig.Key(key.name.to_text().upper(), key.secret, key.algorithm)

    assert ask(served, signed(served, shouted)).rcode() == dns.rcode.NOERROR


def test_an_empty_secret_lets_nobody_in(served):
    draft = TsigKeyDraft(
        name="empty", algorithm="hmac-sha256", secret="", scope=TsigScope.POOL, resource_id=DEFAULT
    )
    served.central.tsigkeys.create(served.context, draft)

    answer = unread(served, signed(served, dns.tsig.Key("empty.", b"", "hmac-sha256")))

    assert answer.tsig[0].error == dns.rcode.BADKEY


def test_rfc8945_s5_3_1_a_transfer_of_many_messages_is_signed_throughout(served):
    zone = served.zone("large.example.")
    for number in range(16):
        served.add(zone, f"h{number}", "TXT", *(f'"{n}{"x" * 240}"' for n in range(60)))
    query = dns.message.make_query(zone.name, "AXFR")
    query.use_tsig(served.keys["default-key"])
    host, port = served.address
    wire = query.to_wire()
    parts = []
    context = None
    with socket.create_connection((host, port), timeout=scaled(5)) as sock:
        sock.sendall(len(wire).to_bytes(2) + wire)
        reader = sock.makefile("rb")
        soas = 0
        while soas < 2:
            part = dns.message.from_wire(
                reader.read(int.from_bytes(reader.read(2))),
                keyring=query.keyring, request_mac=query.mac, xfr=True, multi=True,
                tsig_ctx=context,
            )  # fmt: skip
            context = part.tsig_ctx
            parts.append(part)
            soas += sum(rrset.rdtype == dns.rdatatype.SOA for rrset in part.answer)

    assert len(parts) > 2
    assert all(part.had_tsig for part in parts)


def test_ixfr_under_a_key_moves_the_difference(served):
    zone = served.zone("moves.example.")
    host, port = served.address
    mine = dns.zone.Zone(zone.name)
    first = dns.message.make_query(zone.name, "AXFR")
    first.use_tsig(served.keys["default-key"])
    dns.query.inbound_xfr(host, mine, query=first, port=port, timeout=scaled(5))
    served.add(zone, "new", "A", "192.0.2.7")
    query, _ = dns.xfr.make_query(mine, keyring=served.keys["default-key"])
    dns.query.inbound_xfr(host, mine, query=query, port=port, timeout=scaled(5))

    assert mine.find_rdataset("new", "A")[0].to_text() == "192.0.2.7"


def test_rfc8945_s5_3_a_signature_that_does_not_fit_truncates_the_answer(served):
    zone = served.zone("tight.example.")
    served.add(zone, "t", "TXT", f'"{"x" * 220}"', f'"{"y" * 200}"')
    plain = dns.message.make_query(f"t.{zone.name}", "TXT", use_edns=False)
    keyed = signed(served, "default-key", f"t.{zone.name}", "TXT")

    whole, cut = ask(served, plain), ask(served, keyed)

    assert not whole.flags & dns.flags.TC
    assert cut.flags & dns.flags.TC
    assert cut.had_tsig
    assert len(raw(served, signed(served, "default-key", f"t.{zone.name}", "TXT").to_wire())) <= 512


def test_query_enforce_tsig_refuses_what_is_not_signed(tmp_path):
    with Keyed(tmp_path, **{"service:mdns": {"query_enforce_tsig": True}}) as served:
        served.key("k", DEFAULT)
        zone = served.zone("closed.example.")

        plain = ask(served, dns.message.make_query(zone.name, "SOA"))
        transfer = ask(served, dns.message.make_query(zone.name, "AXFR"), tcp=True)

        assert (plain.rcode(), transfer.rcode()) == (dns.rcode.REFUSED, dns.rcode.REFUSED)
        assert ask(served, signed(served, "k", zone.name)).rcode() == dns.rcode.NOERROR
        assert axfr(served, zone.name, "k") == set()


@pytest.mark.parametrize(
    ("allowed", "rcode"),
    [(["127.0.0.0/8"], 0), (["192.0.2.0/24", "2001:db8::/32"], 5), ([], 5)],
)
def test_allow_transfer_lists_who_needs_no_key(tmp_path, allowed, rcode):
    with Keyed(tmp_path, **{"service:mdns": {"allow_transfer": allowed}}) as served:
        served.key("k", DEFAULT)
        zone = served.zone("listed.example.")

        for rtype in ("AXFR", "IXFR"):
            query = dns.message.make_query(zone.name, rtype)
            if rtype == "IXFR":
                query.authority.append(
                    dns.rrset.from_text(zone.name, 0, "IN", "SOA", f". . {zone.serial} 0 0 0 0")
                )
            assert dns.message.from_wire(raw(served, query.to_wire(), tcp=True)).rcode() == rcode
        assert axfr(served, zone.name, "k") == set()
        assert ask(served, dns.message.make_query(zone.name, "SOA")).rcode() == dns.rcode.NOERROR


def test_split_horizon_zones_of_one_owner_differ_and_no_other_project_takes_the_name(tmp_path):
    """Queries, AXFR and IXFR with each of two keys, one of the pool and one of the zone."""
    central = {"scheduler_filters": ["pool_id_attribute", "in_doubt_default_pool"]}
    with Keyed(tmp_path, **{"service:central": central}) as served:
        zones = {}
        for pool, address in ((DEFAULT, "198.51.100.1"), (OTHER, "192.0.2.1")):
            served.key(f"old-{pool}", pool)
            served.key(f"new-{pool}", pool)
            zones[pool] = served.zone("two.example.", attributes={"pool_id": pool})
            served.add(zones[pool], "www", "A", address)
        stranger = Context(project_id="stranger", roles=["admin"], user_id="u")
        for pool in (DEFAULT, OTHER):
            draft = ZoneDraft(
                name="two.example.", email="a@example.com", attributes={"pool_id": pool}
            )
            with pytest.raises(errors.DesignateError):
                served.central.zones.create(stranger, draft)
        for pool, address in ((DEFAULT, "198.51.100.1"), (OTHER, "192.0.2.1")):
            served.key(f"zone-{pool}", zones[pool].id, scope=TsigScope.ZONE)
            for key in (f"old-{pool}", f"new-{pool}", f"zone-{pool}"):
                answer = ask(served, signed(served, key, "www.two.example.", "A"))
                soa = f". . {zones[pool].serial} 0 0 0 0"
                difference = dns.message.make_query("two.example.", "IXFR", use_edns=False)
                difference.authority.append(
                    dns.rrset.from_text("two.example.", 0, "IN", "SOA", soa)
                )
                difference.use_tsig(served.keys[key])
                moved = ask(served, difference, tcp=True)
                addresses = {r.to_text() for rr in moved.answer if rr.rdtype == 1 for r in rr}

                assert [r.to_text() for r in answer.answer[0]] == [address]
                assert axfr(served, "two.example.", key) == {address}
                assert addresses == {address}
