"""Lists mean the same on every database: filters, escapes, letters, order, markers and counts."""

from __future__ import annotations

import fnmatch
import itertools
import uuid
from dataclasses import replace

import pytest
import sqlalchemy as sa

from designate import errors
from designate.context import Context
from designate.model.query import Query
from designate.model.recordsets import RecordSetDraft
from designate.model.zones import ZoneDraft
from designate.storage.sqlalchemy import zones
from designate.storage.sqlalchemy.listing import recordsets as recordset_lists
from designate.storage.sqlalchemy.listing import zones as zone_lists
from designate.storage.sqlalchemy.listing.pagination import EVERYTHING, Scope
from designate.storage.sqlalchemy.listing.result_cache import ResultCache
from designate.storage.sqlalchemy.tables import zones as zones_table
from tests.support.factories.zone_data import Hidden

NUMBERS = itertools.count(1)


class Project:
    """A new project whose zone names no other test uses."""

    def __init__(self, hidden: Hidden) -> None:
        self.context = Context(project_id=uuid.uuid4().hex, roles=["member", "reader"], user_id="u")
        self.apex = f"lists{next(NUMBERS)}.example."
        self._central = hidden.central

    def zone(self, name: str, **more):
        draft = ZoneDraft(name=name, **{"email": "a@example.com", **more})
        return self._central.zones.create(self.context, draft)

    def zones(self, **how):
        return self._names(self._central.zones.find(self.context, self._query(how)))

    def add(self, zone, name, rtype="A", *records, **more):
        draft = RecordSetDraft(name=name, type=rtype, records=records or ("192.0.2.1",), **more)
        return self._central.recordsets.create(self.context, zone.id, draft)

    def recordsets(self, zone, **how):
        zone_id = zone and zone.id
        return self._names(self._central.recordsets.find(self.context, zone_id, self._query(how)))

    @staticmethod
    def _query(how):
        known = {
            key: how.pop(key) for key in ("limit", "marker", "sort_key", "sort_dir") if key in how
        }
        return Query(filters=how, **known)

    @staticmethod
    def _names(page):
        return [item.name for item in page.items], page.total_count


@pytest.fixture
def project(hidden):
    return Project(hidden)


@pytest.fixture
def zone(project):
    return project.zone(project.apex)


def test_names_are_found_whatever_their_case_and_shown_as_given(project):
    name = f"MiXed.{project.apex}"
    project.zone(name)

    assert project.zones(name=name.lower()) == ([name], 1)
    assert project.zones(name=name.upper()) == ([name], 1)
    assert project.zones(name=f"mixed.{project.apex[:4]}*") == ([name], 1)
    assert project.zones(name=f"*{project.apex.upper()}") == ([name], 1)


def test_other_texts_are_compared_letter_by_letter(project):
    project.zone(f"a.{project.apex}", description="Größe", email="Admin@example.com")

    assert project.zones(description="Größe")[1] == 1
    assert project.zones(description="größe")[1] == 0
    assert project.zones(description="Grosse")[1] == 0
    assert project.zones(description="Gr*")[1] == 1
    assert project.zones(description="gr*")[1] == 0
    assert project.zones(description="Größe ")[1] in (0, 1)  # MySQL pads; no harm in a filter
    assert project.zones(email="Admin@*")[1] == 1


def test_what_every_alphabet_and_emoji_make_comes_back(project):
    described = "名前 \U0001f600 ñandú \\ ' \" % _"
    made = project.zone(project.apex, description=described)

    found = project.zones(description=described.replace("%", "*"))

    assert made.description == described
    assert found == ([project.apex], 1)


@pytest.mark.parametrize(
    ("pattern", "matching"),
    [
        ("a_b*", {"a_b"}),
        ("a*b", {"a_b", "axb", "a\\b", "ab"}),
        ("a\\*", {"a\\b"}),
        ("a%b", {"a_b", "axb", "a\\b", "ab"}),
        ("*x*", {"axb"}),
        ("*", {"a_b", "axb", "a\\b", "ab"}),
        ("a\\b", {"a\\b"}),
    ],
)
def test_a_wildcard_matches_any_run_and_nothing_else_is_one(project, pattern, matching):
    by_name = {}
    for number, text in enumerate(("a_b", "axb", "a\\b", "ab")):
        name = f"w{number}.{project.apex}"
        project.zone(name, description=text)
        by_name[name] = text

    found, count = project.zones(description=pattern)

    assert {by_name[name] for name in found} == matching
    assert count == len(matching)


def test_punycode_and_underscores_are_plain_letters(project, zone):
    names = [f"{label}.{zone.name}" for label in ("xn--bcher-kva", "_sip._tcp", "xsip._tcp")]
    for name in names:
        project.add(zone, name, "TXT", '"x"')

    assert project.recordsets(zone, name=f"_sip.*{zone.name}")[0] == [names[1]]
    assert project.recordsets(zone, name=names[0].upper())[0] == [names[0]]
    assert project.recordsets(zone, name=f"*_tcp.{zone.name}")[1] == 2


def test_record_data_is_found_by_its_letters_wherever_they_stand(project, zone):
    long = '"' + "x" * 200
    project.add(zone, f"a.{zone.name}", "TXT", long + 'Ende"')
    project.add(zone, f"b.{zone.name}", "TXT", long + 'ende"')
    project.add(zone, f"c.{zone.name}", "A", "192.0.2.7", "192.0.2.8")

    assert project.recordsets(zone, data=long + 'ende"')[0] == [f"b.{zone.name}"]
    assert project.recordsets(zone, data='"xxx*Ende"')[0] == [f"a.{zone.name}"]
    assert project.recordsets(zone, data="192.0.2.8") == ([f"c.{zone.name}"], 1)
    assert project.recordsets(zone, data="192.0.2.*") == ([f"c.{zone.name}"], 1)
    assert project.recordsets(None, data="192.0.2.8")[0] == [f"c.{zone.name}"]


@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("few", [2, 1000], indirect=True)
@pytest.mark.parametrize(
    "filters",
    [{"name": "*n*n*"}, {"data": "*192.0.2.*"}, {"name": "nn*", "data": "192*1", "type": "A"}],
)
@pytest.mark.usefixtures("few")
def test_what_a_wildcard_finds_is_counted_and_paged_whether_it_is_much_or_little(
    project, zone, across, filters
):
    owner = None if across else zone
    names = [f"nn{number}.{zone.name}" for number in range(4)]
    made = [project.add(zone, name) for name in names]
    project.add(zone, f"other.{zone.name}", "TXT", '"192"')

    assert project.recordsets(owner, **filters) == (names, 4)
    assert project.recordsets(owner, limit=3, **filters) == (names[:3], 4)
    assert project.recordsets(owner, marker=made[1].id, **filters) == (names[2:], 4)
    assert project.recordsets(owner, sort_key="name", sort_dir="desc", limit=2, **filters) == (
        names[:1:-1],
        4,
    )
    assert project.recordsets(owner, **filters | {"description": "none"}) == ([], 0)


def listed(connection, query, owner, **how):
    """Return one page of a zone, or of a Scope."""
    if isinstance(owner, Scope):
        return recordset_lists.list_across_zones(connection, query, owner, **how)
    zone, held = zones.get_with_recordset_count(
        connection, owner.id, Scope(project_id=owner.project_id)
    )
    return recordset_lists.list_in_zone(
        connection, query, zone, held, ResultCache(slow_s=60), **how
    )


def watched(connection):
    """Record the statements that the connection executes from now on."""
    seen: list[str] = []
    sa.event.listen(connection, "before_cursor_execute", lambda *told: seen.append(told[2]))
    return seen


def test_the_whole_zone_is_counted_without_a_statement(hidden, project, zone):
    for number in range(3):
        project.add(zone, f"n{number}.{zone.name}")
    with hidden.database.read() as connection:
        seen = watched(connection)
        page = listed(connection, Query(), zone, limit=2, count=True)

    assert (len(page.items), page.total_count) == (2, 5)  # SOA and NS are two of them
    assert sum("FROM recordsets" in text for text in seen) == 1
    assert sum(text.startswith("SELECT") for text in seen) == 2


@pytest.mark.parametrize("filters", [{"name": "*n*"}, {"data": "*192*"}])
def test_what_a_wildcard_finds_is_walked_once(hidden, project, zone, filters):
    project.add(zone, f"nn.{zone.name}")
    owner = Scope(project_id=project.context.project_id)

    for place in (zone, owner):
        with hidden.database.read() as connection:
            seen = watched(connection)
            page = listed(connection, Query(filters=filters), place, limit=1, count=True)
        assert (len(page.items), page.total_count) == (1, 1)
        assert sum("LIKE" in text for text in seen) == 1


@pytest.mark.parametrize("few", [0, 2, 1000], indirect=True)
@pytest.mark.usefixtures("hidden", "few")
def test_what_most_have_is_counted_by_what_few_have_not(project, zone):
    for number, (rtype, ttl) in enumerate(
        [("A", 300), ("A", 300), ("A", 60), ("A", None), ("TXT", 300), ("AAAA", 300)]
    ):
        data = {"A": "192.0.2.1", "AAAA": "2001:db8::1", "TXT": '"x"'}[rtype]
        project.add(zone, f"n{number}.{zone.name}", rtype, data, ttl=ttl)

    counts = {
        (name, value): project.recordsets(zone, **{name: value})[1]
        for name, value in [
            ("type", "A"), ("type", "TXT"), ("type", "MX"), ("type", "NS"), ("type", "A*"),
            ("ttl", "300"), ("ttl", "60"), ("ttl", "61"), ("ttl", "3*"), ("ttl", "x"),
        ]
    }  # fmt: skip

    assert list(counts.values()) == [4, 1, 0, 1, 5, 4, 1, 0, 4, 0]
    assert project.recordsets(zone, type="A", ttl="300")[1] == 2


def test_a_filter_of_most_of_a_zone_reads_the_others_alone(hidden, project, zone):
    for number in range(3):
        project.add(zone, f"n{number}.{zone.name}", "A")
    with hidden.database.read() as connection:
        seen = watched(connection)
        page = listed(connection, Query(filters={"type": "A"}), zone, limit=1, count=True)

    assert page.total_count == 3
    assert [text for text in seen if "count(" in text and "LIMIT" not in text] == []


@pytest.mark.parametrize("few", [0, 2, 1000], indirect=True)
@pytest.mark.usefixtures("few")
def test_zones_that_a_filter_leaves_are_sorted_whether_they_are_few_or_many(project):
    for letter in "cabd":
        project.zone(f"{letter}.{project.apex}", description="x" if letter != "d" else "y")
    third = project.zones(description="x", sort_key="name")[0]

    assert third == [f"{letter}.{project.apex}" for letter in "abc"]
    assert project.zones(description="x", sort_key="name", sort_dir="desc")[0] == third[::-1]
    assert project.zones(description="x", sort_key="name", limit=2) == (third[:2], 3)
    assert project.zones(description="none") == ([], 0)


def test_emails_are_compared_without_case(project):
    names = [f"{letter}.{project.apex}" for letter in "ab"]
    for name, email in zip(names, ("Admin@Example.com", "admin@example.org"), strict=True):
        project.zone(name, email=email)

    for email, expected in [("admin@example.COM", names[:1]), ("ADMIN@*", names), ("x@y", [])]:
        assert project.zones(email=email, sort_key="name") == (expected, len(expected))


@pytest.mark.parametrize("few", [0, 1, 1000], indirect=True)
@pytest.mark.usefixtures("few")
def test_data_of_several_records_of_one_recordset_counts_it_once(project, zone):
    names = [f"n{number}.{zone.name}" for number in range(3)]
    for number, name in enumerate(names):
        records = [f'"{letter}{number}{"x" * 150}end"' for letter in "ab"]
        project.add(zone, name, "TXT", *records, ttl=60 + number)

    for data, found in (("*xx*", names), ('"a*', names), ('*xend"', names), ("*1xx*", names[1:2])):
        assert sorted(project.recordsets(zone, data=data)[0]) == found, data
        assert project.recordsets(zone, data=data)[1] == len(found), data
    assert project.recordsets(zone, data="*xx*", ttl="61", name="n1*") == (names[1:2], 1)
    assert project.recordsets(zone, data="*xx*", ttl="61", name="n2*") == ([], 0)


def test_numbers_that_no_column_can_hold_match_nothing(project, zone):
    project.add(zone, f"a.{zone.name}", ttl=300)

    assert project.recordsets(zone, ttl="300")[1] == 1
    assert project.recordsets(zone, ttl="3*")[1] == 1
    for ttl in ("99999999999", "-99999999999", "99999999999999999999999", "x", "3.5"):
        assert project.recordsets(zone, ttl=ttl) == ([], 0)
        assert project.zones(ttl=ttl) == ([], 0)


def test_order_is_that_of_code_points(project, zone):
    labels = ["a-b", "a", "ab", "a0", "zz", "_a", "b"]
    for label in labels:
        project.add(zone, f"{label}.{zone.name}")

    ascending, _ = project.recordsets(zone, sort_key="name", limit=100, type="A")
    descending, _ = project.recordsets(zone, sort_key="name", sort_dir="desc", limit=100, type="A")

    assert ascending == sorted(f"{label}.{zone.name}" for label in labels)
    assert descending == ascending[::-1]


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("key", ["created_at", "id", "name", "ttl", "type", "updated_at"])
def test_pages_show_each_item_once_with_nulls_first(hidden, project, zone, key, direction):
    for number in range(7):
        rtype, text = ("TXT", '"1"') if number % 2 else ("A", "192.0.2.1")
        ttl = None if number % 3 == 0 else 100 * (number % 2)
        project.add(zone, f"p{number}.{zone.name}", rtype, text, ttl=ttl)
    found, values = [], []
    marker = None
    while True:
        query = Query(limit=2, marker=marker, sort_key=key, sort_dir=direction)
        items = hidden.central.recordsets.find(project.context, zone.id, query).items
        if not items:
            break
        found += [item.id for item in items]
        values += [getattr(item, key) for item in items]
        marker = items[-1].id

    ranked = [(value is not None, value or 0) for value in values]
    assert len(found) == len(set(found)) == 9
    assert ranked == sorted(ranked, reverse=direction == "desc")


def _set(hidden, zone, **columns):
    columns["version"] = zones_table.c.version + 1
    statement = sa.update(zones_table).where(zones_table.c.id == zone.id).values(**columns)
    hidden.database.write(lambda tx: tx.execute(statement))


@pytest.mark.parametrize("status", ["PENDING", "ERROR"])
@pytest.mark.parametrize("behind", [0, 1, 3, 100])
def test_a_status_finds_those_that_are_shown_with_it(hidden, project, zone, status, behind):
    other = project.zone(f"other.{project.apex}")
    for number in range(4):
        project.add(zone, f"s{number}.{zone.name}")
        project.add(other, f"s{number}.{other.name}")
    hidden.central.recordsets.create(
        project.context, zone.id, RecordSetDraft(name=f"empty.{zone.name}", type="A")
    )
    now = hidden.central.zones.get(project.context, zone.id)
    served = max(now.revision - behind, 0)
    _set(hidden, zone, served_revision=served, status=status if behind else "ACTIVE")
    _set(
        hidden,
        other,
        served_revision=hidden.central.zones.get(project.context, other.id).revision,
        status="ACTIVE",
    )

    for where in (zone, None):
        every = hidden.central.recordsets.find(
            project.context, where and where.id, Query(limit=100)
        )
        for wanted in ("ACTIVE", "PENDING", "ERROR", "DELETED", "*I*", "E%", "*", "?ERROR"):
            pattern = wanted.replace("%", "*").replace("?", "[?]")
            matching = [item for item in every.items if fnmatch.fnmatchcase(item.status, pattern)]
            shown = [item.name for item in matching]
            assert project.recordsets(where, status=wanted, limit=100) == (shown, len(shown))
            assert project.recordsets(where, status=wanted, limit=1) == (shown[:1], len(shown))
            addresses = [item.name for item in matching if item.type == "A"]
            assert project.recordsets(where, status=wanted, type="A", limit=1) == (
                addresses[:1],
                len(addresses),
            )
        assert every.total_count == len(every.items)


def test_what_is_left_of_a_deleted_zone_is_neither_shown_nor_counted(hidden, project, zone):
    gone = project.zone(f"gone.{project.apex}")
    for where in (zone, gone):
        project.add(where, f"a.{where.name}", description="one")
    _set(hidden, gone, deleted=gone.id, deleted_at=gone.created_at)

    name = f"a.{zone.name}"
    kept = [
        found.name
        for found in hidden.central.recordsets.find(
            project.context, zone.id, Query(limit=100)
        ).items
    ]
    assert project.recordsets(None, limit=100) == (kept, 3)
    assert project.recordsets(None, limit=1) == (kept[:1], 3)
    assert project.recordsets(None, limit=100, status="*I*") == (kept, 3)
    for how in (
        {"name": "a.*"}, {"name": "*.example."}, {"data": "192.0.2.1"}, {"data": "192*"},
        {"type": "A"}, {"description": "one"}, {"description": "*ne"}, {"status": "PENDING", "type": "A"},
    ):  # fmt: skip
        found, count = project.recordsets(None, limit=1, **how)
        assert count == (3 if how == {"name": "*.example."} else 1), how
        assert found in ([name], kept[:1]), how


@pytest.mark.usefixtures("hidden")
def test_a_page_behind_a_marker_counts_the_whole_list(project, zone):
    made = [project.add(zone, f"q-{number}.{zone.name}") for number in range(5)]

    for how in ({"name": "q-*"}, {"name": "*q-*"}, {"data": "192.0.2.1"}, {"type": "A"}):
        for where in (zone, None):
            found, count = project.recordsets(where, marker=made[3].id, limit=20, **how)
            assert (found, count) == ([made[4].name], 5)
    with pytest.raises(errors.BadRequest):
        project.recordsets(zone, marker="11111111-1111-1111-1111-111111111111", type="SRV")


def _rows_read(connection):
    """Return how many rows MariaDB has read on this connection; other databases do not count them."""
    if connection.dialect.name != "mysql":
        return 0
    numbers = connection.exec_driver_sql("SHOW SESSION STATUS LIKE 'Handler_read_%%'")
    return sum(int(number) for name, number in numbers if name != "Handler_read_retry")


@pytest.mark.parametrize(
    ("key", "across"),
    [
        ("created_at", False),
        ("created_at", True),
        ("type", False),
        ("type", True),
        ("updated_at", False),
        ("updated_at", True),
        ("ttl", False),
        ("id", False),
    ],
)
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_a_page_in_an_indexs_order_reads_no_more_than_it_shows(
    hidden, project, zone, across, direction, key
):
    made = [project.add(zone, f"n{number:03}.{zone.name}") for number in range(150)]
    owner = Scope(project_id=project.context.project_id) if across else zone
    marker = None if across else made[75].id
    query = Query(marker=marker, sort_key=key, sort_dir=direction)
    if marker is not None and key != "created_at":
        # All have one type, no TTL and no change: their order is that of the ids.
        query = replace(query, marker=sorted(each.id for each in made)[75])

    with hidden.database.read() as connection:
        before = _rows_read(connection)
        page = listed(connection, query, owner, limit=5, count=False)
        read = _rows_read(connection) - before

    assert len(page.items) == 5
    assert read < 40


@pytest.mark.parametrize("key", ["created_at", "name", "updated_at", "serial", "ttl", "status"])
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_a_page_of_zones_reads_no_more_than_it_shows(hidden, many_zones, key, direction):
    owner = Scope(project_id=many_zones[0].project_id)
    ordered = sorted(many_zones, key=lambda zone: (getattr(zone, key) or "", zone.id))
    query = Query(marker=ordered[20].id, sort_key=key, sort_dir=direction)

    with hidden.database.read() as connection:
        before = _rows_read(connection)
        page = zone_lists.find(connection, query, owner, limit=5, catalogs=False)
        read = _rows_read(connection) - before

    behind = ordered[21:26] if direction == "asc" else ordered[15:20][::-1]
    assert [zone.id for zone in page.items] == [zone.id for zone in behind]
    assert read < 25


@pytest.fixture(scope="module")
def many_zones(hidden):
    project = Project(hidden)
    made = [project.zone(f"z{number}.{project.apex}") for number in range(40)]
    with hidden.database.read() as connection:
        return [zones.get(connection, zone.id, EVERYTHING) for zone in made]


@pytest.mark.parametrize(
    ("filters", "many"),
    [({"data": "10.0.0.7*"}, False), ({"type": "A"}, True), ({"ttl": "60"}, True)],
)
@pytest.mark.parametrize("few", [20], indirect=True)
@pytest.mark.usefixtures("few")
def test_a_filter_that_an_index_serves_reads_what_it_leaves(hidden, project, zone, filters, many):
    for number in range(150):
        project.add(zone, f"n{number:03}.{zone.name}", "A", f"10.0.0.{number}", ttl=60)

    with hidden.database.read() as connection:
        if connection.dialect.name == "mysql":
            # As the server does by itself later.
            connection.exec_driver_sql("ANALYZE TABLE records")
        before = _rows_read(connection)
        page = listed(connection, Query(filters=filters), zone, limit=5, count=True)
        read = _rows_read(connection) - before

    assert (len(page.items), page.total_count) == (5, 150 if many else 11)
    assert read < 60


def test_an_unknown_marker_is_refused(project):
    with pytest.raises(errors.BadRequest) as caught:
        project.zones(marker="11111111-1111-1111-1111-111111111111")

    assert caught.value.type == "marker_not_found"


def test_a_character_that_cannot_be_stored_is_no_fault_of_the_service(project):
    """PostgreSQL's texts cannot hold U+0000."""
    outcomes = []
    for text in ("a\x00b", "a\x00*"):
        try:
            outcomes.append(project.zones(description=text))
        except errors.BadRequest as error:
            outcomes.append(error.code)

    assert all(outcome in (([], 0), 400) for outcome in outcomes)
