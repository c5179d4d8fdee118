"""designate-manage, run in the test's process on a database of its own."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from oslo_config import cfg

from designate import config
from designate.cmd import central_clients, manage
from designate.rpc.clients import CentralClient

DEFAULT_ID = "794ccc2c-d751-44fe-b57f-8894c9f5c842"

POOLS = f"""
- name: default
  id: {DEFAULT_ID}
  ns_records: [{{hostname: ns1.example.org., priority: 1}}]
  nameservers: [{{host: 192.0.2.2, port: 53}}]
  targets:
    - type: fake
      masters: [{{host: 192.0.2.1, port: 5354}}]
      options: {{host: 192.0.2.2, api_token: s3cret}}
"""


class ManageCommands:
    """Calls return exit status, standard output and standard error of a command."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder = folder
        self._capsys = capsys
        self.conf_file = folder / "designate.conf"
        self.conf_file.write_text(
            f"[storage:sqlalchemy]\nconnection = sqlite:///{folder}/d.sqlite\n"
        )

    def __call__(self, *words: str) -> tuple[int, str, str]:
        self._capsys.readouterr()
        with _logging_restored():
            status = manage.main(["--config-file", str(self.conf_file), *words])
        return status, *self._capsys.readouterr()

    def pools_file(self, text: str) -> str:
        """Write a pools.yaml and return its path."""
        path = self._folder / "pools.yaml"
        path.write_text(text)
        return str(path)

    def central(self) -> CentralClient:
        """Return central on the same database, with the newest schema."""
        self("database", "sync")
        conf = cfg.ConfigOpts()
        config.register(conf)
        conf([], default_config_files=[str(self.conf_file)])
        return central_clients.own(conf)


@contextmanager
def _logging_restored() -> Iterator[None]:
    """Take back the handlers, the level and the kind of records that a command sets."""
    root = logging.getLogger()
    factory = logging.getLogRecordFactory()
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.setLogRecordFactory(factory)
