"""The nameservers beside BIND that serve a pool: PowerDNS, NSD and Knot, each on free loopback ports
and in a folder of its own, ended by process id."""

from __future__ import annotations

import secrets
import shutil
import sqlite3
import subprocess
from pathlib import Path
from typing import ClassVar, Self

import dns.exception
import dns.message
import dns.query
import requests

from tests.servers import free_port, until

SBIN = "/usr/sbin:/usr/local/sbin:/usr/bin"


class Secondary:
    """One program: `with Pdns(folder) as server`. stop() and start() are a restart; wipe() in between
    makes it a server that was rebuilt. Its DNS side is 127.0.0.1:port."""

    PROGRAM: ClassVar[str] = ""
    TYPE: ClassVar[str] = ""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.prepare()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def log(self) -> Path:
        return self.folder / f"{self.PROGRAM}.log"

    @property
    def options(self) -> dict[str, str]:
        """Of a target for it."""
        return {"host": "127.0.0.1", "port": str(self.port)}

    def prepare(self) -> None:
        """Write what the program reads."""
        raise NotImplementedError

    def command(self) -> list[str]:
        raise NotImplementedError

    def wipe(self) -> None:
        """Forget all zones. The program is stopped."""
        raise NotImplementedError

    def ready(self) -> bool:
        """Whether its control side answers; the DNS side does already."""
        return True

    def start(self) -> None:
        program = shutil.which(self.PROGRAM, path=SBIN)
        assert program, f"{self.PROGRAM} is not installed; tools/test installs it"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [program, *self.command()], stdout=log, stderr=log, cwd=self.folder
            )
        until(lambda: self._answers() and self.ready(), 20, f"{self.PROGRAM}'s first answer")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=20)
            self._process = None

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text()
        query = dns.message.make_query("nowhere.example.", "SOA")
        try:
            dns.query.udp(query, "127.0.0.1", port=self.port, timeout=0.5)
        except (OSError, dns.exception.DNSException):
            return False
        return True


class Pdns(Secondary):
    """PowerDNS Authoritative with an SQLite database."""

    PROGRAM = "pdns_server"
    TYPE = "pdns4"
    SCHEMA = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.api_port = free_port()
        self.token = secrets.token_hex(16)
        self.database = folder / "pdns.sqlite"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def options(self) -> dict[str, str]:
        return {**super().options, "api_endpoint": self.url, "api_token": self.token}

    def prepare(self) -> None:
        self.wipe()
        (self.folder / "pdns.conf").write_text(f"""
launch=gsqlite3
gsqlite3-database={self.database}
gsqlite3-pragma-synchronous=0
socket-dir={self.folder}
local-address=127.0.0.1
local-port={self.port}
secondary=yes
xfr-cycle-interval=3600
disable-syslog=yes
loglevel=6
guardian=no
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
allow-axfr-ips=127.0.0.1
webserver=yes
webserver-address=127.0.0.1
webserver-port={self.api_port}
api=yes
api-key={self.token}
""")

    def wipe(self) -> None:
        self.database.unlink(missing_ok=True)
        with sqlite3.connect(self.database) as database:
            database.executescript(self.SCHEMA.read_text())
        database.close()

    def command(self) -> list[str]:
        return [f"--config-dir={self.folder}", "--daemon=no"]

    def ready(self) -> bool:
        try:
            return requests.get(self.url, timeout=1).status_code > 0
        except requests.ConnectionError:
            return False

    def api(self, method: str, path: str, body: object = None) -> requests.Response:
        """A call of its API, below the server's zones."""
        return self.api_root(method, f"/zones{path}", body)

    def api_root(self, method: str, path: str, body: object = None) -> requests.Response:
        return requests.request(
            method,
            f"{self.url}/api/v1/servers/localhost{path}",
            json=body,
            headers={"X-API-Key": self.token},
            timeout=5,
        )
