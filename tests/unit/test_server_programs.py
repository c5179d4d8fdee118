"""Where the tests' nameservers come from: this machine, or the root that TEST_SERVERS names."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SHOW = """
from tests.support.servers import programs
print(*programs.command("rndc", "-V"), programs.data("etc/x"), programs.modules("pdns"), sep="\\n")
"""


def shown(root):
    """Return the command of rndc, a file and the folder of modules, with this TEST_SERVERS."""
    ran = subprocess.run(
        [sys.executable, "-c", SHOW],
        env={**os.environ, "TEST_SERVERS": str(root), "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    *command, data, modules = ran.stdout.splitlines()
    return command, data, modules


@pytest.fixture
def root(tmp_path):
    libraries = tmp_path / "usr/lib/x86_64-linux-gnu"
    (libraries / "pdns").mkdir(parents=True)
    (libraries / "ld-linux-x86-64.so.2").touch()
    (tmp_path / "usr/sbin").mkdir()
    return tmp_path


def test_programs_of_another_root_run_with_its_loader_and_libraries(root):
    shutil.copy(Path(sys.executable).resolve(), root / "usr/sbin/rndc")
    libraries = root / "usr/lib/x86_64-linux-gnu"

    assert shown(root) == (
        [
            str(libraries / "ld-linux-x86-64.so.2"), "--library-path", str(libraries),
            str(root / "usr/sbin/rndc"), "-V",
        ],
        str(root / "etc/x"),
        str(libraries / "pdns"),
    )  # fmt: skip


def test_scripts_of_another_root_run_as_they_are(root):
    (root / "usr/sbin/rndc").write_text("#!/bin/sh\n")
    (root / "usr/sbin/rndc").chmod(0o755)

    assert shown(root)[0] == [str(root / "usr/sbin/rndc"), "-V"]


def test_a_program_that_the_root_lacks_is_not_taken_from_elsewhere(root):
    with pytest.raises(subprocess.CalledProcessError) as failed:
        shown(root)

    assert "rndc is not installed below" in failed.value.stderr
