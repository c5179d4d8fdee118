"""Processes of neighbouring releases understand each other: the kept messages, and calls between an
older and a newer side."""

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


def kept(release):
    """(namespace, method, kind, {"arguments", "result"}) of every kept message."""
    for file in sorted((FOLDER / release).glob("*.json")):
        if file.stem in BY_NAMESPACE:
            for method, kinds in json.loads(file.read_text()).items():
                for kind, message in kinds.items():
                    yield file.stem, method, kind, message


def understood(namespace, method, message):
    """What this release takes a kept message for. Raises where it does not understand it."""
    interface = BY_NAMESPACE[namespace]
    signature = signatures(interface)[method]
    arguments = signature.unpack(message["arguments"])
    inspect.signature(getattr(interface, method)).bind(None, **arguments)
    context = arguments.pop("context", None)
    plain = None if context is None else context.to_plain()
    return arguments, plain, signature.decode_result(message["result"])


def holds_a_mapping(namespace, method):
    """Whether a message of the method has members that are content and not fields."""
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
        return any(found(one) for one in inner)

    function = getattr(BY_NAMESPACE[namespace], method)
    return any(found(hint) for hint in typing.get_type_hints(function).values())


def with_news(plain):
    """The same message of a release that has more to say everywhere."""
    if isinstance(plain, dict):
        return {**{key: with_news(value) for key, value in plain.items()}, "news": {"a": [1]}}
    if isinstance(plain, list):
        return [with_news(item) for item in plain]
    return plain


def test_the_present_contract_is_the_newest_that_is_kept():
    assert CONTRACTS[-1] == interfaces.CONTRACT


def test_the_messages_of_the_present_contract_are_the_kept_ones():
    """Where this fails, messages have changed. If a release has this contract: set the next CONTRACT, name
    what is new in SINCE and VERSION. Then run python -m tests.support.factories.rpc_messages."""
    folder = FOLDER / interfaces.CONTRACT
    stored = {file.name: file.read_text() for file in folder.iterdir()}

    made = contract()

    assert sorted(made) == sorted(stored)
    assert [name for name in made if made[name] != stored[name]] == []


@pytest.mark.parametrize("release", CONTRACTS)
def test_every_kept_message_is_understood(release):
    if version(release)[0] != version(interfaces.CONTRACT)[0]:
        return
    count = 0
    for namespace, method, _kind, message in kept(release):
        understood(namespace, method, message)
        count += 1

    assert count > 100


def test_messages_of_a_release_with_more_to_say_mean_the_same():
    compared = 0
    for namespace, method, _kind, message in kept(interfaces.CONTRACT):
        if holds_a_mapping(namespace, method):
            continue  # whose members are its content
        assert understood(namespace, method, with_news(message)) == understood(
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
    def buy(self, context, what):
        return f"{what}, as ever"


class NewShop:
    def __init__(self):
        self.told = []

    def buy(self, context, what, colour=None):
        return f"{colour or 'any'} {what}"

    def sell(self, context, what):
        return f"sold {what}"

    def tell(self, context, what):
        self.told.append(what)


class Wire:
    """A bus that answers as oslo.messaging's servers do, and keeps what was sent."""

    def __init__(self, interface, shop):
        self.dispatcher = Dispatcher({interface: shop})
        self.sent = []

    def call(self, topic, namespace, wanted, method, message, kind=None, within_s=None):
        self.sent.append((wanted, method, sorted(message)))
        answer = self.dispatcher.dispatch(
            namespace, wanted, method, json.loads(json.dumps(message))
        )
        if "error" in answer:
            raise errors.from_plain(answer["error"])
        return answer["result"]

    cast = call


@pytest.fixture
def newest(monkeypatch):
    monkeypatch.setattr(interfaces, "CONTRACT", "1.2")


def test_an_older_client_is_served_by_a_newer_server():
    client = clients.make(Old, Wire(New, NewShop()), "shop")

    assert client.buy(Context(), "hat") == "any hat"


def test_a_newer_client_uses_of_an_older_server_what_there_is(newest):
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


def test_a_client_that_is_held_back_sends_nothing_newer(newest, caplog):
    shop = NewShop()
    wire = Wire(New, shop)
    client = clients.make(New, wire, "shop", newest="1.1")

    assert client.buy(Context(), "hat", "red") == "red hat"
    with pytest.raises(NotServed):
        client.sell(Context(), "hat")
    with caplog.at_level(logging.WARNING):
        client.tell(Context(), "news")

    assert shop.told == []
    assert "shop.tell 1.2 is not served" in caplog.text
    assert [sent[0] for sent in wire.sent] == ["1.1"]


def test_a_call_whose_caller_has_given_up_is_not_run(caplog):
    shop = NewShop()
    dispatcher = Dispatcher({New: shop})
    message = {"context": to_plain(Context, Context()), "what": "news"}

    with caplog.at_level(logging.WARNING):
        late = [dispatcher.dispatch("shop", "1.2", "tell", message, time.time() - 2) for _ in "ab"]
    dispatcher.dispatch("shop", "1.2", "tell", message, time.time() + 10)

    assert [type(errors.from_plain(answer["error"])) for answer in late] == [errors.Unavailable] * 2
    assert shop.told == ["news"]
    assert caplog.text.count("shop.tell came 2.0 s after its caller had given up") == 1


def test_a_call_says_when_it_must_be_done_alone_and_with_others():
    found = []

    class Asked(OldShop):
        def buy(self, context, what):
            found.append(deadline.moment_s() - time.monotonic())
            return what

    dispatcher = Dispatcher({Old: Asked()})
    message = {"context": to_plain(Context, Context()), "what": "hat"}
    call = QueuedCall("shop", "1.0", "buy", message, time.monotonic() + 10, deadline.until_unix(10))
    alone, batch = oslo_servers.endpoints(dispatcher)

    alone.buy({oslo_servers.UNTIL: call.deadline_unix}, message)
    alone.buy({}, message)
    batch.run({}, [json.loads(json.dumps(call.to_plain()))] * 2)

    alone_s, never, *together_s = found
    assert [round(left_s) for left_s in (alone_s, *together_s)] == [8, 8, 8]
    assert never == math.inf


def test_a_major_version_apart_is_refused():
    dispatcher = Dispatcher({Old: OldShop()})
    message = {"context": to_plain(Context, Context()), "what": "hat"}

    answer = dispatcher.dispatch("shop", "2.0", "buy", message)

    assert isinstance(errors.from_plain(answer["error"]), errors.Unavailable)
