"""openstack-helm: a pod for each process, files from one Secret, uWSGI with a script file, PowerDNS."""

from __future__ import annotations

from tests.support.deployments.machine import Machine
from tests.support.deployments.parts import Client, Parts
from tests.support.servers.nameservers import free_port
from tests.support.servers.secondaries import Pdns

DAEMONS = ("central", "mdns", "producer", "worker")
BIN = "/var/lib/openstack/bin"
ARGUMENTS = (
    "--config-file", "/etc/designate/designate.conf", "--config-dir", "/etc/designate/designate.conf.d"
)  # fmt: skip
SEARCH = {"PATH": f"{BIN}:/usr/bin:/bin"}
GRACE_S = 30
# What no program reads.
UNREAD = {
    "[keystone_authtoken] auth_uri",
    "[oslo_messaging_rabbit] rabbit_quorum_queues",
    "[service:worker] enabled",
    "[service:worker] notify",
}

# The connection is in designate.conf.d, as the chart's override for mariadb-operator has it.
CONF = """[DEFAULT]
debug = false
log_config_append = /etc/designate/logging.conf
transport_url = {transport_url}
[database]
max_retries = -1
[keystone_authtoken]
auth_type = password
auth_uri = {keystone}
auth_url = {keystone}
auth_version = v3
memcache_secret_key = {secret}
memcache_security_strategy = ENCRYPT
memcached_servers = 127.0.0.1:{memcached_port}
password = {password}
project_domain_name = Default
project_name = {project}
region_name = {region}
service_type = dns
user_domain_name = Default
username = {user}
[oslo_concurrency]
lock_path = /var/lock
[oslo_messaging_rabbit]
amqp_durable_queues = true
rabbit_quorum_queues = true
rabbit_transient_quorum_queue = true
use_queue_manager = true
[oslo_middleware]
enable_proxy_headers_parsing = true
[oslo_policy]
policy_file = /etc/designate/policy.yaml
[service:api]
api_base_uri = http://127.0.0.1:{api_port}/
auth_strategy = keystone
enable_api_admin = true
enable_api_v2 = true
enabled_extensions_v2 = quotas,reports
workers = 2
{mdns}
[service:worker]
enabled = true
notify = false
[storage:sqlalchemy]
max_retries = -1
"""
CONNECTION = """[database]
connection = {database_url}
[storage:sqlalchemy]
connection = {database_url}
"""
LOGGING = """[formatter_context]
class = oslo_log.formatters.ContextFormatter
datefmt = %Y-%m-%d %H:%M:%S
[formatter_default]
datefmt = %Y-%m-%d %H:%M:%S
format = %(message)s
[formatters]
keys = context,default
[handler_null]
args = ()
class = logging.NullHandler
formatter = default
[handler_stderr]
args = (sys.stderr,)
class = StreamHandler
formatter = context
[handler_stdout]
args = (sys.stdout,)
class = StreamHandler
formatter = context
[handlers]
keys = stdout,stderr,null
[logger_amqp]
handlers = stderr
level = WARNING
qualname = amqp
[logger_designate]
handlers = stdout
level = INFO
qualname = designate
[logger_root]
handlers = stdout
level = WARNING
[loggers]
keys = root,designate,amqp
"""
UWSGI = """[uwsgi]
add-header = Connection: close
buffer-size = 65535
die-on-term = true
enable-threads = true
http-socket = 127.0.0.1:{api_port}
lazy-apps = true
log-x-forwarded-for = true
master = true
need-app = true
procname-prefix-spaced = designate-api:
processes = 2
route-user-agent = ^kube-probe.* donotlog:
stats = 127.0.0.1:{stats_port}
stats-http = true
thunder-lock = true
worker-reload-mercy = 80
wsgi-file = {bin}/designate-api-wsgi
"""
# The shell fills in the variables.
POOLS = """- name: default
  # The name is immutable. There is no option to change the name after creation.
  description: Default Pool
  attributes: {}
  ns_records:
    - hostname: ns.helm.example.
      priority: 1
  # The DNS servers that answer queries.
  nameservers:
    - host: ${POWERDNS_SERVICE_HOST}
      port: ${POWERDNS_SERVICE_PORT}
  targets:
    - type: pdns4
      description: PowerDNS Server
      masters:
        - host: ${MINIDNS_SERVICE_HOST}
          port: ${MINIDNS_SERVICE_PORT}
      options:
        host: ${POWERDNS_SERVICE_HOST}
        port: ${POWERDNS_SERVICE_PORT}
        api_endpoint: ${POWERDNS_API}
        api_token: ${POWERDNS_TOKEN}
"""
INIT = """set -ex
eval "cat <<EOF
$(cat /pools/pools.yaml)
EOF
" > /etc/designate/pools.yaml
exec designate-manage pool update
"""


class Helm:
    """A deployment: `Helm(parts, ...)`; `pods` has the machine of each process by its name."""

    def __init__(self, parts: Parts, pdns: Pdns, memcached_port: int) -> None:
        self._pdns = pdns
        self.api_port, self.mdns_port, self.stats_port = free_port(), free_port(), free_port()
        self._folder = parts.folder
        self._values = {
            **parts.values,
            "bin": BIN,
            "api_port": self.api_port,
            "stats_port": self.stats_port,
            "memcached_port": memcached_port,
            "secret": parts.secret,
            "mdns": f"[service:mdns]\nlisten = 127.0.0.1:{self.mdns_port}",
        }
        self.pods = {name: self.pod(name) for name in ("api", *DAEMONS)}
        self.client = Client(parts, f"http://127.0.0.1:{self.api_port}")

    def pod(self, name: str) -> Machine:
        """Return a pod with every file of the Secret."""
        machine = self._empty_pod(name, "/var/lock")
        machine.write("/etc/designate/policy.yaml", "{}\n", 0o444)
        connection = CONNECTION.format(**self._values)
        machine.write("/etc/designate/designate.conf.d/db_conn.conf", connection, 0o444)
        if name == "api":
            ini = UWSGI.format(**self._values)
            machine.write("/etc/designate/designate-api-uwsgi.ini", ini, 0o444)
        return machine

    def init_container(self) -> Machine:
        """Return the container that updates the pools before the worker starts."""
        machine = self._empty_pod("worker-init", "/pools")
        machine.write("/pools/pools.yaml", POOLS, 0o444)
        return machine

    def _empty_pod(self, name: str, *folders: str) -> Machine:
        machine = Machine(
            self._folder / name,
            "/etc/designate", "/var/cache/designate", "/var/lib/openstack", *folders,
        )  # fmt: skip
        machine.programs(BIN, "uwsgi")
        machine.write("/etc/designate/designate.conf", CONF.format(**self._values), 0o444)
        machine.write("/etc/designate/logging.conf", LOGGING, 0o444)
        return machine

    def update_pools(self, machine: Machine) -> tuple[int, str]:
        """Run the init container's script; return status and output."""
        done = machine.run(
            "sh", "-c", INIT,
            POWERDNS_SERVICE_HOST="127.0.0.1",
            POWERDNS_SERVICE_PORT=str(self._pdns.port),
            MINIDNS_SERVICE_HOST="127.0.0.1",
            MINIDNS_SERVICE_PORT=str(self.mdns_port),
            POWERDNS_API=self._pdns.url,
            POWERDNS_TOKEN=self._pdns.token,
            **SEARCH,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def start(self, *names: str) -> None:
        for name in names:
            if name == "api":
                ini = "/etc/designate/designate-api-uwsgi.ini"
                self.pods[name].start(name, "uwsgi", "--ini", ini, **SEARCH)
            else:
                self.pods[name].start(name, f"designate-{name}", *ARGUMENTS, **SEARCH)

    def close(self) -> None:
        for machine in self.pods.values():
            machine.close()
