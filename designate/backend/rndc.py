"""A client of BIND's control channel: signed exchanges over TCP, without the rndc program.

ISC's protocol.md (project bind9-rndc-node) describes the protocol: a message is a length, a version
and a table of named values; `_auth` comes first and holds an HMAC over the rest. A first message of
type `null` fetches a nonce, which the command's message repeats, so a recorded command cannot be
replayed.

The published library (rndc-python) is not used, since it reads its settings from the environment and
from a .env file in the working directory and has a timeout per attempt; here one deadline covers a
whole command, and the key comes from BIND's key files.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from designate import errors
from designate.backend.rndc_key import RndcKey

MAX_REPLY_BYTES = 1 << 20
VALIDITY_S = 60
_VERSION = struct.pack(">I", 1)
_BINARY, _TABLE, _LIST = 1, 2, 3
_SHA_CODES = {"sha1": 161, "sha224": 162, "sha256": 163, "sha384": 164, "sha512": 165}
_SHA_FIELD_BYTES = 88

Table = dict[str, "bytes | Table"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RndcReply:
    """The result of a command.

    Attributes:
        code: BIND's result number, 0 for success; the others differ between releases.
        error: the result's fixed English text, such as "already exists".
        text: details for people.
    """

    code: int
    error: str
    text: str


def command(host: str, port: int, key: RndcKey, text: str, timeout_s: float) -> RndcReply:
    """Run one control command within timeout_s. Thread-safe.

    Raises:
        BackendError: no correctly signed reply came, because the key is wrong.
        BackendUnavailable: the server is unreachable or did not reply in time.
    """
    deadline = time.monotonic() + timeout_s
    try:
        with socket.create_connection((host, port), timeout=timeout_s) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            channel = _Channel(sock, key, deadline)
            channel.exchange("null")
            data = channel.exchange(text)
    except TimeoutError:
        raise errors.BackendUnavailable(
            f"rndc {host}:{port}: no reply within {timeout_s:g} s"
        ) from None
    except _ChannelError as error:
        raise errors.BackendError(f"rndc {host}:{port}: {error}") from None
    except OSError as error:
        raise errors.BackendUnavailable(
            f"rndc {host}:{port}: {errors.os_error_text(error)}"
        ) from None
    return RndcReply(
        code=int(_text(data, "result") or 0), error=_text(data, "err"), text=_text(data, "text")
    )


class _ChannelError(Exception):
    """A faulty reply; never leaves this module."""


class _Channel:
    """One connection: numbers the messages and stores the server's nonce."""

    def __init__(self, sock: socket.socket, key: RndcKey, deadline: float) -> None:
        self._sock = sock
        self._key = key
        self._deadline = deadline
        self._serial = secrets.randbits(24)
        self._nonce: bytes | None = None

    def exchange(self, command_text: str) -> Table:
        """Send a command and return the `_data` table of the reply."""
        self._serial += 1
        now_s = int(time.time())
        control: Table = {
            "_ser": str(self._serial).encode(),
            "_tim": str(now_s).encode(),
            "_exp": str(now_s + VALIDITY_S).encode(),
        }
        if self._nonce is not None:
            control["_nonce"] = self._nonce
        body = _pack({"_ctrl": control, "_data": {"type": command_text.encode()}})
        signed = _VERSION + _pack({"_auth": _signature(self._key, body)}) + body
        self._with_deadline(lambda: self._sock.sendall(struct.pack(">I", len(signed)) + signed))
        reply = _verified(self._key, self._receive_message())
        reply_control = _subtable(reply, "_ctrl")
        if reply_control.get("_ser") != control["_ser"]:
            raise _ChannelError("the reply belongs to another command")
        nonce = reply_control.get("_nonce")
        if not isinstance(nonce, bytes) or (self._nonce is not None and nonce != self._nonce):
            raise _ChannelError("the reply lacks the nonce of this connection")
        self._nonce = nonce
        return _subtable(reply, "_data")

    def _receive_message(self) -> bytes:
        length = int.from_bytes(self._receive(4))
        if not len(_VERSION) < length <= MAX_REPLY_BYTES:
            raise _ChannelError("malformed reply")
        message = self._receive(length)
        if message[:4] != _VERSION:
            raise _ChannelError("unknown protocol version")
        return message[4:]

    def _receive(self, size_bytes: int) -> bytes:
        received = bytearray()
        while len(received) < size_bytes:
            missing = size_bytes - len(received)
            part = self._with_deadline(partial(self._sock.recv, missing))
            if not part:
                # BIND closes the connection without a reply when it rejects a message.
                raise _ChannelError(
                    "connection closed: check the key and whether this host may connect"
                )
            received += part
        return bytes(received)

    def _with_deadline(self, operation: Callable[[], T]) -> T:
        remaining_s = self._deadline - time.monotonic()
        if remaining_s <= 0:
            raise TimeoutError
        self._sock.settimeout(remaining_s)
        try:
            return operation()
        except (ConnectionResetError, BrokenPipeError):
            raise _ChannelError(
                "connection closed: check the key and whether this host may connect"
            ) from None


def _signature(key: RndcKey, body: bytes) -> Table:
    digest = base64.b64encode(hmac.digest(key.secret, body, key.digest))
    if key.digest == "md5":
        return {"hmd5": digest.rstrip(b"=")}
    field = bytes([_SHA_CODES[key.digest]]) + digest.ljust(_SHA_FIELD_BYTES, b"\0")
    return {"hsha": field}


def _verified(key: RndcKey, message: bytes) -> Table:
    """Check the signature of a message and return its table."""
    entries = list(_entries(message))
    if not entries or entries[0][0] != "_auth" or not isinstance(entries[0][1], dict):
        raise _ChannelError("unsigned reply")
    expected = _signature(key, message[entries[0][2] :])
    (name, value), *_ = expected.items()
    given = entries[0][1].get(name)
    if not isinstance(given, bytes) or not isinstance(value, bytes):
        raise _ChannelError("the reply is signed with another algorithm")
    if not hmac.compare_digest(given, value):
        raise _ChannelError("the signature of the reply is wrong")
    return {name: value for name, value, _ in entries[1:]}


def _pack(table: Table) -> bytes:
    parts: list[bytes] = []
    for name, value in table.items():
        kind, data = (_TABLE, _pack(value)) if isinstance(value, dict) else (_BINARY, value)
        parts += (bytes([len(name)]), name.encode(), struct.pack(">BI", kind, len(data)), data)
    return b"".join(parts)


def _entries(data: bytes) -> Iterator[tuple[str, bytes | Table, int]]:
    """Yield name, value and end position of each entry; lists are not needed and read as empty."""
    position = 0
    try:
        while position < len(data):
            start = position + 1 + data[position]
            name = data[position + 1 : start].decode("ascii")
            kind, length = struct.unpack_from(">BI", data, start)
            position = start + 5 + length
            value = data[start + 5 : position]
            if position > len(data):
                raise _ChannelError("malformed reply")
            if kind == _TABLE:
                yield name, {inner: item for inner, item, _ in _entries(value)}, position
            else:
                yield name, b"" if kind == _LIST else value, position
    except (struct.error, UnicodeDecodeError, RecursionError, binascii.Error):
        raise _ChannelError("malformed reply") from None


def _subtable(table: Table, name: str) -> Table:
    value = table.get(name)
    if not isinstance(value, dict):
        raise _ChannelError("malformed reply")
    return value


def _text(table: Table, name: str) -> str:
    value = table.get(name)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""
