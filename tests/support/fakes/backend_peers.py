"""The servers behind the backends, for the contract suite of all backends."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path
from typing import ClassVar, Self

from designate.backend import base, primaries, rndc, rndc_key
from designate.backend.base import Backend
from designate.model.pools import Target
from designate.model.zones import Action, PrimaryAddress, Zone, ZoneAnnouncement, ZoneId
from tests.support.servers.nameservers import Named, free_port
from tests.support.servers.secondaries import Nsd, Pdns

MASTERS = (PrimaryAddress(host="127.0.0.1", port=5399), PrimaryAddress(host="::1", port=5398))
OTHER_MASTERS = (PrimaryAddress(host="127.0.0.1", port=5397),)


def announcement(zone: Zone, name: str | None = None) -> ZoneAnnouncement:
    """Return the announcement of a stored zone, or of a zone like it with another name."""
    return ZoneAnnouncement(
        zone_id=zone.id if name is None else ZoneId(f"of-{name}"),
        name=name or zone.name,
        type=zone.type,
        pool_id=zone.pool_id,
        pool_version=1,
        revision=zone.revision,
        serial=zone.serial,
        action=Action.CREATE,
    )


class Side:
    """A running server without zones: `with Bind9Side(folder) as side`.

    Attributes:
        REFUSED_NAMES: zones that the product cannot have; creating one is a clear error.
        MARKS: zones carry a mark of this service there, or a pattern or group instead of masters.
    """

    TYPE: ClassVar[str] = ""
    REFUSED_NAMES: ClassVar[frozenset[str]] = frozenset()
    MASTERS: ClassVar[tuple[PrimaryAddress, ...]] = MASTERS
    OTHER_MASTERS: ClassVar[tuple[PrimaryAddress, ...]] = OTHER_MASTERS
    MARKS: ClassVar[bool] = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> Self:
        raise NotImplementedError

    def __exit__(self, *_: object) -> None:
        raise NotImplementedError

    def start(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError

    def has(self, name: str) -> bool:
        """Whether the server has the zone, queried without the backend."""
        raise NotImplementedError

    def masters(self, name: str) -> set[str]:
        """Return host:port of the masters that the server has for the zone."""
        raise NotImplementedError

    def add_foreign(self, name: str) -> None:
        """Put a zone of others on the server."""
        raise NotImplementedError

    def has_foreign(self, name: str) -> bool:
        """Whether the zone of `add_foreign` is there unchanged."""
        raise NotImplementedError

    @property
    def options(self) -> dict[str, str]:
        raise NotImplementedError

    def at(self, port: int) -> dict[str, str]:
        """Return options with this port of the control channel and a timeout of 0.5 s."""
        raise NotImplementedError

    def wrong(self) -> tuple[dict[str, str], str]:
        """Return options with credentials that the server refuses, and the secret among them."""
        raise NotImplementedError

    def backend(self, masters: tuple[PrimaryAddress, ...] | None = None, **options: str) -> Backend:
        if masters == self.OTHER_MASTERS and not self.MARKS:
            listed = ((master.host, master.port) for master in self.MASTERS)
            options["former_masters"] = ",".join(map(primaries.text, listed))
        target = Target(
            type=self.TYPE,
            masters=self.MASTERS if masters is None else masters,
            options={**self.options, **options},
        )
        return base.load(target)


class ServerSide(Side):
    """A side whose server is a real nameserver, started on entry as `self.server`."""

    server: Named | Pdns | Nsd

    def __exit__(self, *_: object) -> None:
        self.server.stop()

    def start(self) -> None:
        self.server.start()

    def stop(self) -> None:
        self.server.stop()

    @property
    def options(self) -> dict[str, str]:
        return self.server.options


class Bind9Side(ServerSide):
    server: Named
    TYPE = "bind9"

    def __enter__(self) -> Self:
        self.server = Named(self.folder / "named").__enter__()
        return self

    def at(self, port: int) -> dict[str, str]:
        return {"rndc_port": str(port), "rndc_timeout": "0.5"}

    def wrong(self) -> tuple[dict[str, str], str]:
        secret = base64.b64encode(secrets.token_bytes(32)).decode()
        path = self.folder / "wrong.key"
        path.write_text(f'key "rndc-key" {{ algorithm hmac-sha256; secret "{secret}"; }};')
        return {"rndc_key_file": str(path)}, secret

    def _run(self, command: str) -> rndc.RndcReply:
        key = rndc_key.load(str(self.server.key_file), None, "127.0.0.1")
        return rndc.command("127.0.0.1", self.server.rndc_port, key, command, 5)

    def _shown(self, name: str) -> str:
        reply = self._run(f'showzone "{name.rstrip(".")}"')
        return reply.text if reply.code == 0 else ""

    def add_foreign(self, name: str) -> None:
        file = self.folder / "theirs.db"
        file.write_text("$TTL 60\n@ SOA ns.theirs. a.theirs. 1 60 60 600 60\n@ NS ns.theirs.\n")
        block = f'{{ type primary; file "{file}"; }};'
        assert self._run(f'addzone "{name.rstrip(".")}" {block}').code == 0

    def has_foreign(self, name: str) -> bool:
        return "type primary" in self._shown(name)

    def has(self, name: str) -> bool:
        return bool(self._shown(name))

    def masters(self, name: str) -> set[str]:
        text = self._shown(name)
        known = {"127.0.0.1:5399", "::1:5398", "127.0.0.1:5397"}
        return {m for m in known if "{} port {}".format(*m.rsplit(":", 1)) in text}


class Pdns4Side(ServerSide):
    server: Pdns
    TYPE = "pdns4"
    # PowerDNS takes no names with special characters for zones.
    REFUSED_NAMES = frozenset(
        {"dot\\046ted.example.", "caf\\195\\169.example.", "quo\\034ted.example."}
    )

    def __enter__(self) -> Self:
        self.server = Pdns(self.folder / "pdns").__enter__()
        return self

    def at(self, port: int) -> dict[str, str]:
        return {"api_endpoint": f"http://127.0.0.1:{port}", "api_timeout": "0.5"}

    def wrong(self) -> tuple[dict[str, str], str]:
        return {"api_token": "not-its-token"}, "not-its-token"

    def has(self, name: str) -> bool:
        return bool(self.server.api("GET", f"?zone={name}").json())

    def add_foreign(self, name: str) -> None:
        body = {"name": name, "kind": "Native", "nameservers": []}
        assert self.server.api("POST", "", body).status_code == 201

    def has_foreign(self, name: str) -> bool:
        return bool(self.server.api("GET", f"/{name}").json()["kind"] == "Native")

    def masters(self, name: str) -> set[str]:
        (zone,) = self.server.api("GET", f"?zone={name}").json()
        return {master.replace("[", "").replace("]", "") for master in zone["masters"]}


class Nsd4Side(ServerSide):
    """NSD, whose masters are those of its patterns: `other` has the OTHER_MASTERS."""

    server: Nsd
    TYPE = "nsd4"

    def __enter__(self) -> Self:
        self.server = Nsd(self.folder / "nsd", free_port()).__enter__()
        self.foreign = Nsd(self.folder / "foreign", free_port(), fresh=True)
        self.foreign.folder.mkdir()
        self.foreign.prepare()
        return self

    def at(self, port: int) -> dict[str, str]:
        return {"port": str(port), "timeout": "0.5"}

    def wrong(self) -> tuple[dict[str, str], str]:
        options = self.foreign.options
        secret = Path(options["keyfile"]).read_text().splitlines()[1]
        return {"certfile": options["certfile"], "keyfile": options["keyfile"]}, secret

    def has(self, name: str) -> bool:
        return "pattern:" in self.server.control("zonestatus", name)

    def add_foreign(self, name: str) -> None:
        assert "ok" in self.server.control("addzone", name, "other")

    def has_foreign(self, name: str) -> bool:
        return "pattern: other" in self.server.control("zonestatus", name)

    def masters(self, name: str) -> set[str]:
        other = "pattern: other" in self.server.control("zonestatus", name)
        chosen = OTHER_MASTERS if other else MASTERS
        return {f"{master.host}:{master.port}" for master in chosen}

    def backend(self, masters: tuple[PrimaryAddress, ...] | None = None, **options: str) -> Backend:
        if masters == OTHER_MASTERS:
            options |= {"pattern": "other", "former_patterns": "slave"}
        return super().backend(masters, **options)


SIDES: dict[str, type[Side]] = {side.TYPE: side for side in (Bind9Side, Pdns4Side, Nsd4Side)}
