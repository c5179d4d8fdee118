"""A service whose default pool is served by a nameserver that follows its catalog zone (RFC 9432)."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import dns.tsig

from designate.context import admin_context
from designate.model.pools import CatalogZone, Nameserver, NsRecord, PoolSpec, Target
from tests.support.servers.nameservers import Named, free_port
from tests.support.servers.secondaries import Secondary
from tests.support.servers.standalone import Service

POOL = "794ccc2c-d751-44fe-b57f-8894c9f5c842"
CATALOG = "catalog.example."
ServerFactory = Callable[[Path, int, str], Named | Secondary]


class Consumed:
    """A service and a nameserver that consumes its catalog: `with Consumed(folder, kind) as consumed`.

    `kind` makes the nameserver from a folder, the port to transfer from and the secret of the keys `pool`
    and `catalog.example`. Transfers require a key.
    """

    def __init__(self, folder: Path, kind: ServerFactory, **overrides: dict[str, Any]) -> None:
        secret = base64.b64encode(secrets.token_bytes(32)).decode()
        dns_port = free_port()
        self.server = kind(folder / "server", dns_port, secret)
        (folder / "service").mkdir(parents=True)
        mdns = {"listen": [f"127.0.0.1:{dns_port}"], "allow_transfer": []}
        self.service = Service(folder / "service", **{"service:mdns": mdns, **overrides})
        self.secret = secret

    def __enter__(self) -> Self:
        self.service.__enter__()
        self.server.__enter__()
        options = {"host": "127.0.0.1", "port": str(self.server.port)}
        spec = PoolSpec(
            id=POOL,
            name="default",
            ns_records=(NsRecord(hostname="ns1.example.org."),),
            nameservers=(Nameserver(host="127.0.0.1", port=self.server.port),),
            # Every call of this back end would fail; none must be made.
            targets=(Target(type="bind9", options={**options, "rndc_port": "1"}),),
            catalog_zone=CatalogZone(
                fqdn=CATALOG, refresh=60, algorithm="hmac-sha256", secret=self.secret
            ),
        )
        self.service.parts.central.pools.apply(admin_context(), (spec,), False, False)
        key = {
            "name": "pool",
            "algorithm": "hmac-sha256",
            "secret": self.secret,
            "scope": "POOL",
            "resource_id": POOL,
        }
        assert self.service.call("POST", "/tsigkeys", key)[0] == 201
        return self

    def __exit__(self, *_: object) -> None:
        self.server.__exit__(*_)
        self.service.__exit__()

    @property
    def key(self) -> dns.tsig.Key:
        """The key of the pool."""
        return dns.tsig.Key("pool.", self.secret, dns.tsig.HMAC_SHA256)

    @property
    def catalog(self) -> dict[str, Any]:
        path = "/zones?type=CATALOG&name=catalog.example."
        _, found = self.service.call("GET", path, x_auth_all_projects="true")
        catalog: dict[str, Any] = found["zones"][0]
        return catalog
