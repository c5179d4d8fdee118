"""Real nameservers as primaries of one zone: BIND, Knot and NSD, on free ports, ended by process id."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Self

import dns.exception
import dns.message
import dns.query

from tests.support.deadlines import scaled, until
from tests.support.servers import programs
from tests.support.servers.nameservers import free_port, knot_base_config

SOA_DATA = "ns1.{zone} host\\.master.{zone} {serial} {refresh} {retry} {expire} 300"


def zone_text(
    zone: str, serial: int, *lines: str, timers: tuple[int, int, int] = (3600, 600, 86400)
) -> str:
    refresh, retry, expire = timers
    soa = SOA_DATA.format(zone=zone, serial=serial, refresh=refresh, retry=retry, expire=expire)
    own = (
        f"{zone} 300 IN SOA {soa}",
        f"{zone} 300 IN NS ns1.{zone}",
        f"ns1.{zone} 300 IN A 192.0.2.53",
    )
    return "\n".join((*own, *lines)) + "\n"


class Primary:
    """A primary nameserver of one zone: `with BindPrimary(folder, zone, text) as primary`."""

    program = ""

    def __init__(
        self,
        folder: Path,
        zone: str,
        text: str,
        *,
        host: str = "127.0.0.1",
        notify: tuple[str, int] | None = None,
        key: tuple[str, str] | None = None,
        signed: bool = False,
    ) -> None:
        """Prepare the server.

        Args:
            folder: for its files.
            zone: name of the zone.
            text: content of the zone file.
            host: address to listen on.
            notify: (host, port) to send NOTIFY messages to.
            key: (name, secret) required for transfers.
            signed: sign the zone with DNSSEC.
        """
        self.folder = folder
        self.zone = zone
        self.host = host
        self.notify = notify
        self.key = key
        self.signed = signed
        self.port = free_port()
        self.control = free_port()
        self.file = folder / "zone.db"
        folder.mkdir(parents=True, exist_ok=True)
        self.file.write_text(text)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def master(self) -> str:
        """The address in the form of the API."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __enter__(self) -> Self:
        self.configure()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def configure(self) -> None:
        raise NotImplementedError

    def command(self) -> list[str]:
        raise NotImplementedError

    def load(self, text: str) -> None:
        """Serve another content."""
        raise NotImplementedError

    def start(self) -> None:
        command = programs.command(self.program, *self.command())
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        until(self._is_answering, 20, f"{self.program}'s first answer")

    def _is_answering(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "log").read_text()
        try:
            dns.query.udp(
                dns.message.make_query(self.zone, "SOA"), self.host, port=self.port, timeout=0.5
            )
        except (OSError, dns.exception.DNSException):
            return False
        return True

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=scaled(20))
            self._process = None

    def run(self, program: str, *arguments: str) -> None:
        programs.run(program, *arguments, check=True, timeout=scaled(20))


class BindPrimary(Primary):
    """BIND 9; differences are made from the files (ixfr-from-differences)."""

    program = "named"

    def configure(self) -> None:
        listen = "listen-on-v6" if ":" in self.host else "listen-on"
        other = "listen-on" if ":" in self.host else "listen-on-v6"
        notify = ""
        if self.notify is not None:
            notify = f"notify explicit; also-notify {{ {self.notify[0]} port {self.notify[1]}; }};"
        differences = "ixfr-from-differences yes;"
        if self.signed:
            differences = "dnssec-policy default; inline-signing yes;"
        allowed, key = "any", ""
        if self.key is not None:
            key = f'key "{self.key[0]}" {{ algorithm hmac-sha256; secret "{self.key[1]}"; }};'
            allowed = f'key "{self.key[0]}"'
        (self.folder / "named.conf").write_text(f"""
{key}
key "control" {{ algorithm hmac-sha256; secret "c2VjcmV0"; }};
options {{
    directory "{self.folder}"; pid-file none; session-keyfile none;
    {listen} port {self.port} {{ {self.host}; }};
    {other} {{ none; }};
    recursion no; dnssec-validation no; notify no; allow-transfer {{ {allowed}; }};
    tcp-clients 50;
}};
controls {{ inet 127.0.0.1 port {self.control} allow {{ 127.0.0.1; }} keys {{ "control"; }}; }};
zone "{self.zone}" {{
    type primary; file "{self.file}"; {differences} check-names ignore; {notify}
}};
""")
        (self.folder / "rndc.conf").write_text(
            f'key "control" {{ algorithm hmac-sha256; secret "c2VjcmV0"; }};\n'
            f"options {{ default-server 127.0.0.1; default-port {self.control}; "
            'default-key "control"; };\n'
        )

    def command(self) -> list[str]:
        return ["-g", "-n", "1", "-c", str(self.folder / "named.conf")]

    def load(self, text: str) -> None:
        self.file.write_text(text)
        self.run("rndc", "-c", str(self.folder / "rndc.conf"), "reload", self.zone)


class KnotPrimary(Primary):
    """Knot DNS; differences are made from the files (zonefile-load: difference)."""

    program = "knotd"

    def configure(self) -> None:
        remote = notify = ""
        if self.notify is not None:
            remote = f"remote:\n  - id: mdns\n    address: {self.notify[0]}@{self.notify[1]}\n"
            notify = "    notify: mdns\n"
        base = knot_base_config(
            self.folder, f"{self.host}@{self.port}", self.folder, workers=1, journal_mb=8
        )
        (self.folder / "knot.conf").write_text(f"""{base}{remote}acl:
  - id: all
    address: [127.0.0.0/8, "::1"]
    action: transfer
zone:
  - domain: {self.zone}
    storage: "{self.folder}"
    file: zone.db
    zonefile-load: difference
    journal-content: changes
    zonefile-sync: -1
    acl: all
    semantic-checks: off
{notify}""")

    def command(self) -> list[str]:
        return ["-c", str(self.folder / "knot.conf")]

    def load(self, text: str) -> None:
        self.file.write_text(text)
        self.run("knotc", "-c", str(self.folder / "knot.conf"), "-b", "zone-reload", self.zone)


class NsdPrimary(Primary):
    """NSD; it sends whole zones only."""

    program = "nsd"

    def configure(self) -> None:
        (self.folder / "nsd.conf").write_text(f"""
server:
    ip-address: {self.host}@{self.port}
    port: {self.port}
    username: ""
    chroot: ""
    zonesdir: "{self.folder}"
    zonelistfile: "{self.folder}/zone.list"
    xfrdfile: "{self.folder}/xfrd.state"
    xfrdir: "{self.folder}"
    pidfile: "{self.folder}/nsd.pid"
    database: ""
    server-count: 1
remote-control:
    control-enable: yes
    control-interface: "{self.folder}/control"
zone:
    name: "{self.zone}"
    zonefile: "zone.db"
    provide-xfr: 127.0.0.0/8 NOKEY
""")

    def command(self) -> list[str]:
        return ["-d", "-c", str(self.folder / "nsd.conf")]

    def load(self, text: str) -> None:
        self.file.write_text(text)
        self.run("nsd-control", "-c", str(self.folder / "nsd.conf"), "reload", self.zone)
