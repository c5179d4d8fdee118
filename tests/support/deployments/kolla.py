"""kolla-ansible: a container for each process, each with files of its own, and uWSGI for the API."""

from __future__ import annotations

import base64
import secrets
import uuid
from pathlib import Path

from tests.support.deployments.machine import Machine
from tests.support.deployments.parts import Client, Parts
from tests.support.servers.nameservers import Named, free_port

REPOSITORY = Path(__file__).parents[3]
DAEMONS = ("central", "mdns", "producer", "worker", "sink")
CONF = "/etc/designate/designate.conf"
BIN = "/var/lib/kolla/venv/bin"
WORKERS = 2
GRACE_S = 60
# What no program reads.
UNREAD = {"[oslo_messaging_rabbit] heartbeat_in_pthread"}

COMMON = """
[DEFAULT]
debug = False

log_dir = /var/log/kolla/designate
{log_file}
transport_url = {transport_url}

[service:central]
default_pool_id = {pool_id}
workers = {workers}

[service:api]
listen = 127.0.0.1:{api_port}
api_base_uri = http://127.0.0.1:{api_port}
workers = {workers}
enable_api_admin = True
enable_host_header = True
enabled_extensions_admin = quotas, reports

[keystone_authtoken]
service_type = dns
www_authenticate_uri = {keystone}
auth_url = {keystone}
auth_type = password
project_domain_id = default
user_domain_id = default
project_name = {project}
username = {user}
password = {password}
service_token_roles_required = true
region_name = {region}
cafile =
http_connect_timeout = 60
memcache_security_strategy = ENCRYPT
memcache_secret_key = {secret}
memcached_servers = 127.0.0.1:{memcached_port}

{mdns}
[service:worker]
workers = {workers}

[service:producer]
workers = {workers}
threads = 1000

[network_api:neutron]
ca_certificates_file = ""
endpoint_type = internalURL

[storage:sqlalchemy]
connection = {database_url}
max_retries = 10
idle_timeout = 3600

{sink}
[oslo_messaging_notifications]
transport_url = {transport_url}
driver = messagingv2
topics = notifications_designate

[oslo_messaging_rabbit]
heartbeat_in_pthread = false
use_queue_manager = true
rabbit_qos_prefetch_count = 50
rabbit_quorum_queue = true
rabbit_transient_quorum_queue = true
rabbit_stream_fanout = true

[oslo_concurrency]
lock_path = /var/lib/designate/tmp

[oslo_middleware]
enable_proxy_headers_parsing = True

[coordination]
{coordination}
"""
MDNS = """[service:mdns]
listen = 127.0.0.1:{mdns_port}
workers = {workers}
"""
SINK = """[service:sink]
enabled_notification_handlers = nova_fixed, neutron_floatingip
workers = {workers}

[handler:nova_fixed]
zone_id =
notification_topics = notifications_designate
control_exchange = nova
formatv4 = '%(octet0)s-%(octet1)s-%(octet2)s-%(octet3)s.%(zone)s'
formatv4 = '%(hostname)s.%(project)s.%(zone)s'
formatv6 = '%(hostname)s.%(project)s.%(zone)s'

[handler:neutron_floatingip]
zone_id =
notification_topics = notifications_designate
control_exchange = neutron
formatv4 = '%(octet0)s-%(octet1)s-%(octet2)s-%(octet3)s.%(zone)s'
formatv6 = '%(hostname)s.%(project)s.%(zone)s'
"""
UWSGI = """[uwsgi]
add-header = Connection: close
buffer-size = 65535
die-on-term = true
enable-threads = true
http = 127.0.0.1:{api_port}
http-chunked-input = true
lazy-apps = true
logto = /var/log/kolla/designate/designate-api-uwsgi.log
master = true
module = designate.wsgi.api:application
plugins-dir = /usr/lib/uwsgi/plugins
plugins = python3
processes = {workers}
socket-timeout = 30
thunder-lock = true
uid = designate
worker-reload-mercy = 80
"""
POOLS = """- name: default-bind
  id: {pool_id}
  description: Default BIND9 Pool
  attributes: {{}}
  ns_records:
    - hostname: ns1.kolla.example.
      priority: 1
    - hostname: ns2.kolla.example.
      priority: 1
  nameservers:
    - host: 127.0.0.1
      port: {dns_port}
  targets:
    - type: bind9
      description: BIND9 Server 127.0.0.1
      masters:
        - host: 127.0.0.1
          port: {mdns_port}
      options:
        host: 127.0.0.1
        port: {dns_port}
        rndc_host: 127.0.0.1
        rndc_port: {rndc_port}
        rndc_key_file: /etc/designate/rndc.key
"""
RNDC_KEY = """key "rndc-key" {{
    algorithm hmac-md5;
    secret "{secret}";
}};
"""
RNDC_CONF = """options {{
    default-key "rndc-key";
    default-server 127.0.0.1;
    default-port {rndc_port};
}};
"""


class Kolla:
    """A deployment: `Kolla(parts)`; `containers` has the machine of each process by its name."""

    def __init__(self, parts: Parts, memcached_port: int, coordination_url: str) -> None:
        self.pool_id = str(uuid.uuid4())
        self.broker_port = int(parts.transport_url.rpartition(":")[2].strip("/"))
        secret = base64.b64encode(secrets.token_bytes(16)).decode()
        self.bind = Named(
            parts.folder / "bind", algorithm="hmac-md5", secret=secret,
            options="allow-notify { 127.0.0.1; };",
        )  # fmt: skip
        host = parts.transport_url.removeprefix("rabbit://").removesuffix("//")
        self._values = {
            **parts.values,
            "transport_url": f"rabbit://{host},{host}//",
            "pool_id": self.pool_id,
            "workers": WORKERS,
            "api_port": free_port(),
            "mdns_port": free_port(),
            "memcached_port": memcached_port,
            "dns_port": self.bind.port,
            "rndc_port": self.bind.rndc_port,
            "secret": secret,
            "coordination": f"backend_url = {coordination_url}" if coordination_url else "",
        }
        self.containers = {
            name: self._container(parts.folder / name, name) for name in ("api", *DAEMONS)
        }
        self.url = f"http://127.0.0.1:{self._values['api_port']}"
        self.client = Client(parts, self.url)

    def _container(self, folder: Path, name: str) -> Machine:
        machine = Machine(
            folder, "/etc/designate", "/var/lib/kolla", "/var/log/kolla", "/designate"
        )
        machine.programs(BIN, "uwsgi")
        machine.path("/var/log/kolla/designate").mkdir(mode=0o2775)
        image(machine)
        log_file = "log_file = /var/log/kolla/designate/designate-api.log"
        own = {
            "log_file": log_file if name == "api" else "",
            "mdns": MDNS.format(**self._values) if name == "mdns" else "",
            "sink": SINK.format(**self._values) if name == "sink" else "",
        }
        machine.write(CONF, COMMON.format(**self._values, **own), 0o600)
        if name == "api":
            ini = UWSGI.format(**self._values)
            machine.write("/etc/designate/designate-api-uwsgi.ini", ini, 0o600)
        if name == "worker":
            machine.write("/etc/designate/pools.yaml", POOLS.format(**self._values), 0o600)
            machine.write("/etc/designate/rndc.key", RNDC_KEY.format(**self._values), 0o600)
            machine.write("/etc/designate/rndc.conf", RNDC_CONF.format(**self._values), 0o600)
        return machine

    def bootstrap(self, folder: Path) -> Machine:
        """Return the container that migrates the database and ends."""
        return self._container(folder, "central")

    def start(self) -> None:
        for name in DAEMONS:
            self.containers[name].start(name, f"{BIN}/designate-{name}", "--config-file", CONF)
        ini = "/etc/designate/designate-api-uwsgi.ini"
        self.containers["api"].start("api", f"{BIN}/uwsgi", ini)

    def close(self) -> None:
        for machine in self.containers.values():
            machine.close()


def image(machine: Machine) -> None:
    """Put into place what the image takes from the source tree."""
    machine.path("/designate").rmdir()
    machine.path("/designate").symlink_to(REPOSITORY)
    for path in (REPOSITORY / "etc/designate").iterdir():
        if path.is_file():
            machine.write(f"/etc/designate/{path.name}", path.read_text())
    edit = "s|^exec_dirs.*|exec_dirs=/var/lib/kolla/venv/bin,/sbin,/usr/sbin,/bin,/usr/bin|g"
    done = machine.run("sed", "-i", edit, "/etc/designate/rootwrap.conf")
    assert done.returncode == 0, done.stderr
