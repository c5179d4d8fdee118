"""The API reference as a page: `python -m designate.api.reference > doc/api-reference.md`."""

from __future__ import annotations

from designate.api import openapi
from designate.api.app import ABOUT, ABOUT_ADMIN, admin_resources, resources
from designate.api.switches import EVERYWHERE

HEAD = """\
# API reference

Every request and answer of the REST API. The same as OpenAPI 3.1: `GET /v2/openapi.json`, with a token.
This page is generated: `python -m designate.api.reference > doc/api-reference.md`.

All requests carry a token of Keystone in `X-Auth-Token`. All answers carry `X-Openstack-Request-Id`. An
error's body is an [Error](#error). Members that are not named here are refused in requests; answers may
have more of them in later releases.
"""


def reference() -> str:
    """Both APIs, as Markdown."""
    lines = [HEAD, "These headers and parameters mean the same everywhere:\n"]
    lines += ["| Parameter | In | Meaning |", "|---|---|---|"]
    lines += [f"| `{each.name}` | {each.where} | {each.description} |" for each in EVERYWHERE]
    lines.append("")
    lines += openapi.page(openapi.document(resources(), ABOUT))
    lines.append("# The admin API\n\nServed where `[service:api] enable_api_admin` is set.\n")
    lines += openapi.page(openapi.document(admin_resources(), ABOUT_ADMIN))
    return "\n".join(lines)


if __name__ == "__main__":
    print(reference(), end="")  # noqa: T201 - a command
