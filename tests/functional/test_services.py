"""The list of services for operators."""

from __future__ import annotations

import contextlib
import sqlite3
import uuid

import pytest

from tests.support.deadlines import until
from tests.support.servers.standalone import Service


@pytest.fixture
def service(tmp_path):
    with Service(tmp_path) as service:
        yield service


def listed(service):
    return service.call("GET", "/service_statuses")[1]["service_statuses"]


def test_heartbeats_are_what_service_statuses_show(service):
    until(lambda: len(listed(service)) == 5, 10, "the heartbeats")
    found = listed(service)

    assert {shown["service_name"] for shown in found} == {
        "api", "central", "mdns", "producer", "worker",
    }  # fmt: skip
    assert {shown["status"] for shown in found} == {"UP"}
    assert set(found[0]) == {
        "id", "hostname", "service_name", "status", "stats", "capabilities", "heartbeated_at",
        "created_at", "updated_at", "links",
    }  # fmt: skip
    one = f"/service_statuses/{found[0]['id']}"
    assert service.call("GET", one) == (200, found[0])
    status, body = service.call("GET", f"/service_statuses/{uuid.uuid4()}")
    assert (status, body["type"]) == (404, "service_status_not_found")
    assert service.call("GET", "/service_statuses", **{"X-Roles": "member"})[0] == 403


def test_a_service_that_stopped_says_so(tmp_path):
    with Service(tmp_path) as service:
        until(lambda: len(listed(service)) == 5, 10, "the heartbeats")

    with contextlib.closing(sqlite3.connect(tmp_path / "designate.sqlite")) as database:
        left = database.execute("SELECT status FROM service_statuses").fetchall()
    assert left == [("STOPPED",)] * 5

    with Service(tmp_path) as service:
        # The clean-up sweep may forget a row that says STOPPED before its service beats again.
        five_live = ["UP"] * 5
        until(
            lambda: [shown["status"] for shown in listed(service)] == five_live,
            10,
            "the services are back, in one row each",
        )
