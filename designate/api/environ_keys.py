"""What the layers around the application tell each other and it: names in the WSGI environment."""

from __future__ import annotations

CONTEXT = "designate.context"
REQUEST_ID = "designate.request_id"
# The path with its ids named, once it is known.
ROUTE = "designate.route"
# The service catalogue that came with a validated token.
CATALOG = "designate.catalog"


def parse_roles(text: str) -> list[str]:
    """Of a header that lists them."""
    return [role.strip() for role in text.split(",") if role.strip()]
