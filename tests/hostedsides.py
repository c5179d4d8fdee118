"""The other sides of the backends for hosted nameservers, for the suite that all backends share."""

from __future__ import annotations

from typing import ClassVar, Self

from designate.model.zones import Master
from tests.backendsides import Side
from tests.hosted import Ns1, Product

DNS_PORT_MASTERS = (Master(host="127.0.0.1", port=53), Master(host="::1", port=53))
OTHER_DNS_PORT_MASTERS = (Master(host="192.0.2.7", port=53),)
ESCAPED_NAMES = frozenset({"dot\\.ted.example.", "caf\\195\\169.example.", 'quo\\"ted.example.'})


class ProductSide(Side):
    """PRODUCT: what stands in for the server."""

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


class Ns1Side(ProductSide):
    TYPE = "ns1"
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


SIDES: dict[str, type[Side]] = {side.TYPE: side for side in (Ns1Side,)}
NEEDED = {
    "ns1": {"api_endpoint": "api.example", "api_token": "t"},
}
"""Without these options the target cannot be used."""
