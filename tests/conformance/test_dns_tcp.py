"""MiniDNS's TCP connections (RFC 7766) and their limits."""

import socket
import time

import dns.message
import dns.rdatatype
import pytest

from tests.support.deadlines import scaled, until
from tests.support.factories.zone_data import Hidden


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    overrides = {"DEFAULT": {"quota_recordset_records": -1}}
    with Hidden(tmp_path_factory.mktemp("tcp"), **overrides) as served:
        zone = served.zone("example.com.")
        for number in range(16):
            records = (f'"{n:03}{"x" * 230}"' for n in range(200))
            served.add(zone, f"big{number}", "TXT", *records)
        yield served


def framed(*queries):
    wires = [query.to_wire() for query in queries]
    return b"".join(len(wire).to_bytes(2) + wire for wire in wires)


def query(name="example.com.", rtype="SOA"):
    return dns.message.make_query(name, rtype, use_edns=False)


def connect(served, receive_bytes=0):
    sock = socket.socket()
    if receive_bytes:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    sock.settimeout(10)
    sock.connect(served.address)
    return sock


def message(reader):
    wire = reader.read(int.from_bytes(reader.read(2)))
    return dns.message.from_wire(wire, one_rr_per_rrset=True) if wire else None


def test_s6_2_1_1_queries_in_one_segment_are_all_answered(served):
    asked = [query() for _ in range(50)]
    with connect(served) as sock, sock.makefile("rb") as reader:
        sock.sendall(framed(*asked))
        answered = [message(reader) for _ in asked]

    assert [answer.id for answer in answered] == [one.id for one in asked]


def test_s6_2_1_1_a_query_behind_a_transfer_does_not_wait_for_its_end(served):
    """The client reads late, so the transfer cannot have been sent completely."""
    transfer, late = query(rtype="AXFR"), query(rtype="NS")
    transfer.id, late.id = 1, 2
    with connect(served, receive_bytes=4096) as sock, sock.makefile("rb") as reader:
        sock.sendall(framed(transfer, late))
        order, soas = [], 0
        while soas < 2 or 2 not in order:
            answer = message(reader)
            order.append(answer.id)
            soas += sum(rrset.rdtype == dns.rdatatype.SOA for rrset in answer.answer)

    assert order.count(2) == 1
    assert order[-1] == 1


def test_s6_2_1_1_transfers_on_one_connection_are_all_whole(served):
    """There are more than are sent in parallel."""
    asked = [query(rtype="AXFR") for _ in range(6)]
    for number, one in enumerate(asked):
        one.id = number
    records = dict.fromkeys(range(6), 0)
    with connect(served) as sock, sock.makefile("rb") as reader:
        sock.sendall(framed(*asked))
        while min(records.values()) < 16 * 200 + 3:
            answer = message(reader)
            records[answer.id] += len(answer.answer)

    assert set(records.values()) == {16 * 200 + 3}


def test_s6_2_4_answers_follow_a_half_closed_connection(served):
    with connect(served) as sock, sock.makefile("rb") as reader:
        sock.sendall(framed(query(rtype="AXFR")))
        sock.shutdown(socket.SHUT_WR)
        count = 0
        while answer := message(reader):
            count += len(answer.answer)

    assert count == 16 * 200 + 3


def test_s8_a_query_may_come_in_pieces(served):
    with connect(served) as sock, sock.makefile("rb") as reader:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in framed(query()):
            sock.send(bytes([byte]))

        assert message(reader).answer


@pytest.mark.parametrize("sent", [b"\0\0", b"\0\5hello"])
def test_what_is_no_message_ends_the_connection(served, sent):
    with connect(served) as sock:
        sock.sendall(sent)

        assert sock.recv(1) == b""


@pytest.fixture
def narrow(tmp_path):
    mdns = {"tcp_max_connections": 3, "tcp_recv_timeout": 0.2}
    with Hidden(tmp_path, **{"service:mdns": mdns}) as narrow:
        narrow.zone("example.com.")
        yield narrow


def test_s6_2_3_the_longest_silent_connection_gives_its_place_and_no_younger_one(narrow):
    open_ = [connect(narrow) for _ in range(3)]
    readers = [sock.makefile("rb") for sock in open_]
    for sock, reader in zip(open_, readers, strict=True):
        sock.sendall(framed(query()))
        assert message(reader).answer

    def answered():
        """Return whether one more connection is served."""
        with connect(narrow) as sock, sock.makefile("rb") as reader:
            try:
                sock.sendall(framed(query()))
                return message(reader) is not None
            except OSError:
                return False

    until(answered, 5)

    assert open_[0].recv(1) == b""
    open_[2].sendall(framed(query()))
    assert message(readers[2]).answer
    assert len(narrow.mdns._connections) <= 3
    for sock, reader in zip(open_, readers, strict=True):
        reader.close()
        sock.close()


def test_s6_2_3_a_flood_of_connections_is_bounded_and_ends_nothing(narrow):
    flood = [connect(narrow) for _ in range(60)]
    until(lambda: narrow.mdns._connections.refused >= 40, 5)

    assert len(narrow.mdns._connections) <= 3
    for sock in flood:
        sock.close()
    until(lambda: not len(narrow.mdns._connections), 5)
    with connect(narrow) as sock, sock.makefile("rb") as reader:
        sock.sendall(framed(query()))
        assert message(reader).answer


def test_a_peer_that_does_not_read_is_cut(tmp_path):
    with Hidden(
        tmp_path,
        DEFAULT={"quota_recordset_records": -1},
        **{"service:mdns": {"tcp_send_timeout": 0.3}},
    ) as served:
        zone = served.zone("example.com.")
        for number in range(4):
            records = (f'"{n:03}{"x" * 230}"' for n in range(200))
            served.add(zone, f"big{number}", "TXT", *records)
        with connect(served, receive_bytes=4096) as sock:
            began = time.monotonic()
            sock.sendall(framed(*[query(rtype="AXFR")] * 30))
            until(lambda: not len(served.mdns._connections), 9)

            assert time.monotonic() - began < scaled(9)
