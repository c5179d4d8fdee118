"""A machine to try an operator's commands on: `with Machine(folder) as machine: machine.run("...")`."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tests.support.deadlines import scaled

CHECKOUT = Path(__file__).parents[3]
# Where the machine shows the checkout, the interpreter and the environment of the tests.
SHOWN = Path("/opt/tests")
PRIVATE = ["/etc", "/opt", "/run", "/srv", "/var/lib", "/var/log", "/var/cache", "/home", "/root"]
# Accounts of the servers' packages and of this project.
ACCOUNTS = ["bind", "designate", "mysql", "postgres", "rabbitmq"]
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT = {"PATH": f"{SHOWN}/bin:{SEARCH_PATH}", "HOME": "/root", "LANG": "C.UTF-8"}
# A new virtual environment has every package of the tests but this project, and the program `openstack`.
FOREIGN = (
    "grep -vE '/(designate(-[0-9][^/]*)?|__editable__[^/]*|[^/]*[.]pth|(pip|setuptools)(-[^/]*)?)$'"
)
PYTHON = """\
#!/bin/bash
{python} "$@" || exit
if [ "$1 $2" = "-m venv" ]; then
    venv=${{@: -1}}
    echo {shown}/packages >"$(echo "$venv"/lib/python3*/site-packages)/tests.pth"
    printf '%s\n' "#!$venv/bin/python" 'from openstackclient.shell import main' \
        'raise SystemExit(main())' >"$venv/bin/openstack"
    chmod 755 "$venv/bin/openstack"
fi
"""
SYSTEMCTL = """\
#!/bin/sh
PYTHONPATH={shown}/checkout exec {python} -m tests.support.machine.systemctl "$@"
"""


class Machine:
    """Namespaces for files, processes and, where asked for, the network; root in all of them.

    An ordinary user gets a user namespace, in which all accounts have the number 0.
    """

    def __init__(
        self, *, network: bool = False, shown: Mapping[str, Path | str] | None = None
    ) -> None:
        """Prepare the machine.

        Args:
            network: whether its network is its own.
            shown: further files and folders, by the paths below SHOWN that show them, read-only.
        """
        self._network = network
        self._shown = {f"{SHOWN}/{name}": str(path) for name, path in (shown or {}).items()}
        self._user = os.getuid() != 0
        self._process: subprocess.Popen[str] | None = None
        self._pid = 0

    def __enter__(self) -> Self:
        options = ["--mount", "--pid", "--fork", "--mount-proc", "--kill-child"]
        options += ["--net", "--uts"] if self._network else []
        options += ["--user", "--map-root-user"] if self._user else []
        settings = {
            "private": [name for name in PRIVATE if Path(name).is_dir()],
            "binds": self._binds(),
            "accounts": ACCOUNTS if self._user else [],
            "network": self._network,
        }
        self._process = subprocess.Popen(
            ["unshare", *options, sys.executable, "-m", "tests.support.machine.namespace",
             json.dumps(settings)],
            cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n", "the machine did not start"
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        (self._pid,) = map(int, children.read_text(encoding="utf-8").split())
        self._add_stand_ins()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.communicate(timeout=scaled(20))

    def _binds(self) -> dict[str, str]:
        binds = {"/var/lib/dpkg": "/var/lib/dpkg", f"{SHOWN}/checkout": str(CHECKOUT)}
        if self.python != Path(sys._base_executable):  # type: ignore[attr-defined]
            binds[f"{SHOWN}/python"] = sys.base_prefix
        for number, folder in enumerate(site_folders()):
            binds[f"{SHOWN}/site{number}"] = str(folder)
        return binds | self._shown

    @property
    def has_one_account(self) -> bool:
        """Whether all accounts are root, since this is the machine of an ordinary user."""
        return self._user

    @property
    def python(self) -> Path:
        """The interpreter of the tests, where programs of the machine can reach it."""
        base = Path(sys._base_executable)  # type: ignore[attr-defined]
        if base.is_relative_to("/usr"):
            return base
        return SHOWN / "python" / "bin" / base.resolve().name

    def _add_stand_ins(self) -> None:
        """Make the programs that a machine without systemd and packages lacks."""
        self.run(f"mkdir -p {SHOWN}/packages; ls -d {SHOWN}/site*/* | {FOREIGN} | "
                 f"xargs ln -sfnt {SHOWN}/packages")  # fmt: skip
        self.write(SHOWN / "bin/python3", PYTHON.format(python=self.python, shown=SHOWN))
        self.write(SHOWN / "bin/systemctl", SYSTEMCTL.format(python=self.python, shown=SHOWN))
        self.run(f"chmod 755 {SHOWN}/bin/*")
        # An interpreter with a library of its own knows only its original path.
        self.write("/etc/ld.so.conf.d/00-tests.conf", f"{SHOWN}/python/lib\n")
        self.run(f"if ls {SHOWN}/python/lib/libpython* >/dev/null 2>&1; then ldconfig; fi")

    def install(self, wheel: Path, venv: str) -> None:
        """Install the wheel into a new virtual environment that sees the packages of the tests."""
        self.run(f"{SHOWN}/bin/python3 -m venv --without-pip {venv}")
        # Alone: with the tests' packages in its path pip would replace the project among them.
        self.run(f"mkdir {SHOWN}/pip; ln -s $(ls -d {SHOWN}/site*/pip | head -1) {SHOWN}/pip/pip")
        pip = [str(self.python), "-m", "pip", "--python", f"{venv}/bin/python", "install"]
        pip += ["--quiet", "--no-deps", "--no-index", str(wheel)]
        self.run(shlex.join(pip), environment={"PYTHONPATH": f"{SHOWN}/pip"})

    def write(self, path: Path | str, text: str) -> None:
        """Write a file of the machine."""
        self.run(f"mkdir -p $(dirname {path}); cat >{path}", stdin=text)

    def run(
        self, script: str, stdin: str = "", environment: Mapping[str, str] | None = None
    ) -> str:
        """Run a script of bash, which must succeed, and return its standard output."""
        done = self.attempt(script, stdin, environment)
        assert done.returncode == 0, f"{script}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
        return done.stdout

    def attempt(
        self,
        script: str,
        stdin: str = "",
        environment: Mapping[str, str] | None = None,
        timeout_s: float = 120,
    ) -> subprocess.CompletedProcess[str]:
        """Run a script of bash."""
        return subprocess.run(
            [*self.entering, "bash", "-euo", "pipefail", "-c", script],
            input=stdin,
            capture_output=True,
            text=True,
            env={**ENVIRONMENT, **(environment or {})},
            timeout=scaled(timeout_s),
        )

    @property
    def entering(self) -> list[str]:
        """The start of a command that runs in the machine."""
        spaces = ["--mount", "--pid"]
        spaces += ["--net", "--uts"] if self._network else []
        spaces += ["--user", "--preserve-credentials"] if self._user else []
        return ["nsenter", f"--target={self._pid}", *spaces]


def site_folders() -> list[Path]:
    """Return the folders of installed packages that the tests import from."""
    found = (Path(name) for name in sys.path if name.endswith("-packages"))
    return [path for path in found if path.is_dir()]
