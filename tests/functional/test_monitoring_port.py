"""The monitoring port beside thousands of connections that say nothing."""

from __future__ import annotations

import contextlib
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.support.deadlines import scaled, until
from tests.support.servers.nameservers import free_port

SILENT, TRICKLING = 5000, 500


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def process(tmp_path: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    conf = tmp_path / "designate.conf"
    conf.write_text(f"[monitoring]\nlisten = 127.0.0.1:{port}\n")
    program = [sys.executable, "-m", "designate.cmd.standalone", "--state-dir", str(tmp_path)]
    addresses = ["--api", "127.0.0.1:0", "--dns", "127.0.0.1:0"]
    process = subprocess.Popen(
        [*program, *addresses, "--config-file", str(conf)], stdout=subprocess.DEVNULL
    )
    try:
        until(lambda: answers(port), 60, "the first response")
        yield process
    finally:
        process.terminate()
        process.wait(scaled(30))


@pytest.fixture
def _files() -> Iterator[None]:
    """Let this process open as many files as the system permits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthcheck", timeout=scaled(20)).text == "OK"
    except requests.ConnectionError:
        return False


def threads(process: subprocess.Popen[bytes]) -> int:
    return len(list(Path(f"/proc/{process.pid}/task").iterdir()))


@pytest.mark.usefixtures("_files")
def test_connections_without_a_request_cost_no_thread(process, port):
    for _ in range(4):
        assert answers(port)  # the threads of the application have started
    before = threads(process)
    with contextlib.ExitStack() as stack:
        for number in range(SILENT + TRICKLING):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", port), scaled(20)))
            if number >= SILENT:
                sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\nX: ")

        assert answers(port)
        text = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=scaled(20)).text
        assert "designate_processes" in {
            family.name for family in text_string_to_metric_families(text)
        }
        # Other parts of the service may start one; not the port.
        assert threads(process) - before < 5
