"""Real nameservers for tests: private instances on free loopback ports, ended by process id."""

from __future__ import annotations

import base64
import getpass
import os
import random
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import dns.exception
import dns.message
import dns.query

from tests.support.deadlines import scaled, until
from tests.support.servers import programs

# Below the system's ephemeral ports (32768 and up). Parallel test processes have a share each, and a port
# is not reused soon.
FIRST_PORT, LAST_PORT = 10_240, 32_767
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))


def _ports() -> Iterator[int]:
    share = (LAST_PORT - FIRST_PORT) // WORKERS
    first = FIRST_PORT + WORKER * share
    while True:
        yield from range(first + random.randrange(share // 2), first + share)


_PORTS = _ports()


def free_port() -> int:
    """Return a port that is currently free for UDP and TCP."""
    for port in _PORTS:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("unreachable")


def free_ports(count: int) -> int:
    """Return the first of this many consecutive free ports."""
    ports = [free_port()]
    while len(ports) < count:
        port = free_port()
        ports = [*ports, port] if port == ports[-1] + 1 else [port]
    return ports[0]


def knot_base_config(
    folder: Path, listen: str, data: Path, *, workers: int, journal_mb: int
) -> str:
    """Return the sections of knot.conf that are common to primaries and secondaries.

    `listen` is address@port, and `workers` the number of background workers.
    """
    return f"""
server:
    rundir: "{folder}"
    listen: {listen}
    udp-workers: 1
    tcp-workers: 1
    background-workers: {workers}
log:
  - target: stderr
    any: info
database:
    storage: "{data}"
    journal-db-max-size: {journal_mb}M
    timer-db-max-size: 1M
    kasp-db-max-size: 5M
    catalog-db-max-size: 5M
"""


class Named:
    """A private BIND 9 as secondary: `with Named(folder) as bind`."""

    TYPE = "bind9"
    SIGNS = False

    def __init__(
        self,
        folder: Path,
        rate: int = 1000,
        algorithm: str = "hmac-sha256",
        secret: str = "",
        more: str = "",
        options: str = "",
    ) -> None:
        """Prepare the server.

        Args:
            folder: for its files.
            rate: its serial-query-rate.
            algorithm: of the key of its control channel.
            secret: of that key.
            more: further statements of its configuration.
            options: further statements within its options.
        """
        self._more = more
        self._more_options = options
        self.folder = folder
        self.rate = rate
        self._algorithm = algorithm
        self._secret = secret or base64.b64encode(secrets.token_bytes(32)).decode()
        self.port = free_port()
        self.rndc_port = free_port()
        self.key_file = folder / "rndc.key"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.key_file.write_text(
            f'key "rndc-key" {{ algorithm {self._algorithm}; secret "{self._secret}"; }};\n'
        )
        (self.folder / "named.conf").write_text(self._config())
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _config(self) -> str:
        return f"""
include "{self.key_file}";
options {{
    directory "{self.folder}";
    pid-file "{self.folder}/named.pid";
    session-keyfile none;
    listen-on port {self.port} {{ 127.0.0.1; }};
    listen-on-v6 {{ none; }};
    recursion no;
    notify no;
    dnssec-validation no;
    allow-new-zones yes;
    allow-transfer {{ any; }};
    serial-query-rate {self.rate};
    minimal-responses yes;
    request-ixfr yes;
    tcp-clients 500; transfers-per-ns 20; transfers-in 40;
    {self._more_options}
}};
controls {{ inet 127.0.0.1 port {self.rndc_port} allow {{ 127.0.0.1; }} keys {{ "rndc-key"; }}; }};
{self._more}
"""

    def start(self) -> None:
        command = programs.command("named", "-g", "-n", "2", "-c", str(self.folder / "named.conf"))
        with (self.folder / "named.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        until(self._is_answering, 20, "named's first answer")

    def _is_answering(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "named.log").read_text()
        query = dns.message.make_query("version.bind.", "TXT", "CH")
        try:
            dns.query.udp(query, "127.0.0.1", port=self.port, timeout=0.5)
        except (OSError, dns.exception.DNSException):
            return False
        return True

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=scaled(20))
            self._process = None

    def wipe(self) -> None:
        """Delete all zones, like a rebuilt server; the program must be stopped."""
        for path in self.folder.iterdir():
            if path.name not in ("named.conf", "named.log", self.key_file.name):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    @property
    def options(self) -> dict[str, str]:
        """The options of a bind9 target for this server."""
        return {
            "host": "127.0.0.1",
            "port": str(self.port),
            "rndc_host": "127.0.0.1",
            "rndc_port": str(self.rndc_port),
            "rndc_key_file": str(self.key_file),
        }


class Memcached:
    """A private memcached: `with Memcached() as cache`."""

    def __init__(self) -> None:
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        program = shutil.which("memcached", path="/usr/bin:/usr/local/bin:/usr/sbin")
        assert program, "memcached is not installed; tools/test installs it"
        self._process = subprocess.Popen(
            [program, "-u", getpass.getuser(), "-l", "127.0.0.1", "-p", str(self.port), "-U", "0"]
        )
        until(self._is_answering, 20, "memcached's first answer")
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=scaled(20))
            self._process = None

    def _is_answering(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None
        try:
            return self.stat("pid") == self._process.pid
        except OSError:
            return False

    def stat(self, name: str) -> int:
        """Return one of its counters."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=scaled(5)) as connection:
            connection.sendall(b"stats\r\nquit\r\n")
            with connection.makefile(encoding="ascii") as lines:
                found = {line.split()[1]: line.split()[2] for line in lines if line[:4] == "STAT"}
        return int(found[name])
