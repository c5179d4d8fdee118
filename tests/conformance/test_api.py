"""The REST API in the shapes that clients know: zones, recordsets, lists, errors."""

import itertools
import re
import uuid

import pytest
from oslo_middleware import cors, http_proxy_to_wsgi
from webob import Request

from designate.api.app import build
from tests.support.factories.zone_data import Hidden

ZONE_MEMBERS = [
    "id", "pool_id", "project_id", "name", "email", "description", "ttl", "serial", "shared",
    "status", "action", "version", "attributes", "type", "masters", "created_at", "updated_at",
    "transferred_at", "status_reason", "links",
]  # fmt: skip
RECORDSET_MEMBERS = [
    "id", "zone_id", "project_id", "name", "zone_name", "type", "records", "description", "ttl",
    "status", "action", "version", "created_at", "updated_at", "links",
]  # fmt: skip
NOBODY = "8a5b0f4e-6c55-4f0c-9d53-0e2f6e1b7a11"
numbers = itertools.count()


@pytest.fixture
def zone(call):
    return made(call, f"z{next(numbers)}.example.")


def made(call, name, **more):
    status, zone = call("POST", "/v2/zones", {"name": name, "email": "a@example.com", **more})
    assert status == 202, zone
    return zone


def recordset(call, zone, name="www", rtype="A", records=("192.0.2.1",), **more):
    body = {"name": f"{name}.{zone['name']}", "type": rtype, "records": list(records), **more}
    status, found = call("POST", f"/v2/zones/{zone['id']}/recordsets", body)
    assert status == 202, found
    return found


def test_the_version_document_has_one_current_version(call):
    status, body = call("GET", "/")

    assert status == 200
    assert [v["id"] for v in body["versions"] if v["status"] == "CURRENT"] == ["v2.4"]
    assert all(v["links"][0]["href"] == "http://localhost/v2" for v in body["versions"])


def test_healthcheck_is_ok(call):
    assert call("GET", "/healthcheck")[0] == 200


def test_a_new_zone_has_all_members_in_order(zone):
    assert list(zone) == ZONE_MEMBERS
    assert (zone["action"], zone["status"], zone["type"]) == ("CREATE", "PENDING", "PRIMARY")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}", zone["created_at"])
    assert zone["updated_at"] is None


def test_a_new_recordset_has_all_members_in_order(call, zone):
    found = recordset(call, zone)

    assert list(found) == RECORDSET_MEMBERS
    assert (found["action"], found["status"], found["ttl"]) == ("CREATE", "PENDING", None)


def test_a_recordset_without_records_is_active_and_leaves_the_zone_alone(call, zone):
    body = {"name": f"empty.{zone['name']}", "type": "A"}
    status, found = call("POST", f"/v2/zones/{zone['id']}/recordsets", body)
    serial = call("GET", f"/v2/zones/{zone['id']}")[1]["serial"]

    assert (status, found["status"], found["action"]) == (201, "ACTIVE", "NONE")
    assert serial == zone["serial"]


def test_a_zone_update_answers_update_pending(call, zone):
    status, found = call(
        "PATCH", f"/v2/zones/{zone['id']}", {"email": "b@example.com", "ttl": "60"}
    )

    assert (status, found["action"], found["status"]) == (202, "UPDATE", "PENDING")
    assert (found["email"], found["ttl"]) == ("b@example.com", 60)


def test_nameservers_and_limits(call, zone):
    assert call("GET", f"/v2/zones/{zone['id']}/nameservers") == (
        200,
        {"nameservers": [{"priority": 1, "hostname": "ns1.example.org."}]},
    )
    assert list(call("GET", "/v2/limits")[1]) == [
        "max_zones", "max_zone_recordsets", "max_zone_records", "max_recordset_records", "min_ttl",
        "max_zone_name_length", "max_recordset_name_length", "max_page_limit",
    ]  # fmt: skip


def test_a_list_begins_with_its_collection_and_counts(call, zone):
    recordset(call, zone)
    status, body = call("GET", f"/v2/zones/{zone['id']}/recordsets")

    assert status == 200
    assert list(body) == ["recordsets", "links", "metadata"]
    assert body["metadata"] == {"total_count": 3}
    assert {item["type"] for item in body["recordsets"]} == {"SOA", "NS", "A"}


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("key", ["created_at", "id", "updated_at", "name", "type", "ttl"])
def test_pages_hold_everything_once_in_every_order(call, zone, key, direction):
    for number in range(7):
        recordset(call, zone, f"n{number}", ttl=None if number % 2 else number * 10)
    path = f"/v2/zones/{zone['id']}/recordsets?limit=2&sort_key={key}&sort_dir={direction}"
    found = []
    while path:
        status, body = call("GET", path)
        assert status == 200, body
        found += body["recordsets"]
        path = body["links"].get("next", "").replace("http://localhost", "")

    values = [item[key] for item in found]
    known = [value for value in values if value is not None]
    assert len({item["id"] for item in found}) == len(found) == 9
    assert known == sorted(known, reverse=direction == "desc")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("name=a.{zone}", {"a"}),
        ("name=A.{zone}", {"a"}),
        ("name=a*", {"a", "ab"}),
        ("name=*b.{zone}", {"ab"}),
        ("name=_.{zone}", set()),
        ("type=TXT", {"ab"}),
        ("type=txt", {"ab"}),
        ("type=t*", {"ab"}),
        ("status=pending&type=a", {"a", "c"}),
        ("ttl=77", {"ab"}),
        ("ttl=x", set()),
        ("data=192.0.2.7", {"a"}),
        ("data=192.0.2.*", {"a", "c"}),
        ("data=*7", {"a"}),
        ("status=PENDING&type=A", {"a", "c"}),
        ("status=ACTIVE&type=A", set()),
        ("status=NONSENSE", set()),
        ("description=the*", {"c"}),
        ("status=&type=TXT", {"ab"}),
    ],
)
def test_recordset_filters(call, zone, query, names):
    recordset(call, zone, "a", records=["192.0.2.7", "192.0.2.8"])
    recordset(call, zone, "ab", "TXT", ['"text"'], ttl=77)
    recordset(call, zone, "c", description="the third")
    path = f"/v2/zones/{zone['id']}/recordsets?{query.format(zone=zone['name'])}"

    status, body = call("GET", path)

    assert status == 200
    assert {item["name"].partition(".")[0] for item in body["recordsets"]} == names
    assert body["metadata"]["total_count"] == len(names)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/v2/zones?type=primary", 1),
        ("/v2/zones?type=Secondary", 0),
        ("/v2/zones?status=pending", 1),
        ("/v2/zones?status=active", 0),
        ("/v2/zones?email=Hostmaster@Example.COM", 1),
        ("/v2/zones?email=HOST*", 1),
        ("/v2/zones?email=other@example.com", 0),
        ("/v2/recordsets?type=ns", 1),
        ("/v2/zones/tasks/transfer_requests?status=active", 1),
        ("/v2/zones/tasks/transfer_requests?status=complete", 0),
    ],
)
def test_filters_of_enumerations_and_emails_ignore_case(call, path, found):
    own = {"X-Auth-Project-ID": uuid.uuid4().hex, "X-Roles": "member,reader"}
    name = f"case-{uuid.uuid4()}.example."
    zone = call("POST", "/v2/zones", {"name": name, "email": "hostmaster@example.com"}, own)[1]
    call("POST", f"/v2/zones/{zone['id']}/tasks/transfer_requests", {}, own)

    status, body = call("GET", path, None, own)

    assert status == 200, body
    assert [len(items) for items in body.values() if isinstance(items, list)] == [found]


def test_recordsets_of_all_zones_carry_their_zone(call, zone):
    found = recordset(call, zone, "everywhere")

    status, body = call("GET", f"/v2/recordsets?name=everywhere.{zone['name']}")
    redirect = call("GET", f"/v2/recordsets/{found['id']}")

    assert status == 200
    assert [item["zone_name"] for item in body["recordsets"]] == [zone["name"]]
    assert redirect[0] == 301


def test_another_project_sees_nothing_and_learns_nothing(call, zone):
    found = recordset(call, zone)
    stranger = {"X-Auth-Project-ID": "stranger", "X-Roles": "member,reader"}
    paths = [f"/v2/zones/{zone['id']}", f"/v2/zones/{zone['id']}/recordsets"]
    paths += [f"/v2/zones/{zone['id']}/recordsets/{found['id']}"]

    for path in paths:
        assert call("GET", path, headers=stranger)[1]["type"] == "zone_not_found"
    assert call("GET", f"/v2/recordsets/{found['id']}", headers=stranger)[0] == 404
    assert call("GET", f"/v2/zones?name={zone['name']}", headers=stranger)[1]["zones"] == []
    assert call("DELETE", paths[0], headers=stranger)[0] == 404


def test_an_administrator_sees_all_projects_only_when_asking_for_it(call, zone):
    admin = {"X-Auth-Project-ID": "ops", "X-Roles": "admin"}
    path = f"/v2/zones/{zone['id']}"

    assert call("GET", path, headers=admin)[0] == 404
    assert call("GET", path, headers=admin | {"X-Auth-All-Projects": "True"})[0] == 200
    assert call("GET", path + "?all_projects=true", headers=admin)[0] == 200
    assert call("GET", path, headers=admin | {"X-Auth-Sudo-Project-ID": "p"})[0] == 200


@pytest.mark.parametrize("header", ["X-Auth-All-Projects", "X-Auth-Sudo-Project-ID"])
def test_a_member_may_not_use_the_switches(call, header):
    member = {"X-Roles": "member", header: "true"}

    assert call("GET", "/v2/zones", headers=member)[0] == 403


def test_a_reader_may_look_and_not_touch(call, zone):
    reader = {"X-Roles": "reader"}

    assert call("GET", f"/v2/zones/{zone['id']}", headers=reader)[0] == 200
    status, body = call("DELETE", f"/v2/zones/{zone['id']}", headers=reader)
    assert (status, body["type"]) == (403, "forbidden")
    assert body["message"] == "The roles of this token do not permit this"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "kind"),
    [
        ("GET", "/v2", None, 404, "not_found"),
        ("GET", "/v2/zones.json", None, 404, "not_found"),
        ("GET", "/v2/Zones", None, 404, "not_found"),
        ("PUT", "/v2/zones", {}, 405, "method_not_allowed"),
        ("GET", "/v2/limits/x", None, 405, "method_not_allowed"),
        ("GET", "/v2/zones/foo", None, 400, "invalid_uuid"),
        ("GET", f"/v2/zones/{NOBODY}", None, 404, "zone_not_found"),
        ("GET", f"/v2/zones/{NOBODY}/nope", None, 404, "not_found"),
        ("GET", "/v2/zones/recordsets", None, 404, "not_found"),
        ("GET", "/v2/zones?limit=0", None, 400, "invalid_limit"),
        ("GET", "/v2/zones?limit=", None, 400, "value_error"),
        ("GET", "/v2/zones?marker=x", None, 400, "invalid_marker"),
        ("GET", f"/v2/zones?marker={NOBODY}", None, 400, "marker_not_found"),
        ("GET", "/v2/zones?sort_key=x", None, 400, "invalid_sort_key"),
        ("GET", "/v2/zones?sort_dir=x", None, 400, "invalid_sort_dir"),
        ("GET", "/v2/zones?colour=x", None, 400, "bad_request"),
        ("GET", "/v2/zones?name=x&name=y", None, 400, "bad_request"),
        ("POST", "/v2/zones", b"{", 400, "invalid_json"),
        ("POST", "/v2/zones", b"[" * 100000, 400, "invalid_json"),
        ("POST", "/v2/zones", b"null", 400, "empty_request_body"),
        ("POST", "/v2/zones", [1], 400, "invalid_object"),
        ("POST", "/v2/zones", {"name": "a.example."}, 400, "invalid_object"),
        ("POST", "/v2/zones", {"email": "a@b.c"}, 400, "invalid_object"),
        ("POST", "/v2/zones", {"name": "a.b", "email": "a@b.c"}, 400, "invalid_object"),
        ("POST", "/v2/zones", {"name": "single.", "email": "a@b.c"}, 400, "invalid_zone_name"),
        ("POST", "/v2/zones", {"name": "a.b.", "email": "a b@c"}, 400, "invalid_object"),
        ("POST", "/v2/zones", {"name": "a.b.", "email": "a@b.c", "ttl": -1}, 400, "invalid_object"),
        ("POST", "/v2/zones", {"name": "a.b.", "email": "a@b.c", "x": 1}, 400, "invalid_object"),
        ("POST", "/v2/zones", {"name": "a.b.", "type": "SECONDARY"}, 400, "invalid_object"),
    ],
)  # fmt: skip
def test_refusals(call, method, path, body, status, kind):
    found_status, found = call(method, path, body)

    assert (found_status, found["type"], found["code"]) == (status, kind, status)
    assert found["request_id"].startswith("req-")


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"name": "x.{zone}", "type": "A", "records": ["1.2.3"]}, 400, "invalid_object"),
        ({"name": "x.{zone}", "type": "A", "records": "1.2.3.4"}, 400, "invalid_object"),
        ({"name": "x.{zone}", "type": "A", "records": [1]}, 400, "invalid_object"),
        ({"name": "x.{zone}", "type": "ALIAS", "records": []}, 400, "invalid_object"),
        ({"name": "x.{zone}", "records": []}, 400, "invalid_object"),
        ({"type": "A", "records": []}, 400, "invalid_object"),
        ({"name": "x.{zone}", "type": "SOA", "records": []}, 400, "bad_request"),
        ({"name": "x.elsewhere.", "type": "A", "records": []}, 400, "invalid_recordset_location"),
        ({"name": "{zone}", "type": "CNAME", "records": ["a.b."]}, 400, "invalid_recordset_location"),
        ({"name": "x.{zone}", "type": "CNAME", "records": ["a.b.", "c.d."]}, 400, "bad_request"),
        ({"name": "{zone}", "type": "NS", "records": ["a.b."]}, 409, "duplicate_recordset"),
        ({"name": "{zone}", "type": "TLSA", "records": ["3 1 1 " + "ab" * 32]}, 400, "bad_request"),
        ({"name": "x.{zone}", "type": "A", "records": [], "data": 1}, 400, "invalid_object"),
        ({"name": "x.{zone}", "type": "A", "records": [], "id": NOBODY}, 400, "invalid_object"),
    ],
)  # fmt: skip
def test_recordset_refusals(call, zone, body, status, kind):
    body = {k: v.format(zone=zone["name"]) if isinstance(v, str) else v for k, v in body.items()}

    found_status, found = call("POST", f"/v2/zones/{zone['id']}/recordsets", body)

    assert (found_status, found["type"]) == (status, kind)


def test_bad_records_are_all_named_with_their_place(call, zone):
    body = {"name": f"x.{zone['name']}", "type": "A", "records": ["192.0.2.1", "x", "y"]}

    _, found = call("POST", f"/v2/zones/{zone['id']}/recordsets", body)

    reasons = found["errors"]["errors"]
    assert found["message"] == ". ".join(reason["message"] for reason in reasons)
    assert [reason["path"] for reason in reasons] == [["records", 1], ["records", 2]]
    assert reasons[0]["validator"] == "format"
    assert reasons[0]["validator_value"] == ["A"]


def test_a_cname_stands_alone(call, zone):
    recordset(call, zone, "alias", "CNAME", ["a.example.org."])
    recordset(call, zone, "host", "A")
    path = f"/v2/zones/{zone['id']}/recordsets"
    beside = {"name": f"alias.{zone['name']}", "type": "TXT", "records": ["x"]}
    over = {"name": f"host.{zone['name']}", "type": "CNAME", "records": ["a.example.org."]}

    for body in (beside, over):
        status, found = call("POST", path, body)
        assert (status, found["type"]) == (400, "invalid_recordset_location")


def test_what_belongs_to_a_child_zone_is_not_taken_by_its_parent(call, zone):
    child = made(call, f"child.{zone['name']}")
    status, found = call(
        "POST",
        f"/v2/zones/{zone['id']}/recordsets",
        {"name": f"x.child.{zone['name']}", "type": "A", "records": ["192.0.2.1"]},
    )
    deleted = call("DELETE", f"/v2/zones/{zone['id']}")

    assert child["name"] == f"child.{zone['name']}"
    assert (status, found["type"]) == (400, "invalid_recordset_location")
    assert (deleted[0], deleted[1]["type"]) == (400, "zone_has_sub_zone")


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        ("{zone}", 409, "duplicate_zone"),
        ("{ZONE}", 409, "duplicate_zone"),
        ("below.{zone}", 403, "illegal_child"),
        ("example.", 400, "invalid_zone_name"),
    ],
)
def test_another_projects_names_are_not_to_be_had(call, zone, name, status, kind):
    upper = zone["name"].upper()
    body = {"name": name.format(zone=zone["name"], ZONE=upper), "email": "a@b.c"}

    found_status, found = call("POST", "/v2/zones", body, {"X-Auth-Project-ID": "other"})

    assert (found_status, found["type"]) == (status, kind)


def test_a_zone_above_another_projects_zone_is_refused(call):
    made(call, "deep.above-me.example.")

    status, found = call(
        "POST",
        "/v2/zones",
        {"name": "above-me.example.", "email": "a@b.c"},
        {"X-Auth-Project-ID": "other"},
    )

    assert (status, found["type"]) == (403, "illegal_parent")


def test_the_apex_is_the_services_own(call, zone):
    path = f"/v2/zones/{zone['id']}/recordsets"
    for item in call("GET", path)[1]["recordsets"]:
        for method, body in (("PUT", {"ttl": 5}), ("DELETE", None)):
            status, found = call(method, f"{path}/{item['id']}", body)
            assert (status, found["type"]) == (400, "bad_request")


def test_members_that_cannot_change_may_be_sent_back(call, zone):
    found = recordset(call, zone)
    path = f"/v2/zones/{zone['id']}/recordsets/{found['id']}"
    same = {k: found[k] for k in ("id", "name", "type", "zone_id", "project_id")}

    status, kept = call("PUT", path, same | {"ttl": 60})
    refused = call("PUT", path, {"name": "other.example."})
    moved = call("PUT", path, {"zone_name": found["zone_name"]})

    assert (status, kept["ttl"], kept["records"]) == (202, 60, found["records"])
    assert (refused[0], refused[1]["type"]) == (400, "invalid_object")
    assert (moved[0], moved[1]["type"]) == (400, "bad_request")


def test_a_body_over_the_limit_is_413(call):
    assert call("POST", "/v2/zones", b" " * 200_000)[0] == 413


def test_an_unwanted_accept_is_406(call):
    status, body = call("GET", "/v2/zones", headers={"Accept": "image/png"})

    assert status == 406
    assert body


def test_quotas_hold_under_concurrency(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    overrides = {"DEFAULT": {"quota_zones": 10}}
    with Hidden(tmp_path, **overrides) as hidden:
        call = hidden.http()

        def one(number):
            return call("POST", "/v2/zones", {"name": f"q{number}.example.", "email": "a@b.c"})[0]

        with ThreadPoolExecutor(32) as pool:
            statuses = list(pool.map(one, range(32)))
        count = call("GET", "/v2/zones")[1]["metadata"]["total_count"]

    assert statuses.count(202) == 10
    assert statuses.count(413) == 22
    assert count == 10


def test_lists_take_a_constant_number_of_statements(hidden, call, zone):
    import sqlalchemy as sa

    seen: list[str] = []

    @sa.event.listens_for(hidden.database.engine, "before_cursor_execute")
    def note(_connection, _cursor, statement, *_rest):
        seen.append(statement)

    def cost(path):
        seen.clear()
        assert call("GET", path)[0] == 200
        return len(seen)

    few = cost(f"/v2/zones/{zone['id']}/recordsets?limit=1000"), cost("/v2/zones?limit=1000")
    for number in range(20):
        recordset(call, zone, f"many{number}")
    many = cost(f"/v2/zones/{zone['id']}/recordsets?limit=1000"), cost("/v2/zones?limit=1000")
    sa.event.remove(hidden.database.engine, "before_cursor_execute", note)

    assert few == many
    assert max(many) <= 6


def test_links_follow_a_proxys_headers_only_when_told_to(tmp_path):
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "dns.example"}
    found = []
    for trusted in (False, True):
        folder = tmp_path / str(trusted)
        folder.mkdir()
        hidden = Hidden(folder)
        hidden.conf.register_opts(http_proxy_to_wsgi.OPTS, group="oslo_middleware")
        hidden.conf.set_override("enable_proxy_headers_parsing", trusted, "oslo_middleware")
        with hidden:
            body = hidden.http()("GET", "/", headers=forwarded)[1]
        found.append(body["versions"][0]["links"][0]["href"])

    assert found == ["http://localhost/v2", "https://dns.example/v2"]


def test_a_browser_of_an_allowed_origin_may_ask_first(tmp_path):
    hidden = Hidden(tmp_path)
    hidden.conf.register_opts(cors.CORS_OPTS, group="cors")
    hidden.conf.set_override("allowed_origin", ["https://dash.example"], "cors")
    preflight = {
        "Origin": "https://dash.example",
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "X-Auth-Token,X-Designate-Delete-Shares",
    }
    with hidden:
        request = Request.blank("/v2/zones", method="OPTIONS", headers=preflight)
        answer = request.get_response(build(hidden.conf, hidden.central))

    assert answer.status_int == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "https://dash.example"
    allowed = set(answer.headers["Access-Control-Allow-Headers"].split(","))
    assert allowed == {"X-Auth-Token", "X-Designate-Delete-Shares"}
