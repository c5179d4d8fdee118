"""puppet-designate: the packages' units, every option that a manifest can set, PowerDNS, Apache."""

from __future__ import annotations

import sys
from pathlib import Path

import designate
from tests.support.deployments.machine import Machine
from tests.support.deployments.operator import HTTPD
from tests.support.deployments.parts import Client, Parts
from tests.support.servers.nameservers import free_port
from tests.support.servers.secondaries import Pdns

DAEMONS = ("central", "mdns", "producer", "worker", "sink")
CONF_FILE = "/etc/designate/designate.conf"
SCRIPT = "/var/www/cgi-bin/designate/app"
POOLS_FILE = "/etc/designate/pools.yaml"
POOL_ID = "0a8a7d4c-3c77-4c8e-9f5e-5a3a3a6a7d10"
GRACE_S = 90
# What no program reads.
UNREAD = {"[DEFAULT] max_header_line"}

CONF = """[DEFAULT]
host=puppet1
root_helper=sudo designate-rootwrap /etc/designate/rootwrap.conf
state_path=/var/lib/designate
default_ttl=3600
supported_record_type=A,AAAA,CNAME,MX,SRV,TXT,SPF,NS,PTR,SSHFP,SOA,NAPTR,CAA,CERT
max_header_line=16384
quota_driver=storage
quota_zones=10
quota_zone_recordsets=500
quota_zone_records=500
quota_recordset_records=20
quota_api_export_size=1000
debug=False
log_dir=/var/log/designate
use_syslog=False
use_stderr=False
log_date_format=%Y-%m-%d %H:%M:%S
default_log_levels=amqp=WARN,oslo.messaging=INFO,sqlalchemy=WARN
transport_url={transport_url}
rpc_response_timeout=60
control_exchange=designate

[service:api]
listen=127.0.0.1:{api_port}
workers=1
threads=1
auth_strategy=keystone
enable_api_v2=True
enable_api_admin=True
api_base_uri=http://127.0.0.1:{api_port}/
enable_host_header=True
enabled_extensions_v2=quotas,reports
enabled_extensions_admin=quotas,reports
default_limit_v2=20
default_limit_admin=20
max_limit_v2=1000
max_limit_admin=1000
pecan_debug=False
quotas_verify_project_id=True

[service:central]
managed_resource_email=hostmaster@example.com
managed_resource_tenant_id={project_id}
max_zone_name_len=255
max_recordset_name_len=255
min_ttl=0
workers=1
threads=1000
default_pool_id={pool_id}
scheduler_filters=default_pool

[service:mdns]
workers=1
threads=1000
listen=127.0.0.1:{mdns_port}
tcp_backlog=100
tcp_keepidle=10
tcp_recv_timeout=0.5
query_enforce_tsig=False
max_message_size=65535

[service:worker]
workers=1
threads=200
threshold_percentage=100
poll_timeout=30
poll_retry_interval=1
poll_max_retries=10
poll_delay=0
export_synchronous=True
topic=worker
xfr_timeout=10
serial_timeout=1
serial_max_retries=3
serial_retry_delay=1
all_tcp=False

[service:producer]
workers=1
threads=1000
enabled_tasks=delayed_notify,increment_serial,periodic_exists,periodic_secondary_refresh,worker_periodic_recovery,zone_purge

[producer_task:delayed_notify]
interval=5
per_page=100
batch_size=100

[producer_task:increment_serial]
interval=5
per_page=100
batch_size=100

[producer_task:periodic_exists]
interval=3600
per_page=100

[producer_task:periodic_secondary_refresh]
interval=3600
per_page=100

[producer_task:worker_periodic_recovery]
interval=120
per_page=100

[producer_task:zone_purge]
interval=3600
per_page=100
time_threshold=604800
batch_size=100

[service:sink]
enabled_notification_handlers=nova_fixed,neutron_floatingip
workers=1
threads=1000

[handler:nova_fixed]
zone_id=
notification_topics=notifications_designate
control_exchange=nova
formatv4=%(octet0)s-%(octet1)s-%(octet2)s-%(octet3)s.%(zone)s
formatv6=%(hostname)s.%(zone)s

[handler:neutron_floatingip]
zone_id=
notification_topics=notifications_designate
control_exchange=neutron
formatv4=%(octet0)s-%(octet1)s-%(octet2)s-%(octet3)s.%(zone)s
formatv6=%(hostname)s.%(zone)s

[keystone]
region_name={region}
service_type=identity
valid_interfaces=internal
connect_retries=1
status_code_retries=1
timeout=30
insecure=False

[keystone_authtoken]
www_authenticate_uri={keystone}
auth_url={keystone}
username={user}
password={password}
project_name={project}
project_domain_name=Default
user_domain_name=Default
region_name={region}
auth_type=password
interface=internal
service_type=dns

[network_api:neutron]
endpoint_type=publicURL
timeout=30
insecure=False

[coordination]
heartbeat_interval=5
run_watchers_interval=10

[storage:sqlalchemy]
connection={database_url}
connection_recycle_time=3600
max_retries=10
retry_interval=10
max_pool_size=10
max_overflow=20
pool_timeout=10

[oslo_messaging_rabbit]
rabbit_quorum_queue=True
rabbit_transient_quorum_queue=True
rabbit_stream_fanout=True
use_queue_manager=True
heartbeat_timeout_threshold=60
heartbeat_rate=2
kombu_reconnect_delay=1.0
kombu_failover_strategy=round-robin
amqp_durable_queues=True
ssl=False
rabbit_ha_queues=False

[oslo_messaging_notifications]
driver=messagingv2
topics=notifications
transport_url={transport_url}

[oslo_concurrency]
lock_path=/var/lib/designate/tmp

[oslo_middleware]
enable_proxy_headers_parsing=True
max_request_body_size=114688

[oslo_policy]
enforce_scope=True
enforce_new_defaults=False
policy_default_rule=default
policy_dirs=/etc/designate/policy.d
policy_file=/etc/designate/policy.yaml

[cors]
allowed_origin=https://horizon.example.com
max_age=3600

[healthcheck]
detailed=False
backends=disable_by_file
disable_by_file_path=/var/lib/designate/healthcheck_disable
allowed_source_ranges=127.0.0.0/8

[oslo_reports]
log_dir=/var/log/designate
file_event_handler_interval=1
"""
POLICY = '"use_low_ttl": "rule:admin"\n'
POOLS = """---
- name: default
  description: Default PowerDNS Pool
  attributes: {{}}

  targets:
    - type: pdns4
      description: PowerDNS4 DNS Server

      masters:
        - host: 127.0.0.1
          port: {mdns_port}

      options:
        host: 127.0.0.1
        port: {dns_port}
        api_endpoint: {pdns_url}
        api_token: {pdns_token}
        tsigkey_name:
"""
# What operators add to it.
COMPLETION = """
  ns_records:
    - hostname: ns1.puppet.example.
      priority: 1
  nameservers:
    - host: 127.0.0.1
      port: {dns_port}
"""


class Puppet:
    """A deployment: `Puppet(parts, pdns)`; every process runs on `host`."""

    def __init__(self, parts: Parts, pdns: Pdns) -> None:
        self.api_port, self.mdns_port = free_port(), free_port()
        self._values = {
            **parts.values,
            "pool_id": POOL_ID,
            "api_port": self.api_port,
            "mdns_port": self.mdns_port,
            "dns_port": pdns.port,
            "pdns_url": pdns.url,
            "pdns_token": pdns.token,
        }
        host = Machine(
            parts.folder / "host", "/etc/designate", "/var/log/designate", "/var/www/cgi-bin"
        )
        host.programs("/usr/bin")
        host.write(CONF_FILE, CONF.format(**self._values), 0o640)
        host.write("/etc/designate/policy.yaml", POLICY, 0o640)
        api = Path(designate.__file__).parent / "wsgi/api.py"
        host.write(SCRIPT, api.read_text(), 0o644)
        httpd = HTTPD.replace("/usr/bin/designate-api-wsgi", SCRIPT)
        httpd = httpd.format(python=sys.executable, port=self.api_port).replace(
            "workers=5", "workers=1"
        )
        host.write("/usr/sbin/httpd", httpd, 0o755)
        self.host = host
        self.client = Client(parts, f"http://127.0.0.1:{self.api_port}")

    def write_pools(self, complete: bool) -> None:
        text = (POOLS + (COMPLETION if complete else "")).format(**self._values)
        self.host.write(POOLS_FILE, text, 0o640)

    def start(self) -> None:
        """Start the packages' units and Apache."""
        for name in DAEMONS:
            self.host.start(name, f"/usr/bin/designate-{name}", "--config-file", CONF_FILE)
        self.host.start("api", "/usr/sbin/httpd", "-DFOREGROUND")
