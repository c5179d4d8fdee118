"""Private database servers on free loopback ports, ended by process id.

Each kind has `fresh()`, the URL of a new and empty database, `migrated()`, that of a new one with this
release's schema, and for servers start() and stop() (at once, as a power cut would end it), pause() and
resume() (it hangs: connections stay open and nothing answers). What was stored outlives stop() and
start(), but unless durable not a crash of the machine.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Self

import psycopg
import pymysql

from designate.storage.sqlalchemy import migration
from tests.support.deadlines import scaled, until
from tests.support.servers import schema
from tests.support.servers.nameservers import free_port
from tests.support.servers.suspend import ended, resume, suspend

USER = "designate"
PASSWORD = "s3cret-of-tests"
START_S = 60
# A commit outlives the server's end, though not the machine's.
UNSYNCED_MARIADB = ("--innodb-flush-log-at-trx-commit=2", "--innodb-flush-method=nosync")
UNSYNCED_POSTGRESQL = {"fsync": "off", "full_page_writes": "off"}


class SQLite:
    """A file for each database."""

    kind = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)

    def fresh(self) -> str:
        return f"sqlite:///{self._folder}/database{next(self._numbers)}.sqlite"

    def migrated(self) -> str:
        url = self.fresh()
        schema.migrate(url)
        return url


class _Server:
    """A database server: `with MariaDB() as server`.

    Both kinds refuse to run as root, so that root runs them as the account that their packages made; its
    files lie where that account can reach them.
    """

    kind = ""
    account = ""

    def __init__(self, *, durable: bool = False) -> None:
        """durable: a commit is on the disk before it is answered, as in production."""
        self._durable = durable
        self.port = free_port()
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def shared(cls) -> contextlib.AbstractContextManager[Self]:
        """Return the server of the test process that started this one, or else a new one."""
        port = os.environ.get(cls.variable())
        if port is None:
            return cls()
        running = cls()
        running.port = int(port)
        return contextlib.nullcontext(running)

    @classmethod
    def variable(cls) -> str:
        """Return the environment variable with the port of a server to share."""
        return f"DESIGNATE_TEST_{cls.kind.upper()}_PORT"

    def _new_name(self) -> str:
        """Return the name of a database that no test process has made."""
        return f"designate_{os.getpid()}_{next(self._numbers)}"

    def __enter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix=f"designate-{self.kind}-"))
        try:
            if self._as_root:
                owner = pwd.getpwnam(self.account)
                os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            self._install()
            self.start()
            self._prepare()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _as_root(self) -> bool:
        return os.getuid() == 0

    @property
    def _log(self) -> Path:
        return self.folder / "server.log"

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(), stdout=log, stderr=log, cwd=self.folder, start_new_session=True
            )
        until(self._responds, START_S, f"{self.kind}'s first answer")

    def stop(self) -> None:
        if self._process is None:
            return
        process_ids = self._suspended() if self._process.poll() is None else []
        for process_id in process_ids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process_id, signal.SIGKILL)
        self._process.wait(timeout=scaled(20))
        # As long as one is left, a new PostgreSQL refuses to start.
        until(lambda: all(map(ended, process_ids)), 20, f"the end of {self.kind}'s processes")
        self._process = None

    def pause(self) -> None:
        self._suspended()

    def _suspended(self) -> list[int]:
        """Stop every process, the parent first because it then starts no more; return their numbers."""
        assert self._process is not None
        suspend(self._process.pid)
        children = self._children()
        for process_id in children:
            with contextlib.suppress(ProcessLookupError):
                suspend(process_id)
        return [self._process.pid, *children]

    def resume(self) -> None:
        assert self._process is not None
        for process_id in (self._process.pid, *self._children()):
            with contextlib.suppress(ProcessLookupError):
                resume(process_id)

    def _children(self) -> list[int]:
        assert self._process is not None
        path = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        try:
            return [int(number) for number in path.read_text().split()]
        except OSError:
            return []

    def _responds(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()[-4000:]
        return self._accepts()

    def _run(self, *command: str) -> None:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=scaled(120), cwd=self.folder
        )
        assert done.returncode == 0, f"{command[0]}: {done.stdout[-2000:]}{done.stderr[-2000:]}"

    def _install(self) -> None:
        """Make the data directory."""
        raise NotImplementedError

    def _command(self) -> list[str]:
        raise NotImplementedError

    def _accepts(self) -> bool:
        raise NotImplementedError

    def _prepare(self) -> None:
        """Make the account that the tests use."""
        raise NotImplementedError

    def fresh(self) -> str:
        raise NotImplementedError

    def migrated(self) -> str:
        raise NotImplementedError

    @functools.cached_property
    def _template(self) -> str:
        """The name of a database that is migrated and never changed."""
        url = self.fresh()
        migration.sync(url)
        return url.rpartition("/")[2]


class MariaDB(_Server):
    kind = "mariadb"
    account = "mysql"

    def fresh(self) -> str:
        name = self._new_name()
        with self.admin() as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
        return f"mysql+pymysql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{name}"

    def migrated(self) -> str:
        template, url = self._template, self.fresh()
        with self.admin() as connection, connection.cursor() as cursor:
            cursor.execute("SET foreign_key_checks = 0")
            cursor.execute(f"USE {template}")
            cursor.execute("SHOW TABLES")
            tables = [name for (name,) in cursor.fetchall()]
            definitions = []
            for table in tables:
                cursor.execute(f"SHOW CREATE TABLE `{table}`")
                definitions += [definition for (_, definition) in cursor.fetchall()]
            cursor.execute("USE " + url.rpartition("/")[2])
            for table, definition in zip(tables, definitions, strict=True):
                cursor.execute(definition)
                cursor.execute(f"INSERT INTO `{table}` SELECT * FROM {template}.`{table}`")
            connection.commit()
        return url

    def read_only(self, on: bool) -> None:
        with self.admin() as connection, connection.cursor() as cursor:
            cursor.execute(f"SET GLOBAL read_only = {int(on)}")

    def admin(self) -> pymysql.connections.Connection:
        return pymysql.connect(
            host="127.0.0.1", port=self.port, user="root", connect_timeout=5, read_timeout=30
        )

    def _install(self) -> None:
        program = shutil.which("mariadb-install-db")
        assert program, "MariaDB is not installed (no mariadb-install-db); tools/test installs it"
        account = [f"--user={self.account}"] if self._as_root else []
        self._run(
            program,
            "--no-defaults",
            f"--datadir={self._data}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--skip-name-resolve",
            *account,
        )

    def _command(self) -> list[str]:
        program = shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
        assert program, "MariaDB is not installed (no mariadbd); tools/test installs it"
        account = [f"--user={self.account}"] if self._as_root else []
        return [
            program,
            "--no-defaults",
            f"--datadir={self._data}",
            f"--socket={self.folder}/mariadb.sock",
            f"--pid-file={self.folder}/mariadb.pid",
            f"--tmpdir={self.folder}",
            "--bind-address=127.0.0.1",
            f"--port={self.port}",
            "--skip-name-resolve",
            "--max-connections=400",
            f"--innodb-buffer-pool-size={'256M' if self._durable else '64M'}",
            "--innodb-log-file-size=32M",
            *([] if self._durable else UNSYNCED_MARIADB),
            "--performance-schema=OFF",
            *account,
        ]

    def _accepts(self) -> bool:
        try:
            self.admin().close()
        except pymysql.err.OperationalError:
            return False
        return True

    def _prepare(self) -> None:
        with self.admin() as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE USER {USER}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'")
            cursor.execute(f"GRANT ALL ON `designate%`.* TO {USER}@'127.0.0.1'")


class PostgreSQL(_Server):
    kind = "postgresql"
    account = "postgres"

    def fresh(self) -> str:
        name = self._new_name()
        with self.admin() as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self._url(name)

    def migrated(self) -> str:
        template, name = self._template, self._new_name()
        with self.admin() as connection:
            # By the log: copying files makes a checkpoint before and after.
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY wal_log")
        return self._url(name)

    def _url(self, name: str) -> str:
        return f"postgresql+psycopg://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{name}"

    def read_only(self, on: bool) -> None:
        with self.admin() as connection:
            value = "on" if on else "off"
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
            connection.execute("SELECT pg_reload_conf()")

    def admin(self) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=USER,
            password=PASSWORD,
            dbname="postgres",
            connect_timeout=5,
            autocommit=True,
        )

    def _program(self, name: str) -> list[str]:
        found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=_version)
        program = str(found[-1]) if found else shutil.which(name)
        assert program, f"PostgreSQL is not installed (no {name}); tools/test installs it"
        if not self._as_root:
            return [program]
        return [
            "setpriv",
            f"--reuid={self.account}",
            f"--regid={self.account}",
            "--init-groups",
            program,
        ]

    def _install(self) -> None:
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        self._run(
            *self._program("initdb"),
            f"--pgdata={self._data}",
            f"--username={USER}",
            f"--pwfile={secret}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            # As an installation's: not in the order of bytes.
            "--locale-provider=icu",
            "--icu-locale=en",
            "--locale=C.UTF-8",
            "--no-sync",
        )

    def _command(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.folder,
            "max_connections": 400,
            "shared_buffers": "64MB",
            **({} if self._durable else UNSYNCED_POSTGRESQL),
        }
        chosen = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [*self._program("postgres"), "-D", str(self._data), *chosen]

    def _accepts(self) -> bool:
        try:
            self.admin().close()
        except psycopg.OperationalError:
            return False
        return True

    def _prepare(self) -> None:
        pass


def _version(program: Path) -> int:
    name = program.parent.parent.name
    return int(name) if name.isdigit() else 0


Databases = SQLite | MariaDB | PostgreSQL
