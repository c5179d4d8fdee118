"""Programs that cannot start: what each prints, in one line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.deadlines import scaled
from tests.support.servers import schema
from tests.support.servers.daemons import Options, configuration
from tests.support.servers.nameservers import free_port

TIMEOUT_S = 40


def failure(kind: str, folder: Path, *, workers: int = 1, **groups: dict[str, object]) -> str:
    """Start a daemon that cannot start; return the one line that it prints.

    It has a database with this release's schema, and a broker that is down, unless groups say otherwise.
    """
    options: dict[str, dict[str, object]] = {
        "DEFAULT": {"transport_url": "rabbit://guest:guest@127.0.0.1:1/"},
        "storage:sqlalchemy": {"connection": f"sqlite:///{folder}/db.sqlite"},
        f"service:{kind}": {"workers": workers},
        "service:api": {"auth_strategy": "noauth", "listen": f"127.0.0.1:{free_port()}"},
    }
    for group, values in groups.items():
        name = group.replace("__", ":")
        options[name] = {**options.get(name, {}), **values}
    if "storage__sqlalchemy" not in groups:
        schema.migrate(str(options["storage:sqlalchemy"]["connection"]))
    return failure_of_files(kind, write(folder, options))


def write(folder: Path, options: Options) -> Path:
    path = folder / "designate.conf"
    path.write_text(configuration(options))
    return path


def failure_of_files(kind: str, *files: Path) -> str:
    arguments = [part for file in files for part in ("--config-file", str(file))]
    line = one_line(f"designate-{kind}", *arguments)
    assert line.startswith(f"designate-{kind}: ")
    return line


def one_line(program: str, *arguments: str, status: int = 1) -> str:
    """Run a program that fails; return the one line that it prints to standard error."""
    ended = subprocess.run(
        [str(Path(sys.executable).parent / program), *arguments],
        capture_output=True,
        text=True,
        timeout=scaled(TIMEOUT_S),
    )
    assert ended.returncode == status, ended.stderr
    lines = [line for line in ended.stderr.splitlines() if " INFO cotyledon" not in line]
    assert len(lines) == 1, ended.stderr
    return lines[0]
