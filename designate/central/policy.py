"""Policies: the rules that central's aggregates declare with `rule()`, enforced by oslo.policy.

This module collects the rules for the enforcer and for oslo.policy's sample generator. Operators
override them by name in policy.yaml.
"""

from __future__ import annotations

import argparse
import importlib
import re
import sys
from collections.abc import Hashable, Iterator, Mapping
from time import monotonic
from typing import Any

from oslo_config import cfg
from oslo_policy import opts as policy_opts
from oslo_policy import policy

from designate import config, errors
from designate.central.policy_files import PolicyFiles
from designate.context import Context

ADMIN = "role:admin"
MEMBER = "role:member and project_id:%(project_id)s"
READER = "role:reader and project_id:%(project_id)s"
ADMIN_OR_MEMBER = f"({ADMIN}) or ({MEMBER})"
ADMIN_OR_READER = f"({ADMIN}) or ({READER})"
SHARED = "'True':%(zone_shared)s"
ANYONE = "@"

# The defaults from before roles had scopes; with enforce_new_defaults off, each rule allows these too. They
# refer to the old helper rules, so that old overrides of those keep their effect.
LEGACY_ADMIN = "rule:admin"
LEGACY_OWNER = "rule:admin_or_owner"
LEGACY_OWNER_OR_SHARED = f"{LEGACY_OWNER} or ({SHARED})"
LEGACY = {ADMIN: LEGACY_ADMIN, ADMIN_OR_MEMBER: LEGACY_OWNER, ADMIN_OR_READER: LEGACY_OWNER}

AGGREGATES = (
    "designate.central.tlds",
    "designate.central.blacklists",
    "designate.central.tsigkeys",
    "designate.central.shares",
    "designate.central.transfers",
    "designate.central.pools",
    "designate.central.quotas",
    "designate.central.scheduler",
    "designate.central.services",
    "designate.central.usage",
    "designate.central.zones",
    "designate.central.recordsets",
    "designate.central.status",
    "designate.central.imports",
    "designate.central.exports",
)


def rule(
    name: str,
    check: str,
    operation: str | None,
    description: str,
    *,
    scope: str | None = "project",
    legacy: str | None = None,
) -> policy.RuleDefault:
    """Return a policy rule.

    Args:
        name: Name of the rule.
        check: Its default.
        operation: Method and path, e.g. "POST /v2/zones"; None: a rule without a request of its
        own.
        description: For people.
        scope: Scope of the accepted tokens; None: any.
        legacy: The default before roles had scopes, where LEGACY does not define it.
    """
    scopes = None if scope is None else [scope]
    before = legacy or LEGACY.get(check)
    deprecated = before and policy.DeprecatedRule(
        name,
        before,
        deprecated_reason="The rules use the roles and scopes of Keystone's defaults.",
        deprecated_since="2023.1",
    )
    if operation is None:
        return policy.RuleDefault(
            name, check, description=description, scope_types=scopes, deprecated_rule=deprecated
        )
    method, path = operation.split(" ", 1)
    return policy.DocumentedRuleDefault(
        name=name,
        check_str=check,
        description=description,
        operations=[{"method": method, "path": path}],
        scope_types=scopes,
        deprecated_rule=deprecated,
    )


BASE_RULES = (
    policy.RuleDefault("admin", "role:admin or is_admin:True"),
    policy.RuleDefault("owner", "project_id:%(tenant_id)s"),
    policy.RuleDefault("admin_or_owner", "rule:admin or rule:owner"),
    policy.RuleDefault(
        "default",
        ADMIN_OR_MEMBER,
        deprecated_rule=policy.DeprecatedRule(
            "default",
            LEGACY_OWNER,
            deprecated_reason="The rules use the roles and scopes of Keystone's defaults.",
            deprecated_since="2023.1",
        ),
    ),
    rule("all_tenants", ADMIN, None, "Act on every project."),
    rule("use_sudo", ADMIN, None, "Act as another project."),
    rule("edit_managed_records", ADMIN, None, "Change managed recordsets."),
    rule("hard_delete", ADMIN, None, "Remove zone files too."),
    rule("use_low_ttl", ADMIN, None, "Use a TTL below the configured minimum."),
)


def list_rules() -> Iterator[policy.RuleDefault]:
    """Yield every rule, for the enforcer and the sample generator."""
    yield from BASE_RULES
    for name in AGGREGATES:
        yield from importlib.import_module(name).RULES


def enforcer_for_tools() -> policy.Enforcer:
    """Return an enforcer with designate.conf's policy files, for the commands of oslo.policy.

    It is the entry point `oslo.policy.enforcer`, which takes no arguments: `--config-file` and
    `--config-dir` are those of the command that loads it.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--config-file", action="append", default=[])
    parser.add_argument("--config-dir", action="append", default=[])
    given, _ = parser.parse_known_args(sys.argv[1:])
    named = [("--config-file", name) for name in given.config_file]
    named += [("--config-dir", name) for name in given.config_dir]
    conf = cfg.CONF  # oslopolicy-validator reads the process-wide one
    policy_opts.set_defaults(conf)
    conf(
        [argument for pair in named for argument in pair],
        project="designate",
        default_config_files=config.find_files(),
    )
    # It also opens the file by this name from its own working directory.
    found = conf.find_file(conf.oslo_policy.policy_file)
    if found:
        conf.set_override("policy_file", found, "oslo_policy")
    enforcer = policy.Enforcer(conf)
    enforcer.register_defaults(list(list_rules()))
    return enforcer


CACHE_LIFETIME_S = 1.0
MAX_CACHED = 10_000
_REFERENCE = re.compile(r"rule:([^\s()]+)")
_MEMBER = re.compile(r"%\(([^)]*)\)s")
_HTTP_CHECK = re.compile(r"https?:")


# The request flags, and the rules that allow their use.
FLAG_RULES = {
    "sudo": "use_sudo",
    "all_projects": "all_tenants",
    "edit_managed_records": "edit_managed_records",
    "hard_delete": "hard_delete",
}


class Policy:
    """Enforces the policy rules. Thread-safe.

    Decisions are cached for CACHE_LIFETIME_S by everything that they depend on, because a decision of
    oslo.policy costs more than many operations. A changed policy.yaml takes effect after that time.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        policy_opts.set_defaults(conf)
        self._conf = conf
        self._files = PolicyFiles(conf, self._make_enforcer)
        self._cached: dict[Hashable, errors.DesignateError | None] = {}
        self._members: dict[str, frozenset[str] | None] = {}
        self._expires_at = 0.0

    def load(self) -> None:
        """Read the policy files, which are otherwise read for the first decision.

        Raises:
            ConfigurationError: One is broken.
        """
        self._enforcer = self._files.enforcer()

    def _make_enforcer(self) -> policy.Enforcer:
        enforcer = policy.Enforcer(self._conf)
        # These warnings come at every start for every rule.
        enforcer.suppress_deprecation_warnings = True
        enforcer.suppress_default_change_warnings = True
        enforcer.register_defaults(list(list_rules()))
        return enforcer

    def check(self, name: str, context: Context, target: Mapping[str, Any]) -> None:
        """Raise Forbidden when the rule refuses."""
        if context.is_admin:
            return
        now = monotonic()
        if now > self._expires_at or len(self._cached) > MAX_CACHED:
            self.load()
            self._cached, self._members = {}, {}
            self._expires_at = now + CACHE_LIFETIME_S
        cached, key = self._cached, self._key(name, context, target)
        if key is None or key not in cached:
            error = self._decide(name, context, target)
            if key is not None:
                cached[key] = error
        else:
            error = cached[key]
        if error is not None:
            raise errors.Forbidden(error.message, type=error.type)

    def _key(self, name: str, context: Context, target: Mapping[str, Any]) -> Hashable | None:
        """Return everything that the decision depends on; None: it cannot be known."""
        members = self._members
        if name not in members:
            members[name] = self._target_members(name)
        names = members[name]
        if names is None:
            return None
        return (
            name,
            context.project_id,
            context.user_id,
            context.domain_id,
            context.system_scope,
            tuple(context.roles),
            *(target.get(member) for member in names),
        )

    def _target_members(self, name: str) -> frozenset[str] | None:
        """Return the target members that the rule uses, also indirectly; None for HTTP checks."""
        rules = self._enforcer.rules
        texts, pending, known = [], [name], {name}
        while pending:
            rule = pending.pop()
            text = str(rules[rule]) if rule in rules else ""
            texts.append(text)
            for reference in _REFERENCE.findall(text):
                if reference not in known:
                    known.add(reference)
                    pending.append(reference)
        text = " ".join(texts)
        if _HTTP_CHECK.search(text):
            return None
        return frozenset(_MEMBER.findall(text))

    def _decide(
        self, name: str, context: Context, target: Mapping[str, Any]
    ) -> errors.DesignateError | None:
        credentials = {
            "user_id": context.user_id,
            "project_id": context.project_id,
            "tenant_id": context.project_id,
            "roles": context.roles,
            "is_admin": False,
            "system_scope": context.system_scope,
            "domain_id": context.domain_id,
        }
        try:
            self._enforcer.enforce(name, dict(target), credentials, do_raise=True)
        except policy.InvalidScope:
            return errors.Forbidden(
                "The scope of this token does not permit this", type="invalid_token_scope"
            )
        except policy.PolicyNotAuthorized:
            return errors.Forbidden()
        return None

    def check_request_flags(self, context: Context) -> None:
        """Raise Forbidden when the caller may not use a flag of its request."""
        for flag, rule in FLAG_RULES.items():
            if getattr(context, flag):
                own = {"project_id": context.project_id, "tenant_id": context.project_id}
                self.check(rule, context, own)

    def allows(self, name: str, context: Context, target: Mapping[str, Any]) -> bool:
        """Return whether the rule allows the operation; see check."""
        try:
            self.check(name, context, target)
        except errors.Forbidden:
            return False
        return True
