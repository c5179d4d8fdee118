"""MiniDNS over TLS: RFC 9103 (transfers) and RFC 7858 (queries)."""

import socket
import ssl

import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
import trustme

from designate import errors
from tests.support.deadlines import scaled, until
from tests.support.factories.zone_data import Hidden
from tests.support.servers import programs
from tests.support.servers.nameservers import Named

NAME = "mdns.example.org"


def write(folder, authority):
    certificate = authority.issue_cert(NAME, "127.0.0.1")
    certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
    (folder / "cert.pem").unlink(missing_ok=True)
    for pem in certificate.cert_chain_pems:
        pem.write_to_path(str(folder / "cert.pem"), append=True)


def options(folder, **more):
    return {
        "service:mdns": {
            "tls_listen": ["127.0.0.1:0"],
            "tls_cert_file": str(folder / "cert.pem"),
            "tls_key_file": str(folder / "key.pem"),
            **more,
        }
    }


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, authority):
    folder = tmp_path_factory.mktemp("tls")
    write(folder, authority)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    return folder


@pytest.fixture(scope="module")
def served(folder):
    unlimited = {"quota_recordset_records": -1}
    with Hidden(folder, DEFAULT=unlimited, **options(folder)) as served:
        zone = served.first = served.zone("example.com.")
        served.add(zone, "www", "A", "192.0.2.1")
        for number in range(3):
            records = (f'"{n:03}{"x" * 230}"' for n in range(200))
            served.add(zone, f"big{number}", "TXT", *records)
        yield served


def client(authority, protocol="dot"):
    context = ssl.create_default_context()
    authority.configure_trust(context)
    if protocol:
        context.set_alpn_protocols([protocol])
    return context


def connect(served, context):
    host, port = served.mdns.tls_addresses[0]
    plain = socket.create_connection((host, port), timeout=scaled(5))
    return context.wrap_socket(plain, server_hostname=NAME)


def stream(served, context, rtype, serial=0):
    """Return the records of a transfer."""
    query = dns.message.make_query("example.com.", rtype, use_edns=False)
    if rtype == "IXFR":
        soa = dns.rrset.from_text("example.com.", 0, "IN", "SOA", f". . {serial} 0 0 0 0")
        query.authority.append(soa)
    wire = query.to_wire()
    found, last = [], 0
    with connect(served, context) as sock, sock.makefile("rb") as reader:
        sock.sendall(len(wire).to_bytes(2) + wire)
        while last < 2 or found[-1].to_text() != found[0].to_text():
            answer = reader.read(int.from_bytes(reader.read(2)))
            found += dns.message.from_wire(answer, one_rr_per_rrset=True).answer
            last = len(found)
    return found


def test_rfc7858_a_query_is_answered_over_tls(served, authority):
    host, port = served.mdns.tls_addresses[0]
    query = dns.message.make_query("www.example.com.", "A")
    answer = dns.query.tls(
        query,
        host,
        port=port,
        timeout=scaled(5),
        ssl_context=client(authority),
        server_hostname=NAME,
    )

    assert answer.answer[0][0].to_text() == "192.0.2.1"


def test_rfc9103_s8_1_the_whole_zone_comes_over_tls_1_3_under_dot(served, authority):
    with connect(served, client(authority)) as sock:
        agreed = (sock.version(), sock.selected_alpn_protocol())

    assert agreed == ("TLSv1.3", "dot")
    assert len(stream(served, client(authority), "AXFR")) >= 600 + 1 + 1 + 2


def test_rfc9103_a_difference_comes_over_tls(served, authority):
    before = served.fresh(served.first).serial
    served.add(served.first, "new", "A", "192.0.2.2")
    found = stream(served, client(authority), "IXFR", before)

    assert [rrset.rdtype for rrset in found].count(dns.rdatatype.SOA) == 4
    assert len(found) == 5


def test_rfc9103_s8_1_other_protocols_and_older_tls_are_turned_away(served, authority):
    for protocol in (None, "http/1.1"):
        with connect(served, client(authority, protocol)) as sock:
            wire = dns.message.make_query("example.com.", "AXFR").to_wire()
            try:
                sock.sendall(len(wire).to_bytes(2) + wire)
                answer = sock.recv(1)
            except OSError:
                answer = b""
        assert answer == b""
    old = client(authority)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        connect(served, old)


def test_plain_text_at_the_tls_port_is_not_answered_and_disturbs_nobody(served, authority):
    host, port = served.mdns.tls_addresses[0]
    wire = dns.message.make_query("example.com.", "SOA").to_wire()
    with socket.create_connection((host, port), timeout=scaled(5)) as sock:
        sock.sendall(len(wire).to_bytes(2) + wire)
        received = b""
        try:
            while piece := sock.recv(1000):
                received += piece
        except ConnectionError:
            pass

    assert b"example" not in received
    assert len(stream(served, client(authority), "AXFR")) > 600


def test_a_changed_certificate_is_used_without_a_restart(tmp_path, authority):
    write(tmp_path, authority)
    other = trustme.CA()
    with Hidden(tmp_path, **options(tmp_path)) as served:
        connect(served, client(authority)).close()
        write(tmp_path, other)
        connect(served, client(other)).close()
        (tmp_path / "cert.pem").write_text("rubbish")
        connect(served, client(other)).close()


def test_clients_need_a_certificate_where_tls_ca_file_is_set(tmp_path, folder, authority, caplog):
    more = options(folder, tls_ca_file=str(folder / "ca.pem"))
    with Hidden(tmp_path, **more) as served:
        served.zone("example.com.")
        known = client(authority)
        authority.issue_cert("secondary.example.org").configure_cert(known)

        assert len(stream(served, known, "AXFR")) == 3
        for _ in range(2):
            with pytest.raises(OSError):
                stream(served, client(authority), "AXFR")

    assert "has no certificate, which tls_ca_file requires" in warned(caplog)


def warned(caplog):
    """Return the one warning of TLS."""
    (message,) = (r.getMessage() for r in caplog.records if r.levelname == "WARNING")
    return message


def test_a_client_that_trusts_another_issuer_is_logged_once(tmp_path, folder, caplog):
    with Hidden(tmp_path, **options(folder)) as served:
        served.zone("example.com.")
        for _ in range(3):
            with pytest.raises(OSError):
                stream(served, client(trustme.CA()), "AXFR")
        until(lambda: "127.0.0.1: TLS failed" in caplog.text, 10, "the warning")

    assert "unknown ca" in warned(caplog)


@pytest.mark.parametrize("missing", ["tls_cert_file", "tls_key_file"])
def test_half_a_configuration_ends_the_start(tmp_path, folder, missing):
    hidden = Hidden(tmp_path, **options(folder, **{missing: None}))
    with pytest.raises(errors.ConfigurationError, match="tls"):
        hidden.__enter__()
    hidden.database.close()


def test_kdig_transfers_over_tls(served, folder):
    host, port = served.mdns.tls_addresses[0]
    words = [f"@{host}", "-p", str(port), f"+tls-ca={folder / 'ca.pem'}"]
    words += [f"+tls-hostname={NAME}", "AXFR", "example.com."]
    done = programs.run("kdig", *words, timeout=scaled(20), check=True)

    assert done.stdout.count("TXT") >= 600, done.stdout + done.stderr


def test_a_client_may_take_its_time_between_the_handshake_and_its_query(served, authority):
    query = dns.message.make_query("www.example.com.", "A", use_edns=False).to_wire()
    wire = len(query).to_bytes(2) + query
    with connect(served, client(authority)) as slow:
        for part in (wire[:1], wire[1:5], wire[5:]):
            # MiniDNS has handled this connection when it serves the next one.
            assert stream(served, client(authority), "AXFR")
            slow.sendall(part)
        with slow.makefile("rb") as reader:
            answer = reader.read(int.from_bytes(reader.read(2)))

    assert dns.message.from_wire(answer).answer[0][0].to_text() == "192.0.2.1"


def test_bind_as_a_secondary_transfers_over_tls(served, folder, tmp_path):
    """BIND uses `tls` in its primaries and does not have MiniDNS's plain port."""
    host, port = served.mdns.tls_addresses[0]
    more = f"""
tls xot {{ ca-file "{folder / "ca.pem"}"; remote-hostname "{NAME}"; }};
zone "example.com" {{
    type secondary;
    masterfile-format text;
    primaries port {port} {{ {host} tls xot; }};
}};
"""
    limits = "max-records-per-type 0;"
    with Named(tmp_path / "bind", more=more, options=limits) as named:
        query = dns.message.make_query("www.example.com.", "A")

        def answers():
            answer = dns.query.udp(query, "127.0.0.1", port=named.port, timeout=scaled(5))
            return answer.rcode() == dns.rcode.NOERROR and answer.answer

        assert until(answers, 20, "BIND's transfer")[0][0].to_text() == "192.0.2.1"
