"""designate-sink over RabbitMQ: events of Nova's notifier become records that BIND serves."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from designate.runtime import concurrency

concurrency.prepare()  # before oslo.messaging is imported

import oslo_messaging  # noqa: E402
from oslo_config import cfg  # noqa: E402

from tests.support.deadlines import until  # noqa: E402
from tests.support.servers.broker import RabbitMQ  # noqa: E402
from tests.support.servers.daemons import Daemons, configuration  # noqa: E402
from tests.support.servers.nameservers import Named  # noqa: E402
from tests.support.servers.standalone import ask, texts  # noqa: E402

TOPIC = "notifications_designate"


@dataclass
class Cloud:
    daemons: Daemons
    bind: Named
    nova: oslo_messaging.Notifier
    zone: dict[str, Any]

    def tell(self, event: str, instance: str, hostname: str, *addresses: str) -> None:
        payload = {
            "instance_id": instance,
            "hostname": hostname,
            "tenant_id": "alice",
            "fixed_ips": [{"address": address, "version": 4} for address in addresses],
        }
        self.nova.info({"project_name": "shop"}, f"compute.instance.{event}", payload)

    def served(self, hostname: str) -> set[str]:
        return texts(ask(("127.0.0.1", self.bind.port), f"{hostname}.sink.example.", "A"))


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory, broker: RabbitMQ) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("sink")
    options = {
        "DEFAULT": {"rpc_response_timeout": 3},
        "service:sink": {
            "enabled_notification_handlers": "nova_fixed",
            "listener_pool_name": "designate",
        },
        "handler:nova_fixed": {"notification_topics": TOPIC},
    }
    url, broker_url = f"sqlite:///{folder}/db.sqlite", broker.fresh()
    with (
        Named(folder / "bind") as bind,
        Daemons(folder, url, broker_url, bind, options) as daemons,
    ):
        body = {"name": "sink.example.", "email": "a@example.org"}
        status, zone = daemons.call("POST", "/zones", body)
        assert status == 202, zone
        own = {"handler:nova_fixed": {"zone_id": zone["id"]}}
        (folder / "sink-0.conf").write_text(configuration(own))
        daemons.start("sink-0")
        until(lambda: _lives(daemons), 30, "a heartbeat of the sink")
        yield Cloud(daemons, bind, _nova(broker_url), zone)


def _lives(daemons: Daemons) -> bool:
    """The heartbeats start when it listens."""
    process = daemons.processes["sink-0"]
    assert process.poll() is None, daemons.log("sink-0").read_text()[-4000:]
    _, found = daemons.call("GET", "/service_statuses?service_name=sink")
    return [one["status"] for one in found["service_statuses"]] == ["UP"]


def _nova(url: str) -> oslo_messaging.Notifier:
    conf = cfg.ConfigOpts()
    conf([], default_config_files=[], default_config_dirs=[])
    oslo_messaging.set_transport_defaults("nova")
    transport = oslo_messaging.get_notification_transport(conf, url)
    return oslo_messaging.Notifier(
        transport, publisher_id="compute.host", driver="messagingv2", topics=[TOPIC]
    )


def test_an_instance_is_served_until_it_is_deleted(cloud: Cloud) -> None:
    instance = str(uuid.uuid4())

    cloud.tell("create.end", instance, "web", "192.0.2.1", "192.0.2.2")
    until(lambda: cloud.served("web") == {"192.0.2.1", "192.0.2.2"}, 20, "the instance's name")

    cloud.tell("delete.start", instance, "web")
    until(lambda: cloud.served("web") == set(), 20, "the end of the instance's name")


def test_no_event_is_lost_while_central_is_away(cloud: Cloud) -> None:
    gone, stays = str(uuid.uuid4()), str(uuid.uuid4())
    cloud.tell("create.end", gone, "gone", "192.0.2.8")
    until(lambda: cloud.served("gone") == {"192.0.2.8"}, 20, "the first instance's name")
    log = cloud.daemons.log("sink-0")
    cloud.daemons.kill("central-0")

    cloud.tell("create.end", stays, "stays", "192.0.2.9")
    cloud.tell("delete.start", gone, "gone")
    for event in ("create.end", "delete.start"):
        returned = f"compute.instance.{event}: returned to the broker"
        until(lambda text=returned: text in log.read_text(), 30, returned)  # type: ignore[misc]
    cloud.daemons.start("central-0")

    until(lambda: cloud.served("stays") == {"192.0.2.9"}, 40, "the second instance's name")
    until(lambda: cloud.served("gone") == set(), 40, "the end of the first one's")


def test_a_sink_without_handlers_runs_and_says_that_it_idles(cloud: Cloud) -> None:
    log = cloud.daemons.log("sink-1")
    none = {"service:sink": {"enabled_notification_handlers": ""}}
    (cloud.daemons.folder / "sink-1.conf").write_text(configuration(none))
    cloud.daemons.start("sink-1")
    until(lambda: "nothing to do" in log.read_text(), 30, "the warning")
    assert cloud.daemons.stop("sink-1") == 0


def test_it_stops_in_order(cloud: Cloud) -> None:
    assert cloud.daemons.stop("sink-0") == 0
