"""What all RPC interfaces share: the contract's version and the attributes of an interface.

All interfaces together are one contract with one version, CONTRACT (major: incompatible; minor:
methods or defaulted arguments added). An interface's VERSION is the contract version in which it
changed last. SINCE names what was added after the first version: a method by its name, an argument
as `method.argument`. `tests/contract/payloads` stores the messages of every version.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import ClassVar, Protocol

CONTRACT = "1.0"


class CallKind(Enum):
    """The cost class of a call; only calls of one kind share a message (see `rpc.batching`)."""

    PROMPT = "prompt"
    LIST = "list"
    OTHER = "other"


class Interface(Protocol):
    """Base of the RPC interfaces: one Protocol per aggregate, used by the client and the endpoint.

    `rpc.clients` makes a client of an interface; an endpoint of central or of the worker implements
    it. The codec is derived from the types of the methods. Every method may raise errors of
    `designate.errors`.

    NAMESPACE: on the bus. CASTS: methods that are sent without waiting for a result. FANOUTS: casts
    to every process of the topic. PROMPT: short methods that never wait and may run twice; the
    server runs those of a message one after another, and the client repeats a call whose reply does
    not come soon. LISTS: methods with large results. All others are `CallKind.OTHER`.
    """

    NAMESPACE: ClassVar[str]
    VERSION: ClassVar[str]
    SINCE: ClassVar[Mapping[str, str]] = {}
    CASTS: ClassVar[frozenset[str]] = frozenset()
    PROMPT: ClassVar[frozenset[str]] = frozenset({"get"})
    LISTS: ClassVar[frozenset[str]] = frozenset({"find"})
    FANOUTS: ClassVar[frozenset[str]] = frozenset()


def call_kind(interface: type[Interface], method: str) -> CallKind:
    """Return the kind of an interface's method."""
    if method in interface.PROMPT:
        return CallKind.PROMPT
    return CallKind.LIST if method in interface.LISTS else CallKind.OTHER
