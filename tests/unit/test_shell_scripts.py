"""The project's shell scripts, devstack's plug-in among them, have no syntax errors."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("devstack", "tests/support/devstack", "tools")
MARKS = (b"#!/usr/bin/env bash", b"# shellcheck shell=bash")


def scripts():
    files = [
        path for folder in FOLDERS for path in ROOT.joinpath(folder).rglob("*") if path.is_file()
    ]
    return sorted(path for path in files if any(mark in path.read_bytes() for mark in MARKS))


def test_scripts_are_found():
    names = {str(path.relative_to(ROOT)) for path in scripts()}
    back_ends = {f"backend-{name}" for name in ("bind9", "fake", "multipool-bind9", "pdns4")}

    assert {f"devstack/designate_plugins/{name}" for name in back_ends} <= names
    assert {"devstack/plugin.sh", "devstack/settings", "devstack/lib/api", "tools/test"} <= names


@pytest.mark.parametrize("path", scripts(), ids=lambda path: str(path.relative_to(ROOT)))
def test_bash_parses(path):
    done = subprocess.run(["bash", "-n", path], capture_output=True, text=True, timeout=30)

    assert done.returncode == 0, done.stderr
