"""designate-install: the files of the wheel in their places, with the right programs in the units."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.deadlines import scaled

CHECKOUT = Path(__file__).parents[2]
NAMES = ("api", "central", "mdns", "producer", "sink", "worker")


@pytest.fixture(scope="module")
def prefix(wheel, tmp_path_factory):
    """Return a folder with the installed wheel; the installation of the checkout stays."""
    folder = tmp_path_factory.mktemp("prefix")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index",
         "--no-compile", "--ignore-installed", "--prefix", folder, wheel],
        check=True, capture_output=True, timeout=scaled(90),
    )  # fmt: skip
    return folder


@pytest.fixture
def install(prefix, tmp_path):
    """Return a function that runs the program for a root folder."""
    (packages,) = prefix.glob("lib/python3*/site-packages")

    def run(*arguments, root=tmp_path / "root", status=0):
        ended = subprocess.run(
            [prefix / "bin/designate-install", "--root", root, *arguments],
            env={**os.environ, "PYTHONPATH": str(packages)},
            capture_output=True,
            text=True,
            timeout=scaled(30),
        )
        assert ended.returncode == status, ended.stdout + ended.stderr
        return ended

    return run


def written(root):
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_every_file_is_in_its_place(install, tmp_path):
    install()

    assert {
        *(f"etc/systemd/system/designate-{name}.service" for name in NAMES),
        "etc/systemd/system/designate-.service.d/common.conf",
        "etc/sysusers.d/designate.conf",
        "etc/tmpfiles.d/designate.conf",
        "etc/logrotate.d/designate",
        *(f"etc/{name}" for name in written(CHECKOUT / "etc") if name.startswith("designate/")),
    } == written(tmp_path / "root")


def test_units_start_the_programs_of_the_environment(install, prefix, tmp_path):
    install()

    for name in NAMES:
        unit = tmp_path / f"root/etc/systemd/system/designate-{name}.service"
        (line,) = (line for line in unit.read_text().splitlines() if line.startswith("ExecStart="))
        program = line.removeprefix("ExecStart=").split()[0]
        assert program == f"{prefix}/bin/designate-{name}"
        assert os.access(program, os.X_OK)


def test_a_hidden_folder_of_programs_is_reported(install):
    """PrivateTmp shows an empty /tmp to the daemons."""
    assert "/tmp is hidden" in install("--bin-dir", "/tmp/venv/bin").stderr
    assert install("--bin-dir", "/usr/bin").stderr == ""


def test_a_package_gets_the_units_as_they_are(install, tmp_path):
    install("--bin-dir", "/usr/bin")

    for unit in CHECKOUT.glob("etc/systemd/*.service"):
        assert (tmp_path / "root/etc/systemd/system" / unit.name).read_text() == unit.read_text()


def test_a_dry_run_writes_nothing(install, tmp_path):
    assert "created " in install("--dry-run").stdout

    assert not (tmp_path / "root").exists()


def test_configuration_is_kept_and_the_rest_replaced(install, tmp_path):
    install()
    root = tmp_path / "root/etc"
    edited = [root / name for name in ("designate/pools.yaml", "logrotate.d/designate")]
    own = [root / name for name in ("designate/designate.conf.sample", "tmpfiles.d/designate.conf")]
    for path in (*edited, *own):
        path.write_text("# changed\n")

    printed = install().stdout

    assert [path.read_text() == "# changed\n" for path in (*edited, *own)] == [
        True, True, False, False
    ]  # fmt: skip
    for path in edited:
        assert f"kept       {path}" in printed
    for path in own:
        assert f"replaced   {path}" in printed


def test_a_repeated_run_changes_nothing(install):
    install()

    assert {line.split()[0] for line in install().stdout.splitlines()} == {"unchanged"}


def test_a_folder_that_cannot_be_written_is_one_line(install, tmp_path):
    (tmp_path / "root").write_text("a file")

    error = install(status=1).stderr.splitlines()[-1]

    assert error == f"designate-install: {tmp_path}/root/etc/designate: Not a directory"
