"""Policies: decisions are cached by everything that they depend on, for a short time."""

from __future__ import annotations

import os
from time import monotonic

import pytest
from oslo_policy import opts as policy_opts

from designate import errors
from designate.central import policy_files
from designate.central.policy import Policy
from designate.context import Context
from tests.support.deadlines import until
from tests.support.servers.standalone import make_conf

MEMBER = Context(project_id="one", user_id="u", roles=["member"])


@pytest.fixture
def conf(tmp_path):
    conf = make_conf(tmp_path)
    policy_opts.set_defaults(conf)
    conf.set_override("policy_file", str(tmp_path / "policy.yaml"), "oslo_policy")
    conf.set_override("policy_dirs", [], "oslo_policy")
    return conf


def target(project, **more):
    return {"project_id": project, "tenant_id": project, **more}


def test_a_decision_for_one_project_says_nothing_about_another(conf):
    policy = Policy(conf)
    for _ in range(2):
        policy.check("delete_zone", MEMBER, target("one"))
        with pytest.raises(errors.Forbidden):
            policy.check("delete_zone", MEMBER, target("two"))
        with pytest.raises(errors.Forbidden):
            policy.check("delete_zone", Context(project_id="one", roles=["reader"]), target("one"))


def test_members_that_only_a_referred_rule_looks_at_count(conf, tmp_path):
    (tmp_path / "policy.yaml").write_text(
        '"inner": "\'blue\':%(colour)s"\n"delete_zone": "rule:inner"\n'
    )
    policy = Policy(conf)
    policy.check("delete_zone", MEMBER, target("one", colour="blue"))
    with pytest.raises(errors.Forbidden):
        policy.check("delete_zone", MEMBER, target("one", colour="red"))


def test_the_same_question_is_not_decided_twice(conf):
    policy = Policy(conf)
    policy._forget_at = monotonic() + 60
    policy.check("delete_zone", MEMBER, target("one", zone_id="a"))
    decided = len(policy._cached)
    policy.check("delete_zone", MEMBER, target("one", zone_id="b"))
    assert len(policy._cached) == decided == 1


def test_a_changed_file_is_in_force_soon(conf, tmp_path):
    policy = Policy(conf)
    policy.check("delete_zone", MEMBER, target("one"))
    path = tmp_path / "policy.yaml"
    path.write_text('"delete_zone": "!"\n')
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime + 10))
    until(lambda: not policy.allows("delete_zone", MEMBER, target("one")), 10, "the new rule")


def test_a_broken_file_is_named_once_a_minute(conf, tmp_path, caplog, monkeypatch):
    policy = Policy(conf)
    policy.load()
    path = tmp_path / "policy.yaml"
    now_s = 1000.0
    monkeypatch.setattr(policy_files, "monotonic", lambda: now_s)
    for minute, text in enumerate(("[", "{", "[")):
        path.write_text(text)  # broken in another way does not count anew
        now_s = 1000.0 + 61 * minute
        for _ in range(50):
            policy.load()
            now_s += 1

    assert [message.partition(";")[0] for message in caplog.messages] == [
        f"policy: {path} line 1: expected the node content, but found '<stream end>'"
    ] * 3


def test_an_unchanged_file_is_read_once(conf, tmp_path, monkeypatch):
    (tmp_path / "policy.yaml").write_text('"delete_zone": "!"\n')
    policy = Policy(conf)
    policy.load()
    monkeypatch.setattr("yaml.compose", None)

    policy.load()

    assert not policy.allows("delete_zone", MEMBER, target("one"))


def test_a_broken_file_without_good_rules_before_it_is_an_error(conf, tmp_path):
    (tmp_path / "policy.yaml").write_text("[")
    policy = Policy(conf)

    with pytest.raises(errors.ConfigurationError, match=r"policy\.yaml line 1"):
        policy.load()
