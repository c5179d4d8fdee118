"""Request flags: headers and query parameters that widen what one request may see or change.

Central permits or rejects them (policies all_tenants, use_sudo, edit_managed_records, hard_delete).
"""

from __future__ import annotations

from dataclasses import dataclass

from webob import Request

from designate.api.identifiers import MAX_PROJECT_ID
from designate.api.shape import BOOLEAN, Parameter

TRUE = frozenset(("1", "t", "true", "on", "y", "yes"))
SUDO = (
    Parameter(
        name="X-Auth-Sudo-Project-ID",
        where="header",
        schema={"type": "string", "maxLength": MAX_PROJECT_ID},
        description="Act as this project (policy `use_sudo`).",
    ),
    Parameter(
        name="X-Auth-Sudo-Tenant-ID",
        where="header",
        schema={"type": "string", "maxLength": MAX_PROJECT_ID},
        description="The older spelling; used if X-Auth-Sudo-Project-ID is missing.",
        deprecated=True,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFlag:
    """A flag that a client sets by a header or by a query parameter.

    Attributes:
        attribute: The attribute of the request's context that has the flag.
        header: The name of the header.
        description: For the API's document.
        queries: Query parameters of the same meaning. Later ones take precedence over earlier ones,
            and all of them over the header.
    """

    attribute: str
    header: str
    description: str
    queries: tuple[str, ...] = ()

    def is_set(self, request: Request) -> bool:
        """Return whether the request sets the flag."""
        text = request.headers.get(self.header, "")
        for name in self.queries:
            text = request.GET.get(name, text)
        return text.strip().lower() in TRUE

    def parameters(self) -> tuple[Parameter, ...]:
        """Return the header and the query parameters, for the API's document."""
        header = Parameter(
            name=self.header, where="header", schema=BOOLEAN, description=self.description
        )
        queries = (
            Parameter(
                name=name,
                where="query",
                schema=BOOLEAN,
                description=f"Same as the header {self.header}.",
            )
            for name in self.queries
        )
        return (header, *queries)


ALL_PROJECTS = RequestFlag(
    attribute="all_projects",
    header="X-Auth-All-Projects",
    queries=("all_tenants", "all_projects"),
    description="Act on the objects of all projects (policy `all_tenants`).",
)
EDIT_MANAGED = RequestFlag(
    attribute="edit_managed_records",
    header="X-Designate-Edit-Managed-Records",
    queries=("edit_managed_records",),
    description="Permit changes to records that the service manages "
    "(policy `edit_managed_records`).",
)
HARD_DELETE = RequestFlag(
    attribute="hard_delete",
    header="X-Designate-Hard-Delete",
    description="Also remove zone files from the nameservers (policy `hard_delete`).",
)
DELETE_SHARES = RequestFlag(
    attribute="delete_shares",
    header="X-Designate-Delete-Shares",
    description="Delete the zone's shares too; without it, a shared zone is not deleted.",
)
HIDE_COUNTS = RequestFlag(
    attribute="hide_counts",
    header="OpenStack-DNS-Hide-Counts",
    description="Leave out `total_count`, which saves the time to count.",
)
FLAGS = (ALL_PROJECTS, EDIT_MANAGED, HARD_DELETE, DELETE_SHARES, HIDE_COUNTS)
# Query parameters that are flags and not filters.
FLAG_PARAMETERS = frozenset(name for flag in FLAGS for name in flag.queries)
COMMON_PARAMETERS = (*ALL_PROJECTS.parameters(), *SUDO)


def sudo_project(request: Request) -> str | None:
    """Return the project to act as; None is the caller's own."""
    return next((found for each in SUDO if (found := request.headers.get(each.name))), None)
