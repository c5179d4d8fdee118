"""A private RabbitMQ on free loopback ports, ended by process id."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import Self

from tests.support.deadlines import scaled, until
from tests.support.servers.nameservers import free_port

STARTER = "/usr/lib/rabbitmq/bin/rabbitmq-server"
CONTROL = "/usr/lib/rabbitmq/bin/rabbitmqctl"
MEMORY_WATERMARK = "0.6"
START_S = 90
# Made when the broker starts: rabbitmqctl takes more than a second for each.
VIRTUAL_HOSTS = [f"test{number}" for number in range(24)]
# The names that deployment tools give theirs.
TOOL_HOSTS = ["/", "designate", "openstack"]
# Idle schedulers sleep; by default they spin, which takes the time of the tests.
ERLANG_ARGUMENTS = (
    "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none"
)


class RabbitMQ:
    """A broker that tests may share: `with RabbitMQ(folder) as broker`.

    A client that needs topics of its own takes a `fresh` virtual host. What the broker stored outlives
    stop() and start().
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._epmd_port = free_port()
        self._node = f"designate{self.port}@localhost"
        self._processes: list[subprocess.Popen[bytes]] = []
        self._unused = iter(VIRTUAL_HOSTS)

    def fresh(self) -> str:
        """Return the `transport_url` of an empty virtual host."""
        name = next(self._unused, None)
        assert name is not None, f"all {len(VIRTUAL_HOSTS)} virtual hosts are in use"
        return f"rabbit://guest:guest@127.0.0.1:{self.port}/{name}"

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "enabled_plugins").write_text("[].")
        definitions = self.folder / "definitions.json"
        definitions.write_text(json.dumps(_definitions()))
        (self.folder / "rabbitmq.conf").write_text(f"load_definitions = {definitions}\n")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "HOME": str(self.folder),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": self._node,
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERLANG_ARGUMENTS,
        }

    def start(self) -> None:
        epmd = shutil.which("epmd")
        assert epmd, "RabbitMQ is not installed (no epmd); tools/test installs it"
        assert Path(STARTER).exists(), "RabbitMQ is not installed; tools/test installs it"
        environment = self._environment()
        self._run([epmd, "-port", str(self._epmd_port), "-address", "127.0.0.1"], environment)
        until(lambda: self._listens(self._epmd_port), 20, "epmd's port")
        # In a session of its own: the start script leaves Erlang behind when it alone is ended.
        self._run([STARTER], environment)
        until(lambda: self._listens(self.port), START_S, "RabbitMQ's port")

    def _run(self, command: list[str], environment: dict[str, str]) -> None:
        with (self.folder / "server.log").open("ab") as log:
            self._processes.append(
                subprocess.Popen(
                    command, env=environment, stdout=log, stderr=log, start_new_session=True
                )
            )

    def _listens(self, port: int) -> bool:
        for process in self._processes:
            assert process.poll() is None, (self.folder / "server.log").read_text()[-4000:]
        with socket.socket() as sock:
            sock.settimeout(1)
            return sock.connect_ex(("127.0.0.1", port)) == 0

    def stop(self) -> None:
        """End it at once, as a power cut would."""
        for process in reversed(self._processes):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=scaled(20))
        self._processes.clear()

    def pause(self) -> None:
        """It hangs: connections stay open and nothing answers."""
        for process in self._processes:
            os.killpg(process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        for process in self._processes:
            os.killpg(process.pid, signal.SIGCONT)

    def block(self) -> None:
        """Raise its memory alarm: from then on it reads nothing from who publishes."""
        self._control("set_vm_memory_high_watermark", "0")

    def unblock(self) -> None:
        """End the memory alarm."""
        self._control("set_vm_memory_high_watermark", MEMORY_WATERMARK)

    def _control(self, *words: str) -> None:
        done = subprocess.run(
            [CONTROL, "-n", self._node, *words],
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=scaled(60),
        )
        assert done.returncode == 0, done.stdout + done.stderr


def _definitions() -> dict[str, object]:
    hosts = TOOL_HOSTS + VIRTUAL_HOSTS
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    return {
        "users": [{"name": "guest", "password": "guest", "tags": "administrator"}],
        "vhosts": [{"name": name} for name in hosts],
        "permissions": [{"user": "guest", "vhost": name} | everything for name in hosts],
    }
