"""The switches of one request: headers and parameters that widen what it may see or do.

Central allows or refuses them (policies all_tenants, use_sudo, edit_managed_records, hard_delete).
"""

from __future__ import annotations

from dataclasses import dataclass

from webob import Request

from designate.api.shape import BOOLEAN, Parameter

TRUE = frozenset(("1", "t", "true", "on", "y", "yes"))
SUDO = (
    Parameter(
        name="X-Auth-Sudo-Project-ID",
        where="header",
        schema={"type": "string", "maxLength": 36},
        description="Act as this project (policy `use_sudo`).",
    ),
    Parameter(
        name="X-Auth-Sudo-Tenant-ID",
        where="header",
        schema={"type": "string", "maxLength": 36},
        description="The older spelling; counts where the newer one is missing.",
        deprecated=True,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFlag:
    """attribute: of the request's context. queries: parameters that mean the same; the later ones win
    over the earlier ones and all of them over the header."""

    attribute: str
    header: str
    description: str
    queries: tuple[str, ...] = ()

    def is_set(self, request: Request) -> bool:
        text = request.headers.get(self.header, "")
        for name in self.queries:
            text = request.GET.get(name, text)
        return text.strip().lower() in TRUE

    def parameters(self) -> tuple[Parameter, ...]:
        header = Parameter(
            name=self.header, where="header", schema=BOOLEAN, description=self.description
        )
        queries = (
            Parameter(
                name=name,
                where="query",
                schema=BOOLEAN,
                description=f"As the header {self.header}.",
            )
            for name in self.queries
        )
        return (header, *queries)


ALL_PROJECTS = RequestFlag(
    attribute="all_projects",
    header="X-Auth-All-Projects",
    queries=("all_tenants", "all_projects"),
    description="Act on what every project has (policy `all_tenants`).",
)
EDIT_MANAGED = RequestFlag(
    attribute="edit_managed_records",
    header="X-Designate-Edit-Managed-Records",
    queries=("edit_managed_records",),
    description="Change what the service manages itself (policy `edit_managed_records`).",
)
HARD_DELETE = RequestFlag(
    attribute="hard_delete",
    header="X-Designate-Hard-Delete",
    description="Remove zone files from the nameservers, too (policy `hard_delete`).",
)
DELETE_SHARES = RequestFlag(
    attribute="delete_shares",
    header="X-Designate-Delete-Shares",
    description="Remove the zone's shares with it; otherwise they prevent it.",
)
HIDE_COUNTS = RequestFlag(
    attribute="hide_counts",
    header="OpenStack-DNS-Hide-Counts",
    description="Leave out `total_count`, which saves the counting.",
)
FLAGS = (ALL_PROJECTS, EDIT_MANAGED, HARD_DELETE, DELETE_SHARES, HIDE_COUNTS)
# Parameters that are switches and no filters.
FLAG_PARAMETERS = frozenset(name for flag in FLAGS for name in flag.queries)
COMMON_PARAMETERS = (*ALL_PROJECTS.parameters(), *SUDO)


def sudo_project(request: Request) -> str | None:
    """The project to act as; None: the caller's own."""
    return next((found for each in SUDO if (found := request.headers.get(each.name))), None)
