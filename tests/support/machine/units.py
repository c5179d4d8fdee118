"""Unit files: read with their drop-ins, as systemd reads them."""

from __future__ import annotations

import re
import shlex
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

FOLDERS = (Path("/etc/systemd/system"), Path("/usr/lib/systemd/system"))
_UNITS_S = {"": 1, "s": 1, "min": 60, "h": 3600}


class Unit:
    """A service's unit; an assignment without a value clears the earlier ones of its name."""

    def __init__(self, name: str) -> None:
        self.name = name.removesuffix(".service")
        self._values: dict[tuple[str, str], list[str]] = defaultdict(list)
        found = [folder / f"{self.name}.service" for folder in FOLDERS]
        self.path = next((path for path in found if path.is_file()), None)
        if self.path is None:
            raise FileNotFoundError(f"Unit {self.name}.service not found.")
        for path in (self.path, *self._drop_ins()):
            self._read(path)

    def _drop_ins(self) -> list[Path]:
        """Return the drop-ins of the unit and of its prefixes (designate-.service.d), by file name."""
        parts = self.name.split("-")
        names = ["-".join(parts[:count]) + "-" for count in range(1, len(parts))]
        found: dict[str, Path] = {}
        for name in (*names, self.name):
            for folder in reversed(FOLDERS):
                found |= {path.name: path for path in folder.glob(f"{name}.service.d/*.conf")}
        return [found[name] for name in sorted(found)]

    def _read(self, path: Path) -> None:
        section = ""
        text = path.read_text(encoding="utf-8").replace("\\\n", " ")
        for line in map(str.strip, text.splitlines()):
            if line.startswith("["):
                section = line.strip("[]")
            elif "=" in line and line[0] not in "#;":
                name, value = (part.strip() for part in line.split("=", 1))
                if value:
                    self._values[section, name].append(value)
                else:
                    self._values[section, name].clear()

    def all(self, name: str, section: str = "Service") -> list[str]:
        """Return the values of a setting that may repeat."""
        return self._values[section, name]

    def get(self, name: str, default: str = "") -> str:
        """Return the last value of a setting of [Service]."""
        return [default, *self.all(name)][-1]

    def is_set(self, name: str) -> bool:
        """Return whether a setting is switched on."""
        return self.get(name) in ("yes", "true", "1", "strict")

    def seconds(self, name: str, default: str) -> int:
        """Return a time span in seconds."""
        found = re.fullmatch(r"(\d+) ?(\w*)", self.get(name, default))
        assert found, self.get(name)
        return int(found[1]) * _UNITS_S[found[2]]

    def commands(self, name: str, **variables: str) -> Iterator[list[str]]:
        """Yield the commands of a setting, with variables such as $MAINPID replaced."""
        for line in self.all(name):
            words = shlex.split(line.lstrip("-+!@:"))
            yield [
                value
                for word in words
                for value in (
                    variables.get(word[1:], "").split() if word.startswith("$") else [word]
                )
            ]

    def environment(self) -> dict[str, str]:
        """Return what Environment= and EnvironmentFile= set."""
        found = {}
        for line in self.all("Environment"):
            found |= dict(word.split("=", 1) for word in shlex.split(line))
        for name in self.all("EnvironmentFile"):
            path = Path(name.removeprefix("-"))
            for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
                if "=" in line and not line.startswith("#"):
                    key, value = line.split("=", 1)
                    found[key] = " ".join(shlex.split(value))
        return found
