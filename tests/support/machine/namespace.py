"""The first process of a machine: makes its files private, then ends and reaps what runs in it.

    unshare --mount --pid --fork ... python -m tests.support.machine.namespace SETTINGS

SETTINGS is JSON: `private` (folders, empty but for /etc, which is a copy), `binds` (what is shown below
them: sources by target), `accounts` (given the number 0, in a user namespace that has no other) and
`network` (whether there is one of its own). It writes a line when the machine is ready, and lives until
its standard input ends.
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from tests.support.machine import mounts

SCRATCH = Path("/mnt")
HOSTNAME = "machine"
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def main() -> None:
    settings = json.loads(sys.argv[1])
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    mounts.make_private()
    make_files(settings)
    if settings["network"]:
        raise_loopback()
        socket.sethostname(HOSTNAME)
    threading.Thread(target=end_with_input, daemon=True).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        # Children of daemons that ended.
        signal.sigwait([signal.SIGCHLD])
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def end_with_input() -> None:
    """End, and thereby everything in the namespace, when the test has ended."""
    sys.stdin.read()
    os._exit(0)


def make_files(settings: dict[str, Any]) -> None:
    """Make a new root folder, which is root's in a user namespace too, and change to it."""
    mounts.tmpfs(SCRATCH)
    private = [Path(name) for name in settings["private"]]
    fill(Path("/"), private)
    for target, source in settings["binds"].items():
        shown = inside(Path(target))
        mounts.bind(Path(source), shown)
        mounts.make_read_only(shown)
    alias_accounts(inside(Path("/etc")), settings["accounts"])
    old = SCRATCH / "mnt"
    subprocess.run(["pivot_root", SCRATCH, old], check=True, timeout=60)
    os.chdir("/")
    mounts.detach(Path("/mnt"))


def inside(path: Path) -> Path:
    """Return where a path of the new root folder is now."""
    return SCRATCH / path.relative_to("/")


def fill(folder: Path, private: list[Path]) -> None:
    """Show a folder as it is, but for what is private."""
    for path in folder.iterdir():
        new = inside(path)
        if path.is_symlink():
            new.symlink_to(path.readlink())
        elif path == Path("/etc"):
            # What an ordinary user cannot read is left out.
            subprocess.run(["cp", "-a", path, new], stderr=subprocess.DEVNULL, timeout=60)
        elif path in (*private, SCRATCH):
            new.mkdir()
            shutil.copymode(path, new)
        elif any(other.is_relative_to(path) for other in private):
            new.mkdir()
            fill(path, private)
        else:
            mounts.bind(path, new)


def alias_accounts(etc: Path, names: list[str]) -> None:
    """Give these accounts the number 0."""
    for file, rest in (("passwd", "x:0:0::/var/lib/{0}:/bin/sh"), ("group", "x:0:")):
        lines = (etc / file).read_text(encoding="utf-8").splitlines()
        others = [line for line in lines if line.partition(":")[0] not in names]
        made = [f"{name}:{rest.format(name)}" for name in names]
        (etc / file).write_text("\n".join([*others, *made, ""]), encoding="utf-8")


def raise_loopback() -> None:
    with socket.socket() as sock:
        request = array.array("B", struct.pack("16sh14x", b"lo", 0))
        fcntl.ioctl(sock, SIOCGIFFLAGS, request)
        (flags,) = struct.unpack_from("h", request, 16)
        struct.pack_into("h", request, 16, flags | IFF_UP)
        fcntl.ioctl(sock, SIOCSIFFLAGS, request)


if __name__ == "__main__":
    main()
