"""Invalid input, generated from tables: fields, raw bodies, list parameters and ids in paths.

Each gets the documented error and code, never a 500, and nothing is stored. A new resource is a row of
RESOURCES, a new field a word in it; paths and lists come from the API's own routes.
"""

import json
import socket
import uuid
from urllib.parse import quote

import pytest

from designate.api import app
from designate.storage.sqlalchemy.tables import metadata
from tests.support.deadlines import scaled
from tests.support.factories.identities import CALLERS, OPS, POOL, Http, World
from tests.support.servers.standalone import Service

ADMIN = CALLERS["own"]
LONG = "a" * 64
CONTROLS = ["a\x00b", "a\x07b", "\x1b[31m", "a\x7f", "a\x85b"]
NO_TEXT = [[], {}, ["x"]]
SURROGATES = ["\ud800", "a\udfffb"]


def texts(longest, *more):
    return [
        *NO_TEXT,
        *CONTROLS,
        *SURROGATES,
        "x" * (longest + 1),
        "\N{SNOWMAN}" * (longest + 1),
        *more,
    ]


def lines(longest, *more):
    return [value for value in texts(longest, *more) if value is not None]


DOMAINS = [
    None, "", ".", "x", "no.dot", "a..b.", ".a.example.", "-a.example.", "a-.example.", "☃.example.",
    " a.example.", "a b.example.", "a.example.\n", "\\256.example.", "a\\.", "*a.example.",
    f"{LONG}.example.", "a." * 130, 5, True, 1.5, *NO_TEXT, *CONTROLS, *SURROGATES, "\u202ea.example.",
]  # fmt: skip
INTEGERS = [
    "", "x", "1.5", "1_0", "0x10", "\uff11", "1e3", "9" * 30, 10**30, -(10**30), True, False, [], {},
    ["1"], "\x00", "1\x00", *SURROGATES,
]  # fmt: skip
IDS = [
    None, "", "x", 5, True, [], {}, "0" * 31, "g" * 32, "\uff11" * 32, "0x" + "0" * 30, "1_" * 16,
    "{" + "0" * 32 + "}}", str(uuid.uuid4()) + "\n", " " + str(uuid.uuid4()), "\x00", *SURROGATES,
]  # fmt: skip
MAPS = [
    None, "", "x", 5, True, [], ["x"], {"": "x"}, {"a": None}, {"a": []}, {"a": {}}, {"a": "b" * 51},
    {"a" * 51: "b"}, {"a": "b\x07"}, {"a\x00": "b"}, {"a": "\ud800"}, {"\ud800": "a"},
]  # fmt: skip
KINDS = {
    "domain": DOMAINS,
    "tld": [None, "", ".", "a.", "a..b", "-a", "a b", "☃", f"{LONG}", "^&$", *texts(255)],
    "email": [
        None, "", "x", "@", "a@", "@b", "a@b@c", "a@-b.c", "a b@c.example", "a@é.example",
        f"{LONG}@b.example", 5, *texts(255),
    ],
    "ttl": [-1, 2**31, None, *INTEGERS],
    "ttl?": [-1, 2**31, *INTEGERS],
    "lines?": lines(160),
    "pattern": [None, "", "(", "*", "[", "(?P<a", *texts(255)],
    "type": [None, "", "x", "primary", "CATALOGUE", 5, True, *NO_TEXT, *SURROGATES],
    "rtype": [None, "", "x", "a", "A ", "ANY", "AXFR", "TYPE41", "TYPE99999", 5, True, *NO_TEXT,
              *SURROGATES],
    "records": [
        None, "", "192.0.2.1", 5, {}, [None], [5], [True], [[]], [{}], [""], ["x"], ["192.0.2.256"],
        ["192.0.2.1\x00"], ["192.0.2.1\n"], ["\ud800"], ["192.0.2.1", "x"], ["\uff11.2.3.4"],
    ],
    "masters": [
        None, "", "192.0.2.1", 5, {}, [], [None], [[]], [{}], [""], ["192.0.2.1:0"], ["a\x00"],
        ["192.0.2.1:65536"], ["x" * 256], ["\ud800"],
    ],
    "map": MAPS,
    "uuid": IDS,
    "uuid?": [value for value in IDS if value is not None],
    "project": [None, "", *texts(36)],
    "project?": ["", *texts(36)],
    "name50": [None, "", *texts(50)],
    "name160": [None, "", "a..b", *texts(160)],
    "secret": [None, *texts(160)],
    "key": [None, *texts(160)],
    "algorithm": [None, "", "md5", "hmac-md4", "HMAC-MD5", 5, True, *NO_TEXT, *SURROGATES],
    "scope": [None, "", "pool", "ALL", 5, True, *NO_TEXT, *SURROGATES],
    "quota": [-2, 2**31, None, *INTEGERS],
    "ns_records": [
        None, "", 5, {}, [None], ["ns.example."], [{}], [{"hostname": "ns.example."}],
        [{"priority": 1}], [{"hostname": "ns", "priority": 1}],
        [{"hostname": "ns.example.", "priority": 0}],
        [{"hostname": "ns.example.", "priority": 10001}],
        [{"hostname": "ns.example.", "priority": "x"}],
        [{"hostname": "ns.example.", "priority": 1, "nope": 1}],
        [{"hostname": "n\x00.example.", "priority": 1}],
        [{"hostname": "\ud800.", "priority": 1}],
    ],
    "zonefile": [None, 5, True, [], {}],
}  # fmt: skip
DATES = "id version created_at updated_at links"
ZONE_FIXED = "project_id serial shared status action transferred_at " + DATES
SET_FIXED = "zone_id project_id zone_name status action " + DATES
# name: request, a good body, {field: kind}, fields that must be there, fields that nobody may set.
# New objects are made by `POST`; `{x!}` is a new object each time, and what is changed is `{x}`.
RESOURCES = {
    "zones": ("POST /v2/zones", {"name": "{name!}.example.", "email": "a@example.com"},
              {"name": "domain", "email": "email", "ttl": "ttl", "description": "lines?",
               "attributes": "map", "pool_id": "uuid?", "type": "type"}, "name email", ZONE_FIXED),
    "secondary zones": ("POST /v2/zones",
                        {"name": "{name!}.example.", "type": "SECONDARY", "masters": ["192.0.2.1"]},
                        {"masters": "masters"}, "masters", ZONE_FIXED),
    "zone": ("PATCH /v2/zones/{zone}", {}, {"email": "email", "ttl": "ttl", "description": "lines?",
             "attributes": "map"}, "", "name type pool_id " + ZONE_FIXED),
    "secondary zone": ("PATCH /v2/zones/{secondary}", {}, {"masters": "masters"}, "", "email ttl"),
    "move": ("POST /v2/zones/{zone}/tasks/pool_move", {"pool_id": "{pool}"}, {"pool_id": "uuid"},
             "", ""),
    "recordsets": ("POST /v2/zones/{zone}/recordsets",
                   {"name": "{name!}.{zone.name}", "type": "A", "records": ["192.0.2.1"]},
                   {"name": "domain", "type": "rtype", "records": "records", "ttl": "ttl?",
                    "description": "lines?"}, "name type", SET_FIXED),
    "recordset": ("PUT /v2/zones/{zone}/recordsets/{rs}", {},
                  {"records": "records", "ttl": "ttl?", "description": "lines?"}, "",
                  "name type " + SET_FIXED),
    "shares": ("POST /v2/zones/{zone}/shares", {"target_project_id": "{name!}"},
               {"target_project_id": "project"}, "target_project_id", "zone_id project_id"),
    "requests": ("POST /v2/zones/{private!}/tasks/transfer_requests", {},
                 {"description": "lines?", "target_project_id": "project?"}, "", "key status"),
    "request": ("PATCH /v2/zones/tasks/transfer_requests/{open}", {},
                {"description": "lines?", "target_project_id": "project?"}, "", "key status zone_id"),
    "accepts": ("POST /v2/zones/tasks/transfer_accepts",
                {"key": "{open.key}", "zone_transfer_request_id": "{open}"},
                {"key": "key", "zone_transfer_request_id": "uuid"}, "key zone_transfer_request_id",
                "status zone_id project_id"),
    "imports": ("POST /v2/zones/tasks/imports", {"zonefile": "x"},
                {"zonefile": "zonefile", "attributes": "map"}, "zonefile", "status zone_id"),
    "floatingip": ("PATCH /v2/reverse/floatingips/RegionOne:{floatingip}",
                   {"ptrdname": "a.example."}, {"ptrdname": "domain", "ttl": "ttl?",
                   "description": "lines?"}, "", "id address status action"),
    "tlds": ("POST /v2/tlds", {"name": "x.{name!}"}, {"name": "tld", "description": "lines?"}, "name",
             DATES),
    "tld": ("PATCH /v2/tlds/{tld}", {}, {"name": "tld", "description": "lines?"}, "", DATES),
    "blacklists": ("POST /v2/blacklists", {"pattern": "^{name!}$"},
                   {"pattern": "pattern", "description": "lines?"}, "pattern", DATES),
    "blacklist": ("PATCH /v2/blacklists/{blacklist}", {},
                  {"pattern": "pattern", "description": "lines?"}, "", DATES),
    "tsigkeys": ("POST /v2/tsigkeys",
                 {"name": "{name!}", "algorithm": "hmac-sha256", "secret": "c2VjcmV0",
                  "scope": "POOL", "resource_id": POOL},
                 {"name": "name160", "algorithm": "algorithm", "secret": "secret", "scope": "scope",
                  "resource_id": "uuid"}, "name algorithm secret scope resource_id", DATES),
    "tsigkey": ("PATCH /v2/tsigkeys/{tsigkey}", {},
                {"name": "name160", "algorithm": "algorithm", "secret": "secret", "scope": "scope",
                 "resource_id": "uuid"}, "", DATES),
    "pools": ("POST /v2/pools",
              {"name": "{name!}", "ns_records": [{"hostname": "ns.example.", "priority": 1}]},
              {"name": "name50", "description": "lines?", "attributes": "map",
               "ns_records": "ns_records", "project_id": "project?"}, "name", DATES),
    "pool": ("PATCH /v2/pools/{pool}", {},
             {"name": "name50", "description": "lines?", "attributes": "map",
              "ns_records": "ns_records", "project_id": "project?"}, "", DATES),
    "quotas": ("PATCH /v2/quotas/one", {},
               dict.fromkeys(("zones", "zone_recordsets", "zone_records", "recordset_records",
                              "api_export_size"), "quota"), "", "id"),
}  # fmt: skip
# Where a value is fine though its kind forbids it elsewhere.
FINE = {
    ("floatingip", "ptrdname", "null"),  # takes the name away
    ("imports", "attributes", "null"),
}
# Answers other than 400 invalid_object, by resource, field and value (as JSON; empty: any value).
SAYS = {
    ("imports", "zonefile", ""): "bad_request",
    ("recordsets", "type", ""): "invalid_object",
    ("zone", "name", ""): ("bad_request", "invalid_object"),
    ("recordset", "zone_name", ""): "bad_request",
    ("accepts", "key", '""'): "invalid_key",
}  # fmt: skip
FLOATINGIP = "11111111-1111-4111-8111-111111111111"
OPTIONS = {
    "DEFAULT": {"network_api": "fake"},
    "network_api:fake": {"floatingips": [f"one|RegionOne|{FLOATINGIP}|192.0.2.17"]},
    "service:api": {
        "threads": 4,
        "enable_api_admin": True,
        "enabled_extensions_admin": ["quotas"],
    },
}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with Service(tmp_path_factory.mktemp("bad-input"), **OPTIONS) as service:
        yield service


@pytest.fixture(scope="module")
def world(service):
    call = Http(service)
    world = World(call)
    world.known["floatingip"] = FLOATINGIP
    for tld in ("example", "arpa"):
        world.made("POST", "/v2/tlds", {"name": tld}, OPS)
    yield world
    call.close()


@pytest.fixture(scope="module")
def call(world):
    return world.call


def caller_of(name):
    return OPS if name in ("pool", "move") else ADMIN


def filled(world, value):
    if isinstance(value, dict):
        return {key: filled(world, item) for key, item in value.items()}
    return world.fill(value) if isinstance(value, str) else value


def sent(world, name, body):
    method, path = RESOURCES[name][0].split()
    return world.call(
        method, world.fill(path, fresh=False), json.dumps(body).encode(), caller_of(name)
    )


def standard(answer):
    """Return the type of an error in the standard body."""
    status, body = answer
    assert isinstance(body, dict), answer
    assert set(body) <= {"code", "type", "message", "errors", "request_id"}, body
    assert (body["code"], type(body["type"]), bool(body["request_id"])) == (status, str, True)
    for reason in body.get("errors", {}).get("errors", ()):
        assert set(reason) == {"path", "message", "validator", "validator_value"}
    return status, body["type"]


def is_fitting(name, field, value, got):
    if isinstance(value, str | list | dict) and "\\ud" in json.dumps(value):
        return got == (400, "invalid_json") or (name == "imports" and got == (400, "bad_request"))
    as_json = json.dumps(value)
    wanted = SAYS.get((name, field, as_json), SAYS.get((name, field, ""), "invalid_object"))
    return got[1] in (wanted if isinstance(wanted, tuple) else (wanted,)) and got[0] in (400, 403)


def shown(value):
    text = json.dumps(value)
    return text if len(text) < 60 else text[:60] + f"... ({len(text)})"


# What the service changes by itself.
MOVING = {
    "status", "action", "version", "updated_at", "served_revision", "pending_since", "sent_at",
    "error", "message", "claimed_until", "attempts", "refresh_at", "expire_at", "refusals",
}  # fmt: skip
BUSY = {"service_statuses", "leases", "zone_task_files"}


def stored(service):
    """Return every row of every table, without columns that background tasks change."""
    with service.parts.database.read() as connection:
        return {
            table.name: sorted(
                repr([value for name, value in row.items() if name not in MOVING])
                for row in connection.execute(table.select()).mappings()
            )
            for table in metadata.sorted_tables
            if table.name not in BUSY
        }


@pytest.fixture
def unchanged(service, world):
    """Check that the test stores nothing."""
    for what in (
        "zone",
        "secondary",
        "rs",
        "open",
        "pool",
        "tld",
        "blacklist",
        "tsigkey",
        "private",
    ):
        world.get(what)
    before = stored(service)
    yield
    assert stored(service) == before


FIELDS = [(name, field) for name, row in RESOURCES.items() for field in row[2]]


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_values_that_do_not_fit_their_field_are_refused(world, name, field):
    _, good, fields, _, _ = RESOURCES[name]
    wrong = []
    for value in KINDS[fields[field]]:
        if (name, field, json.dumps(value)) in FINE:
            continue
        answer = sent(world, name, filled(world, good) | {field: value})
        if answer[0] < 400 or not is_fitting(name, field, value, standard(answer)):
            wrong.append((shown(value), answer))

    assert wrong == []


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("name", RESOURCES)
def test_missing_unknown_and_fixed_members_are_refused(world, name):
    _, good, _, needed, fixed = RESOURCES[name]
    wrong = []
    bodies = [
        *((field, {k: v for k, v in good.items() if k != field}) for field in needed.split()),
        *((field, good | {field: "x"}) for field in fixed.split()),
        *((field, good | {field: 1}) for field in ("nope", "", "Name", "name ", "é", "__class__")),
        ("records\x00", good | {"records\x00": 1}),
        ("x" * 1000, good | {"x" * 1000: 1}),
    ]
    for field, body in bodies:
        answer = sent(world, name, filled(world, body))
        if answer[0] < 400 or not is_fitting(name, field, 1, standard(answer)):
            wrong.append((field[:50], answer))

    assert wrong == []


@pytest.mark.parametrize("name", RESOURCES)
def test_what_is_good_is_taken(world, name):
    """Otherwise everything above could be rejected for another reason."""
    _, good, *_ = RESOURCES[name]
    status, body = sent(world, name, filled(world, good))
    assert status < 300, body


ADMIN_QUOTAS = [
    *({"quota": {"zones": value}} for value in (-1, *KINDS["quota"]) if "\\ud" not in json.dumps(value)),
    *({"quota": value} for value in (None, [], "x", 5)),
    {}, {"zones": 1}, {"quota": {}, "nope": 1}, {"quota": {"nope": 1}}, {"quota": {"zones": 1, "": 1}},
]  # fmt: skip


@pytest.mark.usefixtures("unchanged")
def test_the_admin_api_lists_what_is_wrong(call):
    wrong = []
    for body in ADMIN_QUOTAS:
        status, said = call("PATCH", "/admin/quotas/one", body, OPS)
        reasons = said.get("errors", ())
        fits = (status, said["code"], said["type"]) == (400, 400, "invalid_object")
        if not fits or not all(set(r) == {"path", "message", "validator"} for r in reasons):
            wrong.append((body, said))
    two = {"quota": {"zones": "x", "zone_records": None}}
    paths = [reason["path"] for reason in call("PATCH", "/admin/quotas/one", two, OPS)[1]["errors"]]

    assert wrong == []
    assert paths == ["quota.zones", "quota.zone_records"]
    assert call("GET", "/admin/quotas/one", None, OPS)[0] == 200


JSON = {"Content-Type": "application/json"}
DEEP = 100_000
# body, headers, status and type.
RAW = [
    (b"", JSON, 400, "empty_request_body"),
    (b"  \n", JSON, 400, "empty_request_body"),
    (b"null", JSON, 400, "empty_request_body"),
    (b"[]", JSON, 400, "invalid_object"),
    (b"[{}]", JSON, 400, "invalid_object"),
    (b'"x"', JSON, 400, "invalid_object"),
    (b"5", JSON, 400, "invalid_object"),
    (b"true", JSON, 400, "invalid_object"),
    (b"{", JSON, 400, "invalid_json"),
    (b"{]", JSON, 400, "invalid_json"),
    (b"{} {}", JSON, 400, "invalid_json"),
    (b"{'a': 1}", JSON, 400, "invalid_json"),
    (b'{"a": 1,}', JSON, 400, "invalid_json"),
    (b'{"ttl": NaN}', JSON, 400, "invalid_json"),
    (b'{"ttl": Infinity}', JSON, 400, "invalid_json"),
    (b'{"ttl": ' + b"9" * 5000 + b"}", JSON, 400, "invalid_json"),
    (b'{"name": "\xff"}', JSON, 400, "invalid_json"),
    (b"\xff\xfe{\x00}\x00", JSON, 400, "invalid_json"),
    (b"\xef\xbb\xbf{}", JSON, 400, "invalid_json"),
    (b'{"name": "\\ud800"}', JSON, 400, "invalid_json"),
    (b'{"\\udfff": 1}', JSON, 400, "invalid_json"),
    (b'{"a":' * (DEEP // 5), JSON, 400, "invalid_json"),
    (b"[" * DEEP + b"]" * (DEEP // 10), JSON, 400, "invalid_json"),
    (b"[" * 50_000 + b"]" * 50_000, JSON, 400, "invalid_json"),
    (b"{}", {"Content-Type": "text/plain"}, 415, "unsupported_content_type"),
    (b"{}", {"Content-Type": "application/xml"}, 415, "unsupported_content_type"),
    (b"{}", {"Content-Type": "application/json-patch+json"}, 415, "unsupported_content_type"),
    (b"{}", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "unsupported_content_type"),
    (b"{}", {"Content-Type": "multipart/form-data"}, 415, "unsupported_content_type"),
    (b"{}", {"Content-Type": ""}, 415, "unsupported_content_type"),
    (b"{}", {"Content-Type": "x" * 300}, 415, "unsupported_content_type"),
    (b"x" * 114_689, JSON, 413, None),
]
TAKES_NOTHING = {b"", b"  \n", b"null"}


def raw_expected(name, raw, status, kind):
    if name == "requests" and raw in TAKES_NOTHING:
        return 201, None
    if name == "imports" and status == 400:
        return 400, "bad_request"
    return status, kind


@pytest.mark.parametrize("name", [name for name in RESOURCES if name != "secondary zones"])
def test_bodies_that_are_no_object_are_refused(world, name):
    method, path = RESOURCES[name][0].split()
    wrong = []
    for raw, headers, status, kind in RAW:
        want = raw_expected(name, raw, status, kind)
        if name == "imports" and len(raw) > 114_688:
            continue  # zone files may be longer
        fresh = want[0] < 300
        answer = world.call(method, world.fill(path, fresh=fresh), raw, caller_of(name) | headers)
        if (answer[0], None) != want and standard(answer) != want:
            wrong.append((raw[:40], headers, answer))

    assert wrong == []


def test_a_body_without_a_content_type_is_refused(service):
    """A chunked body is counted while it arrives."""
    host, port = service.parts.api_address
    head = b"POST /v2/zones HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    huge = (
        head + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 5
    )
    for text, status in (
        (head + b"Content-Length: 2\r\n\r\n{}", b"415"),
        (huge + b"0\r\n\r\n", b"413"),
        (head + b"Content-Type: application/json\r\nContent-Length: 99999999\r\n\r\n{}", b"413"),
    ):
        with socket.create_connection((host, port), timeout=scaled(10)) as sock:
            sock.sendall(text)
            assert sock.recv(12).split()[1] == status


# -- paths and lists, from the API's own routes --------------------------------------------------

ROUTES = [route for module in app.RESOURCES for route in module.routes()]
BAD_IDS = [
    "x", "5", "0" * 31, "0" * 33, "g" * 32, "1_" * 16, "%00", "%0A" + "0" * 32, "0x" + "0" * 30,
    quote("\uff11" * 32), quote("é"), "%20" + "0" * 32, "-" * 36, "'%20or%201=1", "x" * 2000,
    "00000000-0000-0000-0000-00000000000g", "0000000000000000-0000-0000-0000-0000",
]  # fmt: skip
PATHS = [
    (method, route.path, index)
    for route in ROUTES
    for method in route.operations
    for index, segment in enumerate(route.path)
    if segment.startswith("{") and not segment.endswith(":text}")
]
# Another name of the argument than the one of the path.
NAMED = {
    ("DELETE", "import_id"): "zone_import_id",
    ("DELETE", "export_id"): "zone_export_id",
}


@pytest.mark.parametrize(
    ("method", "path", "index"), PATHS, ids=lambda part: part if isinstance(part, str) else None
)
def test_ids_that_are_none_are_refused_by_their_names(call, method, path, index):
    """This precedes the checks of the body, the policy and the other ids in the path."""
    name = path[index].strip("{}")
    segments = [str(uuid.uuid4()) if part.startswith("{") else part for part in path]
    for bad in BAD_IDS:
        segments[index] = bad
        status, body = call(method, "/v2/" + "/".join(segments), None, CALLERS["none"])
        if "%00" in bad:
            assert status == 400
            continue
        assert (status, body.get("type")) == (400, "invalid_uuid"), (bad, body)
        assert body["message"].startswith(f"Invalid UUID {name}: "), body
        assert len(body["message"]) < 200


@pytest.mark.parametrize("spelling", ["{0}", "{{{0}}}", "{1}", "{2}", "{{{1}}}"])
def test_other_spellings_of_ids_are_taken(world, spelling):
    zone = world.get("zone")["id"]
    text = spelling.format(zone, zone.replace("-", ""), zone.upper())
    status, found = world.call("GET", f"/v2/zones/{quote(text)}", None, ADMIN)
    assert (status, found["id"]) == (200, zone)


TEXT_IDS = ["x" * 37, "x" * 256, "%00", "a%0Ab", "%1B", "%C2%85"]


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_projects_that_cannot_be_are_refused(call, method):
    for bad in TEXT_IDS:
        body = {"zones": 1} if method == "PATCH" else None
        assert standard(call(method, f"/v2/quotas/{bad}", body, OPS))[0] == 400, bad
    for header in ("X-Auth-Sudo-Project-ID", "X-Auth-Sudo-Tenant-ID"):
        refused = call("GET", "/v2/limits", None, CALLERS["admin"] | {header: "x" * 37})
        assert standard(refused) == (400, "bad_request")


LISTS = [
    "/zones", "/zones/{zone}/recordsets", "/recordsets", "/zones/{zone}/shares",
    "/zones/tasks/imports", "/zones/tasks/exports", "/zones/tasks/transfer_requests",
    "/zones/tasks/transfer_accepts", "/tlds", "/tsigkeys", "/blacklists", "/pools",
    "/service_statuses",
]  # fmt: skip
PARAMETERS = [
    *((f"limit={bad}", "invalid_limit") for bad in (
        "0", "-1", "x", "1.5", "%2B1", "1e3", "9223372036854775808", "1" * 5000, "\uff11", " 1",
        "00000000000000000001" + "0" * 30, "1_0", "minimum")),
    ("limit=", "value_error"),
    *((f"marker={bad}", "invalid_marker") for bad in (
        "", "x", "5", "1_" * 16, "g" * 32, "\uff11" * 32, "'", "0" * 31, "x" * 3000)),
    (f"marker={uuid.uuid4()}", "marker_not_found"),
    *((f"sort_key={bad}", "invalid_sort_key") for bad in (
        "", "x", "id;", "name desc", "ID", "records", "key", "secret", "x" * 3000)),
    *((f"sort_dir={bad}", "invalid_sort_dir") for bad in ("", "x", "ASC", "asc,desc", "1")),
    *((f"{name}={value}&{name}={value}", "bad_request") for name, value in (
        ("limit", "1"), ("marker", uuid.uuid4()), ("sort_key", "created_at"), ("sort_dir", "asc"))),
    *((f"{bad}=x", "bad_request") for bad in (
        "nope", "project_id", "id", "Name", "name[]", "", "x" * 3000, "a.b", "__class__")),
    ("nope", "bad_request"),
    ("&".join(f"a{number}=1" for number in range(150)), "bad_request"),
    ("limit=%00", None), ("nope=%FF", None), ("%00=1", None), ("marker=%80", None),
]  # fmt: skip


@pytest.mark.parametrize("path", LISTS)
def test_parameters_that_do_not_fit_are_refused(world, path):
    where = "/v2" + world.fill(path)
    wrong = []
    for parameters, kind in PARAMETERS:
        got = standard(world.call("GET", f"{where}?{quote(parameters, safe='=&%')}", None, OPS))
        if got[0] != 400 or kind not in (None, got[1]):
            wrong.append((parameters[:60], got))

    assert wrong == []


def filters_of(path):
    """Return the filters of the list at the path."""
    for route in ROUTES:
        listing = route.operations.get("GET")
        resource = listing and getattr(listing.handler, "__self__", None)
        if resource is not None and "/" + "/".join(route.path) == path.replace(
            "{zone}", "{zone_id}"
        ):
            return [*resource.filters]
    raise AssertionError(path)


ODD = [
    "", "*", "%25", "**", "_", "\\", "\\*", "'", "\"", "x' or '1'='1", ";--", "!x", "<5", ">=5", "-1",
    "BETWEEN 1,2", "null", "None", "é", "\N{SNOWMAN}", "\U0001f600", "\ufffe", "\uffff*", "x" * 3000,
    "9" * 400, "1e400", "\t", "a\nb", "\x07", "1_0", "\uff11", "*" * 500, "%5B", "a*b*c*d*e*f", "0x1",
]  # fmt: skip
# No labels of domain names.
NO_LABELS = ["\N{SNOWMAN}", "\U0001f600", "\ufffe", "\uffff*"]


@pytest.mark.parametrize("path", LISTS)
def test_odd_filter_values_give_a_list(world, path):
    where = "/v2" + world.fill(path)
    wrong = []
    for name in filters_of(path):
        named = name == "name" and path.split("/")[-1] in ("zones", "recordsets", "tlds")
        for value in ODD:
            status, body = world.call("GET", f"{where}?{name}={quote(value, safe='%')}", None, OPS)
            if named and value in NO_LABELS:
                assert standard((status, body)) == (400, "bad_request")
                assert f"label '{value.strip('*')}" in body["message"]
            elif status != 200 or not isinstance(next(iter(body.values())), list):
                wrong.append((name, value[:40], status, body))
        repeated = world.call("GET", f"{where}?{name}=a&{name}=b", None, OPS)
        assert standard(repeated) == (400, "bad_request")
        assert world.call("GET", f"{where}?{name}=%00", None, OPS)[0] == 400

    assert wrong == []


# Other paths of the same lists.
ALIASES = {"/service_status", "/zones/tasks/export"}


def test_the_tables_know_every_list_and_every_body():
    """A new resource fails here until it has a row above."""
    lists = {
        "/" + "/".join(route.path)
        for route in ROUTES
        if "GET" in route.operations and route.operations["GET"].handler.__name__ == "list"
    }
    assert {path.replace("{zone}", "{zone_id}") for path in LISTS} == lists - ALIASES
    bodies = {
        f"{method} " + "/".join("{}" if part.startswith("{") else part for part in route.path)
        for route in ROUTES
        for method in route.operations
        if method in ("POST", "PUT", "PATCH")
    }
    known = {
        f"{method} " + "/".join(
            "{}" if "{" in part or part == "one" else part for part in path[4:].split("/")
        )
        for method, path in (row[0].split() for row in RESOURCES.values())
    }  # fmt: skip
    # Another method of the same handler, and what takes no body.
    without = {"PUT zones/tasks/transfer_requests/{}"}
    without |= {f"POST zones/{{}}/tasks/{task}" for task in ("abandon", "xfr", "export")}
    assert bodies == known | without


ABSENT = "00000000-0000-4000-8000-000000000000"
# Which of several faults is told: caller, request, body, status and type (reference of errors, 5).
ORDER = [
    ("none", "POST /v2/zones", {"name": "x"}, 400, "invalid_object"),
    ("none", "POST /v2/tlds", {"name": "."}, 400, "invalid_object"),
    ("none", "POST /v2/tsigkeys", {}, 400, "invalid_object"),
    ("none", "POST /v2/blacklists", {}, 400, "invalid_object"),
    ("none", "POST /v2/pools", {}, 400, "invalid_object"),
    ("none", "POST /v2/pools", {"name": "x", "ns_records": [{"hostname": "x", "priority": 1}]}, 400,
     "invalid_object"),
    ("memb3", "POST /v2/zones/{zone}/recordsets", {"name": "x"}, 400, "invalid_object"),
    ("memb3", "PATCH /v2/zones/{zone}", b"{", 400, "invalid_json"),
    ("memb3", "PATCH /v2/zones/{zone}", {"ttl": "x"}, 404, "zone_not_found"),
    ("memb3", "PATCH /v2/zones/{zone}", [], 404, "zone_not_found"),
    ("read", "PATCH /v2/zones/{zone}", {"ttl": "x"}, 400, "invalid_object"),
    ("read", "PATCH /v2/zones/{zone}", {"ttl": 60}, 403, "forbidden"),
    ("memb3", "PUT /v2/zones/{zone}/recordsets/{rs}", b"{", 400, "invalid_json"),
    ("memb3", "PUT /v2/zones/{zone}/recordsets/{rs}", {"ttl": "x"}, 404, "zone_not_found"),
    ("memb", "PUT /v2/zones/{zone}/recordsets/{soa}", {"ttl": "x"}, 400, "bad_request"),
    ("read", "PUT /v2/zones/{zone}/recordsets/{rs}", {"ttl": "x"}, 400, "invalid_object"),
    ("read", "PUT /v2/zones/{zone}/recordsets/{rs}", {"ttl": 60}, 403, "forbidden"),
    ("memb3", "POST /v2/zones/{zone}/shares", {"target_project_id": ""}, 400, "invalid_object"),
    ("memb3", "POST /v2/zones/{zone}/shares", {"target_project_id": "x"}, 404, "zone_not_found"),
    ("memb3", "POST /v2/zones/{zone}/tasks/transfer_requests", {"description": 5 * ["x"]}, 404,
     "zone_not_found"),
    ("memb3", "POST /v2/zones/{zone}/tasks/transfer_requests", {"nope": 1}, 404, "zone_not_found"),
    ("memb2", "POST /v2/zones/{zone}/tasks/transfer_requests", {"nope": 1}, 400, "invalid_object"),
    ("memb2", "POST /v2/zones/{zone}/tasks/transfer_requests", {}, 403, "forbidden"),
    ("none", "PATCH /v2/quotas/one", {"zones": "x"}, 400, "invalid_object"),
    ("syst", "PATCH /v2/quotas/one", {"zones": 1}, 401, "missing_project_id"),
    ("none", "POST /v2/zones/tasks/imports", b"{", 400, "bad_request"),
    ("none", "POST /v2/zones/tasks/imports", {"zonefile": "x"}, 403, "forbidden"),
    ("memb3", "DELETE /v2/zones/{zone}/recordsets/{soa}", None, 404, "zone_not_found"),
    ("read", "DELETE /v2/zones/{zone}/recordsets/{soa}", None, 400, "bad_request"),
    ("memb", "DELETE /v2/zones/{zone}/recordsets/{soa}", None, 400, "bad_request"),
    ("none", "DELETE /v2/tlds/" + ABSENT, None, 403, "forbidden"),
    ("admin", "DELETE /v2/tlds/" + ABSENT, None, 404, "tld_not_found"),
    ("none", "PATCH /v2/tlds/" + ABSENT, {"name": []}, 400, "invalid_object"),
    ("none", "PATCH /v2/tlds/" + ABSENT, {"name": "x"}, 403, "forbidden"),
    ("none", "DELETE /v2/tlds/x", None, 400, "invalid_uuid"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "request_", "body", "status", "kind"), ORDER)
def test_of_several_faults_the_first_is_told(world, name, request_, body, status, kind):
    if "{soa}" in request_ and "soa" not in world.known:
        path = world.fill("/v2/zones/{zone}/recordsets?type=SOA")
        (world.known["soa"],) = world.made("GET", path)["recordsets"]
    method, path = request_.split()

    assert standard(world.call(method, world.fill(path), body, CALLERS[name])) == (status, kind)
