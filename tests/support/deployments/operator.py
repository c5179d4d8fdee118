"""designate-operator: pods without privileges, read-only files, Apache with mod_wsgi, keys over REST."""

from __future__ import annotations

import base64
import secrets
import sys
from collections.abc import Mapping

from tests.support.deployments.machine import Machine
from tests.support.deployments.parts import Client, Parts
from tests.support.servers.nameservers import Named, free_port

DAEMONS = ("central", "mdns", "producer", "worker")
CONF = "/etc/designate/designate.conf"
ARGUMENTS = ("--config-file", CONF, "--config-dir", "/etc/designate/designate.conf.d")
MANAGE = ("/usr/bin/designate-manage", "--config-file", "/var/lib/config-data/default/designate.conf",
          "--config-file", CONF)  # fmt: skip
POOLS_FILE = "/tmp/designate-pools/pools.yaml"
ALL_POOLS = "00000000-0000-0000-0000-000000000000"
DRY_RUN_S = 60
GRACE_S = 30

COMMON = """[DEFAULT]
rpc_response_timeout=60
transport_url={transport_url}
root-helper = sudo
state_path = /etc/designate/data
quota_zones=10
quota_zone_recordsets=500
quota_zone_records=500
quota_recordset_records=20
quota_api_export_size=1000

[database]
connection = {database_url}?read_default_file=/etc/my.cnf

[storage:sqlalchemy]
connection = {database_url}?read_default_file=/etc/my.cnf

[oslo_messaging_notifications]
driver = messagingv2
topics = notifications
transport_url={transport_url}

[oslo_messaging_rabbit]
rabbit_quorum_queue=true
rabbit_transient_quorum_queue=true
amqp_durable_queues=true

[oslo_policy]
enforce_scope = False
enforce_new_defaults = False

[oslo_concurrency]
lock_path = /var/run/designate

[coordination]
backend_url = redis://:{redis_password}@127.0.0.1:{redis_port}?db=0

[keystone_authtoken]
www_authenticate_uri = {keystone}
auth_url = {keystone}
username = {user}
password = {password}
project_name = {project}
project_domain_name = Default
user_domain_name = Default
region_name = {region}
auth_type = password

[service:api]
quotas_verify_project_id = True
auth_strategy = keystone
enable_api_admin = True
enable_api_v2 = True
enable_host_header = True
enabled_extensions_admin = quotas
"""
SERVICES = {
    "api": "",
    "central": """[service:central]
workers = 2
scheduler_filters = pool_id_attribute, in_doubt_default_pool
""",
    "producer": "[service:producer]\nworkers = 2\n",
    "worker": """[service:worker]
workers = 2
poll_retry_interval = 5
poll_max_retries = 6
""",
    "mdns": """[service:mdns]
workers = 2
listen = 127.0.0.1:{mdns_port},[::1]:{mdns_port}
""",
}
MY_CNF = """[client]
ssl=0
"""
# Apache's part: mod_wsgi runs the script file as a module, in five processes of one thread.
HTTPD = """#!{python}
import importlib.util, importlib.machinery, sys
from gunicorn.app.base import BaseApplication

SCRIPT = "/usr/bin/designate-api-wsgi"

class Apache(BaseApplication):
    def load_config(self):
        for name, value in dict(
            bind="127.0.0.1:{port}", workers=5, threads=1, timeout=120, worker_class="sync"
        ).items():
            self.cfg.set(name, value)

    def load(self):
        loader = importlib.machinery.SourceFileLoader("_mod_wsgi_script", SCRIPT)
        spec = importlib.util.spec_from_loader(loader.name, loader)
        module = importlib.util.module_from_spec(spec)
        sys.modules[loader.name] = module
        loader.exec_module(module)
        return module.application

Apache().run()
"""
# Of the pools: quoted keys and values, and a comma at the end.
POOLS = """---
- name: default
  description: "Default BIND Pool"
  attributes: {{
    "tier": "1",
  }}
  ns_records:
    - hostname: ns1.operator.example.
      priority: 1
  nameservers:
    - host: 127.0.0.1
      port: {dns_port}
{tsig_nameserver}
  targets:
    - type: bind9
      description: "BIND9 Server 0"
{tsig_target}
      masters:
        - host: 127.0.0.1
          port: {mdns_port}
      options:
        host: 127.0.0.1
        port: {dns_port}
        rndc_host: 127.0.0.1
        rndc_port: {rndc_port}
        rndc_key_file: /etc/designate/rndc-keys/rndc-key-0
"""
# Older builds write it, for servers that take their zones from a catalog.
CATALOG = """  catalog_zone:
    catalog_zone_fqdn: catalog.example.net.
    catalog_zone_refresh: "60"
"""
RNDC_KEY = """key "rndc-key" {{
	algorithm hmac-sha256;
	secret "{secret}";
}};
"""


class Operator:
    """A deployment: `Operator(parts, ...)`; `pods` has the machine of each process by its name."""

    def __init__(self, parts: Parts, redis: tuple[int, str]) -> None:
        self._folder = parts.folder
        self._rndc_secret = base64.b64encode(secrets.token_bytes(32)).decode()
        self.tsig_name = "pool-default"
        self.tsig_secret = base64.b64encode(secrets.token_bytes(32)).decode()
        key = f'key "{self.tsig_name}." {{ algorithm hmac-sha256; secret "{self.tsig_secret}"; }};'
        self.bind = Named(
            parts.folder / "bind",
            secret=self._rndc_secret,
            more=f'{key}\nserver 127.0.0.1 {{ keys {{ "{self.tsig_name}."; }}; }};',
        )
        self.mdns_port, self.api_port = free_port(), free_port()
        redis_port, redis_password = redis
        self._values = {
            **parts.values,
            "redis_port": redis_port,
            "redis_password": redis_password,
            "mdns_port": self.mdns_port,
            "dns_port": self.bind.port,
            "rndc_port": self.bind.rndc_port,
        }
        self.pods = {name: self.pod(name) for name in ("api", *DAEMONS)}
        self.client = Client(parts, f"http://127.0.0.1:{self.api_port}")

    def pod(self, name: str) -> Machine:
        """Return a pod; only /var/run/designate can be written, and not in each."""
        run = ["/var/run/designate"] if name in ("api", "central", "producer") else []
        mounted = ["/var/lib/config-data"] if name == "job" else []
        machine = Machine(
            self._folder / name, "/etc/designate", "/tmp/designate-pools", *run, *mounted
        )
        machine.programs("/usr/bin")
        part = SERVICES.get(name, "").format(**self._values)
        text = COMMON.format(**self._values) + part
        machine.write(CONF, text, 0o440)
        machine.write(
            "/etc/designate/designate.conf.d/custom.conf", "# add your customization here\n"
        )
        machine.write("/etc/my.cnf", MY_CNF, 0o444)
        if name == "job":
            machine.write("/var/lib/config-data/default/designate.conf", text, 0o440)
        if name == "api":
            httpd = HTTPD.format(python=sys.executable, port=self.api_port)
            machine.write("/usr/sbin/httpd", httpd, 0o755)
        if name == "worker":
            key = RNDC_KEY.format(secret=self._rndc_secret)
            machine.write("/etc/designate/rndc-keys/rndc-key-0", key, 0o440)
        machine.seal("/etc/designate", "/var/lib/designate")
        return machine

    def write_pools(self, job: Machine, tsig_id: str = "", catalog: bool = False) -> None:
        """Write the pools, with the key on nameserver and target where one is given."""
        text = POOLS.format(
            **self._values,
            tsig_nameserver=f"      tsigkey_id: {tsig_id}" if tsig_id else "",
            tsig_target=f"      tsigkey_id: {tsig_id}" if tsig_id else "",
        )
        job.write(POOLS_FILE, text + (CATALOG if catalog else ""), 0o440)

    def tsigkey(self, resource_id: str, name: str = "") -> Mapping[str, str]:
        """Make a key for a pool."""
        body = {
            "name": name or self.tsig_name,
            "algorithm": "hmac-sha256",
            "secret": self.tsig_secret,
            "scope": "POOL",
            "resource_id": resource_id,
        }
        status, made = self.client.call("POST", "/tsigkeys", body)
        assert status == 201, made
        found: Mapping[str, str] = made
        return found

    def start(self) -> None:
        for name in DAEMONS:
            self.pods[name].start(name, f"/usr/bin/designate-{name}", *ARGUMENTS)
        self.pods["api"].start("api", "/usr/sbin/httpd", "-DFOREGROUND")

    def close(self) -> None:
        for machine in self.pods.values():
            machine.close()
