"""A private Redis with a Sentinel, as coordination service, on free loopback ports."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path
from typing import Self

from tests.support.deadlines import scaled, until
from tests.support.servers.nameservers import free_port

GROUP = "kolla"


class Redis:
    """`with Redis(folder) as redis`: one server and one Sentinel that watches it."""

    def __init__(self, folder: Path, password: str) -> None:
        self._folder = folder
        self._password = password
        self.port, self.sentinel_port = free_port(), free_port()
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            self._start("server", self.port, f"requirepass {self._password}\nsave ''\n")
            watch = (
                f"sentinel monitor {GROUP} 127.0.0.1 {self.port} 1\n"
                f"sentinel auth-pass {GROUP} {self._password}\n"
            )
            self._start("sentinel", self.sentinel_port, watch, "--sentinel")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(timeout=scaled(20))
        self._processes.clear()

    def _start(self, name: str, port: int, more: str, *arguments: str) -> None:
        program = shutil.which("redis-server", path="/usr/bin:/usr/local/bin")
        assert program, "redis-server is not installed; tools/test installs it"
        conf = self._folder / f"{name}.conf"
        conf.write_text(f"bind 127.0.0.1\nport {port}\ndir {self._folder}\n{more}")
        with (self._folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen([program, str(conf), *arguments], stdout=log, stderr=log)
        self._processes.append(process)

        def replies() -> bool:
            assert process.poll() is None, (self._folder / f"{name}.log").read_text()[-2000:]
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=scaled(2)) as sock:
                    sock.sendall(b"PING\r\n")
                    return sock.recv(7) in (b"+PONG\r\n", b"-NOAUTH")
            except OSError:
                return False

        until(replies, 20, f"the first reply of Redis' {name}")

    @property
    def keys(self) -> str:
        """Return what `KEYS *` replies."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=scaled(5)) as sock:
            sock.sendall(f"AUTH {self._password}\r\nKEYS *\r\nQUIT\r\n".encode())
            with sock.makefile() as lines:
                return lines.read()
