"""Nameservers that sign the zones which they transfer: with each re-sign their serials run ahead."""

from __future__ import annotations

import itertools

from designate.backend import rndc, rndc_key
from tests.support.deadlines import scaled
from tests.support.servers import programs
from tests.support.servers.nameservers import Named
from tests.support.servers.secondaries import Knot, Pdns


class SigningKnot(Knot):
    """A Knot that signs all members of the catalog, with the default serial policy."""

    SIGNS = True

    def prepare(self) -> None:
        super().prepare()
        path = self.folder / "knot.conf"
        text = path.read_text()
        path.write_text(
            text.replace("    acl: mdns\nzone:", "    acl: mdns\n    dnssec-signing: on\nzone:")
        )
        assert "dnssec-signing" in path.read_text()

    def sign(self, zone: str) -> None:
        """Do nothing: the zone is signed as soon as it is there."""

    def resign(self, zone: str) -> None:
        socket = str(self.folder / "knot.sock")
        programs.run("knotc", "-b", "-s", socket, "zone-sign", zone, check=True, timeout=scaled(20))


class SigningBind(Named):
    """A BIND whose zones are signed in place of the transferred ones."""

    SIGNS = True

    @property
    def options(self) -> dict[str, str]:
        signing = "dnssec-policy default; inline-signing yes;"
        return {**super().options, "zone_statements": signing}

    def sign(self, zone: str) -> None:
        """Do nothing: the zone is signed as soon as it is there."""

    def resign(self, zone: str) -> None:
        key = rndc_key.load(str(self.key_file), None, "127.0.0.1")
        reply = rndc.command("127.0.0.1", self.rndc_port, key, f"sign {zone}", scaled(10))
        assert not reply.code, reply


class SigningPdns(Pdns):
    """A PowerDNS that signs zones as it serves them, with serials of its own (SOA-EDIT)."""

    SIGNS = True

    # What it adds to the serials, in turn.
    _edits = itertools.cycle(("INCREMENT-WEEKS", "INCEPTION-INCREMENT"))

    def sign(self, zone: str) -> None:
        self._add_key(zone)
        self._edit_serial(zone)

    def resign(self, zone: str) -> None:
        """Roll the zone's key, and change its serial."""
        keys = self.api("GET", f"/{zone}/cryptokeys").json()
        self._add_key(zone)
        for key in keys:
            path = f"/{zone}/cryptokeys/{key['id']}"
            assert self.api("DELETE", path).status_code == 204
        self._edit_serial(zone)

    def _edit_serial(self, zone: str) -> None:
        metadata = {"kind": "SOA-EDIT", "metadata": [next(self._edits)]}
        response = self.api("PUT", f"/{zone}/metadata/SOA-EDIT", metadata)
        assert response.status_code == 200, response.text

    def _add_key(self, zone: str) -> None:
        key = {"keytype": "csk", "active": True}
        assert self.api("POST", f"/{zone}/cryptokeys", key).status_code == 201
