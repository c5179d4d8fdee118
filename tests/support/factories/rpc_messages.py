"""Messages of every RPC method, made from the types of the interfaces.

    python -m tests.support.factories.rpc_messages

writes those of the current contract to tests/contract/payloads.

Each method has two messages in each direction: `full` has every field, `bare` only those without a default.
They are the same at every run.
"""

import dataclasses
import inspect
import json
import types
import typing
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from designate.context import FLAGS, Context
from designate.model.codec import Unset, encoder
from designate.rpc import interfaces
from designate.rpc.bus import signatures

# Enumerations that the stored contract lists by an older class name.
STORED_NAMES = {"JobStatus": "TaskStatus", "TransferInOutcome": "Taken"}
FOLDER = Path(__file__).parents[2] / "contract" / "payloads"
INTERFACES = [
    value
    for value in vars(interfaces).values()
    if inspect.isclass(value) and interfaces.Interface in value.__mro__[1:]
]


def sample(hint: Any, full: bool) -> Any:
    """Return a value of the type. full: with every optional member."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    simple = {str: "text", int: 7, float: 1.5, bool: True, bytes: b"\x00\xff", Any: "any"}
    if hint in simple:
        return simple[hint]
    if hint is type(None):
        return None
    if isinstance(hint, typing.NewType):
        return sample(hint.__supertype__, full)
    if hint is datetime:
        return datetime(2026, 1, 2, 3, 4, 5, 678901)
    if hint is Context:
        return _context(full)
    if inspect.isclass(hint) and issubclass(hint, StrEnum):
        return next(iter(hint))
    if origin in (typing.Union, types.UnionType):
        inner = [arg for arg in args if arg not in (type(None), Unset)]
        return sample(inner[0], full)
    if origin in (tuple, list):
        return origin([sample(args[0], full)] if full else [])
    if origin is dict:
        return {"key": sample(args[1], full)} if full else {}
    return _instance(hint, full)


def _context(full: bool) -> Context:
    if not full:
        return Context(request_id="req-1")
    return Context(
        user_id="user", project_id="project", domain_id="domain", system_scope="all",
        roles=["member"], is_admin=True, request_id="req-1", global_request_id="req-2",
        **dict.fromkeys(FLAGS, True),
    )  # fmt: skip


def _instance(hint: Any, full: bool) -> Any:
    cls = typing.get_origin(hint) or hint
    bound = dict(zip(getattr(cls, "__parameters__", ()), typing.get_args(hint), strict=True))
    hints = typing.get_type_hints(cls)
    values = {}
    for field in dataclasses.fields(cls):
        is_required = field.default is field.default_factory is dataclasses.MISSING
        if full or is_required:
            values[field.name] = sample(_bind(hints[field.name], bound), full)
    return cls(**values)


def _bind(hint: Any, bound: dict[Any, Any]) -> Any:
    if hint in bound:
        return bound[hint]
    parameters = getattr(hint, "__parameters__", ())
    return hint[tuple(bound[name] for name in parameters)] if parameters else hint


def messages(interface: type[interfaces.Interface]) -> dict[str, Any]:
    """Return {"full": {"arguments": ..., "result": ...}, "bare": ...} for each method."""
    made: dict[str, Any] = {}
    for name, signature in signatures(interface).items():
        hints = typing.get_type_hints(getattr(interface, name))
        result = hints.pop("return", type(None))
        made[name] = {
            kind: {
                "arguments": signature.pack(
                    {
                        argument: sample(hints[argument], full)
                        for argument in signature.parameters
                        if full or argument not in signature.defaults
                    }
                ),
                "result": encoder(result)(sample(result, full)),
            }
            for kind, full in (("full", True), ("bare", False))
        }
    return made


def enumerations() -> dict[str, list[str]]:
    """Return the values of every enumeration in messages: older releases do not know new ones."""
    found: dict[str, list[str]] = {}
    seen: set[Any] = set()

    def walk(hint: Any) -> None:
        if hint in seen:
            return
        seen.add(hint)
        for arg in typing.get_args(hint):
            walk(arg)
        cls = typing.get_origin(hint) or hint
        if inspect.isclass(cls) and issubclass(cls, StrEnum):
            found[STORED_NAMES.get(cls.__name__, cls.__name__)] = sorted(cls)
        elif dataclasses.is_dataclass(cls):
            for inner in typing.get_type_hints(cls).values():
                walk(inner)

    for interface in INTERFACES:
        for name in signatures(interface):
            for hint in typing.get_type_hints(getattr(interface, name)).values():
                walk(hint)
    return dict(sorted(found.items()))


def contract() -> dict[str, str]:
    """Return the files of the current contract: text by file name."""
    files = {f"{interface.NAMESPACE}.json": messages(interface) for interface in INTERFACES}
    files["words.json"] = enumerations()
    return {
        name: json.dumps(content, indent=1, sort_keys=True) + "\n"
        for name, content in files.items()
    }


def main() -> None:
    folder = FOLDER / interfaces.CONTRACT
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.json"):
        old.unlink()
    for name, text in contract().items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    main()
