"""The nameservers of doc/nameservers.md, started with its configurations word by word.

Only addresses, ports, paths and secrets are replaced by the test's own.
"""

from __future__ import annotations

import base64
import re
import secrets
import sqlite3
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import dns.exception
import dns.message
import dns.query
import trustme

from tests.support.deadlines import scaled, until
from tests.support.servers import programs
from tests.support.servers.nameservers import free_port
from tests.support.servers.secondaries import StartError

DOC = Path(__file__).parents[3] / "doc"
TLS_NAME = "mdns.example.org"
FILE = re.compile(r"`(\S+)`:\n\n```\w*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PORTS = ("53", "853", "953", "5354", "8081", "8952")
PORT = re.compile(rf"(?<![\d.])(?:{'|'.join(PORTS)})\b")
NEEDED = re.compile(r"^\w+ ([\d.]+) or newer", re.MULTILINE)


def read(document: str) -> str:
    """Return a document of doc/."""
    return (DOC / document).read_text()


def section(document: str, title: str) -> str:
    """Return the text below a heading, up to the next one."""
    found = re.search(
        rf"^##+ {re.escape(title)}\n(.*?)(?=^##|\Z)", read(document), re.DOTALL | re.MULTILINE
    )
    assert found, f"{document} has no section {title}"
    return found[1]


@dataclass
class Place:
    """What stands for the guide's machines in a test: loopback addresses, free ports, a folder, secrets."""

    folder: Path
    ports: dict[str, int] = field(default_factory=lambda: {port: free_port() for port in PORTS})
    words: dict[str, str] = field(
        default_factory=lambda: {
            name: base64.b64encode(secrets.token_bytes(32)).decode()
            for name in ("API-KEY", "CATALOG-SECRET", "POOL-SECRET")
        }
    )

    def put(self, text: str) -> str:
        """Return a text of the guide with this place's addresses, ports, paths and secrets."""
        # All are one machine, since BIND listens on addresses of interfaces only; ports differ.
        text = re.sub(r"\b192\.0\.2\.\d+", "127.0.0.1", text)
        text = re.sub(r"(?<!/)/(etc|var|run)/", lambda found: f"{self.folder}/{found[1]}/", text)
        text = PORT.sub(lambda found: str(self.ports[found[0]]), text)
        for word, own in self.words.items():
            text = text.replace(word, own)
        return text

    def file(self, path: str) -> Path:
        """Return the own path of a file of the guide's machines, and make its folder."""
        own = Path(self.put(path)) if path.startswith("/") else self.folder / path
        own.parent.mkdir(parents=True, exist_ok=True)
        return own


class GuideServer:
    """A nameserver as a section of the guide configures it: `with GuideServer(place, title) as server`."""

    PROGRAM = ""
    VERSION = "-V"

    def __init__(self, place: Place, title: str) -> None:
        self.place = place
        text = section("nameservers.md", title)
        self._files = {place.file(path): place.put(content) for path, content in FILE.findall(text)}
        self._commands = [line for block in COMMANDS.findall(text) for line in block.splitlines()]
        self._needed = NEEDED.search(text)
        self.log = place.folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.place.ports["53"]

    @property
    def pools_file(self) -> Path:
        return self.place.folder / "pools.yaml"

    def is_new_enough(self) -> bool:
        """Return whether the program has the version that the section says it needs."""
        if self._needed is None:
            return True
        found = programs.version(self.PROGRAM, self.VERSION)
        return _numbers(found) >= _numbers(self._needed[1])

    def __enter__(self) -> Self:
        for file, content in self._files.items():
            file.write_text(content)
        self.prepare()
        with self.log.open("ab") as log:
            command = programs.command(self.PROGRAM, *self.arguments())
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.place.folder)
        until(self._is_answering, 20, f"{self.PROGRAM}'s first answer")
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=scaled(20))

    def prepare(self) -> None:
        """Do what the packages of the product or the guide's other commands do."""

    def arguments(self) -> list[str]:
        raise NotImplementedError

    def _is_answering(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise StartError(self.log.read_text())
        query = dns.message.make_query("nowhere.example.", "SOA")
        try:
            dns.query.udp(query, self.address[0], port=self.address[1], timeout=0.5)
        except (OSError, dns.exception.DNSException):
            return False
        return True


def _numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]


class Bind(GuideServer):
    PROGRAM = "named"

    def prepare(self) -> None:
        self.place.file("/var/cache/bind/x")
        key = (
            f'key "rndc-key" {{ algorithm hmac-sha256; secret "{self.place.words["API-KEY"]}"; }};'
        )
        for path in ("/etc/bind/rndc.key", "/etc/designate/rndc.key"):
            self.place.file(path).write_text(key)
        # The defaults of these are folders of the system.
        conf = self.place.file("/etc/bind/named.conf")
        own = "options { pid-file none; session-keyfile none;"
        conf.write_text(conf.read_text().replace("options {", own))

    def arguments(self) -> list[str]:
        conf = str(self.place.file("/etc/bind/named.conf"))
        return ["-g", "-n", "1", "-p", str(self.place.ports["53"]), "-c", conf]


class PowerDns(GuideServer):
    PROGRAM = "pdns_server"
    VERSION = "--version"

    def prepare(self) -> None:
        schema = programs.data("usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")
        with sqlite3.connect(self.place.file("/var/lib/powerdns/pdns.sqlite3")) as database:
            database.executescript(schema.read_text())
        database.close()
        modules = programs.modules("pdns")
        if modules:
            conf = self.place.file("/etc/powerdns/pdns.conf")
            conf.write_text(f"module-dir={modules}\n{conf.read_text()}")
        for line in self._commands:
            program, *words = self.place.put(line).split()
            programs.run(program, *self._config_dir(), *words, check=True, timeout=scaled(20))

    def _config_dir(self) -> list[str]:
        return [f"--config-dir={self.place.file('/etc/powerdns/pdns.conf').parent}"]

    def arguments(self) -> list[str]:
        here = [f"--local-port={self.place.ports['53']}", f"--socket-dir={self.place.folder}"]
        return [*self._config_dir(), "--daemon=no", "--guardian=no", "--disable-syslog", *here]


class Nsd(GuideServer):
    PROGRAM = "nsd"
    VERSION = "-v"

    def prepare(self) -> None:
        self.place.file("/var/lib/nsd/x")
        keys = self.place.file("/etc/nsd/nsd_control.key").parent
        programs.run("nsd-control-setup", "-d", str(keys), check=True, timeout=scaled(120))
        for name in ("nsd_control.key", "nsd_control.pem", "nsd_server.pem"):
            copy = self.place.file(f"/etc/designate/{name}")
            copy.write_bytes((keys / name).read_bytes())
        conf = self.place.file("/etc/nsd/nsd.conf")
        # The defaults of these are files of the system.
        conf.write_text(f"""{conf.read_text()}
server:
    server-count: 1
    username: ""
    xfrdir: "{self.place.folder}"
    xfrdfile: "{self.place.folder}/xfrd.state"
    zonelistfile: "{self.place.folder}/zone.list"
    pidfile: "{self.place.folder}/nsd.pid"
remote-control:
    server-key-file: "{keys}/nsd_server.key"
    server-cert-file: "{keys}/nsd_server.pem"
    control-key-file: "{keys}/nsd_control.key"
    control-cert-file: "{keys}/nsd_control.pem"
""")

    def arguments(self) -> list[str]:
        conf = str(self.place.file("/etc/nsd/nsd.conf"))
        return ["-d", "-p", str(self.place.ports["53"]), "-c", conf]


class Knot(GuideServer):
    PROGRAM = "knotd"

    def prepare(self) -> None:
        for folder in ("/run/knot/x", "/var/lib/knot/x"):
            self.place.file(folder)
        conf = self.place.file("/etc/knot/knot.conf")
        for line in self._commands:
            pin = subprocess.run(
                self.place.put(line), shell=True, check=True, capture_output=True, text=True
            )
            conf.write_text(conf.read_text().replace("PIN", pin.stdout.strip()))

    def arguments(self) -> list[str]:
        return ["-c", str(self.place.file("/etc/knot/knot.conf"))]


def service_conf(place: Place) -> Path:
    """Write the guide's designate.conf, with a certificate of MiniDNS, and return its path."""
    authority = trustme.CA()
    certificate = authority.issue_cert(TLS_NAME, "127.0.0.1")
    certificate.private_key_pem.write_to_path(str(place.file("/etc/designate/mdns.key")))
    for pem in certificate.cert_chain_pems:
        pem.write_to_path(str(place.file("/etc/designate/mdns.pem")), append=True)
    for path in ("/etc/bind/mdns-ca.pem", "/etc/nsd/mdns-ca.pem"):
        authority.cert_pem.write_to_path(str(place.file(path)))
    files = dict(FILE.findall(section("operator.md", "Transfers over TLS")))
    conf = place.file("designate.conf")
    conf.write_text(place.put(files["designate.conf"]))
    return conf
