"""designate-manage pool check: whose the zones on the targets are."""

import pytest
import yaml

from designate.context import Context
from designate.model.zones import ZoneDraft
from tests.support.fakes import backend_peers
from tests.support.manage_commands import DEFAULT_ID, ManageCommands
from tests.support.servers.nameservers import free_port


@pytest.fixture
def run(tmp_path, capsys):
    return ManageCommands(tmp_path, capsys)


@pytest.fixture(params=sorted(backend_peers.SIDES))
def side(request, tmp_path):
    with backend_peers.SIDES[request.param](tmp_path / "side") as side:
        yield side


def apply(run, *targets):
    """Give the default pool these targets, as (type, options)."""
    pool = {
        "name": "default",
        "id": DEFAULT_ID,
        "ns_records": [{"hostname": "ns1.example.org.", "priority": 1}],
        "nameservers": [{"host": "192.0.2.2", "port": 53}],
        "targets": [
            {
                "type": type,
                "masters": [{"host": m.host, "port": m.port} for m in backend_peers.MASTERS],
                "options": options,
            }
            for type, options in targets
        ],
    }
    status, _, err = run("pool", "update", "--file", run.pools_file(yaml.safe_dump([pool])))
    assert status == 0, err


def zones(run, *names):
    """Create zones in the database alone."""
    central = run.central()
    context = Context(project_id="p", roles=["admin"], user_id="u")
    return [
        central.zones.create(context, ZoneDraft(name=name, email="a@example.com")) for name in names
    ]


def test_zones_are_told_apart_and_a_foreign_one_in_the_way_is_a_failure(run, side):
    run("database", "sync")
    apply(run, (side.TYPE, side.options))
    mine, *_ = zones(run, "mine.test.", "missing.test.", "theirs.test.")
    backend = side.backend()
    announcement = backend_peers.announcement(mine)
    backend.create_zone(announcement)
    before = run("pool", "check")
    side.add_foreign("theirs.test.")
    side.add_foreign("unknown.test.")
    backend.create_zone(backend_peers.announcement(mine, name="leftover.test."))

    status, out, _ = run("pool", "check", "default")
    all_lines = run("pool", "check", DEFAULT_ID, "--ours")[1]

    lists = side.TYPE != "bind9"
    assert before[0] == 0
    assert "1 ours, 0 foreign, 2 missing" in before[1]
    assert status == 1
    assert "Pool default: 3 zones" in out
    assert "1 ours, 1 foreign, 1 missing" in out
    assert "\n    foreign   theirs.test.  " in out
    assert "mine.test." not in out
    assert "ours      mine.test." in all_lines
    assert ("leftover  leftover.test." in out) is lists
    assert ("unknown   unknown.test." in out) is lists
    assert ("does not list its zones" in out) is not lists
    assert side.has_foreign("theirs.test.")


def test_targets_that_cannot_be_asked_are_told(run, tmp_path):
    run("database", "sync")
    port = free_port()
    key = tmp_path / "rndc.key"
    key.write_text('key "rndc-key" { algorithm hmac-sha256; secret "c2VjcmV0"; };')
    dead = {"rndc_port": str(port), "rndc_key_file": str(key)}
    apply(run, ("fake", {}), ("bind9", dead))

    status, out, _ = run("pool", "check")

    assert status == 1
    assert "not asked: fake has no control channel" in out
    assert f"127.0.0.1:{port}: Connection refused" in out


def test_an_unknown_pool_is_told(run):
    run("database", "sync")
    status, _, err = run("pool", "check", "nowhere")

    assert (status, err.strip()) == (1, "Could not find Pool nowhere")
