"""Nameservers that have zones of others: each adds, changes and shows them by its own means.

Their zones have `www A 198.51.100.7`.
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path

from designate.backend import rndc, rndc_key
from tests.support.deadlines import scaled, until
from tests.support.servers import programs
from tests.support.servers.nameservers import Named
from tests.support.servers.secondaries import Knot, Nsd, Pdns
from tests.support.servers.signers import SigningBind, SigningKnot, SigningPdns
from tests.support.servers.standalone import ask, texts

DATA = {"198.51.100.7"}
FORMER_MASTER = 5377


def zone_text(serial: int) -> str:
    """Return the zone file of others with this serial."""
    return (
        f"$TTL 60\n@ SOA ns.theirs. admin.theirs. {serial} 3600 600 86400 60\n"
        "@ NS ns.theirs.\nwww A 198.51.100.7\n"
    )


def has_their_data(server: Named | Pdns | Nsd | Knot, name: str) -> bool:
    """Whether the nameserver serves the zone of others."""
    return texts(ask(("127.0.0.1", server.port), f"www.{name}", "A")) == DATA


class ForeignBind(Named):
    """A BIND; the zones of others are added by its control channel."""

    FORMER = f"127.0.0.1:{FORMER_MASTER}"

    @property
    def options(self) -> dict[str, str]:
        return {**super().options, "former_masters": self.FORMER}

    def rndc(self, command: str) -> None:
        key = rndc_key.load(str(self.key_file), None, "127.0.0.1")
        reply = rndc.command("127.0.0.1", self.rndc_port, key, command, 5)
        assert reply.code == 0, reply

    def add_foreign(self, name: str, serial: int) -> None:
        (self.folder / f"{name}db").write_text(zone_text(serial))
        block = f'{{ type primary; file "{self.folder}/{name}db"; }};'
        self.rndc(f'addzone "{name.rstrip(".")}" IN {block}')

    def set_serial(self, name: str, serial: int) -> None:
        (self.folder / f"{name}db").write_text(zone_text(serial))
        self.rndc(f'reload "{name.rstrip(".")}" IN')

    def forget_owner(self, name: str) -> None:
        """Turn a zone of the service into a secondary of the former master, without a mark."""
        block = f'{{ type slave; masters {{ 127.0.0.1 port {FORMER_MASTER}; }}; file "old.db"; }};'
        self.rndc(f'modzone "{name.rstrip(".")}" IN {block}')


class ForeignPdns(Pdns):
    """A PowerDNS; the zones of others are native ones."""

    FORMER = f"127.0.0.1:{FORMER_MASTER}"

    @property
    def options(self) -> dict[str, str]:
        return {**super().options, "former_masters": self.FORMER}

    def add_foreign(self, name: str, serial: int) -> None:
        body = {"name": name, "kind": "Native", "nameservers": [], "soa_edit_api": ""}
        assert self.api("POST", "", body).status_code == 201
        self.set_serial(name, serial)

    def set_serial(self, name: str, serial: int) -> None:
        soa = f"ns.theirs. admin.theirs. {serial} 3600 600 86400 60"
        rrsets = [
            {"name": owner, "type": rtype, "ttl": 60, "changetype": "REPLACE", "records": [record]}
            for owner, rtype, record in (
                (name, "SOA", {"content": soa, "disabled": False}),
                (f"www.{name}", "A", {"content": "198.51.100.7", "disabled": False}),
            )
        ]
        assert self.api("PATCH", f"/{name}", {"rrsets": rrsets}).status_code == 204

    def forget_owner(self, name: str) -> None:
        members = {"kind": "Slave", "masters": [self.FORMER], "account": ""}
        assert self.api("PUT", f"/{name}", members).status_code == 204


class ForeignNsd(Nsd):
    """An NSD; the zones of others have the pattern `theirs`, and former ones of the service `other`."""

    _seconds = itertools.count(1)

    @property
    def options(self) -> dict[str, str]:
        return {**super().options, "former_patterns": "other"}

    def prepare(self) -> None:
        super().prepare()
        with (self.folder / "nsd.conf").open("a") as file:
            file.write('\npattern:\n    name: "theirs"\n    zonefile: "%s.theirs"\n')

    def add_foreign(self, name: str, serial: int) -> None:
        self._file(name).write_text(zone_text(serial))
        assert "ok" in self.control("addzone", name, "theirs")

    def set_serial(self, name: str, serial: int) -> None:
        self._file(name).write_text(zone_text(serial))
        # NSD loads a file whose time, in seconds, has changed.
        changed_at = self._file(name).stat().st_mtime + next(self._seconds)
        os.utime(self._file(name), (changed_at, changed_at))
        assert "ok" in self.control("reload", name)

    def _file(self, name: str) -> Path:
        return self.folder / "zones" / f"{name}.theirs"  # NSD's %s ends with the dot

    def forget_owner(self, name: str) -> None:
        assert "ok" in self.control("changezone", name, "other")


class ForeignKnot(Knot):
    """A Knot that follows a catalog zone and has zones of others in its configuration."""

    FOREIGN = ("lower.test.", "equal.test.", "higher.test.")

    def prepare(self) -> None:
        super().prepare()
        with (self.folder / "knot.conf").open("a") as file:
            for name in self.FOREIGN:
                path = self.folder / f"{name}db"
                path.write_text(zone_text(1))
                file.write(f'\n  - domain: {name}\n    file: "{path}"\n    zonefile-load: whole\n')

    def add_foreign(self, name: str, serial: int) -> None:
        self.set_serial(name, serial)

    def set_serial(self, name: str, serial: int) -> None:
        (self.folder / f"{name}db").write_text(zone_text(serial))
        words = ("-c", str(self.folder / "knot.conf"), "-f", "zone-reload", name)
        programs.run("knotc", *words, check=True, timeout=scaled(20))


class ForeignSigningBind(ForeignBind, SigningBind):
    """One that signs the service's zones."""


class ForeignSigningPdns(ForeignPdns, SigningPdns):
    """One that signs the service's zones."""


class ForeignSigningKnot(ForeignKnot, SigningKnot):
    """One that signs the service's zones."""


def wait_for_serial(server: Named | Pdns | Nsd | Knot, name: str, serial: int) -> None:
    """Wait until the nameserver answers with the serial."""

    def has_serial() -> bool:
        return any(
            f" {serial} " in text for text in texts(ask(("127.0.0.1", server.port), name, "SOA"))
        )

    until(has_serial, 10, f"serial {serial} of {name}")
