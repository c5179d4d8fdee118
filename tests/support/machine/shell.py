"""A shell of a machine that stays open: what one block of a guide sets, the next one uses."""

from __future__ import annotations

import os
import secrets
import selectors
import subprocess
import time
from collections.abc import Mapping
from typing import Self

from tests.support.deadlines import scaled
from tests.support.machine.machine import ENVIRONMENT, Machine

BLOCK = "/run/block"


class Shell:
    """`with Shell(machine, folder, environment) as shell: shell.run(block)`."""

    def __init__(self, machine: Machine, folder: str, environment: Mapping[str, str]) -> None:
        self._machine = machine
        self._folder = folder
        self._environment = {**ENVIRONMENT, **environment}

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [*self._machine.entering, "bash", "-euo", "pipefail"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self._environment,
        )
        self._write(f"cd {self._folder}\n")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate(timeout=scaled(20))

    def _write(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode())
        self._process.stdin.flush()

    def run(self, block: str, timeout_s: float = 120) -> str:
        """Run a block, of which every command must succeed, and return its output."""
        self._machine.write(BLOCK, block)
        end = secrets.token_hex(8)
        self._write(f"source {BLOCK} </dev/null; echo {end}\n")
        output = self._read(end.encode(), time.monotonic() + scaled(timeout_s))
        assert output.endswith(f"{end}\n"), f"{block}\n{output}"
        return output.removesuffix(f"{end}\n")

    def _read(self, end: bytes, deadline_s: float) -> str:
        """Return the output until the end, or until the shell or the time ends."""
        assert self._process.stdout is not None
        found = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while end not in found and time.monotonic() < deadline_s:
                if selector.select(1):
                    part = os.read(self._process.stdout.fileno(), 1 << 16)
                    found += part
                    if not part:
                        break
        return found.decode(errors="replace")
