"""Secondary nameservers of a pool other than BIND: PowerDNS, NSD and Knot.

Each runs on free loopback ports, in a folder of its own, and is ended by process id. The module exceeds
300 lines because of the configuration files of three programs.
"""

from __future__ import annotations

import functools
import secrets
import shutil
import sqlite3
import subprocess
import tempfile
from pathlib import Path
from typing import ClassVar, Self

import dns.exception
import dns.message
import dns.query
import requests

from tests.support.deadlines import scaled, until
from tests.support.servers import programs
from tests.support.servers.nameservers import free_port, knot_base_config

TRIES = 3


class StartError(AssertionError):
    """Raised when the program ended during its start; the text has its log."""


class Secondary:
    """One nameserver program on 127.0.0.1:port: `with Pdns(folder) as server`.

    stop() and start() restart it; with wipe() in between it is a new server without zones. SIGNS: it signs
    its zones.
    """

    PROGRAM: ClassVar[str] = ""
    TYPE: ClassVar[str] = ""
    SIGNS: ClassVar[bool] = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self.control_port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        for attempt in range(TRIES):
            self.port, self.control_port = free_port(), free_port()
            self.prepare()
            try:
                self.start()
            except StartError:
                # Another process may have taken one of the ports.
                if attempt == TRIES - 1:
                    raise
            else:
                break
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def log(self) -> Path:
        return self.folder / f"{self.PROGRAM}.log"

    @property
    def options(self) -> dict[str, str]:
        """Options of a target for this server."""
        return {"host": "127.0.0.1", "port": str(self.port)}

    def prepare(self) -> None:
        """Write the configuration files."""
        raise NotImplementedError

    def command(self) -> list[str]:
        raise NotImplementedError

    def wipe(self) -> None:
        """Delete all zones; the program must be stopped."""
        raise NotImplementedError

    def ready(self) -> bool:
        """Return whether the control channel replies; the DNS side does already."""
        return True

    def start(self) -> None:
        command = programs.command(self.PROGRAM, *self.command())
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        until(
            lambda: self._is_answering() and self.ready() and self._lives(),
            20,
            f"{self.PROGRAM}'s first answer",
        )

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=scaled(20))
            self._process = None

    def _lives(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise StartError(self.log.read_text())
        return True

    def _is_answering(self) -> bool:
        self._lives()
        query = dns.message.make_query("nowhere.example.", "SOA")
        try:
            dns.query.udp(query, "127.0.0.1", port=self.port, timeout=0.5)
        except (OSError, dns.exception.DNSException):
            return False
        return True


class Pdns(Secondary):
    """PowerDNS Authoritative with an SQLite database.

    `dnssec` is its option of that name, and `options` are further ones of a target.
    """

    PROGRAM = "pdns_server"
    TYPE = "pdns4"
    SCHEMA = programs.data("usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")

    def __init__(self, folder: Path, *, dnssec: bool = False, **options: str) -> None:
        super().__init__(folder)
        self.token = secrets.token_hex(16)
        self.database = folder / "pdns.sqlite"
        self._dnssec = dnssec
        self._options = options

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.control_port}"

    @property
    def options(self) -> dict[str, str]:
        own = {"api_endpoint": self.url, "api_token": self.token}
        return {**super().options, **own, **self._options}

    def prepare(self) -> None:
        self.wipe()
        modules = programs.modules("pdns")
        (self.folder / "pdns.conf").write_text(f"""
{f"module-dir={modules}" if modules else ""}
launch=gsqlite3
gsqlite3-database={self.database}
gsqlite3-pragma-synchronous=0
gsqlite3-dnssec={"yes" if self._dnssec else "no"}
socket-dir={self.folder}
local-address=127.0.0.1
local-port={self.port}
secondary=yes
xfr-cycle-interval=3600
disable-syslog=yes
loglevel=6
guardian=no
security-poll-suffix=
direct-dnskey=yes
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
allow-axfr-ips=127.0.0.1
webserver=yes
webserver-address=127.0.0.1
webserver-port={self.control_port}
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
        """Call the server's API, at a path below its zones."""
        return self.api_root(method, f"/zones{path}", body)

    def api_root(self, method: str, path: str, body: object = None) -> requests.Response:
        return requests.request(
            method,
            f"{self.url}/api/v1/servers/localhost{path}",
            json=body,
            headers={"X-API-Key": self.token},
            timeout=scaled(5),
        )


def _made_files() -> dict[str, bytes]:
    """Return the files of nsd-control-setup by name."""
    with tempfile.TemporaryDirectory() as folder:
        programs.run("nsd-control-setup", "-d", folder, check=True, timeout=scaled(120))
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


_usual_files = functools.cache(_made_files)


class Nsd(Secondary):
    """NSD with its control channel.

    Its pattern `slave` transfers from 127.0.0.1:master_port, and `other` from a port without a server.
    With `fresh` it has keys of its own, which take seconds to make, instead of shared ones.
    """

    PROGRAM = "nsd"
    TYPE = "nsd4"

    def __init__(self, folder: Path, master_port: int, *, fresh: bool = False) -> None:
        super().__init__(folder)
        self.master_port = master_port
        self._fresh = fresh

    @property
    def options(self) -> dict[str, str]:
        return {
            "host": "127.0.0.1",
            "port": str(self.control_port),
            "notify_port": str(self.port),
            "certfile": str(self.folder / "nsd_control.pem"),
            "keyfile": str(self.folder / "nsd_control.key"),
            "ca_certs": str(self.folder / "nsd_server.pem"),
            "check_hostname": "false",
        }

    def prepare(self) -> None:
        for name, content in (_made_files() if self._fresh else _usual_files()).items():
            (self.folder / name).write_bytes(content)
        self.wipe()
        folder = self.folder
        (folder / "nsd.conf").write_text(f"""
server:
    ip-address: 127.0.0.1@{self.port}
    server-count: 1
    username: ""
    chroot: ""
    database: ""
    zonesdir: "{folder}/zones"
    xfrdir: "{folder}"
    xfrdfile: "{folder}/xfrd.state"
    zonelistfile: "{folder}/zone.list"
    pidfile: "{folder}/nsd.pid"
    xfrd-reload-timeout: 0
    verbosity: 2
    hide-version: yes
remote-control:
    control-enable: yes
    control-interface: 127.0.0.1
    control-port: {self.control_port}
    server-key-file: "{folder}/nsd_server.key"
    server-cert-file: "{folder}/nsd_server.pem"
    control-key-file: "{folder}/nsd_control.key"
    control-cert-file: "{folder}/nsd_control.pem"
{self._pattern("slave", self.master_port)}
{self._pattern("other", free_port())}
""")

    @staticmethod
    def _pattern(name: str, port: int) -> str:
        return f"""
pattern:
    name: "{name}"
    zonefile: "%s.zone"
    allow-notify: 127.0.0.1 NOKEY
    request-xfr: 127.0.0.1@{port} NOKEY
    provide-xfr: 127.0.0.1 NOKEY
    min-retry-time: 1
"""

    def wipe(self) -> None:
        shutil.rmtree(self.folder / "zones", ignore_errors=True)
        (self.folder / "zones").mkdir()
        for name in ("xfrd.state", "zone.list"):
            (self.folder / name).unlink(missing_ok=True)

    def command(self) -> list[str]:
        return ["-d", "-c", str(self.folder / "nsd.conf")]

    def ready(self) -> bool:
        return "version:" in self.control("status")

    def control(self, *words: str) -> str:
        """Run nsd-control and return its output."""
        configuration = str(self.folder / "nsd.conf")
        ran = programs.run(
            "nsd-control", "-c", configuration, *words, check=False, timeout=scaled(20)
        )
        return ran.stdout + ran.stderr


class Knot(Secondary):
    """A private Knot DNS that takes its zones from the catalog zone `catalog.example`.

    It transfers from master_port, with the keys `pool` and, for the catalog, `catalog.example`.
    """

    PROGRAM = "knotd"
    TYPE = "catalog"

    def __init__(self, folder: Path, master_port: int, secret: str) -> None:
        super().__init__(folder)
        self._master_port = master_port
        self._secret = secret

    def prepare(self) -> None:
        base = knot_base_config(
            self.folder, f"127.0.0.1@{self.port}", self.folder / "data", workers=2, journal_mb=64
        )
        (self.folder / "knot.conf").write_text(f"""{base}key:
  - id: pool
    algorithm: hmac-sha256
    secret: {self._secret}
  - id: catalog.example
    algorithm: hmac-sha256
    secret: {self._secret}
remote:
  - id: for-zones
    address: 127.0.0.1@{self._master_port}
    key: pool
  - id: for-catalog
    address: 127.0.0.1@{self._master_port}
    key: catalog.example
acl:
  - id: mdns
    address: 127.0.0.1
    action: [notify, transfer]
template:
  - id: member
    storage: "{self.folder}/data"
    master: for-zones
    acl: mdns
zone:
  - domain: catalog.example.
    storage: "{self.folder}/data"
    master: for-catalog
    acl: mdns
    catalog-role: interpret
    catalog-template: member
""")
        (self.folder / "data").mkdir(exist_ok=True)

    def command(self) -> list[str]:
        return ["-c", str(self.folder / "knot.conf")]

    def wipe(self) -> None:
        shutil.rmtree(self.folder / "data")
        (self.folder / "data").mkdir()
