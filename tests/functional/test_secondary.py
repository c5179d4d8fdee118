"""Secondary zones transferred in from real BIND, Knot and NSD primaries, and served by a real BIND."""

import itertools
import signal
import threading

import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from tests.perf.client import Client, Process
from tests.support.deadlines import scaled, until
from tests.support.fakes.scripted_primary import ScriptedPrimary, message, rrs, soa
from tests.support.servers.nameservers import Named, free_port
from tests.support.servers.primaries import BindPrimary, KnotPrimary, NsdPrimary, zone_text
from tests.support.servers.standalone import Service, ask, texts, transferred

QUICK = {
    "service:central": {"secondary_min_refresh": 1},
    "service:worker": {"xfr_max_records": 25_000, "xfr_max_bytes": 8 * 2**20},
    "producer_task:periodic_secondary_refresh": {"interval": 0.2},
}


@pytest.fixture(scope="module")
def bind(tmp_path_factory):
    with Named(tmp_path_factory.mktemp("bind")) as bind:
        yield bind


@pytest.fixture(scope="module")
def service(tmp_path_factory, bind):
    folder = tmp_path_factory.mktemp("service")
    with Service(folder, bind, free_port(), **QUICK) as service:
        yield service


@pytest.fixture(autouse=True)
def _clean(request):
    """Delete the zones of a test, so that later tests do not poll their stopped primaries."""
    yield
    if "service" in request.fixturenames:
        service = request.getfixturevalue("service")
        for zone in service.call("GET", "/zones")[1]["zones"]:
            service.call("DELETE", f"/zones/{zone['id']}")
            service.gone(f"/zones/{zone['id']}", 15)


def secondary(service, name, *masters):
    status, zone = service.call(
        "POST", "/zones", {"name": name, "type": "SECONDARY", "masters": list(masters)}
    )
    assert status == 202, zone
    return zone


def shown(service, zone):
    return service.call("GET", f"/zones/{zone['id']}")[1]


def with_serial(service, zone, serial, timeout_s=15):
    """Wait until the zone is ACTIVE with this serial, and return it."""

    def with_expected_serial():
        found = shown(service, zone)
        return found if (found["serial"], found["status"]) == (serial, "ACTIVE") else None

    return until(
        with_expected_serial, timeout_s, f"serial {serial} ACTIVE ({shown(service, zone)})"
    )


def a_records(service, zone):
    _, found = service.call("GET", f"/zones/{zone['id']}/recordsets?type=A&limit=100")
    return {one["name"]: (one["records"], one["ttl"]) for one in found["recordsets"]}


@pytest.mark.parametrize(
    ("server", "notifies"), [(BindPrimary, True), (KnotPrimary, True), (NsdPrimary, False)]
)
def test_a_zone_of_a_real_primary_is_served_and_follows_its_changes(
    tmp_path, service, bind, server, notifies
):
    name = f"{server.program}.example."
    www, also = f"www.{name} 60 IN A 192.0.2.1", f"also.{name} 61 IN A 192.0.2.2"
    notify = service.dns if notifies else None
    with server(tmp_path, name, zone_text(name, 2026010101, www), notify=notify) as primary:
        zone = secondary(service, name, primary.master)
        first = with_serial(service, zone, 2026010101)
        served = texts(ask(("127.0.0.1", bind.port), f"www.{name}", "A"))
        before = a_records(service, zone)
        primary.load(zone_text(name, 2026010102, also))
        if not notifies:
            assert service.call("POST", f"/zones/{zone['id']}/tasks/xfr") == (202, "")
        with_serial(service, zone, 2026010102)

        assert (zone["action"], zone["status"], zone["serial"]) == ("CREATE", "PENDING", 1)
        assert first["action"] == "NONE"
        assert (first["email"], first["ttl"]) == (f"host.master@{name[:-1]}", 300)
        assert first["transferred_at"]
        assert served == {"192.0.2.1"}
        assert before == {
            f"ns1.{name}": (["192.0.2.53"], 300),
            f"www.{name}": (["192.0.2.1"], 60),
        }
        assert a_records(service, zone) == {
            f"ns1.{name}": (["192.0.2.53"], 300),
            f"also.{name}": (["192.0.2.2"], 61),
        }
        assert ask(("127.0.0.1", bind.port), f"www.{name}", "A").rcode() == dns.rcode.NXDOMAIN
        got = transferred(("127.0.0.1", bind.port), name)
        assert got.to_text(sorted=True) == transferred((primary.host, primary.port), name).to_text(
            sorted=True
        )

        assert service.call("DELETE", f"/zones/{zone['id']}")[0] == 202
        service.gone(f"/zones/{zone['id']}")
        assert ask(("127.0.0.1", bind.port), name, "SOA").rcode() == dns.rcode.REFUSED


def ask_bind(bind, name, rtype="A"):
    return ask(("127.0.0.1", bind.port), name, rtype)


def test_a_zone_expires_when_its_primary_is_gone_and_comes_back_with_it(tmp_path, service, bind):
    name = "expiring.example."
    www = f"www.{name} 60 IN A 192.0.2.1"
    text = zone_text(name, 5, www, timers=(1, 1, 3))
    with BindPrimary(tmp_path, name, text) as primary:
        zone = secondary(service, name, primary.master)
        with_serial(service, zone, 5)
        primary.stop()
        until(lambda: shown(service, zone)["status"] == "ERROR", 15, "the zone expired")
        hidden = ask(service.dns, f"www.{name}", "A").rcode()
        until(
            lambda: ask_bind(bind, f"www.{name}").rcode() == dns.rcode.REFUSED,
            15,
            "the zone gone from BIND",
        )
        primary.start()
        until(lambda: shown(service, zone)["status"] == "ACTIVE", 30, "the zone back")

        assert hidden == dns.rcode.SERVFAIL
        assert texts(ask_bind(bind, f"www.{name}")) == {"192.0.2.1"}


def test_a_refresh_finds_what_no_notify_told(tmp_path, service):
    name = "silent.example."
    with BindPrimary(tmp_path, name, zone_text(name, 5, timers=(1, 1, 86400))) as primary:
        zone = secondary(service, name, primary.master)
        with_serial(service, zone, 5)
        primary.load(zone_text(name, 6, f"new.{name} 60 IN A 192.0.2.1", timers=(1, 1, 86400)))

        with_serial(service, zone, 6)


def test_of_several_primaries_the_newest_wins_whichever_is_down(tmp_path, service):
    name = "several.example."
    timers = (1, 1, 86400)
    with (
        BindPrimary(tmp_path / "a", name, zone_text(name, 5, timers=timers)) as one,
        BindPrimary(tmp_path / "b", name, zone_text(name, 7, timers=timers), host="::1") as two,
    ):
        zone = secondary(service, name, f"127.0.0.1:{free_port()}", one.master, two.master)
        newest = with_serial(service, zone, 7)
        two.stop()
        one.load(zone_text(name, 8, timers=timers))
        with_serial(service, zone, 8)
        one.stop()
        two.file.write_text(zone_text(name, 9, timers=timers))
        two.start()
        with_serial(service, zone, 9)

    assert two.master in newest["masters"]


def test_new_masters_of_a_zone_are_transferred_from(tmp_path, service, bind):
    name = "moved.example."
    with (
        BindPrimary(tmp_path / "a", name, zone_text(name, 5)) as one,
        BindPrimary(tmp_path / "b", name, zone_text(name, 6, f"b.{name} 60 IN A 192.0.2.6")) as two,
    ):
        zone = secondary(service, name, one.master)
        with_serial(service, zone, 5)
        status, changed = service.call("PATCH", f"/zones/{zone['id']}", {"masters": [two.master]})
        with_serial(service, zone, 6)

    assert (status, changed["action"], changed["status"]) == (202, "UPDATE", "PENDING")
    assert texts(ask_bind(bind, f"b.{name}")) == {"192.0.2.6"}


def test_a_primary_that_wants_a_key_gives_the_zone_once_the_zone_has_it(tmp_path, service):
    name = "keyed.example."
    secret = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
    with BindPrimary(tmp_path, name, zone_text(name, 5), key=("inkey", secret)) as primary:
        zone = secondary(service, name, primary.master)
        key = {
            "name": "inkey",
            "algorithm": "hmac-sha256",
            "secret": secret,
            "scope": "ZONE",
            "resource_id": zone["id"],
        }
        status, made = service.call("POST", "/tsigkeys", key)
        service.call("POST", f"/zones/{zone['id']}/tasks/xfr")

        assert status == 201, made
        with_serial(service, zone, 5)
        primary.load(zone_text(name, 6))
        service.call("POST", f"/zones/{zone['id']}/tasks/xfr")
        with_serial(service, zone, 6)


def test_a_signed_zone_arrives_with_its_signatures(tmp_path, service, bind):
    name = "signed.example."
    with BindPrimary(tmp_path, name, zone_text(name, 5), signed=True) as primary:
        zone = secondary(service, name, primary.master)
        until(lambda: ask_bind(bind, name, "DNSKEY").answer, 30, "a signed zone at the nameserver")
        query = dns.message.make_query(name, "SOA", want_dnssec=True)
        reply = dns.query.tcp(query, "127.0.0.1", port=bind.port, timeout=scaled(5))
        _, found = service.call("GET", f"/zones/{zone['id']}/recordsets?type=DNSKEY")

        assert "RRSIG" in {dns.rdatatype.to_text(rrset.rdtype) for rrset in reply.answer}
        assert found["recordsets"]


def test_20000_records_come_in_parts_and_their_change_goes_on_as_a_difference(
    tmp_path, service, bind
):
    name = "large.example."
    many = [f'n{n}.{name} 60 IN TXT "{"x" * 60}"' for n in range(20_000)]
    with BindPrimary(tmp_path, name, zone_text(name, 5, *many), notify=service.dns) as primary:
        zone = secondary(service, name, primary.master)
        with_serial(service, zone, 5, 60)
        primary.load(zone_text(name, 6, *many[1:], f"new.{name} 60 IN A 192.0.2.1"))
        with_serial(service, zone, 6, 60)
        address = ("127.0.0.1", bind.port)
        count = sum(len(rdataset) for _, rdataset in transferred(address, name).iterate_rdatasets())
        log = (bind.folder / "named.log").read_text()

        assert count == 20_003
        assert f"transfer of '{name[:-1]}/IN' from" in log
        ixfr = dns.message.make_query(name, "IXFR")
        ixfr.authority.append(dns.rrset.from_text(name, 0, "IN", "SOA", ". . 5 0 0 0 0"))
        host, port = service.dns
        reply = dns.query.tcp(ixfr, host, port=port, timeout=scaled(10), one_rr_per_rrset=True)
        assert len(reply.answer) == 6


HOSTILE = {
    "endless": lambda query: itertools.chain(
        [message(query, [soa(6, "hostile.example.")])],
        itertools.repeat(message(query, rrs("x.hostile.example. 60 A 192.0.2.1"))),
    ),
    "cut": lambda query: [message(query, full_transfer(6))[:-7]],
    "garbage": lambda _query: [b"\xff" * 70_000],
    "other zone": lambda query: [message(query, [soa(6, "other.example.")])],
    "without servers": lambda query: [message(query, [full_transfer(6)[0], full_transfer(6)[-1]])],
    "bytes": lambda query: itertools.repeat(
        message(query, [soa(6, "hostile.example."), *rrs(f"x.a. 60 TXT {'a' * 250}") * 60])
    ),
}


def full_transfer(serial, zone="hostile.example."):
    own = soa(serial, zone)
    return [own, *rrs(f"{zone} 300 NS ns1.{zone}", f"www.{zone} 60 A 192.0.2.2"), own]


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_primary_changes_nothing_and_holds_nobody_up(service, caplog, kind):
    name = "hostile.example."
    with ScriptedPrimary(lambda query: [message(query, full_transfer(5))]) as primary:
        primary.serial = 5
        zone = secondary(service, name, f"127.0.0.1:{primary.port}")
        with_serial(service, zone, 5)
        before = a_records(service, zone)
        primary.serial, primary.script = 6, HOSTILE[kind]
        service.call("POST", f"/zones/{zone['id']}/tasks/xfr")
        refused = f"zone {zone['id']}: no transfer from any primary"
        until(lambda: refused in caplog.text, 20, "the transfer refused")
        current, records = shown(service, zone), a_records(service, zone)
        primary.script = lambda query: [message(query, full_transfer(7))]
        primary.serial = 7
        service.call("POST", f"/zones/{zone['id']}/tasks/xfr")
        with_serial(service, zone, 7)

        assert (current["serial"], current["status"]) == (5, "ACTIVE")
        assert records == before


def test_kill_9_in_the_middle_of_a_transfer_leaves_the_old_content_whole(tmp_path):
    name = "hostile.example."
    sent, over = threading.Event(), threading.Event()

    def incomplete(query):
        yield message(query, full_transfer(6)[:-1])
        for number in range(60):
            data = " ".join(["a" * 250] * 60)
            yield message(query, rrs(f"n{number}.{name} 60 TXT {data}"))
        sent.set()
        over.wait(scaled(20))

    with (
        Named(tmp_path / "bind") as bind,
        Process.before(bind, tmp_path / "service") as process,
        ScriptedPrimary(lambda query: [message(query, full_transfer(5))]) as primary,
    ):
        primary.serial = 5
        client = Client(process.api)
        body = {"name": name, "type": "SECONDARY", "masters": [f"127.0.0.1:{primary.port}"]}
        path = f"/zones/{client.call('POST', '/zones', body)['id']}"
        until(lambda: client.call("GET", path)["status"] == "ACTIVE", 15)
        primary.serial, primary.script = 6, incomplete
        client.call("POST", f"{path}/tasks/xfr")
        assert sent.wait(scaled(15))
        process.stop(signal.SIGKILL)
        over.set()
        process.start()
        client = Client(process.api)
        current = client.call("GET", path)
        served = texts(ask(("127.0.0.1", bind.port), f"www.{name}", "A"))
        inside = texts(ask(("127.0.0.1", process.dns), f"www.{name}", "A"))
        count = client.call("GET", f"{path}/recordsets")["metadata"]["total_count"]
        primary.script = lambda query: [message(query, full_transfer(7))]
        primary.serial = 7
        client.call("POST", f"{path}/tasks/xfr")

        assert (current["serial"], current["status"], count) == (5, "ACTIVE", 3)
        assert served == inside == {"192.0.2.2"}
        until(lambda: client.call("GET", path)["serial"] == 7, 15)
        until(lambda: client.call("GET", path)["status"] == "ACTIVE", 15)
