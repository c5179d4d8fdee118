"""The cost of one change in a large zone."""

from __future__ import annotations

import socket
import struct

import dns.message
import dns.rrset

from tests.perf import seed
from tests.support.deadlines import scaled
from tests.support.factories.zone_data import Hidden

SIZE = 100_000


def test_one_change_in_a_hundred_thousand_records_moves_few_bytes(tmp_path):
    with Hidden(tmp_path) as hidden:
        seed.zone(seed.sqlite(tmp_path), "big.example.", SIZE, announce=False)
        call = hidden.http()
        _, found = call("GET", "/v2/zones?all_projects=1&name=big.example.")
        zone = found["zones"][0]
        everywhere = {"X-Auth-All-Projects": "true"}
        body = {"name": "new.big.example.", "type": "A", "records": ["192.0.2.1"]}
        path = f"/v2/zones/{zone['id']}/recordsets"
        assert call("POST", path, body, everywhere)[0] == 202

        query = dns.message.make_query("big.example.", "IXFR")
        query.authority.append(
            dns.rrset.from_text("big.example.", 0, "IN", "SOA", f". . {zone['serial']} 0 0 0 0")
        )
        wire = query.to_wire()
        with socket.create_connection(hidden.address, timeout=scaled(10)) as tcp:
            tcp.sendall(struct.pack(">H", len(wire)) + wire)
            tcp.shutdown(socket.SHUT_WR)
            wire = tcp.makefile("rb").read()

        (length,) = struct.unpack_from(">H", wire)
        assert length == len(wire) - 2  # one message
        reply = dns.message.from_wire(wire[2:], one_rr_per_rrset=True)
        assert [rrset.rdtype.name for rrset in reply.answer] == ["SOA", "SOA", "SOA", "A", "SOA"]
        assert len(wire) < 2048
