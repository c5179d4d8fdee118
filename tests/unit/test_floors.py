"""The allowed imports of doc/contributor.md, checked against every module."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "designate"

BASE = {"errors", "context", "domain_names", "mailboxes", "messaging", "metrics", "runtime"}
ALLOWED: dict[str, set[str]] = {
    # floor 0
    "errors": set(),
    "context": set(),
    "domain_names": set(),
    "mailboxes": set(),
    "messaging": {"errors", "runtime"},
    "metrics": set(),
    "runtime": set(),
    "http": {"errors", "runtime"},
    # floor 1: pure, and apart from each other
    "wire": BASE,
    "model": BASE,
    "rrtypes": {*BASE, "wire"},
    # floor 2
    "storage": {*BASE, "model"},
    "rpc": {*BASE, "model"},
    "backend": {*BASE, "model"},
    "notifications": {*BASE, "model"},
    # floor 3: the processes, which speak to each other through rpc alone
    "central": {*BASE, "notifications", "model", "rpc", "rrtypes", "storage", "wire"},
    "worker": {*BASE, "backend", "model", "rpc", "wire"},
    "mdns": {*BASE, "model", "rpc", "storage", "wire"},
    "producer": {*BASE, "notifications", "model", "rpc"},
    "sink": {*BASE, "model", "rpc"},
    "api": {*BASE, "notifications", "model", "rpc"},
}
EVERYWHERE = {"config"}  # names modules as texts and imports them at the first use
TOP_FLOOR = {
    "cmd",
    "config",
    "health",
    "heartbeat",
    "ignored_options",
    "option_names",
    "pools_yaml",
    "processes",
    "shared_options",
    "version",
    "wsgi",
}

LIBRARIES: dict[str, set[str]] = {
    # The parts that may import each third-party library. central and mdns use connections of storage,
    # hence its types.
    "akamai": {"backend"},
    "alembic": {"storage"},
    "amqp": {"rpc"},
    "kombu": {"rpc"},
    "cachetools": {"runtime"},
    "httptools": {"http"},
    "idna": {"domain_names"},
    "limits": {"api"},
    "dns": {"wire", "rrtypes", "mdns"},
    "oslo_concurrency": {"messaging"},
    "oslo_db": {"storage", "central"},
    "oslo_messaging": {"messaging", "notifications", "rpc"},
    "oslo_middleware": {"api"},
    "oslo_policy": {"central"},
    "pecan": {"api"},
    "prometheus_client": {"metrics", "health"},
    "urllib3": {"backend", "central"},
    "regex": {"central"},
    "sqlalchemy": {"storage", "central", "mdns"},
    "keystoneauth1": {"api", "backend", "central", "option_names"},
    "keystonemiddleware": {"api"},
    "stevedore": {"sink", "api", "backend", "central", "heartbeat", "notifications", "producer"},
    "tooz": {"producer"},
    "webob": {"api"},
}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    """Return the package or module of designate/ of a file; "" for designate itself."""
    first = path.relative_to(PACKAGE).parts[0]
    return "" if first == "__init__.py" else first.removesuffix(".py")


def imports(source: str, names: set[str]) -> Iterator[str]:
    """Yield the dotted names of all imports of a source.

    `from designate import x` counts as designate.x if there is such a part.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            if node.module == "designate":
                yield from (
                    f"designate.{alias.name}" for alias in node.names if alias.name in names
                )
            elif node.module:
                yield node.module


def faults(part: str, source: str, names: set[str]) -> list[str]:
    """Return the forbidden imports of a source of this part."""
    if part in TOP_FLOOR:
        return []
    found = []
    for name in imports(source, names):
        top, _, rest = name.partition(".")
        if top == "designate":
            below = rest.partition(".")[0]
            if below not in {part, *ALLOWED[part], *EVERYWHERE}:
                found.append(f"{part} imports {name}")
        elif part not in LIBRARIES.get(top, {part}):
            found.append(f"{part} imports {name}")
    return found


PARTS = {part_of(path) for path in modules()}


def test_every_part_has_a_floor() -> None:
    assert {*ALLOWED, *TOP_FLOOR, ""} >= PARTS


def test_every_floor_of_the_table_exists() -> None:
    assert set(ALLOWED) <= PARTS


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_keep_to_the_floors(path: Path) -> None:
    assert faults(part_of(path), path.read_text(encoding="utf-8"), PARTS) == []


@pytest.mark.parametrize(
    ("part", "line"),
    [
        ("wire", "from designate.model import zones"),
        ("storage", "import designate.wire.names"),
        ("api", "from designate import storage"),
        ("worker", "def f():\n    from designate.central import zones"),
        ("model", "import sqlalchemy as sa"),
        ("errors", "from designate import processes"),
        ("mdns", "from designate.rrtypes import base"),
    ],
)
def test_a_wrong_import_is_found(part: str, line: str) -> None:
    assert len(faults(part, line, PARTS)) == 1


def test_a_right_import_passes() -> None:
    source = "from designate import errors\nfrom designate.storage.sqlalchemy.zones import get\nimport re"

    assert faults("central", source, PARTS) == []


def test_the_migrations_folder_is_no_package() -> None:
    """With an __init__.py, the folder would shadow the alembic library in a checkout."""
    folder = PACKAGE.parent / "alembic"

    assert (folder / "env.py").is_file()
    assert not (folder / "__init__.py").exists()
