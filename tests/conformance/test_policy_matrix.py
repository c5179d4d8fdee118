"""Every rule of the policy, checked over HTTP with every kind of caller.

REQUESTS has for each rule a request that needs it, and the status for each caller of
tests.support.factories.identities, as in the public policy reference; RULES has what the rules themselves
permit. Both are written down here and not derived from the service.
"""

import contextlib

import pytest

from designate import errors
from designate.central.policy import Policy, list_rules
from designate.context import Context
from tests.support.deadlines import until
from tests.support.factories.identities import CALLERS, POOL, Http, World
from tests.support.servers.standalone import Service, make_conf

OPTIONS = {
    "service:api": {
        "enable_api_admin": True,
        "enabled_extensions_admin": ["quotas", "reports", "zones"],
        "threads": 4,
    },
    "service:central": {
        "min_ttl": 60,
        "scheduler_filters": ["pool_id_attribute", "default_pool"],
    },
}
ZONE = {"name": "{name!}.example.", "email": "a@example.com"}
A = {"type": "A", "records": ["192.0.2.1"]}
IN_ZONE = {"name": "{name!}.{zone.name}"} | A
IN_SECONDARY = {"name": "{name!}.{secondary.name}"} | A
KEY = {"algorithm": "hmac-md5", "secret": "", "scope": "POOL", "resource_id": POOL}
TEXT = "text/dns"
DROP = {"X-Designate-Delete-Shares": "true"}
MANAGED = {"X-Designate-Edit-Managed-Records": "true"}
HARD = {"X-Designate-Hard-Delete": "true"}
SUDO = {"X-Auth-Sudo-Project-ID": "two"}
ALL = {"X-Auth-All-Projects": "true"}
Z = "/v2/zones/{zone}"
TASKS = "/v2/zones/tasks"

# rule, request, body, headers; then what each caller is answered, in the order of WHO.
WHO = "admin all sudo own memb bare read none memb2 read2 none2 memb3 read3 syst doma".split()  # noqa: SIM905
REQUESTS = [
    # switches of a request
    ("all_tenants", "GET /v2/limits", None, ALL,
     "200 200 200 200 403 403 403 403 403 403 403 403 403 403 403"),
    ("use_sudo", "GET /v2/limits", None, SUDO,
     "200 200 200 200 403 403 403 403 403 403 403 403 403 403 403"),
    ("edit_managed_records", "GET /v2/limits", None, MANAGED,
     "200 200 200 200 403 403 403 403 403 403 403 403 403 403 403"),
    ("hard_delete", "GET /v2/limits", None, HARD,
     "200 200 200 200 403 403 403 403 403 403 403 403 403 403 403"),
    ("use_low_ttl", "POST /v2/zones", ZONE | {"ttl": 59}, {},
     "202 202 202 202 400 400 403 403 400 403 403 400 403 403 403"),
    ("use_blacklisted_zone", "POST /v2/zones", ZONE | {"name": "{name!}.black.example."}, {},
     "202 202 202 202 400 400 403 403 400 403 403 400 403 403 403"),
    ("zone_create_forced_pool", "POST /v2/zones", ZONE | {"attributes": {"pool_id": POOL}}, {},
     "202 202 202 202 403 403 403 403 403 403 403 403 403 403 403"),
    # zones
    ("create_zone", "POST /v2/zones", ZONE, {},
     "202 202 202 202 202 202 403 403 202 403 403 202 403 403 403"),
    ("get_zone", f"GET {Z}", None, {},
     "404 200 200 200 200 403 200 403 200 200 200 404 404 404 404"),
    ("find_zones", "GET /v2/zones", None, {},
     "200 200 200 200 200 403 200 403 200 200 403 200 200 403 403"),
    ("update_zone", f"PATCH {Z}", {"description": "x"}, {},
     "404 202 202 202 202 403 403 403 403 403 403 404 404 404 404"),
    ("delete_zone", "DELETE /v2/zones/{zone!}", None, DROP,
     "404 202 202 202 202 202 403 403 403 403 403 404 404 404 404"),
    ("abandon_zone", "POST /v2/zones/{zone!}/tasks/abandon", None, DROP,
     "404 204 204 204 403 403 403 403 403 403 403 403 403 403 403"),
    ("xfr_zone", f"POST {Z}/tasks/xfr", None, {},
     "404 400 400 400 400 403 403 403 403 403 403 404 404 404 404"),
    ("pool_move_zone", "POST /v2/zones/{zone!}/tasks/pool_move", {"pool_id": "{pool}"}, {},
     "404 202 202 202 403 403 403 403 403 403 403 404 404 404 404"),
    ("get_zone_ns_records", f"GET {Z}/nameservers", None, {},
     "404 200 200 200 200 403 200 403 403 403 403 404 404 404 404"),
    ("get_zone_nameservers_status", f"GET {Z}/nameservers/status", None, {},
     "404 200 200 200 403 403 403 403 403 403 403 404 404 404 404"),
    # recordsets
    ("create_recordset", f"POST {Z}/recordsets", IN_ZONE, {},
     "404 202 202 202 202 202 403 403 202 202 202 404 404 404 404"),
    ("create_recordset", "POST /v2/zones/{secondary}/recordsets", IN_SECONDARY, {},
     "404 202 202 202 403 403 403 403 403 403 403 404 404 404 404"),
    ("get_recordset", f"GET {Z}/recordsets/{{rs}}", None, {},
     "404 200 200 200 200 403 200 403 200 200 200 404 404 404 404"),
    ("get_recordset", "GET /v2/recordsets/{rs}", None, {},
     "404 301 301 301 301 403 301 403 301 301 301 404 404 404 404"),
    ("find_recordsets", "GET /v2/recordsets", None, {},
     "200 200 200 200 200 403 200 403 200 200 403 200 200 403 403"),
    ("find_recordsets", f"GET {Z}/recordsets", None, {},
     "404 200 200 200 200 403 200 403 200 200 403 404 404 404 404"),
    ("update_recordset", f"PUT {Z}/recordsets/{{rs}}", {"ttl": 300}, {},
     "404 202 202 202 202 202 403 403 403 403 403 404 404 404 404"),
    ("update_recordset", f"PUT {Z}/recordsets/{{theirs}}", {"ttl": 300}, {},
     "404 202 202 202 202 202 403 403 202 403 403 404 404 404 404"),
    ("update_recordset", "PUT /v2/zones/{secondary}/recordsets/{secondary_rs}", {"ttl": 300}, {},
     "404 202 202 202 403 403 403 403 403 403 403 404 404 404 404"),
    ("delete_recordset", f"DELETE {Z}/recordsets/{{rs!}}", None, {},
     "404 202 202 202 202 202 403 403 403 403 403 404 404 404 404"),
    ("delete_recordset", f"DELETE {Z}/recordsets/{{theirs!}}", None, {},
     "404 202 202 202 202 202 403 403 202 403 403 404 404 404 404"),
    ("delete_recordset", "DELETE /v2/zones/{secondary}/recordsets/{secondary_rs!}", None, {},
     "404 202 202 202 403 403 403 403 403 403 403 404 404 404 404"),
    # shares
    ("share_zone", f"POST {Z}/shares", {"target_project_id": "{name!}"}, {},
     "404 201 201 201 201 201 403 403 403 403 403 404 404 401 401"),
    ("get_zone_share", f"GET {Z}/shares/{{shared}}", None, {},
     "404 200 200 200 200 200 403 403 403 403 403 404 404 404 404"),
    ("unshare_zone", f"DELETE {Z}/shares/{{share!}}", None, {},
     "404 204 204 204 204 204 403 403 404 404 404 404 404 404 404"),
    ("find_zone_shares", f"GET {Z}/shares", None, {},
     "200 200 200 200 200 200 403 403 200 403 403 200 403 403 403"),
    ("find_project_zone_share", f"GET {Z}/shares?target_project_id=two", None, {},
     "200 200 200 200 403 403 403 403 200 403 403 403 403 403 403"),
    # transfers
    ("create_zone_transfer_request", "POST /v2/zones/{zone!}/tasks/transfer_requests", {}, {},
     "404 201 201 201 201 403 403 403 403 403 403 404 404 401 401"),
    ("get_zone_transfer_request", f"GET {TASKS}/transfer_requests/{{request}}", None, {},
     "200 200 200 200 200 200 403 403 200 200 200 403 403 403 403"),
    ("get_zone_transfer_request", f"GET {TASKS}/transfer_requests/{{open}}", None, {},
     "200 200 200 200 200 200 200 200 200 200 200 200 200 403 403"),
    ("find_zone_transfer_requests", f"GET {TASKS}/transfer_requests", None, {},
     "200 200 200 200 200 200 200 200 200 200 200 200 200 200 200"),
    ("update_zone_transfer_request", f"PATCH {TASKS}/transfer_requests/{{request}}",
     {"description": "x"}, {},
     "200 200 200 200 200 200 403 403 403 403 403 403 403 403 403"),
    ("update_zone_transfer_request", f"PATCH {TASKS}/transfer_requests/{{open}}",
     {"description": "x"}, {},
     "200 200 200 200 200 200 403 403 403 403 403 403 403 403 403"),
    ("delete_zone_transfer_request", f"DELETE {TASKS}/transfer_requests/{{request!}}", None, {},
     "404 204 204 204 204 204 403 403 403 403 403 404 404 404 404"),
    ("create_zone_transfer_accept", f"POST {TASKS}/transfer_accepts", "{request!}", {},
     "201 201 201 201 403 403 403 403 201 201 201 403 403 401 401"),
    ("create_zone_transfer_accept", f"POST {TASKS}/transfer_accepts", "{open!}", {},
     "201 201 201 201 201 201 201 201 201 201 201 201 201 401 401"),
    ("get_zone_transfer_accept", f"GET {TASKS}/transfer_accepts/{{accept}}", None, {},
     "404 200 404 404 404 404 404 404 200 200 403 404 404 404 404"),
    ("find_zone_transfer_accepts", f"GET {TASKS}/transfer_accepts", None, {},
     "200 200 200 200 403 403 403 403 403 403 403 403 403 403 403"),
    # imports and exports
    ("create_zone_import", f"POST {TASKS}/imports", TEXT, {},
     "202 202 202 202 202 202 403 403 202 403 403 202 403 403 403"),
    ("find_zone_imports", f"GET {TASKS}/imports", None, {},
     "200 200 200 200 200 403 200 403 200 200 403 200 200 403 403"),
    ("get_zone_import", f"GET {TASKS}/imports/{{import}}", None, {},
     "404 200 200 200 200 403 200 403 404 404 403 404 404 403 403"),
    ("delete_zone_import", f"DELETE {TASKS}/imports/{{import!}}", None, {},
     "404 204 204 204 204 204 403 403 404 403 403 404 403 403 403"),
    ("create_zone_export", f"POST {Z}/tasks/export", None, {},
     "404 202 202 202 202 202 403 403 403 403 403 404 404 404 404"),
    ("find_zone_exports", f"GET {TASKS}/exports", None, {},
     "200 200 200 200 200 403 200 403 200 200 403 200 200 403 403"),
    ("get_zone_export", f"GET {TASKS}/exports/{{export}}", None, {},
     "404 200 200 200 200 403 200 403 404 404 403 404 404 403 403"),
    ("zone_export", f"GET {TASKS}/exports/{{export}}/export", None, {},
     "404 200 200 200 200 200 403 403 404 403 403 404 403 403 403"),
    ("zone_export", "GET /admin/zones/export/{zone}", None, {},
     "404 200 200 200 403 403 403 403 403 403 403 403 403 403 403"),
    ("delete_zone_export", f"DELETE {TASKS}/exports/{{export!}}", None, {},
     "404 204 204 204 204 204 403 403 404 403 403 404 403 403 403"),
    # quotas
    ("get_quotas", "GET /v2/quotas/one", None, {},
     "403 200 200 200 200 403 200 403 403 403 403 403 403 403 403"),
    ("set_quota", "PATCH /v2/quotas/one", {"zones": -1}, {},
     "403 200 200 200 403 403 403 403 403 403 403 403 403 401 401"),
    ("reset_quotas", "DELETE /v2/quotas/one", None, {},
     "204 204 204 204 403 403 403 403 403 403 403 403 403 403 403"),
    ("all_tenants", "GET /admin/quotas/one", None, {},
     "200 200 200 200 403 403 403 403 403 403 403 403 403 403 403"),
    # reports
    ("count_zones", "GET /admin/reports/counts/zones", None, {},
     "200 200 200 200 200 403 200 403 200 200 403 200 200 403 403"),
    ("count_records", "GET /admin/reports/counts/records", None, {},
     "200 200 200 200 200 403 200 403 200 200 403 200 200 403 403"),
    *((rule, request, None, {}, "200 200 200 200" + 11 * " 403") for rule, request in (
        ("count_tenants", "GET /admin/reports/counts/tenants"),
        ("find_tenants", "GET /admin/reports/tenants"),
        ("get_tenant", "GET /admin/reports/tenants/one"),
    )),
    # what administrators keep
    *((rule, request, body, {}, 4 * f"{status} " + 11 * " 403")
      for rule, request, body, status in (
        ("create_tld", "POST /v2/tlds", {"name": "x.{name!}"}, 201),
        ("find_tlds", "GET /v2/tlds", None, 200),
        ("get_tld", "GET /v2/tlds/{tld}", None, 200),
        ("update_tld", "PATCH /v2/tlds/{tld}", {"description": "x"}, 200),
        ("delete_tld", "DELETE /v2/tlds/{tld!}", None, 204),
        ("create_blacklist", "POST /v2/blacklists", {"pattern": "^{name!}$"}, 201),
        ("find_blacklists", "GET /v2/blacklists", None, 200),
        ("get_blacklist", "GET /v2/blacklists/{blacklist}", None, 200),
        ("update_blacklist", "PATCH /v2/blacklists/{blacklist}", {"description": "x"}, 200),
        ("delete_blacklist", "DELETE /v2/blacklists/{blacklist!}", None, 204),
        ("create_tsigkey", "POST /v2/tsigkeys", KEY | {"name": "{name!}"}, 201),
        ("find_tsigkeys", "GET /v2/tsigkeys", None, 200),
        ("get_tsigkey", "GET /v2/tsigkeys/{tsigkey}", None, 200),
        ("update_tsigkey", "PATCH /v2/tsigkeys/{tsigkey}", {"secret": ""}, 200),
        ("delete_tsigkey", "DELETE /v2/tsigkeys/{tsigkey!}", None, 204),
        ("create_pool", "POST /v2/pools", {"name": "{name!}"}, 201),
        ("find_pools", "GET /v2/pools", None, 200),
        ("get_pool", f"GET /v2/pools/{POOL}", None, 200),
        ("update_pool", f"PATCH /v2/pools/{POOL}", {"description": "x"}, 202),
        ("find_service_statuses", "GET /v2/service_statuses", None, 200),
        ("find_service_status", "GET /v2/service_statuses/{service}", None, 200),
    )),
    ("delete_pool", "DELETE /v2/pools/{pool!}", None, {},
     "204 204 404 404" + 11 * " 403"),
    ("get_pool", "GET /v2/pools/{pool}", None, {},
     "200 200 404 404" + 11 * " 403"),
]  # fmt: skip
NO_RULE = [
    ("GET /v2/limits", 15 * " 200"),
    ("GET /v2/zones/nope", 15 * " 400"),
]
REFUSED_AS_BAD = {"use_low_ttl", "use_blacklisted_zone"}
DETAILED = "admin all sudo own memb read".split()  # noqa: SIM905


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with Service(tmp_path_factory.mktemp("matrix"), **OPTIONS) as service:
        yield service


@pytest.fixture(scope="module")
def world(service):
    call = Http(service)
    world = World(call)
    assert call("POST", "/v2/blacklists", {"pattern": "black"}, CALLERS["all"])[0] == 201
    assert call("POST", "/v2/tlds", {"name": "example"}, CALLERS["all"])[0] == 201
    yield world
    call.close()


def filled(world, body, fresh):
    """Return the body and its content type."""
    if body is None:
        return None, {}
    if body == TEXT:
        return world.zonefile(), {"Content-Type": "text/dns"}
    if isinstance(body, str):
        request = world.get(body[1:-1] if fresh else body[1:-2])
        return {"key": request["key"], "zone_transfer_request_id": request["id"]}, {}
    return _filled(world, body), {}


def _filled(world, value):
    if isinstance(value, dict):
        return {name: _filled(world, item) for name, item in value.items()}
    return world.fill(value) if isinstance(value, str) else value


def asked(world, request, body, headers, caller, *, fresh=True):
    method, path = request.split(" ", 1)
    content, kind = filled(world, body, fresh)
    return world.call(method, world.fill(path, fresh=fresh), content, caller | headers | kind)


def row_id(row):
    rule, request, *_ = row
    return f"{rule}-{request.replace(' ', '_').replace('/v2/', '').replace('/', '.')}"


@pytest.mark.parametrize("row", REQUESTS, ids=row_id)
def test_every_caller_is_answered_as_the_policy_says(world, row):
    _, request, body, headers, statuses = row
    wanted = dict(zip(WHO, map(int, statuses.split()), strict=True))

    got, untyped = {}, []
    for name, status in wanted.items():
        # What is refused leaves its object as it was, so that the next caller can be refused too.
        answer = asked(world, request, body, headers, CALLERS[name], fresh=status < 300)
        got[name] = answer[0]
        if answer[0] >= 400 and not {"code", "type", "request_id"} <= set(answer[1]):
            untyped.append((name, answer))

    assert got == wanted
    assert untyped == []


@pytest.mark.parametrize(("request_", "statuses"), NO_RULE)
def test_what_has_no_rule_is_for_everybody(world, request_, statuses):
    got = [asked(world, request_, None, {}, CALLERS[name])[0] for name in WHO]

    assert got == [int(status) for status in statuses.split()]


def test_only_those_who_may_see_all_of_an_offer_see_its_key(world):
    shown = {
        name: asked(world, f"GET {TASKS}/transfer_requests/{{open}}", None, {}, CALLERS[name])[1]
        for name in WHO
    }

    assert [name for name in WHO if "key" in shown[name]] == DETAILED


def test_tokens_of_other_scopes_are_told_so(world):
    refused = asked(world, "POST /v2/zones", ZONE, {}, CALLERS["syst"])

    assert (refused[0], refused[1]["type"]) == (403, "invalid_token_scope")


# -- the rules themselves ------------------------------------------------------------------------

# Rule to what it allows, and what it allows besides while enforce_new_defaults is off. A: admin;
# M, R: member, reader of the owner's project; P: of that project; S: shared with the caller; T: of the
# target project; N: member of that; C: member who created the recordset; @: anyone. Legacy: A: admin;
# O: or the owner's project, whatever the role; OS: or shared.
RULES = {
    "admin": "A -", "owner": "P -", "admin_or_owner": "AP -", "default": "AM O",
    "all_tenants": "A A", "use_sudo": "A A", "edit_managed_records": "A A", "hard_delete": "A A",
    "abandon_zone": "A A", "use_low_ttl": "A A", "use_blacklisted_zone": "A A",
    "zone_create_forced_pool": "A A",
    "create_zone": "AM O", "get_zone": "ARS OS", "get_zones": "AR O", "find_zones": "AR O",
    "update_zone": "AM O", "delete_zone": "AM O", "xfr_zone": "AM O", "pool_move_zone": "A A",
    "get_zone_nameservers_status": "A A",
    "get_zone_ns_records": "AR O", "get_zone_servers": "AR O", "count_zones": "AR O",
    "count_zones_pending_notify": "AR O", "purge_zones": "A A",
    "create_recordset": "AMS OS", "get_recordset": "ARS OS", "get_recordsets": "AR O",
    "find_recordset": "AR O", "find_recordsets": "AR O", "update_recordset": "AMC OC",
    "delete_recordset": "AMC OC", "count_recordset": "AR O", "find_records": "AR O",
    "count_records": "AR O",
    "share_zone": "AM O", "get_zone_share": "AM O", "unshare_zone": "AM O",
    "find_zone_shares": "@ -", "find_project_zone_share": "AN T",
    "create_zone_transfer_request": "AM O", "get_zone_transfer_request": "AMT O",
    "get_zone_transfer_request_detailed": "AR O", "find_zone_transfer_requests": "@ -",
    "update_zone_transfer_request": "AM O", "delete_zone_transfer_request": "AM O",
    "create_zone_transfer_accept": "AMT O", "get_zone_transfer_accept": "AR O",
    "find_zone_transfer_accepts": "A A",
    "create_zone_import": "AM O", "find_zone_imports": "AR O", "get_zone_import": "AR O",
    "update_zone_import": "AM O", "delete_zone_import": "AM O",
    "create_zone_export": "AM O", "find_zone_exports": "AR O", "get_zone_export": "AR O",
    "zone_export": "AM O", "update_zone_export": "AM O", "delete_zone_export": "AM O",
    **{f"{act}_{one}": "A A" for act in ("create", "get", "update", "delete")
       for one in ("tld", "tsigkey", "blacklist", "pool")},
    "find_tlds": "A A", "find_tsigkeys": "A A", "find_blacklists": "A A", "find_pools": "A A",
    "find_pool": "A A", "find_service_status": "A A", "find_service_statuses": "A A",
    "update_service_status": "A A", "delete_service_status": "A A", "find_tenants": "A A",
    "get_tenant": "A A", "count_tenants": "A A",
    "get_quotas": "AR O", "set_quota": "A A", "reset_quotas": "A A",
}  # fmt: skip
ANY_SCOPE = {
    "admin", "owner", "admin_or_owner", "default", "find_zone_shares", "find_zone_transfer_requests",
}  # fmt: skip
# What no request asks for.
UNUSED = {
    "admin", "owner", "admin_or_owner", "default", "get_zones", "get_zone_servers", "purge_zones",
    "count_zones_pending_notify", "get_recordsets", "find_recordset", "count_recordset",
    "find_records", "update_zone_import", "update_zone_export", "find_pool",
    "update_service_status", "delete_service_status", "get_zone_transfer_request_detailed",
}  # fmt: skip
ROLES = ("admin", "member", "reader", "guest", "MEMBER")


def target(**more):
    return {
        "project_id": "one", "tenant_id": "one", "zone_shared": False, "zone_type": "PRIMARY",
        "recordset_project_id": "four", "target_project_id": "four", "target_tenant_id": "four",
        "all_tenants": False, **more,
    }  # fmt: skip


def allowed(letters, role, project, where):
    """Return whether the letters of RULES permit the request."""
    role = role.lower()
    owner = project == where["project_id"]
    says = {
        "A": role == "admin",
        "P": owner,
        "M": owner and role == "member",
        "R": owner and role == "reader",
        "S": where["zone_shared"],
        "T": project == where["target_project_id"],
        "N": role == "member" and project == where["target_project_id"],
        "C": role == "member" and project == where["recordset_project_id"],
        "@": True,
    }
    return any(says[letter] for letter in letters)


def formerly(letters, role, project, where):
    admin, owner = role.lower() == "admin", project == where["project_id"]
    says = {
        "-": False,
        "A": admin,
        "O": admin or owner,
        "S": where["zone_shared"],
        "T": project == where["target_project_id"],
        "C": project == where["recordset_project_id"],
    }
    return any(says[letter] for letter in letters)


def policy_of(folder, text="", **options):
    conf = make_conf(folder)
    (folder / "policy.yaml").write_text(text)
    conf.set_override("policy_file", str(folder / "policy.yaml"), "oslo_policy")
    conf.set_override("policy_dirs", [], "oslo_policy")
    for name, value in options.items():
        conf.set_override(name, value, "oslo_policy")
    return Policy(conf)


@pytest.fixture(scope="module")
def new_policy(tmp_path_factory):
    return policy_of(tmp_path_factory.mktemp("new"))


@pytest.fixture(scope="module")
def old_policy(tmp_path_factory):
    return policy_of(tmp_path_factory.mktemp("old"), enforce_new_defaults=False)


CASES = [
    (role, project, where)
    for role in ROLES
    for project in ("one", "four", "five")
    for where in (target(), target(zone_shared=True))
]


def asks(policy, rule, role, project, where):
    return policy.allows(rule, Context(project_id=project, roles=[role]), where)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_allows_what_the_reference_says(new_policy, old_policy, rule):
    letters, legacy = RULES[rule].split()
    for role, project, where in CASES:
        new = allowed(letters, role, project, where)
        old = new or formerly(legacy, role, project, where)

        assert asks(new_policy, rule, role, project, where) == new, (role, project, where)
        assert asks(old_policy, rule, role, project, where) == old, (role, project, where)


@pytest.mark.parametrize("rule", ["create_recordset", "update_recordset", "delete_recordset"])
def test_recordsets_of_secondary_zones_are_the_administrators(new_policy, old_policy, rule):
    where = target(zone_type="SECONDARY", zone_shared=True)
    for role, project, _ in CASES:
        admin = role == "admin"
        assert asks(new_policy, rule, role, project, where) == admin
        assert asks(old_policy, rule, role, project, where) == admin


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("scope", [{"system_scope": "all"}, {"domain_id": "d"}])
def test_rules_take_tokens_of_projects_only(new_policy, rule, scope):
    caller = Context(roles=["admin"], **scope)
    refused = None
    try:
        new_policy.check(rule, caller, target())
    except errors.Forbidden as error:
        refused = error.type

    if rule in ANY_SCOPE:
        assert refused in (None, "forbidden")
    else:
        assert refused == "invalid_token_scope"


def test_open_offers_and_all_projects_open_their_rules(new_policy):
    for rule in ("get_zone_transfer_request", "create_zone_transfer_accept"):
        assert asks(new_policy, rule, "guest", "five", target(target_project_id=None))
    everywhere = target(all_tenants=True)
    assert asks(new_policy, "get_quotas", "reader", "five", everywhere)
    assert not asks(new_policy, "get_quotas", "member", "five", everywhere)


def test_the_matrix_has_every_rule_and_no_other():
    assert {rule.name for rule in list_rules()} == set(RULES)
    assert {row[0] for row in REQUESTS} | UNUSED == set(RULES)


# -- overrides -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def overridden(tmp_path_factory):
    """Every caller may do everything, except what a role `without-RULE` forbids."""
    folder = tmp_path_factory.mktemp("overridden")
    text = "".join(f'"{rule}": "not role:without-{rule}"\n' for rule in RULES)
    (folder / "policy.yaml").write_text(text)
    oslo = {"policy_file": str(folder / "policy.yaml"), "policy_dirs": []}
    with Service(folder, **OPTIONS, oslo_policy=oslo) as service, contextlib.ExitStack() as stack:
        world = World(Http(service))
        stack.callback(world.call.close)
        assert world.call("POST", "/v2/blacklists", {"pattern": "black"}, CALLERS["all"])[0] == 201
        yield world


@pytest.mark.parametrize("row", REQUESTS, ids=row_id)
def test_an_override_is_asked_wherever_its_rule_is(overridden, row):
    rule, request, body, headers, statuses = row
    wanted = dict(zip(WHO, map(int, statuses.split()), strict=True))
    caller = next(
        name for name in ("sudo", "own", "admin", "memb2") if wanted[name] not in (403, 404)
    )
    without = dict(CALLERS[caller])

    without["X-Roles"] = f"without-{rule}"
    refusal, _ = asked(overridden, request, body, headers, without)
    without["X-Roles"] = "guest"
    allowance, said = asked(overridden, request, body, headers, without)

    assert refusal == (400 if rule in REFUSED_AS_BAD else 403)
    assert allowance == wanted[caller], said


def test_an_import_makes_no_zone_for_those_who_may_make_none(overridden):
    caller = CALLERS["own"] | {"X-Roles": "without-create_zone"}
    status, started = asked(overridden, f"POST {TASKS}/imports", TEXT, {}, caller)
    path = f"{TASKS}/imports/{started['id']}"

    def look():
        found = overridden.call("GET", path, None, caller)[1]
        return found if found["status"] != "PENDING" else None

    ended = until(look, 20, "the import's end")

    assert status == 202
    assert (ended["status"], ended["zone_id"]) == ("ERROR", None)


OLD_FILE = """
"admin": "role:boss or is_admin:True"
"owner": "tenant_id:%(tenant_id)s"
"admin_or_owner": "rule:admin or rule:owner"
"default": "rule:admin_or_owner"
"create_zone": "rule:admin_or_owner"
"find_project_zone_share": "rule:admin or tenant_id:%(target_tenant_id)s"
"create_tld": "rule:admin"
"""


def test_files_with_names_of_old_work(tmp_path):
    policy = policy_of(tmp_path, OLD_FILE)
    here = target(target_project_id="four", target_tenant_id="four")

    assert asks(policy, "create_zone", "guest", "one", here)
    assert not asks(policy, "create_zone", "admin", "four", here)
    assert asks(policy, "create_zone", "boss", "four", here)
    assert asks(policy, "find_project_zone_share", "guest", "four", here)
    assert asks(policy, "create_tld", "boss", "one", here)
    assert not asks(policy, "create_tld", "admin", "one", here)
    # What is no rule has the default's.
    assert asks(policy, "count_recordsets", "guest", "one", here)
    assert not asks(policy, "count_recordsets", "guest", "four", here)


def test_an_old_helper_name_changes_every_legacy_rule(tmp_path):
    policy = policy_of(tmp_path, '"admin_or_owner": "role:boss"', enforce_new_defaults=False)

    for rule, (letters, legacy) in ((name, text.split()) for name, text in RULES.items()):
        if legacy == "O":
            assert asks(policy, rule, "boss", "five", target()), rule
            assert not asks(policy, rule, "guest", "one", target()), rule
            assert asks(policy, rule, "member", "one", target()) == ("M" in letters), rule
