"""Mounts by the system call: the program `mount` hides which of its steps failed."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT = 1, 2, 4, 8, 32
NOATIME, NODIRATIME, BIND, REC, PRIVATE, RELATIME = 1024, 2048, 4096, 16384, 1 << 18, 1 << 21
DETACH = 2
_FLAGS = {
    "ro": RDONLY,
    "nosuid": NOSUID,
    "nodev": NODEV,
    "noexec": NOEXEC,
    "noatime": NOATIME,
    "nodiratime": NODIRATIME,
    "relatime": RELATIME,
}
_LIBC = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: Path, kind: str = "", flags: int = 0, data: str = "") -> None:
    """Make the system call, and raise OSError where it fails."""
    texts = [text.encode() or None for text in (kind, data)]
    path = os.fspath(target).encode()
    if _LIBC.mount(source.encode(), path, texts[0], ctypes.c_ulong(flags), texts[1]) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), f"mount on {target}")


def make_private() -> None:
    """Keep all that follows in this mount namespace."""
    mount("none", Path("/"), flags=REC | PRIVATE)


def tmpfs(target: Path, mode: str = "0755", size_mib: int | None = None) -> None:
    """Mount an empty folder; the target must exist. size_mib: what it can hold."""
    size = "" if size_mib is None else f",size={size_mib}m"
    mount("tmpfs", target, "tmpfs", NOSUID, f"mode={mode}{size}")


def bind(source: Path, target: Path) -> None:
    """Show a file or folder, with what is mounted below it, at the target, which is created."""
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    elif not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    mount(os.fspath(source), target, flags=BIND | REC)


def detach(target: Path) -> None:
    """Unmount a folder and all that is mounted below it, as soon as nothing uses it."""
    if _LIBC.umount2(os.fspath(target).encode(), DETACH) != 0:
        raise OSError(ctypes.get_errno(), f"umount {target}")


def make_read_only(target: Path) -> None:
    """Make one mount read-only; its other flags stay, since a user namespace cannot drop them."""
    flags = next(flags for path, flags in mounted() if path == target)
    mount("none", target, flags=REMOUNT | BIND | RDONLY | flags)


def mounted() -> Iterator[tuple[Path, int]]:
    """Yield the mounts with their flags, the newest first."""
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    for line in reversed(lines):
        fields = line.split()
        path = fields[4].replace("\\040", " ")
        flags = sum(_FLAGS.get(option, 0) for option in fields[5].split(","))
        yield Path(path), flags
