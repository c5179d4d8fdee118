"""The servers behind the backends for hosted nameservers, for the contract suite."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any, ClassVar, Self

from designate.backend.base import Backend
from designate.model.zones import PrimaryAddress
from tests.support.deadlines import until
from tests.support.fakes.akamai import Akamai
from tests.support.fakes.backend_peers import Side
from tests.support.fakes.dynect import Dynect
from tests.support.fakes.hosted_api import Product
from tests.support.fakes.infoblox import Infoblox
from tests.support.fakes.ns1 import Ns1
from tests.support.servers.keystone import Keystone
from tests.support.servers.nameservers import free_port
from tests.support.servers.standalone import Service

DNS_PORT_MASTERS = (PrimaryAddress(host="127.0.0.1", port=53), PrimaryAddress(host="::1", port=53))
OTHER_DNS_PORT_MASTERS = (PrimaryAddress(host="192.0.2.7", port=53),)
ESCAPED_NAMES = frozenset(
    {"dot\\046ted.example.", "caf\\195\\169.example.", "quo\\034ted.example."}
)


class ProductSide(Side):
    """A side whose server is a fake of the class PRODUCT."""

    PRODUCT: ClassVar[type[Product]] = Product
    REFUSED_NAMES = ESCAPED_NAMES

    def __enter__(self) -> Self:
        self.server = self.PRODUCT().__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.__exit__()

    def start(self) -> None:
        self.server.web.start()

    def stop(self) -> None:
        self.server.web.stop()

    def has(self, name: str) -> bool:
        return name.rstrip(".") in self.server.zones

    def foreign(self, name: str) -> dict[str, Any]:
        """Return the product's description of a zone of others."""
        raise NotImplementedError

    def add_foreign(self, name: str) -> None:
        self.server.zones[name.rstrip(".")] = self.foreign(name)

    def has_foreign(self, name: str) -> bool:
        return bool(self.server.zones.get(name.rstrip(".")) == self.foreign(name))


class Ns1Side(ProductSide):
    TYPE = "ns1"
    MARKS = False
    PRODUCT = Ns1

    @property
    def options(self) -> dict[str, str]:
        return {"api_endpoint": self.server.web.url, "api_token": Ns1.TOKEN}

    def at(self, port: int) -> dict[str, str]:
        return {"api_endpoint": f"http://127.0.0.1:{port}", "api_timeout": "0.5"}

    def wrong(self) -> tuple[dict[str, str], str]:
        return {"api_token": "not-its-token"}, "not-its-token"

    def masters(self, name: str) -> set[str]:
        zone = self.server.zones[name.rstrip(".")]["secondary"]
        others = zip(zone["other_ips"], zone["other_ports"], strict=True)
        first = (zone["primary_ip"], zone["primary_port"])
        return {f"{host}:{port}" for host, port in (first, *others)}

    def foreign(self, name: str) -> dict[str, Any]:
        return {"zone": name.rstrip("."), "ttl": 3600}


class InfobloxSide(ProductSide):
    """Infoblox, whose masters are those of its name server groups: `other` has the OTHER_MASTERS."""

    TYPE = "infoblox"
    PRODUCT = Infoblox
    MASTERS = DNS_PORT_MASTERS
    OTHER_MASTERS = OTHER_DNS_PORT_MASTERS
    REVERSE: ClassVar[dict[str, str]] = {
        "0/25.2.0.192.in-addr.arpa.": "192.0.2.0/25",
        "0-63.2.0.192.in-addr.arpa.": "192.0.2.0/26",
        "8.b.d.0.1.0.0.2.ip6.arpa.": "2001:db8::/32",
    }
    server: Infoblox

    @property
    def options(self) -> dict[str, str]:
        return {
            "wapi_url": f"{self.server.web.url}{Infoblox.BASE}",
            "username": Infoblox.USER,
            "password": Infoblox.PASSWORD,
            "ns_group": "minidns",
        }

    def at(self, port: int) -> dict[str, str]:
        return {"wapi_url": f"http://127.0.0.1:{port}{Infoblox.BASE}", "api_timeout": "0.5"}

    def wrong(self) -> tuple[dict[str, str], str]:
        return {"password": "not-the-password"}, "not-the-password"

    def _zone(self, name: str) -> dict[str, Any] | None:
        return self.server.named(self.REVERSE.get(name, name.rstrip(".")))

    def has(self, name: str) -> bool:
        return self._zone(name) is not None

    def masters(self, name: str) -> set[str]:
        zone = self._zone(name)
        assert zone is not None
        return set(Infoblox.GROUPS[zone["ns_group"]])

    def backend(self, masters: tuple[PrimaryAddress, ...] | None = None, **options: str) -> Backend:
        if masters == OTHER_DNS_PORT_MASTERS:
            options["ns_group"] = "other"
        return super().backend(masters, **options)

    def add_foreign(self, name: str) -> None:
        body = {"fqdn": name.rstrip("."), "view": "default", "zone_format": "FORWARD"}
        self.server.zones["theirs"] = {"_ref": "theirs", **body, "ns_group": "other"}

    def has_foreign(self, name: str) -> bool:
        zone = self._zone(name)
        return zone is not None and zone["ns_group"] == "other"


class AkamaiSide(ProductSide):
    TYPE = "akamai_v2"
    PRODUCT = Akamai
    MASTERS = DNS_PORT_MASTERS
    OTHER_MASTERS = OTHER_DNS_PORT_MASTERS

    @property
    def options(self) -> dict[str, str]:
        return {
            "akamai_host": self.server.web.url,
            "akamai_client_token": Akamai.CLIENT_TOKEN,
            "akamai_client_secret": Akamai.CLIENT_SECRET,
            "akamai_access_token": Akamai.ACCESS_TOKEN,
            "akamai_contract_id": Akamai.CONTRACT,
        }

    def at(self, port: int) -> dict[str, str]:
        return {"akamai_host": f"http://127.0.0.1:{port}", "api_timeout": "0.5"}

    def wrong(self) -> tuple[dict[str, str], str]:
        return {"akamai_client_secret": "not-its-secret"}, "not-its-secret"

    def masters(self, name: str) -> set[str]:
        return {f"{host}:53" for host in self.server.zones[name.rstrip(".")]["masters"]}

    def foreign(self, name: str) -> dict[str, Any]:
        return {"zone": name.rstrip("."), "type": "PRIMARY", "comment": "theirs"}


class DynectSide(ProductSide):
    TYPE = "dynect"
    MARKS = False
    PRODUCT = Dynect
    MASTERS = DNS_PORT_MASTERS
    OTHER_MASTERS = OTHER_DNS_PORT_MASTERS
    server: Dynect

    @property
    def options(self) -> dict[str, str]:
        return {
            "api_endpoint": self.server.web.url,
            "customer_name": Dynect.LOGIN["customer_name"],
            "username": Dynect.LOGIN["user_name"],
            "password": Dynect.LOGIN["password"],
        }

    def at(self, port: int) -> dict[str, str]:
        return {"api_endpoint": f"http://127.0.0.1:{port}", "api_timeout": "0.5"}

    def wrong(self) -> tuple[dict[str, str], str]:
        return {"password": "not-the-password"}, "not-the-password"

    def masters(self, name: str) -> set[str]:
        zone = self.server.zones[name.rstrip(".")]
        assert zone["active"] == "Y"
        return {f"{host}:53" for host in zone["masters"]}

    def add_foreign(self, name: str) -> None:
        self.server.primary.add(name.rstrip("."))

    def has_foreign(self, name: str) -> bool:
        return name.rstrip(".") in self.server.primary


class DesignateSide(Side):
    """Another Designate behind a real Keystone; set `keystone` before entering it."""

    TYPE = "designate"
    MARKS = False
    keystone: Keystone

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.port = free_port()

    def __enter__(self) -> Self:
        self.region = f"remote-{secrets.token_hex(4)}"
        self.account = self.keystone.account(f"{self.region}-user", "member")
        self.config = self.keystone.config_file(self.folder)
        self.start()
        self.keystone.region(self.region, dns=self.service.url)
        self.token = {"X-Auth-Token": self.keystone.token(self.account)}
        return self

    def __exit__(self, *_: object) -> None:
        self.keystone.withdraw(self.region)
        self.stop()

    def start(self) -> None:
        api: dict[str, Any] = {"listen": [f"127.0.0.1:{self.port}"], "auth_strategy": "keystone"}
        overrides = {"service:api": api}
        self.service = Service(self.folder, config_file=self.config, **overrides)
        self.service.__enter__()

    def stop(self) -> None:
        self.service.__exit__()

    @property
    def options(self) -> dict[str, str]:
        return {
            "auth_url": self.keystone.url,
            "username": self.account.name,
            "password": self.account.password,
            "project_name": self.account.project_name,
            # Keystone's names of domains are told apart by case in some databases.
            "project_domain_name": "Default",
            "user_domain_name": "Default",
            "region_name": self.region,
        }

    def at(self, port: int) -> dict[str, str]:
        return {"auth_url": f"http://127.0.0.1:{port}", "api_timeout": "0.5"}

    def wrong(self) -> tuple[dict[str, str], str]:
        return {"password": "not-the-password"}, "not-the-password"

    def zone(self, name: str) -> dict[str, Any] | None:
        """Return the zone, after a running deletion has ended."""

        def poll() -> list[Any] | None:
            status, body = self.service.call("GET", "/zones?limit=1000", **self.token)
            assert status == 200, body
            found = [zone for zone in body["zones"] if zone["name"] == name]
            return None if any(zone["action"] == "DELETE" for zone in found) else [*found, None]

        found = until(poll, 20, f"{name} not half deleted")
        assert isinstance(found, list)
        zone = found[0]
        assert zone is None or zone["type"] == "SECONDARY"
        return zone

    def has(self, name: str) -> bool:
        return self.zone(name) is not None

    def add_foreign(self, name: str) -> None:
        body = {"name": name, "email": "theirs@example.com"}
        assert self.service.call("POST", "/zones", body, **self.token)[0] == 202

    def has_foreign(self, name: str) -> bool:
        _, body = self.service.call("GET", f"/zones?name={name}", **self.token)
        return [zone["type"] for zone in body["zones"]] == ["PRIMARY"]

    def masters(self, name: str) -> set[str]:
        zone = self.zone(name)
        assert zone is not None
        return {master.replace("[", "").replace("]", "") for master in zone["masters"]}


_ALL: tuple[type[Side], ...] = (AkamaiSide, DesignateSide, DynectSide, InfobloxSide, Ns1Side)
SIDES: dict[str, type[Side]] = {side.TYPE: side for side in _ALL}
NEEDED = {
    "akamai_v2": {
        "akamai_host": "akab.example",
        "akamai_client_token": "c",
        "akamai_client_secret": "s",
        "akamai_access_token": "a",
        "akamai_contract_id": "C-1",
    },
    "designate": {
        "auth_url": "https://keystone.example/v3",
        "username": "u",
        "password": "p",
        "project_name": "n",
    },
    "dynect": {"customer_name": "c", "username": "u", "password": "p"},
    "infoblox": {"wapi_host": "grid.example", "username": "u", "password": "p"},
    "ns1": {"api_endpoint": "api.example", "api_token": "t"},
}
"""The options that a target needs."""
