"""BIND's control channel, spoken directly: one signed exchange over TCP, without fork or sudo.

The protocol is described in ISC's protocol.md (project bind9-rndc-node): a message is a length, a
version and a table of named values; `_auth` stands first and holds an HMAC over the rest. A first
message of type `null` fetches a nonce, which the command's message repeats, so that a recorded
command cannot be replayed.

An own client, since the published library (rndc-python) takes its settings from the environment and
from a .env file in the working directory, and waits per attempt: one deadline over a whole command
and BIND's key files are what is needed here.
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
from designate.backend.rndc_key import Key

MAX_REPLY_BYTES = 1 << 20
VALIDITY_S = 60
_VERSION = struct.pack(">I", 1)
_BINARY, _TABLE, _LIST = 1, 2, 3
_SHA_CODES = {"sha1": 161, "sha224": 162, "sha256": 163, "sha384": 164, "sha512": 165}
_SHA_FIELD_BYTES = 88

Table = dict[str, "bytes | Table"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """code: BIND's result number, 0 for success (numbers differ between releases). error: the
    result's fixed English text, e.g. "already exists". text: details for people."""

    code: int
    error: str
    text: str


def command(host: str, port: int, key: Key, text: str, timeout_s: float) -> Reply:
    """Run one control command. timeout_s bounds all of it. Thread-safe.

    Raises BackendError when no properly signed answer came: wrong key; BackendUnavailable: unreachable,
    deadline.
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
            f"rndc {host}:{port}: no answer within {timeout_s:g} s"
        ) from None
    except _ChannelError as error:
        raise errors.BackendError(f"rndc {host}:{port}: {error}") from None
    except OSError as error:
        raise errors.BackendUnavailable(f"rndc {host}:{port}: {errors.said(error)}") from None
    return Reply(
        code=int(_text(data, "result") or 0), error=_text(data, "err"), text=_text(data, "text")
    )


class _ChannelError(Exception):
    """What is wrong with an answer; never leaves this module."""


class _Channel:
    """One connection: counts the messages and keeps the server's nonce."""

    def __init__(self, sock: socket.socket, key: Key, deadline: float) -> None:
        self._sock = sock
        self._key = key
        self._deadline = deadline
        self._serial = secrets.randbits(24)
        self._nonce: bytes | None = None

    def exchange(self, command_text: str) -> Table:
        """The `_data` table of the answer."""
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
        self._within(lambda: self._sock.sendall(struct.pack(">I", len(signed)) + signed))
        answer = _verified(self._key, self._receive_message())
        answered = _subtable(answer, "_ctrl")
        if answered.get("_ser") != control["_ser"]:
            raise _ChannelError("the answer belongs to another command")
        nonce = answered.get("_nonce")
        if not isinstance(nonce, bytes) or (self._nonce is not None and nonce != self._nonce):
            raise _ChannelError("the answer lacks the nonce of this connection")
        self._nonce = nonce
        return _subtable(answer, "_data")

    def _receive_message(self) -> bytes:
        length = int.from_bytes(self._receive(4))
        if not len(_VERSION) < length <= MAX_REPLY_BYTES:
            raise _ChannelError("malformed answer")
        message = self._receive(length)
        if message[:4] != _VERSION:
            raise _ChannelError("unknown protocol version")
        return message[4:]

    def _receive(self, size_bytes: int) -> bytes:
        received = bytearray()
        while len(received) < size_bytes:
            missing = size_bytes - len(received)
            part = self._within(partial(self._sock.recv, missing))
            if not part:
                # BIND hangs up on what it does not trust, without a word.
                raise _ChannelError(
                    "connection closed; does the key fit, and may this host connect?"
                )
            received += part
        return bytes(received)

    def _within(self, operation: Callable[[], T]) -> T:
        left_s = self._deadline - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self._sock.settimeout(left_s)
        try:
            return operation()
        except (ConnectionResetError, BrokenPipeError):
            raise _ChannelError(
                "connection closed; does the key fit, and may this host connect?"
            ) from None


def _signature(key: Key, body: bytes) -> Table:
    digest = base64.b64encode(hmac.digest(key.secret, body, key.digest))
    if key.digest == "md5":
        return {"hmd5": digest.rstrip(b"=")}
    field = bytes([_SHA_CODES[key.digest]]) + digest.ljust(_SHA_FIELD_BYTES, b"\0")
    return {"hsha": field}


def _verified(key: Key, message: bytes) -> Table:
    """The table of a message whose signature is right."""
    entries = list(_entries(message))
    if not entries or entries[0][0] != "_auth" or not isinstance(entries[0][1], dict):
        raise _ChannelError("unsigned answer")
    expected = _signature(key, message[entries[0][2] :])
    (name, value), *_ = expected.items()
    given = entries[0][1].get(name)
    if not isinstance(given, bytes) or not isinstance(value, bytes):
        raise _ChannelError("the answer is signed with another algorithm")
    if not hmac.compare_digest(given, value):
        raise _ChannelError("the answer's signature is wrong")
    return {name: value for name, value, _ in entries[1:]}


def _pack(table: Table) -> bytes:
    parts: list[bytes] = []
    for name, value in table.items():
        kind, data = (_TABLE, _pack(value)) if isinstance(value, dict) else (_BINARY, value)
        parts += (bytes([len(name)]), name.encode(), struct.pack(">BI", kind, len(data)), data)
    return b"".join(parts)


def _entries(data: bytes) -> Iterator[tuple[str, bytes | Table, int]]:
    """Name, value and end position of each entry. Lists are of no use to us and read as empty."""
    position = 0
    try:
        while position < len(data):
            start = position + 1 + data[position]
            name = data[position + 1 : start].decode("ascii")
            kind, length = struct.unpack_from(">BI", data, start)
            position = start + 5 + length
            value = data[start + 5 : position]
            if position > len(data):
                raise _ChannelError("malformed answer")
            if kind == _TABLE:
                yield name, {inner: item for inner, item, _ in _entries(value)}, position
            else:
                yield name, b"" if kind == _LIST else value, position
    except (struct.error, UnicodeDecodeError, RecursionError, binascii.Error):
        raise _ChannelError("malformed answer") from None


def _subtable(table: Table, name: str) -> Table:
    value = table.get(name)
    if not isinstance(value, dict):
        raise _ChannelError("malformed answer")
    return value


def _text(table: Table, name: str) -> str:
    value = table.get(name)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""
