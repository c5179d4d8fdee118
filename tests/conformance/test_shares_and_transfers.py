"""Isolation of projects: none can discover, take over or hide the zones and recordsets of another.

SECRETS has every request that names another project's object: a caller who may not see it gets the same
response, to the last byte, as for an object that does not exist. NAMES has every pair of zone names of
two projects.
"""

import itertools
import json
import re
import threading
import uuid

import pytest

from tests.support.deadlines import scaled, until
from tests.support.factories.identities import (
    CALLERS,
    DROP_SHARES,
    OPS,
    OWNER,
    POOL,
    STRANGER,
    TARGET,
    Http,
    World,
    who,
)
from tests.support.servers.standalone import Service

FLOATINGIP = "11111111-1111-4111-8111-111111111111"
OPTIONS = {
    "DEFAULT": {"network_api": "fake"},
    "network_api:fake": {"floatingips": [f"one|RegionOne|{FLOATINGIP}|192.0.2.17"]},
    "service:central": {"scheduler_filters": ["pool_id_attribute", "in_doubt_default_pool"]},
}
SUDO_OWNER = CALLERS["sudo"]
SUDO_STRANGER = who("ops", "admin", X_Auth_Sudo_Project_ID="three")
TASKS = "/v2/zones/tasks"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with Service(tmp_path_factory.mktemp("ownership"), **OPTIONS) as service:
        yield service


@pytest.fixture(scope="module")
def world(service):
    call = Http(service)
    yield World(call)
    call.close()


@pytest.fixture(scope="module")
def call(world):
    return world.call


def kind(answer):
    status, body = answer
    return status, body["type"] if status >= 400 else None


# -- what exists ---------------------------------------------------------------------------------

ONE_ZONE = "/v2/zones/{private}"
ONE_SET = "/v2/zones/{zone}/recordsets/{rs}"
SECRETS = [
    ("GET", ONE_ZONE, None, 404),
    ("PATCH", ONE_ZONE, {"description": "x"}, 404),
    ("PATCH", ONE_ZONE, {"name": "x.example."}, 404),
    ("PATCH", ONE_ZONE, {"ttl": "x"}, 404),
    ("PATCH", ONE_ZONE, {"id": "x"}, 404),
    ("PATCH", ONE_ZONE, b"{", 400),
    ("DELETE", ONE_ZONE, None, 404),
    ("DELETE", ONE_ZONE + "/x", None, 404),
    ("GET", ONE_ZONE + "/nameservers", None, 404),
    ("GET", ONE_ZONE + "/recordsets", None, 404),
    ("GET", ONE_ZONE + "/recordsets?name=x.example.", None, 404),
    ("GET", ONE_ZONE + "/recordsets?marker={rs}", None, 404),
    ("POST", ONE_ZONE + "/recordsets",
     {"name": "{private.name}", "type": "TXT", "records": ['"x"']}, 404),
    ("POST", ONE_ZONE + "/recordsets", {"name": "{private.name}", "type": "A", "records": ["x"]}, 400),
    ("GET", ONE_SET, None, 404),
    ("PUT", ONE_SET, {"ttl": 60}, 404),
    ("PUT", ONE_SET, {"ttl": "x"}, 404),
    ("PUT", ONE_SET, {"name": "x.example."}, 404),
    ("PUT", ONE_SET, {"zone_name": "x.example."}, 404),
    ("PUT", ONE_SET, {"records": ["x"]}, 404),
    ("DELETE", ONE_SET, None, 404),
    ("GET", "/v2/recordsets/{rs}", None, 404),
    ("GET", ONE_ZONE + "/shares", None, 200),
    ("POST", ONE_ZONE + "/shares", {"target_project_id": "five"}, 404),
    ("GET", "/v2/zones/{zone}/shares/{share}", None, 404),
    ("DELETE", "/v2/zones/{zone}/shares/{share}", None, 404),
    ("POST", ONE_ZONE + "/tasks/xfr", None, 404),
    ("POST", ONE_ZONE + "/tasks/abandon", None, 403),
    ("POST", ONE_ZONE + "/tasks/pool_move", {}, 404),
    ("POST", ONE_ZONE + "/tasks/export", None, 404),
    ("POST", ONE_ZONE + "/tasks/transfer_requests", {}, 404),
    ("DELETE", TASKS + "/transfer_requests/{request}", None, 404),
    ("GET", TASKS + "/transfer_accepts/{accept}", None, 404),
    ("GET", TASKS + "/imports/{import}", None, 404),
    ("DELETE", TASKS + "/imports/{import}", None, 404),
    ("GET", TASKS + "/exports/{import}", None, 404),
    ("GET", TASKS + "/exports/{export}", None, 404),
    ("GET", TASKS + "/exports/{export}/export", None, 404),
    ("DELETE", TASKS + "/exports/{export}", None, 404),
    ("GET", "/v2/quotas/{private.project_id}", None, 403),
    ("PATCH", "/v2/quotas/{private.project_id}", {"zones": 1}, 403),
    ("DELETE", "/v2/quotas/{private.project_id}", None, 403),
    ("GET", "/v2/reverse/floatingips/RegionOne:{floatingip}", None, 404),
    ("PATCH", "/v2/reverse/floatingips/RegionOne:{floatingip}", {"ptrdname": "a.example."}, 404),
    ("PATCH", "/v2/reverse/floatingips/RegionOne:{floatingip}", {"ptrdname": None}, 404),
    ("GET", "/v2/zones?marker={private}", None, 400),
    ("GET", "/v2/zones?name={private.name}", None, 200),
    ("GET", "/v2/zones?name=*{private.name}", None, 200),
    ("GET", "/v2/recordsets?marker={rs}", None, 400),
    ("GET", "/v2/recordsets?name={rs.name}", None, 200),
    ("GET", "/v2/recordsets?data=192.0.2.1", None, 200),
    ("GET", ONE_ZONE + "/shares?marker={share}", None, 400),
    ("GET", "/v2/zones/{zone}/shares?marker={share}", None, 400),
    ("GET", "/v2/zones/{zone}/shares?target_project_id=two", None, 403),
    ("GET", TASKS + "/imports?marker={import}", None, 400),
    ("GET", TASKS + "/imports?zone_id={import.zone_id}", None, 200),
    ("GET", TASKS + "/exports?marker={export}", None, 400),
    ("GET", TASKS + "/exports?zone_id={zone}", None, 200),
    ("GET", TASKS + "/transfer_requests?marker={request}", None, 400),
    ("GET", TASKS + "/transfer_requests?marker={open}", None, 400),
]  # fmt: skip


class Nothing(World):
    """The same names without objects."""

    def __init__(self):
        super().__init__(None)

    def _make(self, what):
        absent = f"absent-{what}"
        return {
            "id": str(uuid.uuid4()), "name": f"{absent}.example.", "project_id": absent,
            "zone_id": str(uuid.uuid4()),
        }  # fmt: skip


def scrubbed(world, path, answer, headers):
    """Return the response without the request's id and the requested names, which always differ."""
    status, body = answer
    text = json.dumps(body) if not isinstance(body, bytes) else body.decode()
    text = re.sub(r"req-[0-9a-f-]{36}", "REQUEST", text)
    named = {
        found if isinstance(found, str) else found.get(member): f"<{what} {member}>"
        for what in re.findall(r"\{(\w+)", path)
        for found in [world.known[what]]
        for member in ("id", "name", "zone_id")
    }
    for value in sorted(filter(None, named), key=len, reverse=True):
        text = text.replace(value, named[value])
    return status, text, sorted(set(headers) - {"Date"}), headers.get("Content-Type")


@pytest.mark.parametrize("secret", SECRETS, ids=lambda row: f"{row[0]}{row[1]}"[:70])
@pytest.mark.parametrize("name", ["memb3", "admin"])
def test_what_is_anothers_does_not_exist(world, secret, name):
    method, path, body, wanted = secret
    caller = CALLERS[name]
    if name == "admin" and ("shares" in path or "quotas" in path or "abandon" in path):
        wanted = {"DELETE/v2/quotas/{private.project_id}": 204}.get(method + path, wanted)
        wanted = 404 if "abandon" in path else wanted
        wanted = 200 if "target_project_id=" in path else wanted
    world.known.setdefault("floatingip", FLOATINGIP)

    got = []
    for objects in (world, Nothing()):
        # Objects of the same kind, the real ones made before they are asked for.
        sent = body
        if isinstance(body, dict) and "{private.name}" in body.values():
            sent = body | {"name": "www." + objects.get("private")["name"]}
        answer = world.call(method, objects.fill(path), sent, caller)
        got.append(scrubbed(objects, path, answer, world.call.headers))

    assert got[0] == got[1]
    assert got[0][0] == wanted, got[0]


NESTED = ["/v2/zones/{zone}/recordsets/{rs}", "/v2/zones/{zone}/shares/{share}"]


@pytest.mark.parametrize("path", NESTED)
def test_no_part_of_a_path_tells_whether_the_other_exists(world, path):
    """Paths have own, other projects' and absent zones, with other projects' and absent objects."""
    mine = world.made("POST", "/v2/zones", zone_body(world), STRANGER)
    real = re.findall(r"\{(\w+)\}", path)
    zones = {"own": mine["id"], "others'": world.get("zone")["id"], "absent": str(uuid.uuid4())}
    inner = {"others'": world.get(real[1])["id"], "absent": str(uuid.uuid4())}
    form = path.replace(f"{{{real[0]}}}", "%s").replace(f"{{{real[1]}}}", "%s")
    for zone, zone_id in zones.items():
        answers = {
            kind(world.call("GET", form % (zone_id, item), None, STRANGER))
            for item in inner.values()
        }
        assert len(answers) == 1, zone
        assert next(iter(answers))[0] == 404
    others = {
        kind(world.call("GET", form % (zones[zone], inner["absent"]), None, STRANGER))
        for zone in ("others'", "absent")
    }
    assert len(others) == 1


LISTS = [
    "/v2/zones", "/v2/recordsets", "/v2/zones/{zone}/shares", f"{TASKS}/imports",
    f"{TASKS}/exports", f"{TASKS}/transfer_requests", "/v2/reverse/floatingips", "/v2/quotas",
    "/v2/limits",
]  # fmt: skip
MADE = ["zone!", "rs!", "share!", "request!", "open!", "accept!", "import!", "export!"]


def test_lists_and_counts_do_not_change_by_what_others_make(world):
    def seen():
        return {path: world.call("GET", world.fill(path), None, STRANGER) for path in LISTS}

    def settled():
        """The stranger's own objects change until the nameservers serve them."""
        found = seen()
        return found if "PENDING" not in json.dumps(found) else None

    before = until(settled, 20, "the stranger's own zones")
    for what in MADE:
        world.get(what)

    assert seen() == before
    assert all(status == 200 for status, _ in before.values())
    assert before["/v2/zones"][1]["metadata"]["total_count"] == len(before["/v2/zones"][1]["zones"])


def test_a_token_without_a_project_owns_nothing(world):
    """That includes objects without a project: open transfer requests and zones of the service."""
    world.get("open!")
    for name in ("syst", "doma"):
        status, found = world.call("GET", f"{TASKS}/transfer_requests", None, CALLERS[name])
        assert (status, found["transfer_requests"]) == (200, [])


def test_one_sees_what_is_ones_own(world):
    """The lists that hide other projects' objects have the caller's own."""
    for what in ("zone", "share", "request", "import", "export"):
        world.get(what)
    for path in LISTS[:6]:
        status, found = world.call("GET", world.fill(path), None, OWNER)
        assert (status, bool(next(iter(found.values())))) == (200, True), path
    marker = world.call("GET", "/v2/zones?limit=1", None, OWNER)[1]["links"]["next"]
    path = marker.partition("/v2/")[2]
    assert world.call("GET", f"/v2/{path}", None, OWNER)[0] == 200


# -- names ---------------------------------------------------------------------------------------


def zone_body(world, name=""):
    return {"name": name or f"{world.name()}.example.", "email": "a@example.com"}


def create(world, name, project, pool=""):
    caller = who("ops", "admin", X_Auth_Sudo_Project_ID=project)
    more = {"attributes": {"pool_id": pool}} if pool else {}
    return kind(world.call("POST", "/v2/zones", zone_body(world, name) | more, caller))


def brought(world, name, project):
    """Create a zone by the import of a zone file; errors have the same texts as in `create`."""
    text = f"$ORIGIN {name}\n$TTL 300\n@ SOA ns.x.example. a.x.example. 1 2 3 4 5\n".encode()
    caller = who(project, "member,reader") | {"Content-Type": "text/dns"}
    started = world.made("POST", f"{TASKS}/imports", text, caller)
    path = f"{TASKS}/imports/{started['id']}"

    def look():
        found = world.made("GET", path, None, caller)
        return found if found["status"] != "PENDING" else None

    ended = until(look, 20, "the import's end")
    if ended["status"] == "COMPLETE":
        return 202, None
    assert ended["zone_id"] is None
    says = {
        "Duplicate zone.": (409, "duplicate_zone"),
        "An undefined error occurred. Unable to create subzone in another project's zone":
            (403, "illegal_child"),
        "An undefined error occurred. Unable to create zone because another project owns a subzone":
            (403, "illegal_parent"),
    }  # fmt: skip
    return says[ended["message"]]


def given(world, name, project):
    """Create a zone as the operators and transfer it to the project."""
    made = world.made("POST", "/v2/zones", zone_body(world, name), CALLERS["admin"])
    path = f"/v2/zones/{made['id']}/tasks/transfer_requests"
    request = world.made("POST", path, {"target_project_id": project}, OPS)
    body = {"key": request["key"], "zone_transfer_request_id": request["id"]}
    world.made("POST", f"{TASKS}/transfer_accepts", body, who(project, "member"))
    return 202, None


def lent(world, name, project):
    """Create a zone and share it with the other project, which gains no names by that."""
    made = create(world, name, project)
    owner = who("ops", "admin", X_Auth_Sudo_Project_ID=project)
    (zone,) = world.made("GET", f"/v2/zones?name={name}", None, owner)["zones"]
    other = {"one": "three", "three": "one"}[project]
    world.made("POST", f"/v2/zones/{zone['id']}/shares", {"target_project_id": other}, owner)
    return made


DUPLICATE, CHILD, PARENT = (409, "duplicate_zone"), (403, "illegal_child"), (403, "illegal_parent")
FREE = (202, None)
# The first project's zone, the second's, what the second one gets. {} is different every time.
NAMES = [
    ("{}.example.", "{}.example.", DUPLICATE),
    ("{}.example.", "{}.EXAMPLE.", DUPLICATE),
    ("{}.Example.", "{}.example.", DUPLICATE),
    ("{}.example.", "www.{}.example.", CHILD),
    ("{}.example.", "a.b.c.{}.example.", CHILD),
    ("{}.example.", "WWW.{}.eXample.", CHILD),
    ("www.{}.example.", "{}.example.", PARENT),
    ("a.b.c.{}.example.", "{}.example.", PARENT),
    ("a.b.c.{}.example.", "c.{}.EXAMPLE.", PARENT),
    ("WWW.{}.Example.", "{}.example.", PARENT),
    ("a.{}.example.", "b.{}.example.", FREE),
    ("a.{}.example.", "ba.{}.example.", FREE),
    ("ba.{}.example.", "a.{}.example.", FREE),
    ("a.{}.example.", "a-b.{}.example.", FREE),
    ("{}.in-addr.arpa.", "1.{}.in-addr.arpa.", CHILD),
    ("1.2.{}.in-addr.arpa.", "2.{}.in-addr.arpa.", PARENT),
    ("{}.ip6.arpa.", "0.{}.ip6.arpa.", CHILD),
]
FIRST = {"create": create, "import": brought, "transfer": given, "share": lent}
SECOND = {"create": create, "import": brought}


@pytest.mark.parametrize(("taken", "wanted", "answer"), NAMES)
def test_no_project_takes_a_name_over_under_or_above_anothers(world, taken, wanted, answer):
    for (how, first), (way, second), (one, other) in itertools.product(
        FIRST.items(), SECOND.items(), (("one", "three"), ("three", "one"))
    ):
        unique = world.name()
        assert first(world, taken.format(unique), one) == FREE

        assert second(world, wanted.format(unique), other) == answer, (how, way, one)


@pytest.mark.parametrize(("taken", "wanted", "answer"), NAMES)
def test_pools_are_no_way_around_it(world, taken, wanted, answer):
    unique = world.name()
    pool = world.get("open_pool")["id"]
    for first, second in ((POOL, pool), (pool, POOL)):
        unique = world.name()
        assert create(world, taken.format(unique), "one", first) == FREE

        assert create(world, wanted.format(unique), "three", second) == answer
        # One's own names are free in the other pool.
        if answer != FREE:
            assert create(world, wanted.format(unique), "one", second) == FREE


def test_families_are_told_however_large_they_are(world, service):
    """A thousand zones of one project below a name do not hide another project's zone there or above."""
    top = f"{world.name()}.example."
    with_many(service, f"m.{top}", 1200)
    assert create(world, f"zzz.m.{top}", "three") == FREE

    assert create(world, f"m.{top}", "many") == PARENT
    assert create(world, f"other.{top}", "one") == FREE
    assert create(world, f"x.other.{top}", "many") == CHILD


def with_many(service, name, count):
    """Insert zones of the project `many` below the name into the database."""
    import sqlalchemy as sa

    from designate.storage.sqlalchemy.tables import zones

    def write(tx):
        row = dict(tx.execute(sa.select(zones).limit(1)).mappings().one())
        rows = []
        for number in range(count):
            below = f"a{number}.{name}"
            rows.append(
                row
                | {
                    "id": str(uuid.uuid4()), "name": below, "name_key": below, "pool_id": POOL,
                    "reverse_key": below[::-1], "project_id": "many", "parent_zone_id": None,
                    "deleted": "0", "status": "ACTIVE", "action": "NONE",
                }
            )  # fmt: skip
        tx.execute(sa.insert(zones), rows)

    service.parts.database.write(write)


def test_both_at_once_one_wins(world, service):
    """Two projects create a parent and a child at the same time."""
    results = []
    for _ in range(12):
        top = f"{world.name()}.example."
        start = threading.Barrier(2)
        got = {}

        def run(project, name, start=start, got=got):
            call = Http(service)
            start.wait(timeout=scaled(10))
            caller = who(project, "member,reader")
            got[project] = kind(call("POST", "/v2/zones", zone_body(world, name), caller))
            call.close()

        threads = [
            threading.Thread(target=run, args=pair)
            for pair in (("one", top), ("three", f"www.{top}"))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=scaled(30))
        results.append(sorted(got.values(), key=str))

    assert all(result in ([FREE, PARENT], [FREE, CHILD]) for result in results), results


# -- shadows -------------------------------------------------------------------------------------


def recordset(world, zone, name, caller, rtype="A", records=("192.0.2.1",)):
    body = {"name": name, "type": rtype, "records": list(records)}
    return kind(world.call("POST", f"/v2/zones/{zone['id']}/recordsets", body, caller))


def test_recordsets_do_not_hide_what_belongs_to_a_zone_below(world):
    """This holds for the owner and for projects that share the zone, in any spelling and of any type."""
    zone = world.get("zone!")
    for prefix in ("child", "a.b"):
        name = f"{prefix}.{zone['name']}"

        world.made("POST", "/v2/zones", zone_body(world, name), OWNER)
        for caller in (OWNER, TARGET, OPS):
            for owner in (name, f"www.{name}", f"x.y.{name}", f"WWW.{name.upper()}", f"*.{name}"):
                refused = recordset(world, zone, owner, caller)
                assert refused == (400, "invalid_recordset_location"), (owner, caller)
            for rtype, text in (("NS", "ns.x.example."), ("TXT", '"x"'), ("CNAME", "x.example.")):
                refused = recordset(world, zone, name, caller, rtype, [text])
                assert refused == (400, "invalid_recordset_location")
        assert recordset(world, zone, f"x{name}", OWNER) == FREE


def test_nor_to_anothers_zone_below_in_another_pool(world):
    top = f"{world.name()}.example."
    assert create(world, f"sub.{top}", "one", world.get("open_pool")["id"]) == FREE
    zone = world.made("POST", "/v2/zones", zone_body(world, top), OWNER)
    hand_over(world, zone, "three")

    assert recordset(world, zone, f"www.sub.{top}", STRANGER) == (400, "invalid_recordset_location")


def hand_over(world, zone, project):
    path = f"/v2/zones/{zone['id']}/tasks/transfer_requests"
    request = world.made("POST", path, {"target_project_id": project}, OPS)
    body = {"key": request["key"], "zone_transfer_request_id": request["id"]}
    return world.made("POST", f"{TASKS}/transfer_accepts", body, who(project, "member"))


def test_imports_do_not_hide_what_belongs_to_a_zone_below(world):
    top = f"{world.name()}.example."
    assert create(world, f"sub.{top}", "one") == FREE
    text = (
        f"$ORIGIN {top}\n$TTL 300\n@ SOA ns.x.example. a.x.example. 1 2 3 4 5\n"
        "www.SUB A 192.0.2.1\n"
    )
    started = world.made(
        "POST", f"{TASKS}/imports", text.encode(), OWNER | {"Content-Type": "text/dns"}
    )

    def look():
        found = world.made("GET", f"{TASKS}/imports/{started['id']}")
        return found if found["status"] != "PENDING" else None

    ended = until(look, 20, "the import's end")
    assert (ended["status"], ended["zone_id"]) == ("ERROR", None)
    assert "child zone" in ended["message"]


def test_whoever_has_the_reverse_zone_is_not_written_into(world):
    """A floating IP's name is rejected if its PTR record belongs to another project's zone."""
    assert create(world, "2.0.192.in-addr.arpa.", "three") == FREE
    path = f"/v2/reverse/floatingips/RegionOne:{FLOATINGIP}"
    refused = world.call("PATCH", path, {"ptrdname": "a.example."}, OWNER)

    assert kind(refused) in (DUPLICATE, CHILD)
    (zone,) = world.made("GET", "/v2/zones?name=2.0.192.in-addr.arpa.", None, STRANGER)["zones"]
    found = world.made("GET", f"/v2/zones/{zone['id']}/recordsets", None, STRANGER)
    assert {row["type"] for row in found["recordsets"]} == {"SOA", "NS"}


# -- changing hands ------------------------------------------------------------------------------


def test_a_zone_that_changed_hands_is_the_new_owners_alone(world):
    zone = world.get("zone!")
    path = f"/v2/zones/{zone['id']}"
    world.made("POST", f"{path}/shares", {"target_project_id": "three"})
    recordset(world, zone, f"own.{zone['name']}", OWNER)
    hand_over(world, zone, "three")

    for method, where, body in (
        ("GET", path, None),
        ("PATCH", path, {"description": "still mine"}),
        ("DELETE", path, None),
        ("GET", f"{path}/recordsets", None),
        ("POST", f"{path}/tasks/export", None),
        ("POST", f"{path}/shares", {"target_project_id": "five"}),
    ):
        assert kind(world.call(method, where, body, OWNER))[0] == 404, (method, where)
    assert world.call("GET", f"{path}/shares", None, OWNER)[1]["shared_zones"] == []
    shares = world.made("GET", f"{path}/shares", None, STRANGER)["shared_zones"]
    assert [share["target_project_id"] for share in shares] == ["two"]
    assert world.call("GET", path, None, TARGET)[0] == 200
    assert world.call("DELETE", f"{path}/shares/{shares[0]['id']}", None, STRANGER)[0] == 204
    assert world.call("GET", path, None, TARGET)[0] == 404
    assert world.call("DELETE", path, None, STRANGER)[0] == 202


def test_strangers_do_not_use_up_the_tries_of_the_target(world):
    request = world.get("request!")
    body = {"key": "WRONGKEY", "zone_transfer_request_id": request["id"]}
    for _ in range(25):
        refused = world.call("POST", f"{TASKS}/transfer_accepts", body, STRANGER)
        assert kind(refused) == (403, "forbidden")

    right = body | {"key": request["key"]}
    assert world.call("POST", f"{TASKS}/transfer_accepts", right, TARGET)[0] == 201


def test_offers_of_zones_that_are_gone_are_gone(world):
    request = world.get("open!")
    zone = f"/v2/zones/{request['zone_id']}"
    world.made("POST", f"{zone}/tasks/abandon", None, OPS | DROP_SHARES)

    gone = world.call("GET", f"{TASKS}/transfer_requests/{request['id']}", None, OWNER)
    assert kind(gone) == (404, "zone_transfer_request_not_found")
    body = {"key": request["key"], "zone_transfer_request_id": request["id"]}
    taken = world.call("POST", f"{TASKS}/transfer_accepts", body, STRANGER)
    assert kind(taken)[0] == 404


def test_who_deletes_a_zone_and_then_its_offer_finds_both_gone(world):
    """Zones are deleted so fast that clients which clean up would otherwise get an error."""
    request = world.get("open!")
    path = f"{TASKS}/transfer_requests/{request['id']}"
    world.made("POST", f"/v2/zones/{request['zone_id']}/tasks/abandon", None, OPS | DROP_SHARES)

    assert kind(world.call("DELETE", path, None, STRANGER))[0] == 404
    assert world.call("DELETE", path, None, OWNER)[0] == 204
    assert kind(world.call("DELETE", path, None, OWNER))[0] == 404


# -- pools ---------------------------------------------------------------------------------------


def delete_result(world, zone, caller=OWNER):
    """Delete a zone and return the status and the error; a zone with children in its pool stays."""
    return kind(world.call("DELETE", f"/v2/zones/{zone['id']}", None, caller))


def zone_chain(world):
    """Return three zones, each below the previous one, and a function that moves one."""
    top = f"{world.name()}.example."
    zones = [
        world.made("POST", "/v2/zones", zone_body(world, name), OWNER)
        for name in (top, f"b.{top}", f"a.b.{top}")
    ]

    def move(zone):
        body = {"pool_id": world.get("open_pool")["id"]}
        world.made("POST", f"/v2/zones/{zone['id']}/tasks/pool_move", body, OPS)

    return *zones, move


def test_a_moved_zone_leaves_its_children_to_its_parent_and_meets_its_own_again(world):
    highest, middle, lowest, move = zone_chain(world)
    move(middle)
    assert delete_result(world, highest) == (400, "zone_has_sub_zone")

    move(lowest)
    assert delete_result(world, middle) == (400, "zone_has_sub_zone")
    assert delete_result(world, highest)[0] == 202
    assert delete_result(world, lowest)[0] == 202


def test_a_moved_zone_becomes_the_parent_of_those_below_it(world):
    highest, middle, lowest, move = zone_chain(world)
    move(lowest)
    move(middle)

    assert delete_result(world, middle) == (400, "zone_has_sub_zone")
    assert delete_result(world, highest)[0] == 202


def test_a_zone_does_not_move_onto_its_namesake(world):
    pool = world.get("open_pool")["id"]
    name = f"{world.name()}.example."
    first = world.made("POST", "/v2/zones", zone_body(world, name), OWNER)
    assert create(world, name, "one", pool) == FREE

    move = f"/v2/zones/{first['id']}/tasks/pool_move"
    assert kind(world.call("POST", move, {"pool_id": pool}, OPS)) == DUPLICATE
    _, still = world.call("GET", f"/v2/zones/{first['id']}", None, OWNER)
    assert still["pool_id"] == POOL
