"""Request context: the caller's identity, the request id and the flags of the request.

A flag is what the caller asks for. Central decides first whether it is permitted, and functions that
widen their scope take it as an explicit argument. With `sudo`, project_id is not the caller's own.
"""

from __future__ import annotations

from typing import Any, Self

from oslo_context import context as oslo_context

FLAGS = (
    "sudo",
    "all_projects",
    "edit_managed_records",
    "hard_delete",
    "delete_shares",
    "hide_counts",
)


class Context(oslo_context.RequestContext):
    """An oslo.context request context with the DNS service's flags; immutable by convention."""

    def __init__(
        self,
        *,
        sudo: bool = False,
        all_projects: bool = False,
        edit_managed_records: bool = False,
        hard_delete: bool = False,
        delete_shares: bool = False,
        hide_counts: bool = False,
        **identity: Any,
    ) -> None:
        identity.setdefault("overwrite", False)
        super().__init__(**identity)
        self.sudo = sudo
        self.all_projects = all_projects
        self.edit_managed_records = edit_managed_records
        self.hard_delete = hard_delete
        self.delete_shares = delete_shares
        self.hide_counts = hide_counts

    @property
    def has_privileged_flag(self) -> bool:
        """Whether the request has a flag that requires a permission."""
        return bool(self.sudo or self.all_projects or self.edit_managed_records or self.hard_delete)

    def to_plain(self) -> dict[str, Any]:
        """Return plain data for the bus, without the token, which only the API needs."""
        plain: dict[str, Any] = {
            "user_id": self.user_id,
            "project_id": self.project_id,
            "domain_id": self.domain_id,
            "system_scope": self.system_scope,
            "roles": list(self.roles),
            "is_admin": self.is_admin,
            "request_id": self.request_id,
            "global_request_id": self.global_request_id,
        }
        for name in FLAGS:
            if getattr(self, name):
                plain[name] = True
        return plain

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Self:
        """Return the context of plain data; unknown members, from newer senders, are ignored."""
        known = (
            "user_id",
            "project_id",
            "domain_id",
            "system_scope",
            "roles",
            "is_admin",
            "request_id",
            "global_request_id",
            *FLAGS,
        )
        return cls(**{name: plain[name] for name in known if name in plain})


def admin_context() -> Context:
    """Return the context of the service itself (sweeps, reports, the operator's command line)."""
    return Context(is_admin=True, roles=["admin"], all_projects=True)
