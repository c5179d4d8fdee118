"""Databases with this release's schema, copied from templates that are migrated once per test process.

tests/contract/test_schema.py migrates real databases of each kind; all other tests want the result.
"""

from __future__ import annotations

import functools
import shutil
import tempfile
import weakref
from pathlib import Path

from designate.storage.sqlalchemy import migration

_SQLITE = "sqlite:///"


def migrate(url: str) -> None:
    """Bring a database to this release's schema. A new SQLite file becomes a copy of the template."""
    path = Path(url.removeprefix(_SQLITE))
    if url.startswith(_SQLITE) and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_template(), path)
    elif not migration.is_current(url):
        migration.sync(url)


@functools.cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="designate-template-"))
    weakref.finalize(_template, shutil.rmtree, folder, ignore_errors=True)
    path = folder / "designate.sqlite"
    migration.sync(f"{_SQLITE}{path}")
    return path
