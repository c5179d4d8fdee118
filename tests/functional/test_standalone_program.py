"""The program designate-standalone: a process, its output and its end."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dns.message
import dns.query
import pytest
import requests

from designate.cmd import demo
from tests.support.deadlines import scaled, until
from tests.support.servers.standalone import Service

TIMEOUT_S = 30
FREE_PORTS = ("--api", "127.0.0.1:0", "--dns", "127.0.0.1:0")
PROGRAM = (sys.executable, "-m", "designate.cmd.standalone")


def finished(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments],
        capture_output=True,
        text=True,
        timeout=scaled(TIMEOUT_S),
        check=False,
    )


@contextmanager
def running(*arguments: str, **how: Any) -> Iterator[subprocess.Popen[str]]:
    """Run the program; how: as for subprocess.Popen."""
    process = subprocess.Popen([*PROGRAM, *arguments], stdout=subprocess.PIPE, text=True, **how)
    deadline = threading.Timer(scaled(TIMEOUT_S), process.kill)
    deadline.start()
    try:
        yield process
    finally:
        deadline.cancel()
        process.kill()
        process.communicate(timeout=scaled(TIMEOUT_S))


def line_with(process: subprocess.Popen[str], pattern: str) -> re.Match[str]:
    """Return the first matching line of output before the process ends."""
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if match := re.search(pattern, line):
            return match
    raise AssertionError(f"{pattern} is not in: {''.join(seen)}")


def test_the_demo_is_right_on_an_empty_state_and_on_its_own(tmp_path: Path) -> None:
    arguments = ("--state-dir", str(tmp_path), *FREE_PORTS, "--demo", "--exit")

    first, second = finished(*arguments), finished(*arguments)

    for result in (first, second):
        assert (result.returncode, result.stderr) == (0, "")
        assert "7 of 7 answers are right" in result.stdout
    assert first.stdout.count("POST /v2/zones/") == 6
    assert second.stdout.count("POST /v2/zones") == 0


def test_the_demo_sees_wrong_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The zone is in one service, and another one, which refuses, is queried."""
    with Service(tmp_path / "one") as one, Service(tmp_path / "two") as two:
        right = demo.run(one.parts.api_address, two.dns)

    shown = capsys.readouterr().out
    assert not right
    assert shown.count("REFUSED") == shown.count("WRONG") == 7


def test_the_printed_commands_work_and_every_request_is_a_line(tmp_path: Path) -> None:
    with running("--state-dir", str(tmp_path), *FREE_PORTS) as process:
        api = line_with(process, r"API +(http://\S+/v2)")[1]
        port = int(line_with(process, r"DNS +127\.0\.0\.1:(\d+)")[1])
        zone_body = line_with(process, r"-d '(\{.*\})'")[1]
        record_body = line_with(process, r"-d '(\{.*\})'")[1]

        headers = {"Content-Type": "application/json"}
        zone = requests.post(f"{api}/zones", zone_body, headers=headers, timeout=scaled(10)).json()
        path = f"/zones/{zone['id']}/recordsets"
        requests.post(f"{api}{path}", record_body, headers=headers, timeout=scaled(10))

        assert line_with(process, rf"POST /v2{path} (\d+)")[1] == "202"
        answer = dns.query.udp(
            dns.message.make_query("www.example.org.", "A"), "127.0.0.1", 5, port
        )
        assert [str(item) for item in answer.answer[0]] == ["192.0.2.1"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(tmp_path: Path, number: signal.Signals) -> None:
    with running("--state-dir", str(tmp_path), *FREE_PORTS) as process:
        line_with(process, "Ctrl-C stops the service")

        os.kill(process.pid, number)

        assert process.wait(scaled(TIMEOUT_S)) == 0


@pytest.mark.parametrize("concurrency", ["threading", "eventlet"])
def test_usr2_writes_a_report_without_secrets_and_the_service_goes_on(
    tmp_path: Path, concurrency: str
) -> None:
    conf, errors = tmp_path / "designate.conf", tmp_path / "errors"
    conf.write_text(
        "[coordination]\nbackend_url = redis://:planted@127.0.0.1:1\n"
        "[service:api]\napi_base_uri = http://user:planted@127.0.0.1/\n"
        "[database]\nslave_connection = mysql+pymysql://user:planted@127.0.0.1/x\n"
    )
    environment = {**os.environ, "DESIGNATE_CONCURRENCY": concurrency}
    options = ("--state-dir", str(tmp_path), *FREE_PORTS, "--config-file", str(conf))
    with (
        errors.open("wb") as stderr,
        running(*options, stderr=stderr, env=environment) as process,
    ):
        api = line_with(process, r"API +(http://\S+/v2)")[1]
        line_with(process, "Ctrl-C stops the service")

        for number in range(1, 3):
            process.send_signal(signal.SIGUSR2)
            until(lambda n=number: errors.read_text().count("default_pool_id = ") == n, 20)

        assert requests.get(f"{api}/zones", timeout=scaled(10)).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(scaled(TIMEOUT_S)) == 0
    report = errors.read_text()
    assert "Guru Meditation" in report
    assert "backend_url = ***" in report
    assert "api_base_uri = http://user:***@127.0.0.1/" in report
    assert "planted" not in report


def test_a_taken_port_is_told_in_one_line(tmp_path: Path) -> None:
    with running("--state-dir", str(tmp_path / "one"), *FREE_PORTS) as process:
        api = line_with(process, r"API +http://(\S+)/v2")[1]

        result = finished(
            "--state-dir", str(tmp_path / "two"), "--api", api, "--dns", "127.0.0.1:0"
        )

    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert api in result.stderr


def test_a_broken_pools_file_is_named_with_its_fault(tmp_path: Path) -> None:
    pools = tmp_path / "pools.yaml"
    pools.write_text("- name: default\n  tragets: []\n")

    result = finished("--state-dir", str(tmp_path), *FREE_PORTS, "--pools", str(pools))

    assert result.returncode == 1
    assert str(pools) in result.stderr
    assert "tragets" in result.stderr
    assert "Traceback" not in result.stderr
