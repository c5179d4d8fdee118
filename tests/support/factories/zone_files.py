"""Imports and exports of zone files through the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.deadlines import until

ApiCall = Callable[..., tuple[int, Any]]
DNS = {"Accept": "text/dns"}


def imported(call: ApiCall, text: str, kind: str = "text/dns") -> dict[str, Any]:
    """Import a zone file and return the task at its end."""
    path = "/v2/zones/tasks/imports"
    status, task = call("POST", path, text.encode(), {"Content-Type": kind})
    assert status == 202, task
    return finished(call, f"{path}/{task['id']}")


def exported(call: ApiCall, zone_id: str) -> str:
    """Export a zone and return its file."""
    _, task = call("POST", f"/v2/zones/{zone_id}/tasks/export")
    done = finished(call, f"/v2/zones/tasks/exports/{task['id']}")
    assert done["status"] == "COMPLETE", done["message"]
    status, text = call("GET", f"/v2/zones/tasks/exports/{task['id']}/export", None, DNS)
    assert status == 200
    return str(text)


def finished(call: ApiCall, path: str) -> dict[str, Any]:
    """Return the task of this path at its end."""
    until(lambda: call("GET", path)[1]["status"] != "PENDING", 30, "the task's end")
    found: dict[str, Any] = call("GET", path)[1]
    return found


def recordsets(call: ApiCall, zone_id: str) -> dict[tuple[str, str], tuple[int | None, list[str]]]:
    """Return (ttl, records) of a zone's recordsets by name and type."""
    _, found = call("GET", f"/v2/zones/{zone_id}/recordsets?limit=1000")
    return {(rs["name"], rs["type"]): (rs["ttl"], rs["records"]) for rs in found["recordsets"]}
