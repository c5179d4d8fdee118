"""A small disk for one process and its children: a tmpfs in a mount namespace.

    unshare --mount ... python -m tests.support.machine.small_disk FOLDER MIB COMMAND...

shows a disk of this size at FOLDER, with the files and the owner of the folder that it covers, and replaces
itself by the command.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.machine import mounts

CHECKOUT = Path(__file__).parents[3]
FILLER = "filler"
BLOCK = bytes(2**16)


class SmallDisk:
    """The disk as the test sees it.

    Attributes:
        folder: where it is shown to the process; the folder must exist.
    """

    def __init__(self, folder: Path, size_mib: int) -> None:
        self.folder = folder
        self._size_mib = size_mib

    def command(self, *command: str) -> list[str]:
        """Return the command that runs this one with the disk, as the same user."""
        path = os.pathsep.join(filter(None, (str(CHECKOUT), os.environ.get("PYTHONPATH"))))
        user = [] if os.getuid() == 0 else ["--user", "--map-current-user", "--keep-caps"]
        return [
            "unshare", "--mount", *user,
            "env", f"PYTHONPATH={path}", sys.executable, "-m", __name__,
            str(self.folder), str(self._size_mib), *command,
        ]  # fmt: skip

    def fill(self, process_id: int) -> None:
        """Write until the disk of the process has no byte left."""
        with self._filler(process_id).open("ab", buffering=0) as file:
            for size in (len(BLOCK), 1):
                try:
                    while file.write(BLOCK[:size]) == size:
                        pass
                except OSError:
                    continue

    def free(self, process_id: int) -> None:
        """Remove what fill() wrote."""
        self._filler(process_id).unlink()

    def _filler(self, process_id: int) -> Path:
        return Path(f"/proc/{process_id}/root{self.folder}") / FILLER


def main() -> None:
    folder, size_mib, *command = sys.argv[1:]
    mounts.make_private()
    target = Path(folder)
    covered = target.with_name(f"{target.name}.covered")
    shutil.rmtree(covered, ignore_errors=True)
    target.rename(covered)
    target.mkdir()
    mounts.tmpfs(target, size_mib=int(size_mib))
    # A hole of a database's log would need space later, where its server expects none to be needed.
    subprocess.run(
        ["cp", "-a", "--sparse=never", f"{covered}/.", str(target)], check=True, timeout=120
    )
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
