"""Messages between releases: the stored ones of each contract, and calls between old and new."""

import dataclasses
import inspect
import json
import logging
import math
import time
import typing
from typing import Any, ClassVar, Protocol

import pytest

from designate import errors
from designate.context import Context
from designate.model.codec import to_plain
from designate.rpc import clients, interfaces
from designate.rpc.batching import QueuedCall
from designate.rpc.bus import Dispatcher, NotServed, can_serve, signatures, version
from designate.runtime import concurrency, deadline
from tests.support.factories.rpc_messages import FOLDER, INTERFACES, contract

concurrency.prepare()  # before oslo.messaging is imported

from designate.rpc import oslo_servers  # noqa: E402

CONTRACTS = sorted((folder.name for folder in FOLDER.iterdir()), key=version)
BY_NAMESPACE = {interface.NAMESPACE: interface for interface in INTERFACES}


def stored_messages(release):
    """Yield namespace, method, kind and {"arguments", "result"} of every stored message."""
    for file in sorted((FOLDER / release).glob("*.json")):
        if file.stem in BY_NAMESPACE:
            for method, kinds in json.loads(file.read_text()).items():
                for kind, message in kinds.items():
                    yield file.stem, method, kind, message


def decoded(namespace, method, message):
    """Return how this release decodes a stored message."""
    interface = BY_NAMESPACE[namespace]
    signature = signatures(interface)[method]
    arguments = signature.unpack(message["arguments"])
    inspect.signature(getattr(interface, method)).bind(None, **arguments)
    context = arguments.pop("context", None)
    plain = None if context is None else context.to_plain()
    return arguments, plain, signature.decode_result(message["result"])


def holds_a_mapping(namespace, method):
    """Return whether a message of the method has members that are content and not fields."""
    seen = set()

    def found(hint):
        if hint in seen:
            return False
        seen.add(hint)
        cls = typing.get_origin(hint) or hint
        if cls is dict or hint is Any:
            return True
        inner = list(typing.get_args(hint))
        if dataclasses.is_dataclass(cls):
            inner += typing.get_type_hints(cls).values()
        return any(found(part) for part in inner)

    function = getattr(BY_NAMESPACE[namespace], method)
    return any(found(hint) for hint in typing.get_type_hints(function).values())


def with_unknown_members(plain):
    """Return the message as a newer release might send it: with an unknown member everywhere."""
    if isinstance(plain, dict):
        return {
            **{key: with_unknown_members(value) for key, value in plain.items()},
            "news": {"a": [1]},
        }
    if isinstance(plain, list):
        return [with_unknown_members(item) for item in plain]
    return plain


def test_the_present_contract_is_the_newest_that_is_kept():
    assert CONTRACTS[-1] == interfaces.CONTRACT


def test_the_messages_of_the_present_contract_are_the_kept_ones():
    """Fails when messages have changed.

    If a release has this contract: set the next CONTRACT and name what is new in SINCE and VERSION. Then
    run python -m tests.support.factories.rpc_messages.
    """
    folder = FOLDER / interfaces.CONTRACT
    stored = {file.name: file.read_text() for file in folder.iterdir()}

    current = contract()

    assert sorted(current) == sorted(stored)
    assert [name for name in current if current[name] != stored[name]] == []


@pytest.mark.parametrize("release", CONTRACTS)
def test_every_kept_message_is_understood(release):
    if version(release)[0] != version(interfaces.CONTRACT)[0]:
        return
    count = 0
    for namespace, method, _kind, message in stored_messages(release):
        decoded(namespace, method, message)
        count += 1

    assert count > 100


def test_messages_of_a_release_with_more_to_say_mean_the_same():
    compared = 0
    for namespace, method, _kind, message in stored_messages(interfaces.CONTRACT):
        if holds_a_mapping(namespace, method):
            continue  # whose members are its content
        assert decoded(namespace, method, with_unknown_members(message)) == decoded(
            namespace, method, message
        ), (namespace, method)
        compared += 1

    assert compared > 50


def test_what_came_later_is_named_and_has_a_default():
    for interface in INTERFACES:
        assert can_serve(version(interfaces.CONTRACT), version(interface.VERSION))
        methods = signatures(interface)
        for what, since in interface.SINCE.items():
            method, _, argument = what.partition(".")
            assert method in methods
            assert not argument or argument in methods[method].defaults
            assert can_serve(version(interface.VERSION), version(since))


class Old(interfaces.Interface, Protocol):
    NAMESPACE: ClassVar[str] = "shop"
    VERSION: ClassVar[str] = "1.0"

    def buy(self, context: Context, what: str) -> str: ...


class New(interfaces.Interface, Protocol):
    NAMESPACE: ClassVar[str] = "shop"
    VERSION: ClassVar[str] = "1.2"
    SINCE: ClassVar[dict[str, str]] = {"buy.colour": "1.1", "sell": "1.2", "tell": "1.2"}
    CASTS: ClassVar[frozenset[str]] = frozenset({"tell"})

    def buy(self, context: Context, what: str, colour: str | None = None) -> str: ...

    def sell(self, context: Context, what: str) -> str: ...

    def tell(self, context: Context, what: str) -> None: ...


class OldShop:
    def buy(self, what, **_context):
        return f"{what}, as ever"


class NewShop:
    def __init__(self):
        self.received = []

    def buy(self, what, colour=None, **_context):
        return f"{colour or 'any'} {what}"

    def sell(self, what, **_context):
        return f"sold {what}"

    def tell(self, what, **_context):
        self.received.append(what)


class Wire:
    """A bus that replies as oslo.messaging's servers do, and records what was sent."""

    def __init__(self, interface, shop):
        self.dispatcher = Dispatcher({interface: shop})
        self.sent = []

    def call(self, _topic, namespace, requested, method, message, *_kind_and_limit):
        self.sent.append((requested, method, sorted(message)))
        reply = self.dispatcher.dispatch(
            namespace, requested, method, json.loads(json.dumps(message))
        )
        if "error" in reply:
            raise errors.from_plain(reply["error"])
        return reply["result"]

    cast = call


@pytest.fixture
def newer_contract(monkeypatch):
    monkeypatch.setattr(interfaces, "CONTRACT", "1.2")


def test_an_older_client_is_served_by_a_newer_server():
    client = clients.make(Old, Wire(New, NewShop()), "shop")

    assert client.buy(Context(), "hat") == "any hat"


@pytest.mark.usefixtures("newer_contract")
def test_a_newer_client_uses_of_an_older_server_what_there_is():
    wire = Wire(Old, OldShop())
    client = clients.make(New, wire, "shop")

    assert client.buy(Context(), "hat", colour=None) == "hat, as ever"
    with pytest.raises(errors.Unavailable, match=r"until the upgrade is complete"):
        client.buy(Context(), "hat", "red")
    with pytest.raises(errors.Unavailable) as caught:
        client.sell(Context(), "hat")

    assert caught.value.code == 503
    assert wire.sent == [
        ("1.0", "buy", ["context", "what"]),
        ("1.1", "buy", ["colour", "context", "what"]),
        ("1.2", "sell", ["context", "what"]),
    ]


@pytest.mark.usefixtures("newer_contract")
def test_a_client_that_is_held_back_sends_nothing_newer(caplog):
    shop = NewShop()
    wire = Wire(New, shop)
    client = clients.make(New, wire, "shop", newest="1.1")

    assert client.buy(Context(), "hat", "red") == "red hat"
    with pytest.raises(NotServed):
        client.sell(Context(), "hat")
    with caplog.at_level(logging.WARNING):
        client.tell(Context(), "news")

    assert shop.received == []
    assert "shop.tell 1.2 is not served" in caplog.text
    assert [sent[0] for sent in wire.sent] == ["1.1"]


def test_a_call_whose_caller_has_given_up_is_not_run(caplog):
    shop = NewShop()
    dispatcher = Dispatcher({New: shop})
    message = {"context": to_plain(Context, Context()), "what": "news"}

    with caplog.at_level(logging.WARNING):
        replies = [
            dispatcher.dispatch("shop", "1.2", "tell", message, time.time() - 2) for _ in "ab"
        ]
    dispatcher.dispatch("shop", "1.2", "tell", message, time.time() + 10)

    assert [type(errors.from_plain(reply["error"])) for reply in replies] == [
        errors.Unavailable
    ] * 2
    assert shop.received == ["news"]
    assert caplog.text.count("shop.tell came 2.0 s after its caller had given up") == 1


def test_a_call_says_when_it_must_be_done_alone_and_with_others():
    found = []

    class Asked(OldShop):
        def buy(self, what, **_context):
            found.append(deadline.monotonic_deadline() - time.monotonic())
            return what

    dispatcher = Dispatcher({Old: Asked()})
    message = {"context": to_plain(Context, Context()), "what": "hat"}
    call = QueuedCall(
        "shop", "1.0", "buy", message, time.monotonic() + 10, deadline.unix_deadline(10)
    )
    alone, batch = oslo_servers.endpoints(dispatcher)

    alone.buy({oslo_servers.UNTIL: call.deadline_unix}, message)
    alone.buy({}, message)
    batch.run({}, [json.loads(json.dumps(call.to_plain()))] * 2)

    alone_s, never, *batch_s = found
    assert [round(remaining_s) for remaining_s in (alone_s, *batch_s)] == [8, 8, 8]
    assert never == math.inf


def test_a_major_version_apart_is_refused():
    dispatcher = Dispatcher({Old: OldShop()})
    message = {"context": to_plain(Context, Context()), "what": "hat"}

    reply = dispatcher.dispatch("shop", "2.0", "buy", message)

    assert isinstance(errors.from_plain(reply["error"]), errors.Unavailable)
