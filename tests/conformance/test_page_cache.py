"""An unchanged page is neither read nor rendered again, and clients see no difference."""

import itertools
import re

import pytest
import sqlalchemy as sa

from designate.api import page_cache
from designate.api.page_cache import PageCache
from designate.model.zones import Outcome
from tests.support.factories.zone_data import Hidden

NUMBERS = itertools.count()
OTHER = {"X-Auth-Project-ID": "other"}


@pytest.fixture(scope="module")
def hidden(tmp_path_factory):
    options = {"service:api": {"allowed_hosts": ["dns.example"]}}
    with Hidden(tmp_path_factory.mktemp("pages"), **options) as parts:
        yield parts


@pytest.fixture
def zone(hidden):
    return hidden.zone(f"k{next(NUMBERS)}.example.")


@pytest.fixture
def path(zone):
    return f"/v2/zones/{zone.id}/recordsets"


@pytest.fixture
def reads(hidden):
    """Yield the statements that read recordsets."""
    seen = []

    def record(_connection, _cursor, text, *_rest):
        if re.search(r"FROM recordsets\b", text):
            seen.append(text)

    sa.event.listen(hidden.database.engine, "before_cursor_execute", record)
    yield seen
    sa.event.remove(hidden.database.engine, "before_cursor_execute", record)


def test_the_same_page_again_is_the_same_and_reads_nothing(hidden, call, zone, path, reads):
    for number in range(3):
        hidden.add(zone, f"n{number}", "A", "192.0.2.1")
    asked = f"{path}?limit=2&name=n*&sort_key=name"
    first = call("GET", asked)
    reads.clear()

    assert call("GET", asked) == first
    assert first[0] == 200
    assert len(first[1]["recordsets"]) == 2
    assert reads == []


def test_each_question_has_its_own_answer(hidden, call, zone, path):
    for number in range(4):
        hidden.add(zone, f"n{number}", "A", "192.0.2.1", ttl=300 + number)
    marker = call("GET", path)[1]["recordsets"][3]["id"]
    questions = [
        (f"{path}?{query}", headers)
        for query in (
            "", "limit=2", "limit=3", f"limit=2&marker={marker}", "sort_key=name", "sort_dir=desc",
            "name=n1*", "name=n2*", "ttl=302", "sort_key=tenant_id", "limit=2&sort_dir=desc",
        )
        for headers in ({}, {"Host": "dns.example"}, {"OpenStack-DNS-Hide-Counts": "true"})
    ]  # fmt: skip

    fresh = [hidden.http()("GET", asked, None, headers) for asked, headers in questions]

    assert {status for status, _ in fresh} == {200}
    for _ in range(2):
        assert [call("GET", asked, None, headers) for asked, headers in questions] == fresh
    assert len({str(answer) for answer in fresh}) > 20


def test_every_change_shows(hidden, call, zone, path):
    made = hidden.add(zone, "n0", "A", "192.0.2.1")
    empty = {"name": f"empty.{zone.name}", "type": "TXT", "records": []}
    item = f"{path}/{made.id}"

    steps = [
        lambda: hidden.add(zone, "n1", "A", "192.0.2.1"),
        lambda: call("POST", path, empty),
        lambda: call("PUT", item, {"records": ["192.0.2.2"]}),
        lambda: call("PUT", item, {"description": "new"}),
        lambda: hidden.report(zone.id, Outcome.SERVED),
        lambda: call("PUT", item, {"ttl": 77}),
        lambda: hidden.report(zone.id, Outcome.FAILED, "refused"),
        lambda: call("PATCH", f"/v2/zones/{zone.id}", {"email": "b@example.com"}),
        lambda: call("DELETE", item),
    ]
    seen = [call("GET", path)]
    for step in steps:
        step()
        seen.append(call("GET", path))
        assert seen[-1] == hidden.http()("GET", path)

    assert len({str(answer) for answer in seen}) == len(seen)


def test_who_may_see_the_zone_is_asked_each_time(hidden, call, zone, path):
    hidden.add(zone, "n0", "A", "192.0.2.1")
    shares = f"/v2/zones/{zone.id}/shares"
    assert call("GET", path)[0] == 200
    assert call("GET", path, None, OTHER)[0] == 404

    status, share = call("POST", shares, {"target_project_id": "other"})
    assert status == 201
    assert call("GET", path, None, OTHER) == call("GET", path)

    call("DELETE", f"{shares}/{share['id']}")
    assert call("GET", path, None, OTHER)[0] == 404
    assert call("GET", path)[0] == 200


def test_what_is_kept_is_bounded():
    bodies = PageCache()
    body = b"x" * page_cache.MAX_BODY_BYTES

    for number in range(40):
        bodies.put(number, "tag", body, "")
    bodies.put("large", "tag", body + b"x", "")
    bodies.put("long", "tag", b"", "x" * (page_cache.ENTRY_OVERHEAD_BYTES + 1))

    cached = [number for number in range(40) if bodies.get(number) == ("tag", body)]
    assert cached == list(range(40 - len(cached), 40))
    assert len(cached) * len(body) <= page_cache.MAX_TOTAL_BYTES < (len(cached) + 2) * len(body)
    assert bodies.get("large") == bodies.get("long") == (None, b"")
