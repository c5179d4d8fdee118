"""Keys that the layers around the resources set in the WSGI environ."""

from __future__ import annotations

CONTEXT = "designate.context"
REQUEST_ID = "designate.request_id"
# The path with placeholders for its ids; set once the route is known.
ROUTE = "designate.route"
# The service catalogue of a validated token.
CATALOG = "designate.catalog"


def parse_roles(text: str) -> list[str]:
    """Return the roles in a comma-separated header."""
    return [role.strip() for role in text.split(",") if role.strip()]
