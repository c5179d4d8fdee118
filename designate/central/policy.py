"""Who may do what: the rules that stand beside the operations, enforced by oslo.policy.

Each aggregate of central declares its rules with `rule()`; this module gathers them for the enforcer
and for oslo.policy's sample generator. Operators override them by name in policy.yaml.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Hashable, Iterator, Mapping
from time import monotonic
from typing import Any

from oslo_config import cfg
from oslo_policy import opts as policy_opts
from oslo_policy import policy

from designate import errors
from designate.context import Context

ADMIN = "role:admin"
MEMBER = "role:member and project_id:%(project_id)s"
READER = "role:reader and project_id:%(project_id)s"
ADMIN_OR_MEMBER = f"({ADMIN}) or ({MEMBER})"
ADMIN_OR_READER = f"({ADMIN}) or ({READER})"
SHARED = "'True':%(zone_shared)s"
ANYONE = "@"

# What the rules allowed before roles had scopes; with enforce_new_defaults off, each rule allows that
# too. They refer to the old helper rules, so that old overrides of those have their old effect.
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
    """One rule. operation: method and path, e.g. "POST /v2/zones"; None: a name that is known and that no
    request asks for. scope: of the tokens that it takes; None: of any. legacy: what it allowed before,
    where LEGACY does not say so."""
    scopes = None if scope is None else [scope]
    before = legacy or LEGACY.get(check)
    deprecated = before and policy.DeprecatedRule(
        name,
        before,
        deprecated_reason="Rules ask for roles and scopes of Keystone's defaults.",
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
            deprecated_reason="Rules ask for roles and scopes of Keystone's defaults.",
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
    """Every rule, for the enforcer and the sample generator."""
    yield from BASE_RULES
    for name in AGGREGATES:
        yield from importlib.import_module(name).RULES


REMEMBERED_S = 1.0
MOST_REMEMBERED = 10_000
_REFERENCE = re.compile(r"rule:([^\s()]+)")
_MEMBER = re.compile(r"%\(([^)]*)\)s")
_PLUGGED = re.compile(r"https?:")


# The switches of a request, and the rules that say who may use them.
SWITCHES = {
    "sudo": "use_sudo",
    "all_projects": "all_tenants",
    "edit_managed_records": "edit_managed_records",
    "hard_delete": "hard_delete",
}


class Policy:
    """Thread-safe.

    Decisions are remembered for REMEMBERED_S, by everything that they depend on: oslo.policy looks for
    changed files at every decision, which costs more than many an operation. So a changed policy.yaml
    is in force a second later.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        policy_opts.set_defaults(conf)
        self._enforcer = policy.Enforcer(conf)
        # Said at every start and for every rule, it would drown what matters.
        self._enforcer.suppress_deprecation_warnings = True
        self._enforcer.suppress_default_change_warnings = True
        self._enforcer.register_defaults(list(list_rules()))
        self._remembered: dict[Hashable, errors.DesignateError | None] = {}
        self._used: dict[str, frozenset[str] | None] = {}
        self._forget_at = 0.0

    def check(self, name: str, context: Context, target: Mapping[str, Any]) -> None:
        """Raises Forbidden (without a message, as clients know it) when the rule refuses."""
        if context.is_admin:
            return
        now = monotonic()
        if now > self._forget_at or len(self._remembered) > MOST_REMEMBERED:
            self._remembered, self._used = {}, {}
            self._forget_at = now + REMEMBERED_S
        remembered, key = self._remembered, self._key(name, context, target)
        if key is None or key not in remembered:
            verdict = self._decide(name, context, target)
            if key is not None:
                remembered[key] = verdict
        else:
            verdict = remembered[key]
        if verdict is not None:
            raise errors.Forbidden(type=verdict.type)

    def _key(self, name: str, context: Context, target: Mapping[str, Any]) -> Hashable | None:
        """What the decision depends on; None: on something that is not known here."""
        used = self._used
        if name not in used:
            used[name] = self._names_used(name)
        names = used[name]
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

    def _names_used(self, name: str) -> frozenset[str] | None:
        """Members of the target that the rule, and those it refers to, look at; None when it asks
        somebody else (http), so that nothing can be said."""
        self._enforcer.load_rules()
        rules = self._enforcer.rules
        texts, todo, known = [], [name], {name}
        while todo:
            rule = todo.pop()
            text = str(rules[rule]) if rule in rules else ""
            texts.append(text)
            for reference in _REFERENCE.findall(text):
                if reference not in known:
                    known.add(reference)
                    todo.append(reference)
        whole = " ".join(texts)
        if _PLUGGED.search(whole):
            return None
        return frozenset(_MEMBER.findall(whole))

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
            return errors.Forbidden(type="invalid_token_scope")
        except policy.PolicyNotAuthorized:
            return errors.Forbidden()
        return None

    def check_request_flags(self, context: Context) -> None:
        """Raises Forbidden when the caller may not use a switch of its request."""
        for switch, rule in SWITCHES.items():
            if getattr(context, switch):
                own = {"project_id": context.project_id, "tenant_id": context.project_id}
                self.check(rule, context, own)

    def allows(self, name: str, context: Context, target: Mapping[str, Any]) -> bool:
        try:
            self.check(name, context, target)
        except errors.Forbidden:
            return False
        return True
