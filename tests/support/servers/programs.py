"""The programs of nameservers: this machine's, or those of the system below the folder `TEST_SERVERS`.

That folder is the root of another release (`tools/test newer` makes one). Its programs
run with its own loader and libraries; their files, ports and addresses are those of this machine, so that
neither root nor a namespace is needed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.support.deadlines import scaled

ROOT = Path(os.environ.get("TEST_SERVERS") or "/").resolve()
FOLDERS = ("usr/sbin", "usr/local/sbin", "usr/bin")
ELF = b"\x7fELF"
_THIS_MACHINE = Path("/") == ROOT


def command(program: str, *arguments: str) -> list[str]:
    """Return the command that runs a program."""
    found = shutil.which(program, path=os.pathsep.join(str(ROOT / folder) for folder in FOLDERS))
    assert found, f"{program} is not installed below {ROOT}; tools/test installs it"
    if _THIS_MACHINE or not _is_binary(Path(found)):
        return [found, *arguments]
    loader = _in_libraries("ld-linux*.so.*")
    return [str(loader), "--library-path", str(loader.parent), found, *arguments]


def run(program: str, *arguments: str, **how: Any) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and return its output; `how` as for subprocess.run."""
    return subprocess.run(command(program, *arguments), capture_output=True, text=True, **how)


def version(program: str, option: str) -> str:
    """Return the first two numbers of a program's version, which this option prints."""
    ran = run(program, option, check=False, timeout=scaled(20))
    found = re.search(r"(\d+\.\d+)", ran.stdout + ran.stderr)
    assert found, ran
    return found[1]


def data(file: str) -> Path:
    """Return a file of a package, by its path below the root."""
    return ROOT / file


def modules(package: str) -> Path | None:
    """Return the folder of a program's modules; None where the program itself knows it."""
    return None if _THIS_MACHINE else _in_libraries(package)


def _is_binary(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(len(ELF)) == ELF


def _in_libraries(pattern: str) -> Path:
    """Return what is in the folder of libraries, whose name has the architecture."""
    found = sorted((ROOT / "usr/lib").glob(f"*-linux-gnu*/{pattern}"))
    assert found, f"no {pattern} below {ROOT}/usr/lib"
    return found[0]
