"""designate-manage: pools."""

import stat

import pytest
import yaml

from designate import errors
from designate.context import Context, admin_context
from designate.model.zones import Action, PrimaryAddress, ZoneDraft, ZoneType
from tests.support.manage_commands import DEFAULT_ID, POOLS, ManageCommands


@pytest.fixture
def run(tmp_path, capsys):
    """Run a command on a new database and return exit status, standard output and standard error."""
    return ManageCommands(tmp_path, capsys)


@pytest.fixture
def pools_file(run):
    return run.pools_file


@pytest.fixture
def central(run):
    """Return central on the same database."""
    return run.central()


def test_pools_are_shown_planned_applied_and_then_unchanged(run, pools_file):
    run("database", "sync")
    path = pools_file(POOLS)

    planned = run("pool", "update", "--file", path, "--dry-run")
    untouched = run("pool", "show_config")[1]
    applied = run("pool", "update", "--file", path)
    again = run("pool", "update", "--file", path)
    shown = run("pool", "show_config")

    assert planned[0] == 0
    assert "The following changes will occur:" in planned[1]
    assert "Update Pool: default: nameservers" in planned[1]
    assert "nameservers: []" in untouched
    assert (applied[0], applied[1].splitlines()[-1]) == (0, "Done.")
    assert (again[0], again[1].splitlines()[-1]) == (0, "Nothing to change.")
    assert shown[1].startswith("Pool Configuration:\n-------------------\n")
    assert yaml.safe_load(shown[1].split("\n", 2)[2])[0]["nameservers"] == [
        {"host": "192.0.2.2", "port": 53}
    ]


def test_a_plan_shows_what_differs_and_nothing_that_stays(run, pools_file):
    run("database", "sync")
    run("pool", "update", "--file", pools_file(POOLS))
    changed = POOLS.replace(
        "nameservers: [{host: 192.0.2.2, port: 53}]",
        "nameservers: [{host: 192.0.2.2, port: 53}, {host: 192.0.2.3, port: 53}]",
    ).replace("ns_records: [", "ns_records: [{hostname: ns0.example.org., priority: 2}, ")

    status, printed, _ = run("pool", "update", "--dry-run", "--file", pools_file(changed))

    assert status == 0
    assert printed.splitlines()[4:] == [
        f"Update Pool: <Pool id:'{DEFAULT_ID}' name:'default'>",
        "Update Pool: default: ns_records",
        "  - none",
        "  + hostname=ns0.example.org. priority=2",
        "Update Pool: default: nameservers",
        "  - none",
        "  + host=192.0.2.3 port=53",
    ]


def test_a_plan_shows_the_changed_option_of_a_target_alone(run, pools_file):
    run("database", "sync")
    run("pool", "update", "--file", pools_file(POOLS))
    secret = pools_file(POOLS.replace("s3cret", "s3cret2"))
    changed = POOLS.replace("s3cret", "s3cret2").replace("port: 53}]", "port: 54}]", 1)

    only_secret = run("pool", "update", "--dry-run", "--file", secret)[1].splitlines()[5:]
    both = run("pool", "update", "--dry-run", "--file", pools_file(changed))[1].splitlines()[5:]

    assert only_secret[0] == "Update Pool: default: targets[1]"
    assert only_secret[1].endswith("=***")
    assert only_secret[2].endswith("=*** (changed)")
    assert " " not in only_secret[1].removeprefix("  - "), "one option"
    assert both[:3] == ["Update Pool: default: nameservers[1]", "  - port=53", "  + port=54"]
    assert both[3:] == only_secret


def test_a_plan_shows_both_orders_where_only_the_order_changes(run, pools_file):
    two = "ns_records: [{{hostname: {}.example.org.}}, {{hostname: {}.example.org.}}]"
    old = "ns_records: [{hostname: ns1.example.org., priority: 1}]"
    run("database", "sync")
    run("pool", "update", "--file", pools_file(POOLS.replace(old, two.format("ns1", "ns2"))))

    again = pools_file(POOLS.replace(old, two.format("ns2", "ns1")))
    printed = run("pool", "update", "--dry-run", "--file", again)[1]

    assert printed.splitlines()[-2:] == [
        "  - hostname=ns1.example.org. priority=1; hostname=ns2.example.org. priority=1",
        "  + hostname=ns2.example.org. priority=1; hostname=ns1.example.org. priority=1",
    ]


def test_secrets_stay_out_of_what_is_printed(run, pools_file):
    run("database", "sync")
    path = pools_file(POOLS)

    printed = [
        *run("pool", "update", "--file", path),
        *run("pool", "update", "--file", pools_file(POOLS.replace("s3cret", "s3cret2"))),
        *run("pool", "show_config", "--all_pools"),
    ]

    assert not any("s3cret" in str(text) for text in printed)
    assert "s3cret2" in run("pool", "show_config", "--show-secrets")[1]


def test_a_generated_file_is_private_and_changes_nothing_when_it_is_applied(
    run, pools_file, tmp_path
):
    run("database", "sync")
    run("pool", "update", "--file", pools_file(POOLS))
    target = tmp_path / "generated.yaml"
    target.write_text("old")
    target.chmod(0o644)

    status, out, _ = run("pool", "generate_file", "--file", str(target))

    assert (status, out) == (0, "")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert "s3cret" in target.read_text()
    assert "Nothing to change." in run("pool", "update", "--file", str(target))[1]
    assert sorted(tmp_path.glob(".generated*")) == []


def test_pools_that_left_the_file_go_only_when_it_is_asked_for(run, pools_file):
    run("database", "sync")
    both = POOLS + POOLS.replace(f"  id: {DEFAULT_ID}\n", "").replace("default", "second")
    run("pool", "update", "--file", pools_file(both))
    path = pools_file(POOLS)

    run("pool", "update", "--file", path)
    kept = run("pool", "show_config", "--all_pools")[1]
    deleted = run("pool", "update", "--file", path, "--delete")
    left = run("pool", "show_config", "--all_pools")[1]

    assert "name: second" in kept
    assert "Delete Pool: second" in deleted[1]
    assert "name: second" not in left


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[", "pools.yaml: while parsing"),
        ("name: p", "pools.yaml: top level: must be a list"),
        (POOLS.replace("type: fake", "type: agent"), "driver type: agent"),
        (POOLS.replace("priority: 1", "priority: x"), "pool default: ns_records[0]: priority"),
    ],
)
def test_a_faulty_file_changes_nothing_and_is_explained(run, pools_file, text, fault):
    run("database", "sync")

    status, out, err = run("pool", "update", "--file", pools_file(text))

    assert (status, out) == (1, "")
    assert fault in err
    assert "Traceback" not in err
    assert "nameservers: []" in run("pool", "show_config")[1]


def test_what_a_file_says_nothing_about_stays(run, pools_file):
    run("database", "sync")
    more = "  also_notifies: [{host: 192.0.2.4, port: 53}]\n  attributes: {tier: gold}\n"
    run("pool", "update", "--file", pools_file(POOLS.rstrip("\n") + "\n" + more))
    stored = run("pool", "show_config")[1]

    silent = run("pool", "update", "--file", pools_file("- {name: default}"))
    kept = run("pool", "show_config")[1]
    emptied = run("pool", "update", "--file", pools_file("- {name: default, also_notifies: []}"))

    assert "Nothing to change." in silent[1]
    assert kept == stored
    assert "tier: gold" in kept
    assert "Update Pool: default: also_notifies" in emptied[1]
    assert "also_notifies: []" in run("pool", "show_config")[1]


def test_a_new_pool_needs_what_a_stored_one_may_keep(run, pools_file):
    run("database", "sync")

    status, _, err = run("pool", "update", "--file", pools_file("- {name: other}"))

    assert status == 1
    assert "pools.yaml: pool other: ns_records: required for a new pool" in err


EVERYTHING = """
- name: edge
  attributes: {"tier": "2", internal: true,}
  ns_records: [{hostname: a.ns.example., priority: 1}, {hostname: b.ns.example., priority: 1}]
  nameservers: [{host: 192.0.2.7, port: "53", tsigkey_id: 3e0b3c52-51a3-4c55-9d6e-0a2f8f3f1a11}]
  targets: [{type: bind9, masters: [{host: "2001:db8::5", port: 5354}], options: {host: 192.0.2.7, port: 53,
    rndc_port: '953', rndc_key_file: /etc/designate/rndc.key, view: az1, clean_zonefile: true,
    ns_group: null}}]
  also_notifies: []
  catalog_zone: {catalog_zone_fqdn: cat.example., catalog_zone_refresh: '60'}
"""


def test_a_file_in_every_form_that_tools_write_is_applied_once(run, pools_file):
    run("database", "sync")
    path = pools_file(EVERYTHING)

    applied = run("pool", "update", "--file", path)
    again = run("pool", "update", "--file", path)
    shown = yaml.safe_load(run("pool", "show_config", "--all_pools")[1].split("\n", 2)[2])

    assert (applied[0], applied[1].splitlines()[-1], applied[2]) == (0, "Done.", "")
    assert (again[0], again[1].splitlines()[-1]) == (0, "Nothing to change.")
    assert shown[1]["attributes"] == {"tier": "2", "internal": "true"}
    assert shown[1]["catalog_zone"]["catalog_zone_refresh"] == 60


def test_a_file_without_nameservers_keeps_the_stored_ones(run, pools_file):
    run("database", "sync")
    run("pool", "update", "--file", pools_file(POOLS))
    stored = run("pool", "show_config")[1]
    nulls = "- {name: default, nameservers: null, targets: null, also_notifies: [], attributes: }"

    status, out, err = run("pool", "update", "--file", pools_file(nulls))

    assert (status, out.splitlines()[-1], err) == (0, "Nothing to change.", "")
    assert run("pool", "show_config")[1] == stored


def test_a_pool_without_ns_records_is_stored_and_takes_no_zone(run, pools_file, central):
    text = """
    - name: default
      description: without NS records and nameservers
      attributes: {}
      targets:
        - type: pdns4
          masters: [{host: 192.0.2.1, port: 5354}]
          options: {host: 192.0.2.2, port: 53, api_endpoint: "http://192.0.2.2:8081", api_token: t}
    """

    status, out, err = run("pool", "update", "--file", pools_file(text))

    assert (status, out.splitlines()[-1]) == (0, "Done.")
    assert err.splitlines() == [
        "Pool default has no ns_records: it takes no zones",
        "Pool default has no nameservers: its zones do not become ACTIVE",
    ]
    with pytest.raises(errors.ConfigurationError, match="Pool default has no NS records"):
        central.zones.create(
            Context(project_id="p", roles=("member",)),
            ZoneDraft(name="example.org.", email="a@example.org"),
        )


def test_the_last_ns_records_cannot_be_taken_away(run, pools_file):
    run("database", "sync")
    run("pool", "update", "--file", pools_file(POOLS))

    status, _, err = run(
        "pool", "update", "--file", pools_file("- {name: default, ns_records: []}")
    )

    assert status == 1
    assert "ns_records: must not be empty" in err


def test_target_types_can_be_left_unchecked(run, pools_file):
    run("database", "sync")
    path = pools_file(POOLS.replace("type: fake", "type: of_another_host"))

    assert run("pool", "update", "--file", path, "--skip-verify-drivers")[0] == 0


def test_pool_changes_touch_only_the_zones_that_they_concern(run, central, pools_file):
    run("pool", "update", "--file", pools_file(POOLS))
    user = Context(project_id="p", user_id="u", roles=["admin"], is_admin=True)
    mail = "a@example.com"
    kept = central.zones.create(user, ZoneDraft(name="kept.example.", email=mail))
    leaving = central.zones.create(user, ZoneDraft(name="leaving.example.", email=mail))
    masters = (PrimaryAddress(host="192.0.2.77", port=53),)
    secondary = central.zones.create(
        user, ZoneDraft(name="second.example.", type=ZoneType.SECONDARY, masters=masters)
    )
    central.zones.delete(user, leaving.id)

    def seen():
        return [central.zones.get(admin_context(), z.id) for z in (kept, leaving, secondary)]

    before = seen()
    elsewhere = POOLS.replace("192.0.2.1,", "192.0.2.9,").replace("priority: 1", "priority: 5")
    run("pool", "update", "--file", pools_file(elsewhere))
    after_masters = seen()
    renamed = elsewhere.replace("ns1.example.org.", "ns9.example.org.")
    run("pool", "update", "--file", pools_file(renamed))
    after_ns = seen()

    assert before[1].action is Action.DELETE
    assert after_masters == before
    assert after_ns[0].revision == before[0].revision + 1
    assert after_ns[1:] == before[1:]
    assert after_ns[2].masters == masters
