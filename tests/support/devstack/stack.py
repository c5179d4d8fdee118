"""devstack with our plug-in alone: its phases run in a mount namespace, on private servers.

The folders that the plug-in writes to are private ones, so that it finds and leaves the machine as it is.
`functions` has the stand-in for devstack's functions, `run` the order of the phases.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import requests

from tests.support.deadlines import scaled, until
from tests.support.servers.databases import PASSWORD, USER, MariaDB
from tests.support.servers.keystone import Keystone
from tests.support.servers.nameservers import Memcached, free_port

SOURCE = Path(__file__).parent
REPOSITORY = SOURCE.parents[2]
PHASES_S = 150
START_S = 30
STOP_S = 30
FOLDERS = ("/etc", "/run", "/var/log", "/var/cache/bind", "/var/lib/bind", "/var/lib/powerdns")
# Of Debian's packages: what a machine runs before devstack comes.
SERVICES = ("memcached", "named", "pdns")
SERVICE_PASSWORD = secrets.token_hex(12)  # one for all runs, since they share the account


class Devstack:
    """`with Devstack(folder, keystone, mariadb, transport_url, memcached, variables) as devstack`.

    variables: those of local.conf.
    """

    def __init__(
        self,
        folder: Path,
        keystone: Keystone,
        mariadb: MariaDB,
        transport_url: str,
        memcached: Memcached,
        variables: Mapping[str, Any],
    ) -> None:
        self.folder = folder
        self.keystone = keystone
        self.region = f"devstack-{secrets.token_hex(4)}"
        self.dns_port = free_port()
        self.dns_port_2 = free_port()
        self.mdns_port = free_port()
        self.apache_port = free_port()
        self._mariadb = mariadb
        self._token = secrets.token_hex(16)
        self._root = os.getuid() == 0
        self._holder: subprocess.Popen[bytes] | None = None
        self._standin = folder / "standin"
        admin = keystone.account(self.region, "admin")
        self._environment = {
            "OS_AUTH_URL": keystone.url,
            "OS_USERNAME": admin.name,
            "OS_PASSWORD": admin.password,
            "OS_PROJECT_NAME": admin.project_name,
            "OS_USER_DOMAIN_NAME": "Default",
            "OS_PROJECT_DOMAIN_NAME": "Default",
            "OS_REGION_NAME": self.region,
            "OS_IDENTITY_API_VERSION": "3",
            "KEYSTONE_SERVICE_URI": keystone.url,
            "SERVICE_PASSWORD": SERVICE_PASSWORD,
            "SERVICE_PROJECT_NAME": "service",
            "HOME": str(folder),
            "PATH": f"{self._standin}/bin:{Path(sys.executable).parent}:/usr/bin:/bin",
            "STANDIN_DIR": str(self._standin),
            "PYTHONWARNINGS": "ignore",
        }
        self._variables = {
            **self._devstack_variables(mariadb, transport_url, memcached),
            **self._ports(),
            **variables,
        }

    def _devstack_variables(
        self, mariadb: MariaDB, transport_url: str, memcached: Memcached
    ) -> dict[str, Any]:
        """Return what devstack itself sets, and what the stand-in's functions need."""
        own = {} if self._root else {"DESIGNATE_BIND9_USER": "root", "DESIGNATE_PDNS4_USER": "root"}
        return own | {
            "ENABLED_SERVICES": "mysql,key,rabbit,tempest",
            "DEST": self.folder / "stack",
            "DATA_DIR": self.folder / "stack/data",
            "GIT_BASE": "https://opendev.org",
            "STACK_USER": "root",
            "API_WORKERS": 1,
            "ENABLE_DEBUG_LOG_LEVEL": True,
            "REGION_NAME": self.region,
            "SERVICE_HOST": "127.0.0.1",
            "SERVICE_PROTOCOL": "http",
            "SERVICE_LISTEN_ADDRESS": "127.0.0.1",
            "SERVICE_TIMEOUT": int(scaled(60)),
            "SERVICE_DOMAIN_NAME": "Default",
            "MEMCACHE_SERVERS": f"127.0.0.1:{memcached.port}",
            "DATABASE_USER": USER,
            "DATABASE_PASSWORD": PASSWORD,
            "TEMPEST_CONFIG": self.folder / "stack/tempest.conf",
            "APACHE_CONF_DIR": self.folder / "stack/apache",
            "PYTHON_BIN": Path(sys.executable).parent,
            "STANDIN_APACHE_PORT": self.apache_port,
            "STANDIN_MARIADB_PORT": mariadb.port,
            "STANDIN_TRANSPORT_URL": transport_url,
            "STANDIN_TOKEN": self._token,
            "STANDIN_PATIENCE_S": int(scaled(STOP_S)),
            "STANDIN_UNPRIVILEGED": "" if self._root else "yes",
            "DESIGNATE_DIR": REPOSITORY,
            "DESIGNATE_COORDINATION_URL": f"memcached://127.0.0.1:{memcached.port}",
            "DESIGNATE_SERVICE_URL": self.url,
        }

    def _ports(self) -> dict[str, Any]:
        return {
            "DESIGNATE_UWSGI_SOCKET": f"127.0.0.1:{free_port()}",
            "DESIGNATE_SERVICE_PORT_DNS": self.dns_port,
            "DESIGNATE_SERVICE_PORT2_DNS": self.dns_port_2,
            "DESIGNATE_SERVICE_PORT_MDNS": self.mdns_port,
            "DESIGNATE_SERVICE_PORT2_MDNS": self.mdns_port,
            "DESIGNATE_SERVICE_PORT_RNDC": free_port(),
            "DESIGNATE_SERVICE_PORT2_RNDC": free_port(),
            "DESIGNATE_SERVICE_PORT_PDNS_API": free_port(),
        }

    @property
    def url(self) -> str:
        """Return the endpoint in the catalogue."""
        return f"http://127.0.0.1:{self.apache_port}/dns"

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as opening:
            opening.callback(self.__exit__)
            self._make_folders()
            self.keystone.region(self.region)
            self._holder = subprocess.Popen(
                ["unshare", "--mount", *([] if self._root else ["--user", "--map-root-user"]),
                 str(SOURCE / "namespace"), str(self.folder / "private")],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )  # fmt: skip
            assert self._holder.stdout is not None
            assert self._holder.stdout.readline() == b"ready\n", "no mount namespace can be made"
            opening.pop_all()
        return self

    def _make_folders(self) -> None:
        for name in ("bin", "pids", "logs", "services", "apache/mods", "apache/sites"):
            (self._standin / name).mkdir(parents=True)
        for name in ("stack/data", "stack/apache", "private/etc"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "stack/tempest.conf").touch()
        for name in SERVICES:
            (self._standin / "services" / name).touch()
        lines = [f"{name}='{value}'" for name, value in self._variables.items()]
        (self._standin / "localrc").write_text("\n".join(lines) + "\n")
        tree = self._standin / "devstack"
        (tree / "lib").mkdir(parents=True)
        (tree / "functions").symlink_to(SOURCE / "functions")
        (tree / "stackrc").write_text(f"declare -A GITREPO GITBRANCH GITDIR\n. {tree}/../localrc\n")
        for name in ("lib/apache", "lib/tls", "openrc"):
            (tree / name).touch()
        # uWSGI of the tests' interpreter, whatever the first line of its script says.
        uwsgi = self._standin / "bin/uwsgi"
        uwsgi.write_text(
            f"#!/bin/sh\nexec {sys.executable} -c 'import pyuwsgi; pyuwsgi.run()' \"$@\"\n"
        )
        uwsgi.chmod(0o755)

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(AssertionError):
            self.run("stop-apache")
        for process_id in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process_id, signal.SIGKILL)
        if self._holder is not None:
            self._holder.communicate(timeout=scaled(20))
        self.keystone.withdraw(self.region)
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, mode: str) -> str:
        """Run the phases of a mode, which must succeed, and return its trace."""
        done = self.attempt(mode)
        assert done.returncode == 0, f"{mode}: status {done.returncode}: {done.stderr[-6000:]}"
        return done.stdout + done.stderr

    def grenade(self, script: str, *arguments: str) -> str:
        """Run a script of devstack/upgrade as grenade does, which must succeed."""
        trees = (f"GRENADE_DIR={SOURCE / 'grenade'}", f"TOP_DIR={self._standin / 'devstack'}")
        path = REPOSITORY / "devstack/upgrade" / script
        done = self._inside("env", *trees, str(path), *arguments)
        assert done.returncode == 0, f"{script} {arguments}: {done.stdout}{done.stderr[-6000:]}"
        return done.stdout

    def attempt(self, mode: str) -> subprocess.CompletedProcess[str]:
        return self._inside(str(SOURCE / "run"), mode)

    def _inside(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the namespace."""
        assert self._holder is not None
        own = [] if self._root else ["--user", "--preserve-credentials"]
        return subprocess.run(
            ["nsenter", "--target", str(self._holder.pid), "--mount", *own, *command],
            env=self._environment, cwd="/", capture_output=True, text=True,
            timeout=scaled(PHASES_S), check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def inventory(self) -> list[str]:
        """Return what a run could leave: files, links, services of packages, databases, processes."""
        places = [*FOLDERS, str(self.folder / "stack"), str(self._standin / "services"),
                  str(self._standin / "apache/sites"), str(self._standin / "pids")]  # fmt: skip
        done = self._inside("find", *places, "-printf", r"%y %m %u:%g %p %l\n")
        assert done.returncode == 0, done.stderr
        with self._mariadb.admin() as connection, connection.cursor() as cursor:
            cursor.execute("SHOW DATABASES LIKE 'designate'")
            databases = [f"database {name}" for (name,) in cursor.fetchall()]
        return sorted([*done.stdout.splitlines(), *databases, *map(str, self.processes())])

    def processes(self) -> list[int]:
        """Return the ids of the processes that run_process started, and of their children."""
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if f"DESIGNATE_DEVSTACK_RUN={self._token}".encode() in path.read_bytes():
                    found.append(int(path.parent.name))
        return found

    def secrets(self) -> dict[str, str]:
        """Return what no output of devstack may have."""
        files = {
            "rndc": "/etc/bind/designate/bind9.key",
            "TSIG": "/etc/designate/secondary-pool.key",
            "PowerDNS's API": "/etc/designate/pdns4.key",
        }
        found = {"Keystone": SERVICE_PASSWORD, "database": PASSWORD}
        for name, path in files.items():
            with contextlib.suppress(FileNotFoundError):
                found[name] = self.file(path).rpartition('secret "')[2].partition('"')[0].strip()
        return found

    def _logs(self) -> str:
        """Return the last lines of each process."""
        files = sorted((self._standin / "logs").iterdir())
        return "\n".join(f"{file.name}: {file.read_text()[-1500:]}" for file in files)

    def path(self, name: str) -> Path:
        """Return the path of a file in the folder in which devstack has its trees."""
        return self.folder / "stack" / name

    def file(self, path: str) -> str:
        """Return the text of a file in the namespace."""
        assert self._holder is not None
        return Path(f"/proc/{self._holder.pid}/root{path}").read_text()

    def zone(self, name: str, **values: Any) -> dict[str, Any]:
        """Create a zone through Apache, and wait until it is ACTIVE."""
        account = self.keystone.account(f"{self.region}-{secrets.token_hex(4)}", "admin")
        with requests.Session() as http:
            http.trust_env = False
            http.headers["X-Auth-Token"] = self.keystone.token(account)
            body = {"name": name, "email": "admin@example.com", **values}
            made = http.post(f"{self.url}/v2/zones", json=body, timeout=scaled(30))
            assert made.status_code == 202, made.text
            address = made.json()["links"]["self"]
            assert address.startswith(f"{self.url}/v2/zones/"), address

            def active() -> Any:
                zone = http.get(address, timeout=scaled(30)).json()
                return zone if zone["status"] == "ACTIVE" else None

            try:
                zone = until(active, START_S, f"{name} ACTIVE", pause_s=0.05)
            except AssertionError as error:
                raise AssertionError(f"{error}\n{self._logs()}") from None
        assert isinstance(zone, dict)
        return zone
