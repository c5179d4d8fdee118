"""backend.rndc against servers that are not BIND or have another key."""

import contextlib
import socket
import struct
import threading

import pytest

from designate import errors
from designate.backend import rndc
from designate.backend.rndc_key import RndcKey
from tests.support.deadlines import scaled
from tests.support.servers.nameservers import free_port

KEY = RndcKey(name="k", digest="sha256", secret=b"s3cret-material")


@contextlib.contextmanager
def answering(reply):
    """Run a TCP server that replies to one message per connection with these bytes.

    None sends no reply and leaves the connection open.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = threading.Event()

        def serve():
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(5)
                length = int.from_bytes(connection.recv(4, socket.MSG_WAITALL))
                connection.recv(length, socket.MSG_WAITALL)
                if reply is None:
                    done.wait(scaled(5))
                else:
                    connection.sendall(reply)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        done.set()
        thread.join(scaled(5))


def framed(body):
    return struct.pack(">II", len(body) + 4, 1) + body


def entry(name, data, kind=1):
    return bytes([len(name)]) + name + struct.pack(">BI", kind, len(data)) + data


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (b"", "connection closed"),
        (framed(b""), "malformed"),
        (framed(entry(b"_data", b"x")), "unsigned reply"),
        (framed(entry(b"_auth", entry(b"hmd5", b"x" * 22), 2)), "another algorithm"),
        (
            framed(entry(b"_auth", entry(b"hsha", b"\xa3" + b"A" * 88), 2)),
            "signature of the reply is wrong",
        ),
        (framed(b"\xff_auth"), "malformed"),
        (struct.pack(">I", 2**31), "malformed"),
        (struct.pack(">II", 8, 9) + b"____", "protocol version"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "malformed"),
    ],
)
def test_an_answer_that_is_not_signed_with_the_key_is_an_error(reply, problem):
    with answering(reply) as port, pytest.raises(errors.BackendError) as caught:
        rndc.command("127.0.0.1", port, KEY, "status", 2)

    assert not isinstance(caught.value, errors.BackendUnavailable)
    assert problem in str(caught.value)
    assert f"127.0.0.1:{port}" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_silent_server_is_left_at_the_deadline():
    with answering(None) as port, pytest.raises(errors.BackendUnavailable, match=r"within 0\.1 s"):
        rndc.command("127.0.0.1", port, KEY, "status", 0.1)


def test_a_dead_port_is_told_with_its_address():
    port = free_port()

    with pytest.raises(errors.BackendUnavailable, match=f"127.0.0.1:{port}: Connection refused"):
        rndc.command("127.0.0.1", port, KEY, "status", 1)
