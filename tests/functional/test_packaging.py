"""What is built and installed: a wheel that runs without the checkout, an sdist with everything."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from tests.support.deadlines import scaled

CHECKOUT = Path(__file__).parents[2]
TIMEOUT_S = 90


def test_programs_run_the_code_of_the_checkout(tmp_path):
    """Otherwise tests that start daemons would try a copy from the day of the installation."""
    ended = subprocess.run(
        [sys.executable, "-c", "import designate; print(designate.__file__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=TIMEOUT_S,
    )

    assert Path(ended.stdout.strip()) == CHECKOUT / "designate" / "__init__.py"


def test_the_wheel_has_what_operators_install(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    data = {name.partition(".data/data/")[2] for name in names if ".data/data/" in name}

    assert {
        "etc/designate/pools.yaml",
        "etc/designate/designate.conf.sample",
        "etc/designate/policy.yaml.sample",
        "share/designate/systemd/designate-api.service",
        "share/designate/systemd/designate-central.service",
        "share/designate/systemd/designate-.service.d/common.conf",
        "share/designate/sysusers.d/designate.conf",
        "share/designate/tmpfiles.d/designate.conf",
        "share/designate/logrotate.d/designate",
    } <= data
    assert {"designate/py.typed", "designate/storage/migrations/env.py"} <= set(names)
    assert not any(name.startswith(("tests/", "doc/", "alembic/", "devstack/")) for name in names)


def test_the_wheel_has_every_module(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {str(path.relative_to(CHECKOUT)) for path in CHECKOUT.glob("designate/**/*.py")}
    scripts = {
        f"designate/storage/migrations/versions/{path.name}"
        for path in CHECKOUT.glob("alembic/versions/*.py")
    }

    assert modules | scripts <= names


def test_the_sdist_has_tests_and_documents(distributions):
    (sdist,) = distributions.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert {
        "doc/operator.md",
        "doc/nameservers.md",
        "tests/conftest.py",
        "tests/unit/test_floors.py",
        "tools/test",
        "tools/constraints.txt",
        "alembic/env.py",
        "bindep.txt",
        "devstack/plugin.sh",
        "devstack/designate_plugins/backend-bind9",
        "LICENSE",
    } <= names


def test_the_demo_runs_from_the_wheel_without_the_checkout(wheel, tmp_path):
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    program = "from designate.cmd.standalone import main; import designate, sys; "
    program += "print(designate.__file__, flush=True); sys.exit(main())"

    ended = subprocess.run(
        [
            sys.executable, "-c", program, "--state-dir", tmp_path / "state",
            "--api", "127.0.0.1:0", "--dns", "127.0.0.1:0", "--demo", "--exit",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=scaled(TIMEOUT_S),
    )  # fmt: skip

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.startswith(f"{installed}/")


def test_the_wheel_has_what_tools_expect_of_designate(wheel):
    """Files that kolla's build edits or looks for, and the script for WSGI servers."""
    archive = zipfile.ZipFile(wheel)
    files = {name.partition(".data/")[2]: name for name in archive.namelist()}

    rootwrap = archive.read(files["data/etc/designate/rootwrap.conf"]).decode()
    assert "\nexec_dirs=" in rootwrap
    assert {
        "data/etc/designate/api-paste.ini",
        "data/etc/designate/designate-config-generator.conf",
        "data/etc/designate/designate-policy-generator.conf",
        "data/etc/designate/rootwrap.d/bind9.filters",
    } <= files.keys()
    script = archive.getinfo(files["scripts/designate-api-wsgi"])
    assert archive.read(script).startswith(b"#!python")


def test_rootwrap_refuses():
    program = Path(sys.executable).parent / "designate-rootwrap"
    ended = subprocess.run(
        [program, "/etc/designate/rootwrap.conf", "rndc", "status"],
        capture_output=True,
        text=True,
        timeout=scaled(TIMEOUT_S),
    )

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "designate-rootwrap: this service runs no command as root\n"
