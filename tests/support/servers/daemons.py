"""The service as its separate processes: one configuration file, real daemons, ended by process id."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import requests
import yaml

from designate.health import DAEMONS
from tests.support.deadlines import scaled, until
from tests.support.servers import schema
from tests.support.servers.nameservers import Named, free_port
from tests.support.servers.standalone import bind_pool

START_S = 60
NAMES = ("central", "worker", "mdns", "producer", "api")
Options = Mapping[str, Mapping[str, Any]]


def configuration(options: Options) -> str:
    """A designate.conf."""
    lines = []
    for group, values in options.items():
        lines.append(f"[{group}]")
        lines += [f"{name} = {value}" for name, value in values.items()]
    return "\n".join(lines) + "\n"


class Daemons:
    """`with Daemons(folder, database_url, broker_url, bind) as cloud`.

    counts: how many of a daemon are started (1 where none is given). options: more of designate.conf.
    """

    def __init__(
        self,
        folder: Path,
        database_url: str,
        broker_url: str,
        bind: Named,
        options: Options | None = None,
        counts: Mapping[str, int] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.bind = bind
        self._counts = counts or {}
        self._ports = {
            name: free_port() for kind in ("api", "mdns") for name in self._names_of(kind)
        }
        self._environment = {**os.environ, **(environment or {})}
        self._options: dict[str, dict[str, Any]] = defaultdict(dict)
        for group, values in {
            "DEFAULT": {
                "transport_url": broker_url,
                "quota_zones": -1,
                "quota_zone_recordsets": -1,
                "quota_zone_records": -1,
            },
            "storage:sqlalchemy": {"connection": database_url},
            "service:api": {"auth_strategy": "noauth"},
            "service:worker": {"primary_allowed_networks": "127.0.0.0/8, ::1/128"},
            "heartbeat_emitter": {"heartbeat_interval": 2},
        }.items():
            self._options[group].update(values)
        for group, values in (options or {}).items():
            self._options[group].update(values)
        self._health_ports = self._monitoring()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.http = requests.Session()

    def _monitoring(self) -> dict[str, int]:
        """Return the port of each daemon: by [monitoring] listen if the test sets it, else a free one."""
        if "monitoring" not in self._options:
            return {name: free_port() for name in self.names}
        first = int(self._options["monitoring"]["listen"].rpartition(":")[2])
        return {name: first + DAEMONS.index(name.partition("-")[0]) for name in self.names}

    def monitoring_url(self, name: str) -> str:
        """Return the address of the daemon NAME-NUMBER that serves /healthcheck and /metrics."""
        return f"http://127.0.0.1:{self._health_ports[name]}"

    def process_ids(self, name: str) -> list[int]:
        """Return the daemon NAME-NUMBER's process and those that its threads have forked."""
        parent = self.processes[name].pid
        files = Path(f"/proc/{parent}/task").glob("*/children")
        forked = [number for file in files for number in file.read_text("utf-8").split()]
        return [parent, *sorted(map(int, forked))]

    @property
    def conf_file(self) -> Path:
        return self.folder / "designate.conf"

    @property
    def api_port(self) -> int:
        return self._ports["api-0"]

    @property
    def dns_port(self) -> int:
        return self._ports["mdns-0"]

    @property
    def url(self) -> str:
        return self.urls[0]

    @property
    def urls(self) -> list[str]:
        """Of every designate-api."""
        return [f"http://127.0.0.1:{self._ports[name]}" for name in self._names_of("api")]

    @property
    def names(self) -> list[str]:
        """Of all daemons, in the order in which they start."""
        return [name for kind in NAMES for name in self._names_of(kind)]

    def _names_of(self, kind: str) -> list[str]:
        return [f"{kind}-{number}" for number in range(self._counts.get(kind, 1))]

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.conf_file.write_text(configuration(self._options))
        pools = self.folder / "pools.yaml"
        masters = [self._ports[name] for name in self._names_of("mdns")]
        pools.write_text(yaml.safe_dump(bind_pool(self.bind, *masters)))
        for name in self.names:
            (self.folder / f"{name}.conf").write_text(configuration(self._own_options(name)))
        schema.migrate(self._options["storage:sqlalchemy"]["connection"])
        self.manage("pool", "update", "--file", str(pools))
        try:
            self.start_all()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start_all(self) -> None:
        """Start every daemon and wait until each serves.

        Central comes first: a call to a topic that nobody serves waits for its whole timeout.
        """
        central = self._names_of("central")
        for names in (central, [name for name in self.names if name not in central]):
            for name in names:
                self.start(name)
            until(lambda names=names: all(map(self.healthy, names)), START_S, f"health of {names}")
        if "ssl" not in self._options:  # over HTTPS the test itself knows how to ask
            self.ready()

    def __exit__(self, *_: object) -> None:
        self.http.close()
        self.stop_all()

    def stop_all(self) -> None:
        """End every daemon in order, and central last: the others call it until they end."""
        central = [name for name in self.processes if name.startswith("central-")]
        for names in ([name for name in self.processes if name not in central], central):
            for name in names:
                self.processes[name].terminate()
            for name in names:
                self.wait(name)

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [_program("manage"), "--config-file", str(self.conf_file), *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=scaled(60),
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, name: str) -> None:
        """Start the daemon NAME-NUMBER."""
        kind = name.partition("-")[0]
        with self.log(name).open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [_program(kind), *self._files(name)],
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    def start_faulty(self, name: str, step: str, skip: int = 0) -> None:
        """Start the daemon NAME-NUMBER so that it dies at a step (see tests.drills.faulty)."""
        kind = name.partition("-")[0]
        faulty = [sys.executable, "-m", "tests.drills.faulty", kind, step, str(skip)]
        with self.log(name).open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [*faulty, *self._files(name)],
                env=self._environment,
                stdout=log,
                stderr=log,
                cwd=Path(__file__).parents[3],
            )

    def _own_options(self, name: str) -> Options:
        own = {}
        if name in self._ports:
            kind = name.partition("-")[0]
            own[f"service:{kind}"] = {"listen": f"127.0.0.1:{self._ports[name]}"}
        if "monitoring" not in self._options:
            address = f"127.0.0.1:{self._health_ports[name]}"
            own["monitoring"] = {f"listen_{name.partition('-')[0]}": address}
        return own

    def _files(self, name: str) -> list[str]:
        files = (self.conf_file, self.folder / f"{name}.conf")
        return [argument for file in files for argument in ("--config-file", str(file))]

    def healthy(self, name: str) -> bool:
        """Return whether the daemon NAME-NUMBER runs and has all that it needs."""
        process = self.processes[name]
        assert process.poll() is None, self.log(name).read_text()[-4000:]
        url = self.monitoring_url(name)
        try:
            return requests.get(f"{url}/healthcheck", timeout=scaled(20)).status_code == 200
        except requests.ConnectionError:
            return False

    def ready(self) -> None:
        """Wait for an answer that needs api, central and the database."""
        until(self._responds, START_S, "the API's first answer")

    def _responds(self) -> bool:
        for name, process in self.processes.items():
            assert process.poll() is None, self.log(name).read_text()[-4000:]
        try:
            return self.call("GET", "/zones?limit=1")[0] == 200
        except requests.ConnectionError:
            return False

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def signal(self, name: str, number: signal.Signals) -> None:
        self.processes[name].send_signal(number)

    def kill(self, name: str) -> None:
        """End the daemon as a crash would."""
        process = self.processes.pop(name)
        process.kill()
        process.wait(timeout=scaled(20))

    def stop(self, name: str) -> int:
        """End the daemon in order; answers its exit status."""
        self.processes[name].terminate()
        return self.wait(name)

    def wait(self, name: str) -> int:
        process = self.processes.pop(name)
        try:
            return process.wait(timeout=scaled(30))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=scaled(20))
            raise AssertionError(
                f"{name} did not stop: {self.log(name).read_text()[-4000:]}"
            ) from None

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """(status, decoded JSON or None) of a request below /v2."""
        response = self.http.request(
            method, f"{self.url}/v2{path}", json=body, headers=headers, timeout=scaled(60)
        )
        return response.status_code, response.json() if response.content else None


def _program(kind: str) -> str:
    return str(Path(sys.executable).parent / f"designate-{kind}")
