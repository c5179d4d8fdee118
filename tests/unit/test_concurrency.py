"""System threads or green threads, as selected, although libraries import eventlet on their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from designate.runtime import concurrency
from tests.support.deadlines import scaled

LATE_EVENTLET = """
import warnings
warnings.simplefilter("ignore")
import dns.name, dns.tsig
import designate
import eventlet
import dns.message
query = dns.message.make_query("a.example.", "SOA")
query.use_tsig({"key.": b"0123456789abcdef"})
print(dns.message.from_wire(query.to_wire(), keyring=query.keyring).had_tsig)
"""


def test_dns_messages_are_signed_although_a_library_imports_eventlet():
    done = subprocess.run(
        [sys.executable, "-c", LATE_EVENTLET], capture_output=True, text=True, timeout=scaled(60)
    )

    assert done.stdout.strip() == "True", done.stderr


GREEN = """
import {module}
import threading
import eventlet.patcher
print(eventlet.patcher.is_monkey_patched("thread"), eventlet.patcher.is_monkey_patched("socket"))
"""


@pytest.mark.parametrize(
    "module", ["designate.cmd.daemons", "designate.cmd.standalone", "designate.wsgi.api"]
)
def test_every_service_asks_which_threads_it_is_to_have(module: str, tmp_path: Path) -> None:
    (tmp_path / "designate.conf").touch()
    done = {
        choice: subprocess.run(
            [sys.executable, "-W", "ignore", "-c", GREEN.format(module=module)],
            env={
                **os.environ,
                concurrency.VARIABLE: choice,
                "OS_DESIGNATE_CONFIG_DIR": str(tmp_path),
            },
            capture_output=True,
            text=True,
            timeout=scaled(60),
        )
        for choice in concurrency.CHOICES
    }

    assert {choice: ran.stdout.strip() for choice, ran in done.items()} == {
        "threading": "False False",
        "eventlet": "True True",
    }, done


SLOW_RESOLVER = """
import socket, time
real, pause = socket.getaddrinfo, time.sleep
def resolver(host, port, family=0, type=0, proto=0, flags=0):
    if host == "slow.example":
        if flags & socket.AI_NUMERICHOST:
            raise socket.gaierror(socket.EAI_NONAME, "it is none")
        pause(0.5)
        host = "127.0.0.1"
    return real(host, port, family, type, proto, flags)
socket.getaddrinfo = resolver
from designate.runtime import concurrency
concurrency.patch()
import threading
turns = 0
def other():
    global turns
    while True:
        turns += 1
        time.sleep(0.001)
threading.Thread(target=other, daemon=True).start()
with socket.create_server(("127.0.0.1", 0)) as server:
    port = server.getsockname()[1]
    for look_up in (
        lambda: socket.getaddrinfo("slow.example", port),
        lambda: socket.create_connection(("slow.example", port), 10),
    ):
        turns = 0
        look_up()
        print(turns > 20)
"""


def test_a_slow_resolver_holds_up_no_green_thread() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SLOW_RESOLVER],
        env={**os.environ, concurrency.VARIABLE: "eventlet"},
        capture_output=True,
        text=True,
        timeout=scaled(60),
    )

    assert done.stdout.split() == ["True", "True"], done.stderr


def test_an_unknown_choice_ends_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(concurrency.VARIABLE, "gevent")

    with pytest.raises(SystemExit, match="'gevent'; valid values: threading, eventlet"):
        concurrency.patch()
