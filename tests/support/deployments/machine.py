"""A machine of a deployment: private folders at the paths that a deployment tool uses.

Its programs run in a mount namespace, with the host's network and processes, as the user `designate`.
That is the user who runs the tests, without privileges; nobody needs any but to make user namespaces.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.deadlines import scaled, until

VENV = Path(sys.executable).parent  # the project's programs
PROGRAMS = ("designate-*", "oslo-config-*", "oslopolicy-*")
HOST = ".host"  # where the host's files are
USER_ID = 42411
# The first user namespace may mount; in the second one the programs have no privileges.
ENTER = """set -e
root=$1; id=$2; shift 2
mount --bind "$root" "$root"
cd "$root"
PATH=$PATH:/usr/sbin:/sbin
pivot_root . .host
cd /
exec unshare --user --map-user="$id" --map-group="$id" -- "$@"
"""
STOP_S = 60


class Machine:
    """`Machine(folder, "/etc/designate", "/var/log/kolla")`: these paths are its own and empty.

    It sees everything else as the host has it.
    """

    def __init__(self, folder: Path, *own: str) -> None:
        self.root = folder / "root"
        (self.root / HOST).mkdir(parents=True)
        self._own: set[Path] = set()
        self._empty: set[Path] = set()  # of these, nothing of the host's is seen
        self._logs = folder
        self.environment = {
            **os.environ,
            "HOME": "/var/lib/designate",
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._terminated: set[str] = set()
        self._mirror(Path("/etc"))
        for path in ("/dev/shm", "/var/lib/designate", *own):
            self._make_own(Path(path))
        account = f"designate:x:{USER_ID}:{USER_ID}::/var/lib/designate:/bin/sh\n"
        self.write("/etc/passwd", Path("/etc/passwd").read_text() + account)

    def _make_own(self, path: Path) -> None:
        self._mirror(path.parent)
        inside = self.path(path)
        inside.unlink(missing_ok=True)
        inside.mkdir()
        self._own.add(path)
        self._empty.add(path)

    def _mirror(self, folder: Path) -> None:
        """Make a folder the machine's own, with the host's files in it."""
        if folder in self._own:
            return
        self._own.add(folder)
        inside = self.path(folder)
        if folder != folder.parent:
            self._mirror(folder.parent)
            inside.unlink(missing_ok=True)
            inside.mkdir()
        if folder.is_dir() and not self._empty & {*folder.parents}:
            for entry in os.listdir(folder):
                (inside / entry).symlink_to(f"/{HOST}{folder / entry}")

    def path(self, path: str | Path) -> Path:
        """Return where the tests find a file of the machine."""
        return self.root / str(path).lstrip("/")

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file into a folder that becomes the machine's own."""
        self._mirror(Path(path).parent)
        inside = self.path(path)
        inside.unlink(missing_ok=True)
        inside.write_text(text)
        inside.chmod(mode)

    def seal(self, *folders: str) -> None:
        """Take the right to write from the folders and what is in them."""
        for folder in map(self.path, folders):
            for path in (folder, *folder.rglob("*")):
                path.chmod(path.stat().st_mode & ~0o222)

    def programs(self, folder: str, *names: str) -> None:
        """Install the project's programs, and others by name, into a folder."""
        self._mirror(Path(folder))
        found = [path.name for part in PROGRAMS for path in VENV.glob(part)]
        for name in [*found, *names]:
            text = (VENV / name).read_text().partition("\n")[2]
            self.write(f"{folder}/{name}", f"#!{sys.executable}\n{text}", 0o755)

    def _command(self, command: tuple[str, ...], environment: Mapping[str, str]) -> list[str]:
        settings = [f"{name}={value}" for name, value in environment.items()]
        enter = ["sh", "-c", ENTER, "enter", str(self.root), str(USER_ID)]
        return [
            "unshare", "--user", "--map-root-user", "--mount", "--",
            *enter, *(["env", *settings] if settings else []), *command,
        ]  # fmt: skip

    def run(
        self, *command: str, timeout_s: float = 60, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, within a tool's time."""
        return subprocess.run(
            self._command(command, environment),
            env=self.environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=scaled(timeout_s),
        )

    def run_parallel(self, *commands: str) -> list[subprocess.CompletedProcess[str]]:
        """Run commands, with their words separated by spaces, at the same time."""
        with ThreadPoolExecutor(len(commands)) as threads:
            return list(threads.map(lambda command: self.run(*command.split()), commands))

    def start(self, name: str, *command: str, **environment: str) -> None:
        """Start a program that stays; its output goes to log(name)."""
        with self.log(name).open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self._command(command, environment),
                env=self.environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def check(self) -> None:
        """Assert that everything that was started still runs."""
        for name, process in self.processes.items():
            text = self.log(name).read_text()[-4000:]
            assert process.poll() is None, f"{name} ended with {process.returncode}: {text}"

    def group(self, name: str) -> list[int]:
        """Return the ids of the living processes of a program, its children included."""
        session = self.processes[name].pid
        return [pid for pid in _process_ids() if _session(pid) == session]

    def terminate(self, name: str) -> None:
        """Send SIGTERM, once: a program that is ending has the default handler again."""
        if name not in self._terminated:
            self._terminated.add(name)
            self.processes[name].terminate()

    def stop(self, name: str, within_s: float = STOP_S) -> int:
        """Send SIGTERM and return the exit status; a program that stays is killed and fails the test."""
        self.terminate(name)
        process = self.processes[name]
        try:
            status = process.wait(timeout=scaled(within_s))
            until(lambda: not self.group(name), 5, f"{name}: the end of its children")
        except (subprocess.TimeoutExpired, AssertionError):
            raise AssertionError(
                f"{name}: {self.group(name)} live {within_s} s after SIGTERM: "
                f"{self.log(name).read_text()[-4000:]}"
            ) from None
        finally:
            self._kill(name)
        return status

    def _kill(self, name: str) -> None:
        for pid in self.group(name):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._terminated.discard(name)
        self.processes.pop(name).wait(timeout=scaled(20))

    def close(self) -> None:
        """End everything that still runs, at once."""
        for name in list(self.processes):
            self._kill(name)


def _process_ids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _session(pid: int) -> int:
    """Return the session of a living process, else 0."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] == "Z" else int(fields[3])
