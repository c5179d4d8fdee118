"""Whose a name is, is decided on its labels: by no spelling does a tenant get into another's zone."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import dns.name
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from designate import domain_names, errors
from designate.context import Context
from designate.model.query import Query
from designate.model.recordsets import RecordSetDraft
from designate.model.zones import ZoneDraft
from tests.support.factories.name_strategies import LABELS, name_of, spellings

NUMBERS = itertools.count(1)
# Few enough that names meet, and labels that hold the text of others.
NAMES = st.lists(
    st.sampled_from([b"a", b"A", b"b", b"a.b", b"b.a", b"b\\", b"\\", b"0/25"]) | LABELS,
    max_size=3,
).map(tuple)


@dataclass
class Tenants:
    """Two tenants, and what they have by dnspython's names."""

    hidden: object
    zones: dict[dns.name.Name, tuple[str, str]] = field(default_factory=dict)
    recordsets: set[tuple[str, dns.name.Name]] = field(default_factory=set)
    number: int = field(default_factory=lambda: next(NUMBERS))

    def context(self, tenant):
        return Context(project_id=f"t{self.number}{tenant}", roles=["member", "reader"])

    def create_zone(self, tenant, name, spelled):
        """Create a zone and return the error's type; "" for none."""
        draft = ZoneDraft(name=spelled, email="a@example.com")
        try:
            zone = self.hidden.central.zones.create(self.context(tenant), draft)
        except errors.DesignateError as error:
            return error.type
        assert dns.name.from_text(zone.name) == name
        self.zones[name] = tenant, zone.id
        return ""

    def zone_error(self, tenant, name):
        """Return the error's type that a new zone must have."""
        if name in self.zones:
            return "duplicate_zone"
        above = [other for other in self.zones if name.is_subdomain(other)]
        nearest = max(above, key=len, default=None)
        if nearest is not None and self.zones[nearest][0] != tenant:
            return "illegal_child"
        if any(other.is_subdomain(name) and self.zones[other][0] != tenant for other in self.zones):
            return "illegal_parent"
        return ""

    def create_recordset(self, zone, name, spelled):
        tenant, zone_id = self.zones[zone]
        draft = RecordSetDraft(name=spelled, type="A", records=("192.0.2.1",))
        try:
            found = self.hidden.central.recordsets.create(self.context(tenant), zone_id, draft)
        except errors.DesignateError as error:
            return error.type
        assert dns.name.from_text(found.name) == name
        self.recordsets.add((zone_id, name))
        return ""

    def recordset_error(self, zone, name):
        between = [other for other in self.zones if other.is_subdomain(zone) and other != zone]
        if not name.is_subdomain(zone):
            return "invalid_recordset_location"
        if (self.zones[zone][1], name) in self.recordsets:
            return "duplicate_recordset"
        if any(name.is_subdomain(other) for other in between):
            return "invalid_recordset_location"
        return ""

    def found(self, zone, pattern):
        """Return the names of the zone's A recordsets that a filter finds."""
        tenant, zone_id = self.zones[zone]
        query = Query(filters={"name": pattern, "type": "A"}, limit=1000)
        page = self.hidden.central.recordsets.find(self.context(tenant), zone_id, query)
        return {dns.name.from_text(item.name) for item in page.items}


@given(st.data())
@settings(max_examples=12, suppress_health_check=list(HealthCheck))
def test_no_spelling_gets_into_a_zone_and_none_is_refused_wrongly(hidden, data):
    tenants = Tenants(hidden)
    # Of one length, so that the same draws mean the same.
    top = (b"names%06d" % tenants.number, b"example")
    for _ in range(6):
        labels = (*data.draw(NAMES), *top)
        spelled = data.draw(spellings(labels))
        tenant, name = data.draw(st.sampled_from("xy")), name_of(labels)
        expected = tenants.zone_error(tenant, name)

        assert tenants.create_zone(tenant, name, spelled) == expected, spelled
    for _ in range(8):
        zone = data.draw(st.sampled_from(sorted(tenants.zones)))
        above = data.draw(st.sampled_from([zone.labels[:-1], top]))
        labels = (*data.draw(NAMES), *above)
        spelled, name = data.draw(spellings(labels)), name_of(labels)
        expected = tenants.recordset_error(zone, name)

        assert tenants.create_recordset(zone, name, spelled) == expected, spelled
        assert tenants.found(zone, spelled) == (
            {name} if (tenants.zones[zone][1], name) in tenants.recordsets else set()
        )
    for zone, (_, zone_id) in tenants.zones.items():
        below = {name for owner, name in tenants.recordsets if owner == zone_id and name != zone}
        assert tenants.found(zone, "*." + domain_names.text(zone.labels)) == below


def code(hidden, method, path, body=None):
    status, found = hidden.http()(method, path, body)
    return (status, found) if status < 400 else (status, found["type"])


@pytest.fixture
def apex():
    return f"pages{next(NUMBERS)}.example."


def test_an_escaped_dot_makes_another_zone_and_no_child(hidden, apex):
    """Two tenants: the second one's zone is beside the first one's, not in it."""
    hidden.zone(apex)
    other = Context(project_id="other", roles=["member", "reader"])
    draft = ZoneDraft(name=f"foo\\.{apex}", email="a@example.com")
    zone = hidden.central.zones.create(other, draft)

    assert zone.name == f"foo\\046{apex}"
    assert zone.parent_zone_id is None
    with pytest.raises(errors.Forbidden):
        hidden.central.zones.create(other, ZoneDraft(name=f"fo\\111.{apex}", email="a@example.com"))


@pytest.mark.parametrize(
    ("given_name", "stored"),
    [
        ("_sip._tcp.b\u00fccher.", "_sip._tcp.xn--bcher-kva."),
        ("*.B\u00fccher.", "*.xn--bcher-kva."),
        ("\\097b.", "ab."),
        ("0/25.", "0/25."),
        ("a\\.b\\032c.", "a\\046b\\032c."),
    ],
)
def test_names_are_stored_shown_found_and_repeated_in_one_form(hidden, apex, given_name, stored):
    zone = hidden.zone(apex)
    call, path = hidden.http(), f"/v2/zones/{zone.id}/recordsets"
    name = given_name + apex
    status, made = call("POST", path, {"name": name, "type": "TXT", "records": ['"x"']})

    assert (status, made["name"]) == (202, stored + apex)
    for filtered in (name, stored.upper() + apex, stored + "*"):
        listed = code(hidden, "GET", f"{path}?name={_quoted(filtered)}")[1]
        assert [item["name"] for item in listed["recordsets"]] == [stored + apex]
    again = {"name": stored + apex, "type": "TXT", "records": ['"y"']}
    assert code(hidden, "POST", path, again) == (409, "duplicate_recordset")
    assert call("PUT", f"{path}/{made['id']}", {**again, "name": name})[0] == 202
    changed = code(hidden, "PUT", f"{path}/{made['id']}", {**again, "name": "x." + apex})
    assert changed == (400, "invalid_object")


def test_zones_are_found_by_their_u_labels(hidden, apex):
    zone = hidden.zone(f"b\u00fccher.{apex}")

    assert zone.name == f"xn--bcher-kva.{apex}"
    for pattern in (f"b\u00fccher.{apex}", f"*.{apex}", f"B\u00dcCHER.{apex[:-1]}*"):
        found = code(hidden, "GET", f"/v2/zones?name={_quoted(pattern)}")[1]
        assert [item["id"] for item in found["zones"]] == [zone.id]


def test_a_bad_u_label_is_named(hidden, apex):
    zone = hidden.zone(apex)
    call = hidden.http()
    path = f"/v2/zones/{zone.id}/recordsets"
    bodies = [
        ("POST", "/v2/zones", {"name": f"\u2603.{apex}", "email": "a@example.com"}),
        ("POST", path, {"name": f"x.\u2603.{apex}", "type": "A", "records": ["192.0.2.1"]}),
        ("GET", f"{path}?name={_quoted(f'x.{chr(0x2603)}.{apex}')}", None),
        ("POST", "/v2/tlds", {"name": "\u2603"}),
    ]
    for method, url, body in bodies:
        status, found = call(method, url, body, {"X-Roles": "admin"})

        assert status == 400
        assert "label '\u2603'" in found["message"]


def test_zones_of_other_names_are_refused_in_every_spelling_with_the_rule(hidden, apex):
    call = hidden.http()
    for name, rule in (
        ("\\042.", "it may not have '*'"),
        ("*.", "it may not have '*'"),
        ("a\\*.", "it may not have '*'"),
        ("/a.", "inside labels only"),
        ("a+b.", "'+' must be written \\043"),
    ):
        body = {"name": name + apex, "email": "a@example.com"}
        status, found = call("POST", "/v2/zones", body)

        assert (status, found["type"]) == (400, "invalid_object")
        assert rule in found["message"]


def _quoted(text):
    from urllib.parse import quote

    return quote(text, safe="*")
