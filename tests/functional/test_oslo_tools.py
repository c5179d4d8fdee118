"""The commands of the oslo libraries, as packagers and deployment tools call them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.deadlines import scaled

CHECKOUT = Path(__file__).parents[2]
GENERATOR = CHECKOUT / "etc" / "designate" / "designate-config-generator.conf"
GENERATE = "import sys; from oslo_config.generator import main; sys.exit(main())"
VALIDATE = "import sys; from oslo_config.validator import main; sys.exit(main())"
TIMEOUT_S = 60


def run(program, *arguments, cwd=None):
    """Run a console script's code with the interpreter of the tests."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, *map(str, arguments)],
        cwd=cwd or CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        timeout=scaled(TIMEOUT_S),
    )


def policy_tool(function, *arguments, cwd):
    program = f"import sys; from oslo_policy.generator import {function} as f; sys.exit(f())"
    return run(program, "--namespace", "designate", *arguments, cwd=cwd)


@pytest.fixture
def overridden(tmp_path):
    """Return a folder with a policy.yaml that changes one rule and repeats the default of another."""
    (tmp_path / "policy.yaml").write_text('"get_zones": "role:auditor"\n"use_sudo": "role:admin"\n')
    (tmp_path / "designate.conf").write_text("[oslo_policy]\npolicy_file = policy.yaml\n")
    return tmp_path


def test_policy_generator_writes_the_effective_rules(overridden):
    conf = overridden / "designate.conf"
    written = overridden / "merged.yaml"

    ended = policy_tool(
        "generate_policy", "--config-file", conf, "--output-file", written, cwd=overridden
    )

    assert ended.returncode == 0, ended.stderr
    assert '"get_zones": "role:auditor"' in written.read_text()
    assert '"delete_zone":' in written.read_text()


def test_list_redundant_names_the_repeated_default_alone(overridden):
    ended = policy_tool(
        "list_redundant", "--config-file", overridden / "designate.conf", cwd=overridden
    )

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == '"use_sudo": "role:admin"\n'


def test_policy_validator_accepts_known_rules_and_refuses_others(overridden):
    conf = ("--config-file", overridden / "designate.conf")
    accepted = policy_tool("validate_policy", *conf, cwd="/")
    assert accepted.returncode == 0, accepted.stderr

    (overridden / "policy.yaml").write_text('"get_zonse": "role:auditor"\n')

    refused = policy_tool("validate_policy", *conf, cwd="/")
    assert refused.returncode == 1
    assert "get_zonse" in refused.stdout + refused.stderr


def test_generated_sample_shows_our_defaults_of_libraries_options(tmp_path):
    written = tmp_path / "sample.conf"

    ended = run(GENERATE, "--config-file", GENERATOR, "--output-file", written)

    assert ended.returncode == 0, ended.stderr
    lines = written.read_text().splitlines()
    for line in (
        "#rpc_response_timeout = 10",
        "#control_exchange = designate",
        "#lock_path = $state_path",
        "#rabbit_qos_prefetch_count = 64",
        "#expose_headers = X-OpenStack-Request-ID,Host",
        "[keystone_authtoken]",
        "[oslo_messaging_notifications]",
    ):
        assert line in lines
    (levels,) = (line for line in lines if line.startswith("#default_log_levels"))
    assert "kazoo.client=WARN" in levels


# Options that tools write and that release 23 of Designate knows; those of older releases are below.
WRITTEN = """\
[DEFAULT]
state_path = /var/lib/designate
root-helper = sudo
log_dir = /var/log/designate
[service:api]
enabled_extensions_v2 = quotas, reports
pecan_debug = false
[service:producer]
threads = 1000
[storage:sqlalchemy]
idle_timeout = 3600
[oslo_policy]
enforce_scope = False
[oslo_messaging_rabbit]
use_queue_manager = true
rabbit_stream_fanout = true
[oslo_concurrency]
lock_path = /var/lib/designate/tmp
[keystone]
region_name = RegionOne
[keystone_authtoken]
username = designate
www_authenticate_uri = http://127.0.0.1:5000
[cors]
allowed_origin = https://dashboard.example.org
[healthcheck]
detailed = true
[ssl]
cert_file = /etc/designate/designate.pem
"""


def test_config_validator_accepts_what_tools_write(tmp_path):
    (tmp_path / "designate.conf").write_text(WRITTEN)

    ended = run(VALIDATE, "--config-file", GENERATOR, "--input-file", tmp_path / "designate.conf")

    assert ended.returncode == 0, ended.stderr


def test_config_validator_names_obsolete_options_and_typing_errors(tmp_path):
    (tmp_path / "designate.conf").write_text(
        "[service:worker]\nnotify = false\n[service:api]\nlistne = 0.0.0.0:9001\n"
    )

    ended = run(VALIDATE, "--config-file", GENERATOR, "--input-file", tmp_path / "designate.conf")

    assert ended.returncode == 1
    assert "service:worker/notify" in ended.stderr
    assert "service:api/listne" in ended.stderr
