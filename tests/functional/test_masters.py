"""Masters that tenants may not name: refused by the API, at the connection and by MiniDNS."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import dns.message
import dns.opcode
import dns.query
import dns.rcode
import pytest
import sqlalchemy as sa

from designate.storage.sqlalchemy.tables import zones
from designate.wire import resolver
from tests.support.deadlines import scaled, until
from tests.support.fakes.scripted_primary import ZONE, ScriptedPrimary, message, whole
from tests.support.servers.standalone import Service, make_conf

OPTIONS = {
    "service:worker": {"primary_allowed_networks": [], "primary_allowed_ports": []},
    "service:central": {"secondary_min_refresh": 1},
    "producer_task:periodic_secondary_refresh": {"interval": 0.2},
}
REFUSED = {
    "127.0.0.1": "'127.0.0.1' cannot be a master: it is a loopback address; give an IPv4 address such as",
    "169.254.169.254": "it is a link-local address",
    "[::1]:5354": "'::1' cannot be a master: it is a loopback address",
    "224.0.0.251:5353": "it is a multicast address",
    "0x7f000001": "it is neither an address nor a host name; give an IPv4 address such as 192.0.2.1",
    "fe80::1%eth0": "it is an address with a zone id",
    "::ffff:10.0.0.1": "it is an IPv4 address in IPv6 form",
    "[127.0.0.1]:53": "'[127.0.0.1]' cannot be a master: it is neither",
    "localhost": "it is the name of a loopback address",
    "192.0.2.1:22": "'192.0.2.1' cannot be a master: port 22 is not permitted",
    "192.0.2.1:0": "Port of '192.0.2.1:0' in the field 'masters' is not valid: 1 to 65535",
}
GUIDE = Path(__file__).parents[2] / "doc/operator.md"
PERMITTED = ["192.0.2.1", "10.0.0.5:5354", "[2001:db8::1]:853", "fd00::1", "ns1.example.org."]


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with Service(tmp_path_factory.mktemp("service"), **OPTIONS) as service:
        yield service


@pytest.fixture
def inside(monkeypatch):
    """A name that the system's resolver gives a loopback address."""
    look_up = socket.getaddrinfo

    def getaddrinfo(host, *arguments, **how):
        return look_up("127.0.0.1" if host == "inside.example" else host, *arguments, **how)

    monkeypatch.setattr(resolver.socket, "getaddrinfo", getaddrinfo)
    return "inside.example"


@pytest.fixture
def primary():
    """A primary of ZONE on loopback."""
    with ScriptedPrimary(lambda query: [message(query, whole(7))]) as primary:
        primary.serial = 7
        yield primary


def post(service, name, *masters):
    body = {"name": name, "type": "SECONDARY", "masters": list(masters)}
    return service.call("POST", "/zones", body)


def shown(service, zone):
    return service.call("GET", f"/zones/{zone['id']}")[1]


def delete(service, zone):
    service.call("DELETE", f"/zones/{zone['id']}")
    service.gone(f"/zones/{zone['id']}")


def store_masters(service, zone, *masters):
    """Write masters into the database as a release that took them did, and have them polled."""

    def write(tx):
        stored = [{"host": host, "port": port} for host, port in masters]
        tx.execute(sa.update(zones).where(zones.c.id == zone["id"]).values(masters=stored))

    service.parts.database.write(write)
    assert service.call("POST", f"/zones/{zone['id']}/tasks/xfr") == (202, "")


@pytest.mark.parametrize("master", REFUSED)
def test_post_and_patch_refuse_with_the_path_of_the_entry(service, master):
    status, body = post(service, "refused.example.", "192.0.2.1", master)
    _, zone = post(service, f"patched{len(master)}.example.", "192.0.2.1")
    patched = service.call("PATCH", f"/zones/{zone['id']}", {"masters": ["192.0.2.2", master]})
    (reason,) = body["errors"]["errors"]

    assert (status, body["type"], reason["path"]) == (400, "invalid_object", ["masters", 1])
    assert REFUSED[master] in reason["message"]
    assert reason["message"] in body["message"]
    assert (patched[0], patched[1]["errors"]) == (400, body["errors"])
    assert shown(service, zone)["masters"] == ["192.0.2.1"]
    service.call("DELETE", f"/zones/{zone['id']}")


def test_private_networks_and_names_are_taken_and_shown_as_sent(service):
    status, zone = post(service, "private.example.", *PERMITTED)
    service.call("DELETE", f"/zones/{zone['id']}")

    assert (status, zone["masters"], zone["status_reason"]) == (202, PERMITTED, None)


def test_a_stored_master_is_refused_at_the_connection_and_the_owner_reads_why(service, primary):
    _, zone = post(service, ZONE, "192.0.2.1")
    store_masters(service, zone, ("127.0.0.1", primary.port))
    refused = until(
        lambda: (found := shown(service, zone))["status"] == "ERROR" and found, 15, "refused"
    )
    notify = dns.message.make_query(ZONE, "SOA")
    notify.set_opcode(dns.opcode.NOTIFY)
    host, port = service.dns
    reply = dns.query.udp(notify, host, port=port, timeout=scaled(5))
    corrected = service.call("PATCH", f"/zones/{zone['id']}", {"masters": ["192.0.2.7"]})
    delete(service, zone)

    assert refused["status_reason"] == (
        f"No transfer from any of the masters: 127.0.0.1:{primary.port}: it is a loopback address; "
        "give an IPv4 address such as 192.0.2.1, an IPv6 address such as 2001:db8::1, or a host name "
        "of a nameserver"
    )
    assert reply.rcode() == dns.rcode.REFUSED
    assert (corrected[1]["status"], corrected[1]["status_reason"]) == ("PENDING", None)
    assert (primary.queries, primary.datagrams) == ([], 0)


def test_a_name_is_looked_up_at_the_connection_and_refused(service, primary, inside):
    status, zone = post(service, ZONE, f"{inside}:{primary.port}")
    refused = until(
        lambda: (found := shown(service, zone))["status"] == "ERROR" and found, 15, "refused"
    )
    delete(service, zone)

    assert status == 202
    assert refused["status_reason"].endswith("none of the addresses of this name is permitted")
    assert (primary.queries, primary.datagrams) == ([], 0)


def test_upgrade_check_lists_zones_whose_masters_are_refused(service, tmp_path):
    stored = {
        "fine": [("192.0.2.1", 53), ("ns1.example.org.", 5354)],
        "spelled": [("192.0.2.8", 53), ("127.1", 53)],
        "ported": [("::1", 5353), ("192.0.2.9", 22)],
        "deleted": [("127.0.0.1", 53)],
    }
    made = {name: post(service, f"{name}.example.", "192.0.2.1")[1] for name in stored}
    for name, masters in stored.items():
        store_masters(service, made[name], *masters)
    delete(service, made["deleted"])
    conf = tmp_path / "designate.conf"
    conf.write_text(
        f"[storage:sqlalchemy]\nconnection = sqlite:///{service.folder}/designate.sqlite\n"
    )
    done = subprocess.run(
        [
            Path(sys.executable).with_name("designate-status"),
            "--config-file",
            conf,
            "upgrade",
            "check",
        ],
        capture_output=True,
        text=True,
        timeout=scaled(60),
    )
    told = " ".join(done.stdout.replace("|", "").split())
    for name in ("fine", "spelled", "ported"):
        delete(service, made[name])

    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{made['spelled']['id']} (spelled.example.) has 127.1 port 53: it is neither" in told
    assert f"{made['ported']['id']} (ported.example.) has ::1 port 5353: it is a loopback" in told
    assert "has 192.0.2.9 port 22: port 22 is not permitted" in told
    assert not [
        text for text in (made["fine"]["id"], made["deleted"]["id"], "192.0.2.8") if text in told
    ]


def test_the_guides_example_keeps_tenants_from_the_management_networks(tmp_path):
    (example,) = re.findall(
        r"^```ini\n(\[service:worker\]\nprimary_.*?)^```$",
        GUIDE.read_text("utf-8"),
        re.DOTALL | re.MULTILINE,
    )
    (tmp_path / "designate.conf").write_text(example)
    conf = make_conf(tmp_path, tmp_path / "designate.conf")
    with Service(tmp_path, config_file=tmp_path / "designate.conf") as service:
        denied = [post(service, "a.example.", host) for host in ("10.20.0.5", "fd00:20::5")]
        unusual = post(service, "a.example.", "192.0.2.1:8053")
        taken = post(service, "a.example.", "10.30.0.5", "192.0.2.1:5354")

    assert conf["service:worker"].primary_denied_networks == ["10.20.0.0/16", "fd00:20::/32"]
    for status, body in denied:
        assert status == 400
        assert "in a network that the operator has denied" in body["message"]
    assert unusual[0] == 400
    assert taken[0] == 202
