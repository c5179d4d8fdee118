"""Administration, ownership, quotas and pools over HTTP: shapes, codes, and who may do what."""

from __future__ import annotations

import threading
import time
import uuid

import pytest

from tests.support.deadlines import scaled
from tests.support.factories.zone_data import Hidden

ADMIN = {"X-Auth-Project-ID": "ops", "X-Roles": "admin,member,reader"}
EVERYWHERE = ADMIN | {"X-Auth-All-Projects": "true"}
OWNER = {"X-Auth-Project-ID": "one", "X-Roles": "member,reader"}
READER = {"X-Auth-Project-ID": "one", "X-Roles": "reader"}
OTHER = {"X-Auth-Project-ID": "two", "X-Roles": "member,reader"}
THIRD = {"X-Auth-Project-ID": "three", "X-Roles": "member,reader"}
POOL = "794ccc2c-d751-44fe-b57f-8894c9f5c842"


@pytest.fixture
def hidden(tmp_path):
    with Hidden(tmp_path) as hidden:
        yield hidden


@pytest.fixture
def call(hidden):
    return hidden.http()


def refused(answer):
    status, body = answer
    return status, body["type"]


def zone(call, name, who=OWNER):
    status, made = call("POST", "/v2/zones", {"name": name, "email": "a@example.com"}, who)
    assert status == 202, made
    return made


def recordset(call, zone_id, name, who):
    body = {"name": name, "type": "A", "records": ["192.0.2.1"]}
    return call("POST", f"/v2/zones/{zone_id}/recordsets", body, who)


COLLECTIONS = {
    "tlds": ({"name": "org"}, {"description": "changed"}, "tld"),
    "blacklists": ({"pattern": "^bad"}, {"description": "changed"}, "blacklist"),
    "tsigkeys": (
        {
            "name": "key",
            "algorithm": "hmac-sha256",
            "secret": "c2VjcmV0",
            "scope": "POOL",
            "resource_id": POOL,
        },
        {"name": "other"},
        "tsigkey",
    ),
    "pools": (
        {"name": "gold", "ns_records": [{"hostname": "ns.gold.example.", "priority": 1}]},
        {"description": "changed"},
        "pool",
    ),
}


@pytest.mark.parametrize("name", COLLECTIONS)
def test_what_administrators_keep(call, name):
    body, patch, kind = COLLECTIONS[name]
    path = f"/v2/{name}"
    status, made = call("POST", path, body, ADMIN)
    assert status == 201, made
    assert body.items() <= made.items()
    one = f"{path}/{made['id']}"
    assert made["links"]["self"].endswith(one)
    assert made["updated_at"] is None
    _, listed = call("GET", f"{path}?name=none" if name != "blacklists" else path, None, ADMIN)
    assert list(listed) == [name, "links"]
    assert call("GET", one, None, ADMIN) == (200, made)
    assert refused(call("POST", path, body, ADMIN)) == (409, f"duplicate_{kind}")
    status, changed = call("PATCH", one, patch, ADMIN)
    assert status == (202 if name == "pools" else 200)
    assert patch.items() <= changed.items()
    assert changed["updated_at"] is not None
    assert refused(call("PATCH", one, {"nope": 1}, ADMIN)) == (400, "invalid_object")
    assert refused(call("POST", path, {}, ADMIN)) == (400, "invalid_object")
    for method, where, sent in (
        ("GET", path, None),
        ("GET", one, None),
        ("POST", path, body),
        ("PATCH", one, patch),
        ("DELETE", one, None),
        ("GET", f"{path}/{uuid.uuid4()}", None),
    ):
        assert refused(call(method, where, sent, OWNER)) == (403, "forbidden"), (method, where)
    assert call("DELETE", one, None, ADMIN)[0] == 204
    gone = call("GET", one, None, ADMIN)
    assert refused(gone) == (404, f"{kind}_not_found")
    assert refused(call("GET", f"{path}/x", None, ADMIN)) == (400, "invalid_uuid")


def test_zones_lie_below_a_tld_as_soon_as_there_is_one(call):
    zone(call, "free.example.")
    assert call("POST", "/v2/tlds", {"name": "co.uk"}, ADMIN)[0] == 201

    zone(call, "shop.co.uk.")
    body = {"name": "shop.example.", "email": "a@example.com"}
    assert refused(call("POST", "/v2/zones", body, OWNER)) == (400, "invalid_zone_name")
    body = {"name": "co.uk.", "email": "a@example.com"}
    assert refused(call("POST", "/v2/zones", body, OWNER)) == (400, "invalid_zone_name")
    for bad in ("  ", "fff.", "^&$", "x" * 1000, "@p%"):
        assert refused(call("POST", "/v2/tlds", {"name": bad}, ADMIN)) == (400, "invalid_object")


def test_blacklists_refuse_names_and_never_hold_central_up(call):
    assert call("POST", "/v2/blacklists", {"pattern": "^evil"}, ADMIN)[0] == 201
    body = {"name": "evil.example.", "email": "a@example.com"}
    assert refused(call("POST", "/v2/zones", body, OWNER)) == (400, "invalid_zone_name")
    assert call("POST", "/v2/zones", body, ADMIN)[0] == 202
    assert refused(call("POST", "/v2/blacklists", {"pattern": "("}, ADMIN)) == (
        400,
        "invalid_object",
    )
    assert call("POST", "/v2/blacklists", {"pattern": "^(x|xx)+[!?]"}, ADMIN)[0] == 201
    started = time.monotonic()
    body = {"name": "x" * 60 + ".example.", "email": "a@example.com"}
    assert refused(call("POST", "/v2/zones", body, OWNER)) == (400, "invalid_zone_name")
    # Unbounded, this pattern needs longer than anybody lives.
    assert time.monotonic() - started < scaled(60)
    zone(call, "good.example.")


def test_tsig_keys_name_what_they_open(call):
    body = COLLECTIONS["tsigkeys"][0]
    wrong = body | {"resource_id": str(uuid.uuid4())}
    assert refused(call("POST", "/v2/tsigkeys", wrong, ADMIN)) == (400, "invalid_tsigkey")
    made = zone(call, "keyed.example.")
    for_zone = body | {"scope": "ZONE", "resource_id": made["id"]}
    assert call("POST", "/v2/tsigkeys", for_zone, ADMIN)[0] == 201
    for member, value in (("algorithm", "md5"), ("scope", "ALL"), ("resource_id", "x")):
        bad = body | {member: value}
        assert refused(call("POST", "/v2/tsigkeys", bad, ADMIN)) == (400, "invalid_object")


def test_what_a_share_opens_and_what_it_does_not(call):
    made = zone(call, "shared.example.")
    path = f"/v2/zones/{made['id']}"
    assert refused(call("GET", path, None, OTHER)) == (404, "zone_not_found")
    for who, want in ((READER, 403), (OTHER, 404)):
        body = {"target_project_id": "two"}
        assert call("POST", f"{path}/shares", body, who)[0] == want
    own = {"target_project_id": "one"}
    assert refused(call("POST", f"{path}/shares", own, OWNER)) == (400, "bad_request")
    status, share = call("POST", f"{path}/shares", {"target_project_id": "two"}, OWNER)
    assert status == 201
    assert (share["zone_id"], share["project_id"]) == (made["id"], "one")
    twice = call("POST", f"{path}/shares", {"target_project_id": "two"}, OWNER)
    assert refused(twice) == (409, "duplicate_shared_zone")

    assert call("GET", path, None, OTHER)[1]["shared"] is True
    assert [z["id"] for z in call("GET", "/v2/zones", None, OTHER)[1]["zones"]] == [made["id"]]
    status, theirs = recordset(call, made["id"], "two.shared.example.", OTHER)
    assert (status, theirs["project_id"]) == (202, "two")
    _, ours = recordset(call, made["id"], "one.shared.example.", OWNER)
    other_rs = f"{path}/recordsets/{theirs['id']}"
    own_rs = f"{path}/recordsets/{ours['id']}"
    assert call("PUT", other_rs, {"ttl": 60}, OTHER)[0] == 202
    assert call("PUT", other_rs, {"ttl": 61}, OWNER)[0] == 202
    for method, where, sent in (
        ("PUT", own_rs, {"ttl": 60}),
        ("DELETE", own_rs, None),
        ("PATCH", path, {"description": "mine"}),
        ("DELETE", path, None),
        ("GET", f"{path}/nameservers", None),
        ("POST", f"{path}/tasks/export", None),
        ("POST", f"{path}/tasks/transfer_requests", {}),
        ("POST", f"{path}/shares", {"target_project_id": "three"}),
        ("GET", f"{path}/shares/{share['id']}", None),
        ("DELETE", f"{path}/shares/{share['id']}", None),
        ("POST", f"{path}/tasks/abandon", None),
    ):
        assert call(method, where, sent, OTHER)[0] == 403, (method, where)
    below = {"name": "below.shared.example.", "email": "a@example.com"}
    assert refused(call("POST", "/v2/zones", below, OTHER)) == (403, "illegal_child")

    one_share = f"{path}/shares/{share['id']}"
    assert refused(call("DELETE", one_share, None, OWNER)) == (400, "shared_zone_has_recordsets")
    assert refused(call("DELETE", path, None, OWNER)) == (400, "zone_is_shared")
    assert call("GET", f"{path}/shares", None, THIRD)[1]["shared_zones"] == []
    assert call("DELETE", other_rs, None, OTHER)[0] == 202
    assert call("DELETE", one_share, None, OWNER)[0] == 204
    assert refused(call("GET", path, None, OTHER)) == (404, "zone_not_found")


def test_a_shared_zone_is_deleted_with_its_shares_when_asked(call):
    made = zone(call, "gone.example.")
    path = f"/v2/zones/{made['id']}"
    assert call("POST", f"{path}/shares", {"target_project_id": "two"}, OWNER)[0] == 201

    status, _ = call("DELETE", path, None, OWNER | {"X-Designate-Delete-Shares": "true"})

    assert status == 202
    assert call("GET", f"{path}/shares", None, OWNER)[1]["shared_zones"] == []


def test_a_zone_changes_hands(call):
    made = zone(call, "moved.example.")
    recordset(call, made["id"], "www.moved.example.", OWNER)
    path = f"/v2/zones/{made['id']}/tasks/transfer_requests"
    assert call("POST", path, {}, READER)[0] == 403
    status, request = call("POST", path, {"target_project_id": "two"}, OWNER)
    assert (status, request["status"], len(request["key"])) == (201, "ACTIVE", 8)
    again = call("POST", path, {}, OWNER)
    assert refused(again) == (409, "duplicate_zone_transfer_request")
    assert again[1]["message"] == "The zone has an open transfer request"
    one = f"/v2/zones/tasks/transfer_requests/{request['id']}"
    _, shown = call("GET", one, None, OTHER)
    assert set(shown) == {"id", "zone_id", "description", "status", "zone_name", "links"}
    assert call("GET", one, None, THIRD)[0] == 403
    assert call("DELETE", one, None, THIRD)[0] == 404
    assert call("DELETE", one, None, OTHER)[0] == 403
    assert call("PATCH", one, {"target_project_id": "three"}, OWNER)[0] == 400

    accepts = "/v2/zones/tasks/transfer_accepts"
    body = {"key": request["key"], "zone_transfer_request_id": request["id"]}
    assert refused(call("POST", accepts, body | {"key": "WRONGKEY"}, OTHER)) == (403, "invalid_key")
    assert refused(call("POST", accepts, body, THIRD)) == (403, "forbidden")
    status, accept = call("POST", accepts, body, OTHER)
    assert (status, accept["status"], accept["key"]) == (201, "COMPLETE", request["key"])
    assert call("GET", f"{accepts}/{accept['id']}", None, OTHER)[1]["key"] is None
    assert refused(call("POST", accepts, body, OTHER)) == (400, "invalid_zone_transfer_request")
    assert call("GET", f"/v2/zones/{made['id']}", None, OWNER)[0] == 404
    _, taken = call("GET", f"/v2/zones/{made['id']}", None, OTHER)
    assert taken["project_id"] == "two"
    _, rows = call("GET", "/v2/recordsets", None, OTHER)
    assert {row["project_id"] for row in rows["recordsets"]} == {"two"}
    assert call("GET", accepts, None, OTHER)[0] == 403
    assert len(call("GET", accepts, None, EVERYWHERE)[1]["transfer_accepts"]) == 1


def test_a_key_cannot_be_guessed_for_ever(call):
    made = zone(call, "guess.example.")
    _, request = call("POST", f"/v2/zones/{made['id']}/tasks/transfer_requests", {}, OWNER)
    body = {"key": "00000000", "zone_transfer_request_id": request["id"]}
    for _ in range(20):
        assert call("POST", "/v2/zones/tasks/transfer_accepts", body, OTHER)[0] == 403

    right = body | {"key": request["key"]}
    assert refused(call("POST", "/v2/zones/tasks/transfer_accepts", right, OTHER)) == (
        403,
        "invalid_key",
    )


def test_quotas_hold_exactly_under_concurrency(call):
    assert call("PATCH", "/v2/quotas/one", {"zones": "10"}, EVERYWHERE)[1]["zones"] == 10
    codes = []

    def create(number):
        body = {"name": f"q{number}.example.", "email": "a@example.com"}
        codes.append(call("POST", "/v2/zones", body, OWNER)[0])

    threads = [threading.Thread(target=create, args=(n,)) for n in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(scaled(60))

    assert sorted(codes) == [202] * 10 + [413] * 22
    assert call("GET", "/v2/zones", None, OWNER)[1]["metadata"]["total_count"] == 10


def test_who_reads_and_sets_quotas(call):
    assert call("GET", "/v2/quotas", None, READER)[0] == 200
    assert call("GET", "/v2/quotas/one", None, READER)[0] == 200
    assert call("GET", "/v2/quotas/two", None, OWNER)[0] == 403
    assert call("GET", "/v2/quotas/two", None, ADMIN)[0] == 403
    assert call("GET", "/v2/quotas/two", None, EVERYWHERE)[0] == 200
    assert call("PATCH", "/v2/quotas/one", {"zones": 1}, OWNER)[0] == 403
    assert call("PATCH", "/v2/quotas/two", {"zones": 1}, ADMIN)[0] == 403
    sudo = ADMIN | {"X-Auth-Sudo-Project-ID": "two"}
    assert call("PATCH", "/v2/quotas/two", {"zones": 1}, sudo)[1]["zones"] == 1
    for bad in ({"zones": -2}, {"zones": 2**31}, {"zones": None}, {"zones": "x"}, {"nope": 1}):
        assert refused(call("PATCH", "/v2/quotas/two", bad, EVERYWHERE)) == (400, "invalid_object")
    assert call("DELETE", "/v2/quotas/two", None, OWNER)[0] == 403
    assert call("DELETE", "/v2/quotas/two", None, ADMIN)[0] == 204
    assert call("GET", "/v2/quotas/two", None, EVERYWHERE)[1]["zones"] != 1
    assert call("POST", "/v2/quotas", {}, ADMIN)[0] == 405


@pytest.mark.parametrize(
    "switch",
    [
        {"X-Auth-All-Projects": "True"},
        {"X-Auth-Sudo-Project-ID": "two"},
        {"X-Auth-Sudo-Tenant-ID": "two"},
        {"X-Designate-Edit-Managed-Records": "1"},
        {"X-Designate-Hard-Delete": "yes"},
    ],
)
def test_switches_are_the_administrators_and_come_before_the_body(call, switch):
    made = zone(call, "switch.example.")
    for method, path, body in (
        ("GET", "/v2/zones", None),
        ("GET", "/v2/limits", None),
        ("PATCH", f"/v2/zones/{made['id']}", b"no json"),
    ):
        assert call(method, path, body, OWNER | switch)[0] == 403, path
    assert call("GET", "/v2/zones", None, ADMIN | switch)[0] == 200
    assert call("GET", "/v2/zones/x", None, OWNER | switch)[0] == 400


def test_a_zone_is_abandoned_by_administrators_only(call):
    made = zone(call, "left.example.")
    path = f"/v2/zones/{made['id']}/tasks/abandon"
    assert call("POST", path, None, OWNER)[0] == 403
    assert call("POST", path, None, ADMIN)[0] == 404
    assert call("POST", path, None, EVERYWHERE) == (204, b"")
    assert call("GET", f"/v2/zones/{made['id']}", None, OWNER)[0] == 404
    zone(call, "left.example.")


def test_a_zone_moves_to_a_pool_that_has_a_key(call):
    made = zone(call, "moving.example.")
    path = f"/v2/zones/{made['id']}/tasks/pool_move"
    body, _, _ = COLLECTIONS["pools"]
    _, pool = call("POST", "/v2/pools", body, ADMIN)
    move = {"pool_id": pool["id"]}
    assert call("POST", path, move, OWNER)[0] == 403
    assert refused(call("POST", path, move, EVERYWHERE)) == (400, "bad_request")
    key = COLLECTIONS["tsigkeys"][0] | {"resource_id": pool["id"]}
    assert call("POST", "/v2/tsigkeys", key, ADMIN)[0] == 201
    assert call("POST", path, move, EVERYWHERE) == (202, "")
    assert refused(call("POST", path, move, EVERYWHERE)) == (400, "bad_request")
    _, moved = call("GET", f"/v2/zones/{made['id']}", None, OWNER)
    assert (moved["pool_id"], moved["action"], moved["status"]) == (pool["id"], "UPDATE", "PENDING")
    _, servers = call("GET", f"/v2/zones/{made['id']}/nameservers", None, OWNER)
    assert servers["nameservers"] == [{"priority": 1, "hostname": "ns.gold.example."}]
    _, found = call("GET", f"/v2/zones/{made['id']}/recordsets?type=NS", None, OWNER)
    assert found["recordsets"][0]["records"] == ["ns.gold.example."]
    assert refused(call("DELETE", f"/v2/pools/{pool['id']}", None, ADMIN)) == (
        400,
        "invalid_operation",
    )
