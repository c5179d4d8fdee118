"""Policy files that change while the service runs, seen by clients of its API and in its log."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from designate.central import policy, policy_files
from tests.support.deadlines import scaled, until
from tests.support.servers.standalone import Service

DENIED = '"find_tlds": "!"\n'
BROKEN = [
    ('"find_tlds": "@"\n"create_tld": [\n', "line 3"),
    ('"find_tlds": "@"\n  "create_tld": "@"\n', "line 2"),
    ('"find_tlds": "@"\n\t"create_tld": "@"\n', "line 2"),
    ("- find_tlds\n", "line 1"),
    ("find_tlds\n", "line 1"),
    ('"find_tlds": "@"\n"create_tld":\n', "line 2: rule create_tld"),
    ('"find_tlds": "@"\n"create_tld": 7\n', "line 2: rule create_tld"),
    ('"find_tlds": "@"\n"create_tld": {a: b}\n', "line 2: rule create_tld"),
    ('\n"find_tlds": "role:admin or nonsense"\n', "line 2: rule find_tlds"),
    ('"find_tlds": "(role:admin"\n', "line 1: rule find_tlds"),
    ('"find_tlds": "\xff"\n', "policy.yaml: "),
]


class Files:
    """The policy files of a service. Each change has a time of its own, also where clocks are coarse."""

    def __init__(self, folder: Path) -> None:
        self.main = folder / "policy.yaml"
        self.folder = folder / "policy.d"
        self._time_s = 1_700_000_000

    def write(self, path: Path, text: str) -> None:
        self._time_s += 10
        path.write_bytes(text.encode("latin-1"))
        os.utime(path, (self._time_s, self._time_s))


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Files:
    return Files(tmp_path_factory.mktemp("policy"))


@pytest.fixture(scope="module")
def service(tmp_path_factory, files):
    options = {"policy_file": str(files.main), "policy_dirs": [str(files.folder)]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(policy, "CACHE_LIFETIME_S", 0.05)
        with Service(tmp_path_factory.mktemp("service"), oslo_policy=options) as service:
            yield service


@pytest.fixture(autouse=True)
def _no_files(files):
    yield
    files.main.unlink(missing_ok=True)
    for path in files.folder.glob("*"):
        path.unlink()


def status(service: Service) -> int:
    """Return the status of a request that needs the rule find_tlds."""
    return service.call("GET", "/tlds")[0]


def comes_true(service: Service, expected: int) -> None:
    until(lambda: status(service) == expected, 10, f"status {expected}")


def test_a_changed_file_is_in_force_and_a_deleted_one_leaves_the_defaults(service, files):
    files.write(files.main, DENIED)
    comes_true(service, 403)
    files.write(files.main, '"find_tlds": "role:admin"\n')
    comes_true(service, 200)
    files.write(files.main, DENIED)
    comes_true(service, 403)
    files.main.unlink()
    comes_true(service, 200)
    files.write(files.main, "")
    comes_true(service, 200)


def test_files_of_the_folder_override_the_main_one(service, files):
    files.folder.mkdir(exist_ok=True)
    files.write(files.main, DENIED)
    comes_true(service, 403)
    files.write(files.folder / "10.yaml", '"find_tlds": "@"\n')
    comes_true(service, 200)
    files.write(files.folder / "20.yaml", DENIED)
    comes_true(service, 403)
    files.write(files.folder / ".hidden", "[")
    files.write(files.folder / "20.yaml", "")
    comes_true(service, 200)
    (files.folder / "10.yaml").unlink()
    comes_true(service, 403)


@pytest.mark.parametrize(("text", "place"), BROKEN)
def test_a_broken_file_leaves_the_last_good_rules_and_is_named(
    service, files, caplog, monkeypatch, text, place
):
    # Each case counts its own warnings.
    monkeypatch.setattr(policy_files, "WARNING_INTERVAL_S", 0.0)
    files.write(files.main, DENIED)
    comes_true(service, 403)
    caplog.set_level(logging.WARNING, "designate.central.policy_files")

    files.write(files.main, text)

    until(lambda: status(service) == 403 and caplog.messages, 10, "a warning")
    assert caplog.messages[0].startswith(f"policy: {files.main}")
    assert place in caplog.messages[0]
    assert "\n" not in caplog.messages[0]
    files.write(files.main, '"find_tlds": "@"\n')
    comes_true(service, 200)


def test_a_broken_file_of_the_folder_is_named(service, files, caplog, monkeypatch):
    monkeypatch.setattr(policy_files, "WARNING_INTERVAL_S", 0.0)
    files.folder.mkdir(exist_ok=True)
    files.write(files.main, DENIED)
    comes_true(service, 403)
    caplog.set_level(logging.WARNING, "designate.central.policy_files")

    files.write(files.folder / "30.yaml", '"find_tlds": "@"\n"a": "b"\n')

    until(lambda: status(service) == 403 and caplog.messages, 10, "a warning")
    assert f"{files.folder}/30.yaml line 2: rule a" in caplog.messages[0]


def test_the_old_form_of_rules_and_empty_texts_are_right(service, files):
    files.write(files.main, '"find_tlds": [["role:nobody"]]\n"create_tld": ""\n')

    until(lambda: service.call("GET", "/tlds", X_Roles="nobody")[0] == 200, 10, "the new rule")
    assert status(service) == 403
    assert service.call("POST", "/tlds", {"name": "org"}, X_Roles="nobody")[0] == 201


def test_a_service_does_not_start_with_a_broken_file(tmp_path):
    rules, conf = tmp_path / "policy.yaml", tmp_path / "designate.conf"
    rules.write_text('"find_tlds": "@"\n"create_tld": [\n')
    conf.write_text(f"[oslo_policy]\npolicy_file = {rules}\n")
    program = [sys.executable, "-m", "designate.cmd.standalone", "--state-dir", str(tmp_path)]

    ended = subprocess.run(
        [*program, "--api", "127.0.0.1:0", "--dns", "127.0.0.1:0", "--config-file", str(conf)],
        capture_output=True,
        text=True,
        timeout=scaled(60),
        check=False,
    )

    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert f"{rules} line 3" in line
