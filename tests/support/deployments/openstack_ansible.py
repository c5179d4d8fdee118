"""openstack-ansible: one host, a venv, systemd units without arguments, HTTPS by designate-api itself."""

from __future__ import annotations

import base64
import secrets
import uuid
from collections.abc import Sequence

import trustme

from tests.support.deployments.machine import Machine
from tests.support.deployments.parts import Client, Parts
from tests.support.servers.nameservers import Named, free_port

DAEMONS = ("api", "worker", "central", "mdns", "producer", "sink")
BIN = "/openstack/venvs/designate-31.0.0/bin"
LIB = "/openstack/venvs/designate-31.0.0/lib"
GRACE_S = 90  # systemd's own
# What no program reads.
UNREAD = {
    "[DEFAULT] notification_driver",
    "[oslo_messaging_rabbit] rabbit_notification_exchange",
    "[oslo_messaging_rabbit] rabbit_notification_topic",
    "[service:worker] enabled",
    "[service:worker] notify",
}

CONF = """[DEFAULT]
use_journal = True
use_stderr = False
debug = False
root_helper = sudo {bin}/designate-rootwrap /etc/designate/rootwrap.conf
notification_driver = messagingv2
transport_url = {transport_url}?ssl=0

[oslo_messaging_rabbit]
ssl = False
rabbit_notification_exchange = designate
rabbit_notification_topic = notifications
rabbit_quorum_queue = True
rabbit_transient_quorum_queue = True
rabbit_qos_prefetch_count = 10
rabbit_stream_fanout = True
rabbit_quorum_delivery_limit = 0
rabbit_quorum_max_memory_bytes = 0
use_queue_manager = True
hostname = {host}-designate

[oslo_messaging_notifications]
driver = messagingv2
transport_url = {transport_url}?ssl=0

[ssl]
cert_file = /etc/designate/designate.pem
key_file = /etc/designate/designate.key

[service:central]
default_pool_id = {pool_id}
managed_resource_tenant_id = {project_id}

[service:api]
listen = "127.0.0.1:{api_port}"
api_base_uri = "https://127.0.0.1:{api_port}"
auth_strategy = keystone
enable_api_v2 = True
enabled_extensions_v2 = quotas, reports
enable_api_admin = False
enable_host_header = True

[keystone_authtoken]
insecure = False
auth_type = password
auth_url = {keystone}
www_authenticate_uri = {keystone}
project_domain_id = default
user_domain_id = default
project_name = {project}
username = {user}
password = {password}
region_name = {region}
service_token_roles_required = True
service_token_roles = service
service_type = dns
memcached_servers = 127.0.0.1:{memcached_port}
memcache_security_strategy = ENCRYPT
memcache_secret_key = {secret}

[service:sink]

[service:mdns]
{mdns}
[service:agent]

[service:producer]

[service:worker]
enabled = True
notify = True

[producer_task:domain_purge]

[producer_task:delayed_notify]

[producer_task:worker_periodic_recovery]

[service:pool_manager]

[pool_manager_cache:sqlalchemy]

[pool_manager_cache:memcache]

[network_api:neutron]
endpoint_type = internalURL

[storage:sqlalchemy]
connection = {database_url}?charset=utf8
max_overflow = 50
max_pool_size = 5
pool_timeout = 30
connection_recycle_time = 600

[handler:nova_fixed]

[handler:neutron_floatingip]

[backend:agent:bind9]

[backend:agent:knot2]

[oslo_middleware]
enable_proxy_headers_parsing = True

[coordination]
backend_url = zookeeper://{coordinators}?namespace=designate
"""
# The deployer's data, as Ansible dumps it.
POOLS = """-   attributes: {{}}
    description: Default BIND9 Pool
    name: default
    nameservers:
    -   host: 127.0.0.1
        port: {dns_port}
    ns_records:
    -   hostname: ns1.ansible.example.
        priority: 1
    targets:
    -   description: BIND9 Server 1
        masters:
        -   host: 127.0.0.1
            port: {mdns_port}
        options:
            host: 127.0.0.1
            port: {dns_port}
            rndc_host: 127.0.0.1
            rndc_key_file: /etc/designate/rndc.key
            rndc_port: {rndc_port}
        type: bind9
"""
RNDC_KEY = """key "{name}" {{
    algorithm "hmac-md5";
    secret "{secret}";
}};
"""
# The bindings of systemd's journal, of which oslo.log uses one function.
JOURNAL = """
import socket

def send(MESSAGE, **fields):
    lines = [f"{name}={value}" for name, value in fields.items() if "\\n" not in str(value)]
    text = "\\n".join([f"MESSAGE={MESSAGE.splitlines()[0] if MESSAGE else ''}", *lines]) + "\\n"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.sendto(text.encode(), "/run/systemd/journal/socket")
"""


class Systemd(Machine):
    """A host whose systemd starts a failed unit again, as the tool's units say (Restart=on-failure)."""

    def check(self) -> None:
        for name in [name for name, process in self.processes.items() if process.poll() == 1]:
            self.start(name, f"{BIN}/designate-{name}")
        super().check()


class OpenStackAnsible:
    """A deployment: `OpenStackAnsible(parts, ...)`; every process runs on `host`."""

    def __init__(self, parts: Parts, memcached_port: int, coordinators: Sequence[str]) -> None:
        self.pool_id = str(uuid.uuid4())
        secret = base64.b64encode(secrets.token_bytes(16)).decode()
        self.bind = Named(parts.folder / "bind", algorithm="hmac-md5", secret=secret)
        self.authority = trustme.CA()
        self.api_port, self.mdns_port = free_port(), free_port()
        values = {
            **parts.values,
            "bin": BIN,
            "host": "aio1",
            "pool_id": self.pool_id,
            "api_port": self.api_port,
            "mdns_port": self.mdns_port,
            "memcached_port": memcached_port,
            "dns_port": self.bind.port,
            "rndc_port": self.bind.rndc_port,
            "name": "designate",
            "secret": secret,
            "coordinators": ",".join(coordinators),
            "mdns": f"listen = 127.0.0.1:{self.mdns_port}\n",
        }
        self.host = Systemd(
            parts.folder / "host",
            "/etc/designate", "/openstack", "/run/systemd", "/var/cache/designate",
        )  # fmt: skip
        self.host.programs(BIN)
        self.host.environment["PYTHONPATH"] = LIB
        self.host.write(f"{LIB}/systemd/__init__.py", "")
        self.host.write(f"{LIB}/systemd/journal.py", JOURNAL)
        self.host.write("/etc/designate/designate.conf", CONF.format(**values))
        self.host.write("/etc/designate/rndc.key", RNDC_KEY.format(**values), 0o600)
        self.pools = POOLS.format(**values)
        server = self.authority.issue_cert("127.0.0.1")
        chain = b"".join(part.bytes() for part in server.cert_chain_pems).decode()
        self.host.write("/etc/designate/designate.pem", chain)
        self.host.write(
            "/etc/designate/designate.key", server.private_key_pem.bytes().decode(), 0o640
        )
        ca_file = parts.folder / "ca.pem"
        self.authority.cert_pem.write_to_path(ca_file)
        self.client = Client(parts, f"https://127.0.0.1:{self.api_port}", ca_file)

    def start(self) -> None:
        """Start every unit at once, as systemd does, before there is a schema."""
        for name in DAEMONS:
            self.host.start(name, f"{BIN}/designate-{name}")

    def manage(self, *arguments: str) -> tuple[int, str, str]:
        """Return status, output and errors of designate-manage."""
        done = self.host.run(f"{BIN}/designate-manage", *arguments)
        return done.returncode, done.stdout, done.stderr

    def write_pools(self) -> None:
        self.host.write("/etc/designate/pools.yaml", self.pools, 0o640)
