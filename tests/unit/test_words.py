"""The words of the project: words.toml's lists, held against every module."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
RULES: dict[str, Any] = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))
EXCEPTIONS: dict[str, str] = RULES["exceptions"]
PHRASES = re.compile("|".join(RULES["phrases"]["banned"]), re.IGNORECASE)
# Calls whose first text people read, and the keyword arguments that they read.
LOGGING = {"debug", "info", "warning", "error", "exception", "critical"}
READ_BY_PEOPLE = {"help", "description", "summary", "meaning"}


def modules() -> list[Path]:
    return sorted(
        [*ROOT.joinpath("designate").rglob("*.py"), *ROOT.joinpath("tests/support").rglob("*.py")]
    )


def label(path: Path) -> str:
    return str(path.relative_to(ROOT)).removeprefix("designate/")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def defined(module: ast.AST) -> Iterator[str]:
    """Yield the names of classes, functions, arguments, variables, attributes and aliases."""
    for node in ast.walk(module):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                yield name
            case ast.arg(arg=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.Attribute(attr=name, ctx=ast.Store()):
                yield name
            case ast.alias(asname=str(name)):
                yield name


def rules_for(package: str) -> list[tuple[re.Pattern[str], str]]:
    return [
        (re.compile(rule["banned"]), rule["use"])
        for rule in RULES["identifiers"]
        if package not in rule.get("allowed_in", ())
    ]


def banned_names(place: str, module: ast.AST) -> list[str]:
    """Return what the module defines under a banned name, exceptions left out."""
    package = place.split("/")[0]
    return sorted(
        f"{place}:{name} (use: {use})"
        for name in set(defined(module))
        for pattern, use in rules_for(package)
        if pattern.fullmatch(name) and f"{place}:{name}" not in EXCEPTIONS
    )


def texts(module: ast.AST) -> Iterator[str]:
    """Yield the texts of a module that people read: of logs, options, metrics, errors and the API."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            read = [each.value for each in node.keywords if each.arg in READ_BY_PEOPLE]
            function = node.func
            if isinstance(function, ast.Attribute) and function.attr in LOGGING:
                read += node.args[:1]
            for value in read:
                yield from text_of(value)
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            for value in node.exc.args:
                yield from text_of(value)


def text_of(value: ast.expr) -> Iterator[str]:
    """Yield the constant parts of an expression, joined where they stand in one text."""
    if isinstance(value, ast.JoinedStr):
        yield "{}".join(part.value for part in value.values if isinstance(part, ast.Constant))
    elif isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.BinOp):
        yield from text_of(value.left)
        yield from text_of(value.right)


@pytest.mark.parametrize("path", modules(), ids=label)
def test_a_module_defines_no_banned_name(path: Path) -> None:
    assert banned_names(label(path), tree(path)) == []


@pytest.mark.parametrize("path", modules(), ids=label)
def test_texts_for_people_have_no_banned_phrase(path: Path) -> None:
    found = [text for text in texts(tree(path)) if PHRASES.search(text)]

    assert found == []


def test_no_two_classes_have_the_same_name() -> None:
    places: dict[str, list[str]] = {}
    for path in modules():
        if path.is_relative_to(ROOT / "designate"):
            for node in tree(path).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    places.setdefault(node.name, []).append(label(path))

    shared = RULES["classes"]["shared"]
    assert {
        name: where for name, where in places.items() if len(where) > 1 and name not in shared
    } == {}


def test_every_exception_is_needed_and_has_a_reason() -> None:
    needless = []
    for key, reason in EXCEPTIONS.items():
        place, _, name = key.partition(":")
        path = ROOT / place if place.startswith("tests/") else ROOT / "designate" / place
        assert reason.strip(), key
        if not path.is_file() or name not in set(defined(tree(path))):
            needless.append(key)

    assert needless == []


@pytest.mark.parametrize(
    ("package", "source"),
    [
        ("central", "def tell(): ..."),
        ("worker", "MOST_ZONES = 3"),
        ("storage", "class Mailbox: ..."),
        ("api", "def f(answer): ..."),
        ("rpc", "import x as lanes"),
        ("mdns", "self.alive = 1"),
    ],
)
def test_a_banned_name_is_found(package: str, source: str) -> None:
    assert len(banned_names(f"{package}/module.py", ast.parse(source))) == 1


def test_a_dns_answer_is_called_so_where_dns_is_spoken() -> None:
    assert banned_names("mdns/answers.py", ast.parse("def answer(): ...")) == []


@pytest.mark.parametrize(
    "source",
    [
        'LOG.warning("zone %s is left to the sweep", zone)',
        'cfg.IntOpt("x", help="Nobody is told.")',
        'raise errors.Unavailable(f"{name} is away")',
    ],
)
def test_a_banned_phrase_is_found(source: str) -> None:
    assert any(PHRASES.search(text) for text in texts(ast.parse(source)))
