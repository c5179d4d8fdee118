"""Daemons with two processes each: their work, monitoring ports, reports, health and log lines."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dns.message
import dns.name
import dns.query
import pytest
import requests
import yaml
from prometheus_client.parser import text_string_to_metric_families

from designate.health import DAEMONS
from tests.support.deadlines import scaled, until
from tests.support.servers.broker import RabbitMQ
from tests.support.servers.daemons import NAMES, Daemons
from tests.support.servers.nameservers import Named, free_ports

GUIDE = Path(__file__).parents[2] / "doc" / "deployment.md"
SECRET = "planted-secret"
UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")


@pytest.fixture(scope="module")
def first_port() -> int:
    """Return the first of as many consecutive free ports as there are daemons."""
    return free_ports(len(DAEMONS))


@pytest.fixture(scope="module")
def cloud(
    tmp_path_factory: pytest.TempPathFactory, broker: RabbitMQ, first_port: int
) -> Iterator[Daemons]:
    folder = tmp_path_factory.mktemp("cloud")
    options: dict[str, dict[str, Any]] = {
        **{f"service:{name}": {"workers": 2} for name in NAMES},
        "DEFAULT": {"use_json": True, "debug": True},
        "monitoring": {"listen": f"127.0.0.1:{first_port}"},
        "keystone_authtoken": {"password": SECRET, "memcache_secret_key": SECRET},
        "oslo_messaging_notifications": {
            "driver": "noop",
            "transport_url": f"rabbit://u:{SECRET}@h/",
        },
    }
    with (
        Named(tmp_path_factory.mktemp("bind")) as bind,
        Daemons(folder, f"sqlite:///{folder}/db.sqlite", broker.fresh(), bind, options) as cloud,
    ):
        yield cloud


def samples(cloud: Daemons, name: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return what Prometheus reads of a daemon."""
    response = requests.get(f"{cloud.monitoring_url(f'{name}-0')}/metrics", timeout=scaled(20))
    assert response.status_code == 200
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def processes(cloud: Daemons, name: str) -> dict[str, float]:
    """Return the number of processes that the metrics of a daemon show, by the daemon's name."""
    return {
        dict(labels)["daemon"]: value
        for (metric, labels), value in samples(cloud, name).items()
        if metric == "designate_processes"
    }


def total(cloud: Daemons, name: str, metric: str, **labels: str) -> float:
    return sum(
        value
        for (found, its), value in samples(cloud, name).items()
        if found == metric and labels.items() <= dict(its).items()
    )


def test_zones_become_active(cloud: Daemons) -> None:
    for number in range(6):
        body = {"name": f"w{number}.example.", "email": "a@example.org"}
        status, zone = cloud.call("POST", "/zones", body)
        assert status == 202, zone

        def active(path: str = f"/zones/{zone['id']}") -> bool:
            return bool(cloud.call("GET", path)[1]["status"] == "ACTIVE")

        until(active, 20, "the zone ACTIVE")


def test_the_targets_of_the_guide_are_the_ports_of_the_daemons(
    cloud: Daemons, first_port: int
) -> None:
    (block,) = re.findall(r"```yaml\n(scrape_configs:.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    targets = {
        entry["labels"]["daemon"]: int(entry["targets"][0].rpartition(":")[2])
        for job in yaml.safe_load(block)["scrape_configs"]
        for entry in job["static_configs"]
    }
    assert set(targets) == set(NAMES)
    for name, port in targets.items():
        url = cloud.monitoring_url(f"{name}-0")
        assert url == f"http://127.0.0.1:{port - 9110 + first_port}"
        assert requests.get(f"{url}/healthcheck", timeout=scaled(20)).text == "OK"
        until(lambda name=name: processes(cloud, name) == {name: 2.0}, 20, f"both of {name}")


def test_metrics_are_those_of_all_processes_whichever_serves_them(cloud: Daemons) -> None:
    def served() -> float:
        return total(
            cloud, "api", "designate_api_request_seconds_count", method="GET", route="/v2/tlds"
        )

    before = served()
    for _ in range(40):
        # Each on a connection of its own, so that the kernel spreads them.
        url = f"{cloud.url}/v2/tlds"
        assert requests.get(url, timeout=scaled(20)).status_code == 200

    assert [served() for _ in range(8)] == [before + 40] * 8


def test_a_process_that_dies_is_replaced_on_the_same_port_and_its_counts_stay(
    cloud: Daemons,
) -> None:
    def made() -> float:
        return total(cloud, "worker", "designate_rpc_call_seconds_count")

    before = made()
    assert before > 0
    ids = cloud.process_ids("worker-0")
    os.kill(ids[-1], signal.SIGKILL)

    def replaced() -> bool:
        now = cloud.process_ids("worker-0")
        return len(now) == 3 and ids[-1] not in now

    until(replaced, 20, "another process")
    until(lambda: _processes_or_none(cloud) == {"worker": 2.0}, 30, "its metrics")
    assert made() >= before


def _processes_or_none(cloud: Daemons) -> dict[str, float] | None:
    try:
        return processes(cloud, "worker")
    except requests.ConnectionError:
        return None  # it was the one that died


@pytest.mark.parametrize("name", NAMES)
def test_every_process_writes_a_report_and_lives_on(cloud: Daemons, name: str) -> None:
    log = cloud.log(f"{name}-0")
    ids = cloud.process_ids(f"{name}-0")
    assert len(ids) == 3
    for number, process_id in enumerate(ids, log.read_text().count("Guru Meditation") + 1):
        os.kill(process_id, signal.SIGUSR2)
        until(
            lambda number=number: (
                log.read_text().count("upgrade_levels: ") >= number
                and log.read_text().count("Guru Meditation") >= number
            ),
            20,
            f"the report of {process_id}",
        )

    text = log.read_text()
    assert cloud.process_ids(f"{name}-0") == ids
    assert "transport_url = ***" in text
    assert SECRET not in text
    assert not re.search(r"://[^\s:/]+:(?!\*\*\*@)[^\s/@]+@", text)


def lines(cloud: Daemons, name: str) -> list[str]:
    """Return the log of a daemon; reports are no JSON."""
    return cloud.log(f"{name}-0").read_bytes().decode().split("\n")


def messages(cloud: Daemons, name: str) -> list[str]:
    whole = [line for line in lines(cloud, name) if line.startswith("{") and line.endswith("}")]
    return [json.loads(line)["message"] for line in whole]


def raw(cloud: Daemons, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", cloud.api_port), timeout=scaled(20)) as sock:
        sock.sendall(request)
        found = b""
        while part := sock.recv(65536):
            found += part
    return found


def test_the_log_has_no_control_character_of_a_client(cloud: Daemons) -> None:
    escapes = b"%0a%0d%1b%5b31m%e2%80%a8%c2%9b2J%7f"
    for path in (b"/v2/zones/marked" + escapes, b"/v2/marked\\" + escapes):
        found = raw(
            cloud,
            b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            b"User-Agent: \x9b31m\r\nX-OpenStack-Request-ID: req-\x9b31m \xe2\x80\xa8\r\n"
            b"X-Auth-User-ID: user-\x9b31m\r\nX-Auth-Project-ID: project-\x9b31m\r\n\r\n",
        )
        assert found.startswith(b"HTTP/1.1 4"), found
    encoded = "%0A%0D%1B%5B31m%E2%80%A8%C2%9B2J%7F"

    def written() -> bool:
        return all(
            any(f"GET {path}{encoded} 4" in message for message in messages(cloud, "api"))
            for path in ("/v2/zones/marked", "/v2/marked%5C")
        )

    until(written, 20, "both lines")
    for line in lines(cloud, "api"):
        assert not UNSAFE.search(line), line
    for message in messages(cloud, "api"):
        assert not UNSAFE.search(message), message
        assert "\n" not in message


def test_the_name_of_an_unknown_key_is_escaped_in_the_log(cloud: Daemons) -> None:
    name = dns.name.Name((b"a\n\x1b[31m\x9b\xe2\x80\xa8", b"marked", b""))
    query = dns.message.make_query("example.", "SOA")
    query.use_tsig(dns.tsig.Key(name, b"any secret", "hmac-sha256"))
    with contextlib.suppress(dns.tsig.PeerBadKey):
        dns.query.tcp(query, "127.0.0.1", port=cloud.dns_port, timeout=scaled(10))

    until(lambda: any("marked" in message for message in messages(cloud, "mdns")), 20, "a line")
    for line in lines(cloud, "mdns"):
        assert not UNSAFE.search(line), line


@pytest.mark.timeout(180)
def test_the_full_check_follows_the_workers(cloud: Daemons) -> None:
    host = cloud.call("GET", "/service_statuses")[1]["service_statuses"][0]["hostname"]
    urls = [f"{base}/healthcheck?full" for base in (cloud.url, cloud.monitoring_url("mdns-0"))]

    def states() -> list[tuple[int, str]]:
        found = [requests.get(url, timeout=scaled(20)) for url in urls]
        return [(response.status_code, response.text) for response in found]

    def said(status: int, *words: str) -> bool:
        return all(
            code == status and all(word in text for word in words) for code, text in states()
        )

    until(lambda: said(200, f"central: UP on {host}", f"worker: UP on {host}"), 20, "200")
    cloud.signal("worker-0", signal.SIGTERM)
    assert cloud.wait("worker-0") == 0
    until(lambda: said(503, f"central: UP on {host}", f"none lives ({host} "), 20, "503")
    cloud.start("worker-0")
    until(lambda: said(200, f"worker: UP on {host}"), 40, "200 again")


def test_all_stop_in_order(cloud: Daemons) -> None:
    for name in NAMES[1:]:
        cloud.signal(f"{name}-0", signal.SIGTERM)
    for name in NAMES[1:]:
        assert cloud.wait(f"{name}-0") == 0, cloud.log(f"{name}-0").read_text()[-2000:]
    cloud.signal("central-0", signal.SIGTERM)
    assert cloud.wait("central-0") == 0
