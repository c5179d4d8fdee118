"""Runs a unit's command under the unit's restrictions; each step replaces the one before it.

    unshare --mount python -m tests.support.machine.confine UNIT

Files (ProtectSystem, ProtectHome, PrivateTmp, PrivateDevices and the unit's own folders) are mounts, the
account and capabilities are set by setpriv, and SystemCallFilter, MemoryDenyWriteExecute and
RestrictAddressFamilies are loaded into the kernel by libseccomp, which systemd uses too. What else a unit
restricts needs systemd itself and is left out.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import pwd
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.support.machine import mounts
from tests.support.machine.units import Unit

WRITABLE = ("/dev", "/proc", "/sys")
DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "shm")
FOLDERS = {
    "StateDirectory": Path("/var/lib"),
    "LogsDirectory": Path("/var/log"),
    "RuntimeDirectory": Path("/run"),
}
HOMES = (Path("/home"), Path("/root"), Path("/run/user"))
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
MASKED_EQUAL = 7
SHM_EXEC = 0o100000


def main() -> None:
    step, name = sys.argv[1:]
    unit = Unit(name)
    if step == "files":
        confine_files(unit)
        os.execvp("setpriv", [*account(unit), *step_command("calls", name)])
    confine_calls(unit)
    (command,) = unit.commands("ExecStart", **unit.environment())
    os.execv(command[0], command)


def step_command(step: str, name: str) -> list[str]:
    """Return the command of a step."""
    return [sys.executable, "-m", "tests.support.machine.confine", step, name]


def confine_files(unit: Unit) -> None:
    mounts.make_private()
    writable = [*map(Path, WRITABLE), *own_folders(unit)]
    if unit.is_set("PrivateDevices"):
        _private_devices()
    if unit.is_set("PrivateTmp"):
        for path in (Path("/tmp"), Path("/var/tmp")):
            mounts.tmpfs(path, "1777")
            writable.append(path)
    if unit.is_set("ProtectHome"):
        for path in filter(Path.is_dir, HOMES):
            mounts.tmpfs(path, "0000")
    if unit.get("ProtectSystem") == "strict":
        for path in dict.fromkeys(path for path, _ in mounts.mounted()):
            if path.exists() and not any(path.is_relative_to(other) for other in writable):
                mounts.make_read_only(path)


def own_folders(unit: Unit) -> Iterator[Path]:
    """Create the unit's folders as its account's, and yield them."""
    owner = pwd.getpwnam(unit.get("User"))
    for setting, parent in FOLDERS.items():
        for name in unit.get(setting).split():
            path = parent / name
            path.mkdir(exist_ok=True)
            path.chmod(int(unit.get(f"{setting}Mode", "0755"), 8))
            os.chown(path, owner.pw_uid, owner.pw_gid)
            mounts.bind(path, path)
            yield path


def _private_devices() -> None:
    found = [Path("/dev", name) for name in DEVICES if Path("/dev", name).exists()]
    opened = {path: os.open(path, os.O_PATH) for path in found}
    mounts.tmpfs(Path("/dev"))
    for path, descriptor in opened.items():
        source = Path(f"/proc/self/fd/{descriptor}")
        path.mkdir() if source.is_dir() else path.touch()
        mounts.mount(os.fspath(source), path, flags=mounts.BIND)
        os.close(descriptor)


def account(unit: Unit) -> list[str]:
    """Return the start of a command that runs as the unit's account, and with its capabilities."""
    # In a user namespace of one account no process may change its groups.
    denied = Path("/proc/self/setgroups").read_text(encoding="utf-8").strip() == "deny"
    command = [
        "setpriv",
        f"--reuid={unit.get('User')}",
        f"--regid={unit.get('Group')}",
        "--keep-groups" if denied else "--init-groups",
    ]
    if unit.is_set("NoNewPrivileges"):
        ambient = _capabilities(unit.get("AmbientCapabilities"))
        command += [
            f"--bounding-set={_capabilities(unit.get('CapabilityBoundingSet'))}",
            f"--inh-caps={ambient}",
            f"--ambient-caps={ambient}",
            "--no-new-privs",
        ]
    return command


def _capabilities(text: str) -> str:
    names = [name.lower().removeprefix("cap_") for name in text.split()]
    return ",".join(["-all", *(f"+{name}" for name in names)])


class _Argument(ctypes.Structure):
    """A condition on one argument of a system call (scmp_arg_cmp)."""

    _fields_ = (
        ("number", ctypes.c_uint),
        ("comparison", ctypes.c_int),
        ("mask", ctypes.c_uint64),
        ("value", ctypes.c_uint64),
    )


class _Filter:
    """A filter of system calls."""

    def __init__(self, default: int) -> None:
        self._library = ctypes.CDLL("libseccomp.so.2")
        self._library.seccomp_init.restype = ctypes.c_void_p
        self._context = ctypes.c_void_p(self._library.seccomp_init(ctypes.c_uint32(default)))

    def add(self, action: int, call: str, *arguments: _Argument) -> None:
        number = self._library.seccomp_syscall_resolve_name(call.encode())
        if number < 0:
            return  # not on this kind of machine
        kinds = (_Argument * len(arguments))(*arguments)
        failed = self._library.seccomp_rule_add_array(
            self._context, ctypes.c_uint32(action), number, len(arguments), kinds
        )
        assert failed in (0, -errno.EACCES), (call, failed)  # EACCES: it is the default action

    def load(self) -> None:
        failed = self._library.seccomp_load(self._context)
        assert failed == 0, failed


def confine_calls(unit: Unit) -> None:
    if unit.is_set("MemoryDenyWriteExecute"):
        _load_memory_filter()
    if unit.all("RestrictAddressFamilies"):
        _load_family_filter(unit.get("RestrictAddressFamilies").split())
    if unit.all("SystemCallFilter"):
        _load_call_filter(unit)  # last, since it may forbid to load another


def _load_call_filter(unit: Unit) -> None:
    sets = _call_sets()
    # systemd always allows what the start of a program needs.
    allowed = set(_calls("@default", sets))
    for line in unit.all("SystemCallFilter"):
        calls = {call for name in line.lstrip("~").split() for call in _calls(name, sets)}
        allowed = allowed - calls if line.startswith("~") else allowed | calls
    denied = ERRNO | getattr(errno, unit.get("SystemCallErrorNumber"))
    found = _Filter(denied)
    for call in sorted(allowed):
        found.add(ALLOW, call)
    found.load()


def _call_sets() -> dict[str, list[str]]:
    """Return systemd's named sets of system calls."""
    listed = subprocess.run(
        ["systemd-analyze", "syscall-filter", "--no-pager"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    sets: dict[str, list[str]] = {}
    name = ""
    for line in listed.stdout.splitlines():
        if line.startswith("@"):
            name = line.strip()
            sets[name] = []
        elif line.startswith("    ") and not line.strip().startswith("#"):
            sets[name].append(line.strip())
    return sets


def _calls(name: str, sets: dict[str, list[str]]) -> Iterator[str]:
    if name.startswith("@"):
        for member in sets[name]:
            yield from _calls(member, sets)
    else:
        yield name


def _load_memory_filter() -> None:
    both = mmap.PROT_WRITE | mmap.PROT_EXEC
    found = _Filter(ALLOW)
    refused = ERRNO | errno.EPERM
    found.add(refused, "mmap", _Argument(2, MASKED_EQUAL, both, both))
    for call in ("mprotect", "pkey_mprotect"):
        found.add(refused, call, _Argument(2, MASKED_EQUAL, mmap.PROT_EXEC, mmap.PROT_EXEC))
    found.add(refused, "shmat", _Argument(2, MASKED_EQUAL, SHM_EXEC, SHM_EXEC))
    found.load()


def _load_family_filter(allowed: list[str]) -> None:
    numbers = {getattr(socket, name) for name in allowed}
    found = _Filter(ALLOW)
    for number in set(range(1, 46)) - numbers:
        found.add(
            ERRNO | errno.EAFNOSUPPORT,
            "socket",
            _Argument(0, MASKED_EQUAL, 0xFFFFFFFF, number),
        )
    found.load()


if __name__ == "__main__":
    main()
