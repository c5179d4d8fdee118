"""The standalone service inside the test's process, with a client for its HTTP and DNS sides."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import dns.message
import dns.name
import dns.query
import dns.rdatatype
import dns.tsig
import dns.zone
import requests
import yaml
from oslo_config import cfg
from oslo_policy import opts as policy_opts

from designate import config, processes
from designate.context import Context
from tests.support.clients import openapi_checker
from tests.support.deadlines import scaled, until
from tests.support.servers import schema
from tests.support.servers.nameservers import Named
from tests.support.servers.secondaries import Secondary

StatusAndBody = tuple[int, Any]


def make_conf(
    folder: Path, config_file: Path | None = None, **overrides: dict[str, Any]
) -> cfg.ConfigOpts:
    """Return a configuration on free ports and a database of its own.

    config_file: a designate.conf; overrides, group to options, win over it.
    """
    conf = cfg.ConfigOpts()
    config.register(conf)
    policy_opts.set_defaults(conf)
    files = [str(config_file)] if config_file else []
    conf([], project="designate", default_config_files=files, default_config_dirs=[])
    conf.set_override("connection", f"sqlite:///{folder}/designate.sqlite", "storage:sqlalchemy")
    conf.set_override("listen", ["127.0.0.1:0"], "service:api")
    conf.set_default("auth_strategy", "noauth", "service:api")
    conf.set_override("listen", ["127.0.0.1:0"], "service:mdns")
    loopback = ["127.0.0.0/8", "::1/128"]
    conf.set_default("primary_allowed_networks", loopback, "service:worker")
    conf.set_default("primary_allowed_ports", ["1"], "service:worker")
    for name in ("quota_zones", "quota_zone_recordsets", "quota_zone_records"):
        conf.set_override(name, -1)
    for group, options in overrides.items():
        for name, value in options.items():
            conf.set_override(name, value, None if group == "DEFAULT" else group)
    return conf


def bind_pool(bind: Named | Secondary, *mdns_ports: int) -> list[dict[str, Any]]:
    """A pools.yaml that serves the default pool from a BIND or another nameserver."""
    return [
        {
            "name": "default",
            "id": "794ccc2c-d751-44fe-b57f-8894c9f5c842",
            "ns_records": [{"hostname": "ns1.example.org.", "priority": 1}],
            "nameservers": [{"host": "127.0.0.1", "port": bind.port}],
            "targets": [
                {
                    "type": bind.TYPE,
                    "masters": [{"host": "127.0.0.1", "port": port} for port in mdns_ports],
                    "options": bind.options,
                    "signs": bind.SIGNS,
                }
            ],
        }
    ]


def common_pool(servers: Iterable[Named | Secondary], mdns_port: int) -> list[dict[str, Any]]:
    """pools.yaml with these nameservers in the default pool."""
    pools = [bind_pool(server, mdns_port)[0] for server in servers]
    return [
        {
            **pools[0],
            "nameservers": [one["nameservers"][0] for one in pools],
            "targets": [one["targets"][0] for one in pools],
        }
    ]


class Service:
    """The standalone service: `with Service(folder) as service`.

    Used twice on one folder it is a restart. bind: serve the default pool from this nameserver instead of
    MiniDNS. pools_file: a pools.yaml.
    """

    def __init__(
        self,
        folder: Path,
        bind: Named | Secondary | None = None,
        dns_port: int = 0,
        config_file: Path | None = None,
        pools_file: Path | None = None,
        **overrides: dict[str, Any],
    ) -> None:
        self.folder = folder
        self.conf = make_conf(folder, config_file, **overrides)
        if bind is not None:
            self.conf.set_override("listen", [f"127.0.0.1:{dns_port}"], "service:mdns")
            pools_file = folder / "pools.yaml"
            pools_file.write_text(yaml.safe_dump(bind_pool(bind, dns_port)))
        self.parts = processes.Standalone(self.conf, str(pools_file) if pools_file else None)
        self.http = requests.Session()

    def __enter__(self) -> Self:
        schema.migrate(self.conf["storage:sqlalchemy"].connection)
        self.parts.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
        self.parts.stop()

    @property
    def url(self) -> str:
        return "http://{}:{}".format(*self.parts.api_address)

    @property
    def dns(self) -> tuple[str, int]:
        return self.parts.dns_address

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> StatusAndBody:
        """(status, decoded JSON or None) of a request below /v2."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.http.request(
            method, f"{self.url}/v2{path}", json=body, headers=named, timeout=scaled(30)
        )
        openapi_checker.check(
            method, f"/v2{path}", response.status_code, response.headers, response.content
        )
        return response.status_code, response.json() if response.content else None

    def zone(self, name: str, **members: Any) -> dict[str, Any]:
        status, zone = self.call(
            "POST", "/zones", {"name": name, "email": "admin@example.com", **members}
        )
        assert status == 202, zone
        assert isinstance(zone, dict)
        return zone

    def recordset(
        self, zone: dict[str, Any], name: str, rtype: str, records: list[str], **members: Any
    ) -> dict[str, Any]:
        body = {"name": name, "type": rtype, "records": records, **members}
        status, recordset = self.call("POST", f"/zones/{zone['id']}/recordsets", body)
        assert status == 202, recordset
        assert isinstance(recordset, dict)
        return recordset

    def active(self, path: str, timeout_s: float = 10.0) -> dict[str, Any]:
        """The object once it is ACTIVE."""

        def read() -> dict[str, Any] | None:
            status, found = self.call("GET", path)
            assert status == 200, found
            return found if found["status"] == "ACTIVE" else None

        found = until(read, timeout_s, f"{path} ACTIVE")
        assert isinstance(found, dict)
        return found

    def failed(self, zone: dict[str, Any]) -> str:
        """The error of a zone once it has the status ERROR."""
        everything = Context(project_id="p", roles=["admin"], all_projects=True)

        def read() -> str | None:
            found = self.parts.central.zones.get(everything, zone["id"])
            return found.error if found.status == "ERROR" else None

        return str(until(read, 5, "ERROR"))

    def gone(self, path: str, timeout_s: float = 10.0) -> None:
        until(lambda: self.call("GET", path)[0] == 404, timeout_s, f"{path} gone")


def ask(address: tuple[str, int], name: str, rtype: str, **how: Any) -> dns.message.Message:
    """The answer to one UDP query."""
    query = dns.message.make_query(name, rtype, **how)
    return dns.query.udp(query, address[0], port=address[1], timeout=scaled(5))


def texts(message: dns.message.Message) -> set[str]:
    """The data of the answer section."""
    return {rdata.to_text() for rrset in message.answer for rdata in rrset}


def transferred(
    address: tuple[str, int], zone: str, key: dns.tsig.Key | None = None
) -> dns.zone.Zone:
    """The whole zone by AXFR. key: signs the query."""
    found = dns.zone.Zone(zone)
    query = dns.message.make_query(zone, "AXFR")
    if key is not None:
        query.use_tsig(key)
    dns.query.inbound_xfr(
        address[0], found, query=query, port=address[1], timeout=scaled(20), lifetime=scaled(60)
    )
    return found


def post_change_and_delete(
    service: Service, name: str, address: tuple[str, int]
) -> tuple[set[str], bool]:
    """Take a zone through its life on a nameserver.

    Returns:
        The records that the nameserver served after their creation, and whether it served the same
        zone as MiniDNS after a change.
    """
    zone = service.zone(name)
    zone_path = f"/zones/{zone['id']}"
    service.active(zone_path)
    made = service.recordset(zone, f"www.{name}", "A", ["192.0.2.1", "192.0.2.2"])
    path = f"{zone_path}/recordsets/{made['id']}"
    service.active(path)
    posted = texts(ask(address, f"www.{name}", "A"))
    service.call("PUT", path, {"records": ["192.0.2.3"]})
    service.active(path)
    changed = transferred(address, name) == transferred(service.dns, name)
    service.call("DELETE", zone_path)
    service.gone(zone_path)
    return posted, changed
