"""A service whose default pool is served by a nameserver that follows its catalog zone (RFC 9432)."""

from __future__ import annotations

import base64
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Self

import dns.tsig
import yaml

from tests.support.servers.nameservers import Named, free_port
from tests.support.servers.secondaries import Secondary
from tests.support.servers.standalone import Service

POOL = "794ccc2c-d751-44fe-b57f-8894c9f5c842"
CATALOG = "catalog.example."
ServerFactory = Callable[[Path, int, str], Named | Secondary]


def copy_database(source: Path, target: Path) -> None:
    """Copy a database of SQLite with all that was committed."""
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


class CatalogBind(Named):
    """A BIND with a catalog zone and without a control channel."""

    def __init__(self, folder: Path, dns_port: int, secret: str) -> None:
        primary = f'{{ 127.0.0.1 port {dns_port} key "%s"; }}'
        super().__init__(
            folder,
            options=f"""
    catalog-zones {{
        zone "catalog.example" default-primaries {primary % "pool"} min-update-interval 1;
    }};""",
            more=f"""
key "pool" {{ algorithm hmac-sha256; secret "{secret}"; }};
key "catalog.example" {{ algorithm hmac-sha256; secret "{secret}"; }};
zone "catalog.example" {{
    type secondary; file "catalog.db"; primaries {primary % "catalog.example"};
}};""",
        )


class Consumed:
    """A service and a nameserver that consumes its catalog: `with Consumed(folder, kind) as consumed`.

    `kind` makes the nameserver from a folder, the port to transfer from and the secret of the keys `pool`
    and `catalog.example`. Transfers require a key. `renew` replaces the service.
    """

    def __init__(self, folder: Path, kind: ServerFactory, **overrides: dict[str, Any]) -> None:
        self.secret = base64.b64encode(secrets.token_bytes(32)).decode()
        self._folder = folder
        self._overrides = overrides
        self._dns_port = free_port()
        self._services = 0
        self.server = kind(folder / "server", self._dns_port, self.secret)
        self.service: Service

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.server)
            self._start()
            stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.__exit__(*_)
        self.service.__exit__()

    def renew(self, database: Path | None = None) -> None:
        """End the service and start another one: on an empty database, or on a copy of one of SQLite."""
        self.service.__exit__()
        self._start(database)

    def back_up(self, database: Path) -> None:
        """Copy the service's database to this file, while it runs."""
        copy_database(self.service.folder / "designate.sqlite", database)

    def _start(self, database: Path | None = None) -> None:
        folder = self._folder / f"service{self._services}"
        folder.mkdir(parents=True)
        self._services += 1
        if database is not None:
            copy_database(database, folder / "designate.sqlite")
        pools_file = folder / "pools.yaml"
        pools_file.write_text(yaml.safe_dump([self._pool()]))
        mdns = {"listen": [f"127.0.0.1:{self._dns_port}"], "allow_transfer": []}
        self.service = Service(
            folder, pools_file=pools_file, **{"service:mdns": mdns, **self._overrides}
        ).__enter__()
        key = {
            "name": "pool",
            "algorithm": "hmac-sha256",
            "secret": self.secret,
            "scope": "POOL",
            "resource_id": POOL,
        }
        if database is None:
            assert self.service.call("POST", "/tsigkeys", key)[0] == 201

    def _pool(self) -> dict[str, Any]:
        options = {"host": "127.0.0.1", "port": str(self.server.port)}
        return {
            "name": "default",
            "id": POOL,
            "ns_records": [{"hostname": "ns1.example.org.", "priority": 1}],
            "nameservers": [
                {"host": "127.0.0.1", "port": self.server.port, "signs": self.server.SIGNS}
            ],
            # Every call of this back end would fail; none must be made.
            "targets": [{"type": "bind9", "options": {**options, "rndc_port": "1"}}],
            "catalog_zone": {
                "catalog_zone_fqdn": CATALOG,
                "catalog_zone_refresh": 60,
                "catalog_zone_tsig_key": self.secret,
                "catalog_zone_tsig_algorithm": "hmac-sha256",
            },
        }

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
