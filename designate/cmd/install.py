"""designate-install: puts the files of an installed package into their places on this machine.

The wheel carries units for systemd, the files of sysusers.d, tmpfiles.d and logrotate.d, and the sample
configuration as plain files below its prefix (a virtual environment, /usr/local). This command copies
them to /etc, with the path of the programs in the units. It may be repeated, as after an upgrade:
configuration that exists is never changed. Exit status: 0 done; 1 a file could not be written.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

# Folders of the wheel's data, and where their files go. Configuration belongs to the operator.
SYSTEMD = "share/designate/systemd"
PLACES = {
    SYSTEMD: "etc/systemd/system",
    "share/designate/sysusers.d": "etc/sysusers.d",
    "share/designate/tmpfiles.d": "etc/tmpfiles.d",
    "share/designate/logrotate.d": "etc/logrotate.d",
    "etc/designate": "etc/designate",
}
CONFIGURATION = ("etc/designate", "etc/logrotate.d")
SAMPLE = ".sample"
PACKAGED_PROGRAMS = "ExecStart=/usr/bin/"
PROGRAM = "bin/designate-api"
# ProtectHome and PrivateTmp of the units.
HIDDEN = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108 - nothing is written there


@dataclass(frozen=True, slots=True)
class InstalledFile:
    """A file of the wheel's data: where it is, and its place below the root folder."""

    source: Path
    place: Path

    @property
    def is_configuration(self) -> bool:
        """Whether the operator edits it, so that a new release leaves it as it is."""
        below = any(self.place.is_relative_to(folder) for folder in CONFIGURATION)
        return below and self.place.suffix != SAMPLE


def main(argv: Sequence[str] | None = None) -> int:
    """Copy the files and return the exit status."""
    arguments = _parser().parse_args(argv)
    try:
        package = metadata.distribution("designate")
        programs = arguments.bin_dir or _programs(package)
        _warn_of_hidden(programs)
        for file in files(package):
            _copy(file, arguments.root, programs, arguments.dry_run)
    except OSError as error:
        print(f"designate-install: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


def files(package: metadata.Distribution) -> Iterator[InstalledFile]:
    """Yield the data files of the installed package, sorted by place."""
    found = []
    for path in package.files or ():
        source = Path(os.path.normpath(str(path.locate())))
        for folder, place in PLACES.items():
            _, is_below, name = source.as_posix().rpartition(f"/{folder}/")
            if is_below:
                found.append(InstalledFile(source, Path(place, name)))
    yield from sorted(found, key=lambda file: file.place)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="designate-install",
        description="Copy systemd units, sysusers.d, tmpfiles.d, logrotate.d and sample configuration "
        "to /etc. Existing configuration is kept; units and samples are replaced.",
    )
    add = parser.add_argument
    add(
        "--root",
        type=Path,
        default=Path("/"),
        metavar="DIR",
        help="write below DIR, for an image or a package (default: /)",
    )
    add(
        "--bin-dir",
        metavar="DIR",
        help="folder of the programs that the units start (default: where they are installed)",
    )
    add("--dry-run", action="store_true", help="only show what would be written")
    return parser


def _programs(package: metadata.Distribution) -> str:
    """Return the folder of the daemons' programs."""
    for path in package.files or ():
        if path.as_posix().endswith(PROGRAM):
            return os.path.dirname(os.path.normpath(str(path.locate())))
    return os.path.dirname(os.path.abspath(sys.argv[0]))


def _warn_of_hidden(programs: str) -> None:
    for folder in HIDDEN:
        if Path(programs).is_relative_to(folder):
            print(
                f"designate-install: the units cannot start programs in {programs}, since {folder} is "
                "hidden from them: install into /opt or /usr/local instead",
                file=sys.stderr,
            )


def _copy(file: InstalledFile, root: Path, programs: str, dry_run: bool) -> None:
    """Write one file unless it is configuration that exists, and print what was done."""
    target = root / file.place
    content = file.source.read_text(encoding="utf-8")
    content = content.replace(PACKAGED_PROGRAMS, f"ExecStart={programs}/")
    if not target.exists():
        done = "created"
    elif target.read_text(encoding="utf-8") == content:
        done = "unchanged"
    else:
        done = "kept" if file.is_configuration else "replaced"
    if done in ("created", "replaced") and not dry_run:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")
    print(f"{done:<9}  {target}")


if __name__ == "__main__":
    sys.exit(main())
