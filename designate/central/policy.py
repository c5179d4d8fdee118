"""Who may do what: the rules that stand beside the operations, enforced by oslo.policy.

Each aggregate of central declares its rules with `rule()`; this module gathers them for the enforcer
and for oslo.policy's sample generator. Operators override them by name in policy.yaml.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
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

AGGREGATES = (
    "designate.central.zones",
    "designate.central.recordsets",
    "designate.central.status",
)

BASE_RULES = (
    policy.RuleDefault("admin", "role:admin or is_admin:True"),
    policy.RuleDefault("owner", "project_id:%(tenant_id)s"),
    policy.RuleDefault("admin_or_owner", "rule:admin or rule:owner"),
    policy.RuleDefault("default", ADMIN_OR_MEMBER),
    policy.RuleDefault(
        "all_tenants", ADMIN, description="Act on every project.", scope_types=["project"]
    ),
    policy.RuleDefault(
        "use_sudo", ADMIN, description="Act as another project.", scope_types=["project"]
    ),
    policy.RuleDefault(
        "edit_managed_records",
        ADMIN,
        description="Change managed recordsets.",
        scope_types=["project"],
    ),
    policy.RuleDefault(
        "hard_delete", ADMIN, description="Remove zone files too.", scope_types=["project"]
    ),
    policy.RuleDefault(
        "use_low_ttl",
        ADMIN,
        description="Use a TTL below the configured minimum.",
        scope_types=["project"],
    ),
)


def rule(name: str, check: str, operation: str, description: str) -> policy.DocumentedRuleDefault:
    """One rule. operation: method and path, e.g. "POST /v2/zones"."""
    method, path = operation.split(" ", 1)
    return policy.DocumentedRuleDefault(
        name=name,
        check_str=check,
        description=description,
        operations=[{"method": method, "path": path}],
        scope_types=["project"],
    )


def list_rules() -> Iterator[policy.RuleDefault]:
    """Every rule, for the enforcer and the sample generator."""
    yield from BASE_RULES
    for name in AGGREGATES:
        yield from importlib.import_module(name).RULES


class Policy:
    """Thread-safe."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        policy_opts.set_defaults(conf)
        self._enforcer = policy.Enforcer(conf)
        self._enforcer.register_defaults(list(list_rules()))

    def check(self, name: str, context: Context, target: Mapping[str, Any]) -> None:
        """Raises Forbidden (without a message, as clients know it) when the rule refuses."""
        if context.is_admin:
            return
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
        except policy.InvalidScope as error:
            raise errors.Forbidden(type="invalid_token_scope") from error
        except policy.PolicyNotAuthorized as error:
            raise errors.Forbidden from error

    def allows(self, name: str, context: Context, target: Mapping[str, Any]) -> bool:
        try:
            self.check(name, context, target)
        except errors.Forbidden:
            return False
        return True
