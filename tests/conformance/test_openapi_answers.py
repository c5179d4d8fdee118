"""Every successful response in the API's document occurs, and conforms to the document.

Random requests (test_openapi) do not reach all of them: here is one request for each successful response
of each operation. An operation without one fails.
"""

import re

import pytest
import sqlalchemy as sa

from designate.storage.sqlalchemy.tables import zones
from tests.support.clients import openapi_checker
from tests.support.factories.identities import DROP_SHARES, OPS, POOL, Http, World
from tests.support.servers.standalone import Service

FLOATINGIP = "11111111-1111-4111-8111-111111111111"
OPTIONS = {
    "service:api": {
        "enable_api_admin": True,
        "enabled_extensions_admin": ["quotas", "reports", "zones"],
    },
    "DEFAULT": {"network_api": "fake"},
    "network_api:fake": {"floatingips": [f"ops|RegionOne|{FLOATINGIP}|192.0.2.17"]},
}
# The object for each id in a path; a new one where it is deleted.
IDS = {
    "zone_id": "{zone}",
    "recordset_id": "{rs}",
    "import_id": "{import}",
    "export_id": "{export}",
    "zone_share_id": "{share}",
    "zone_transfer_request_id": "{request}",
    "transfer_accept_id": "{accept}",
    "tld_id": "{tld}",
    "blacklist_id": "{blacklist}",
    "tsigkey_id": "{tsigkey}",
    "pool_id": "{pool}",
    "service_id": "{service}",
    "project_id": "one",
    "tenant_id": "one",
    "name": "zones",
    "key": f"RegionOne:{FLOATINGIP}",
}
NAMED = {"name": "{name!}.{zone.name}", "type": "A"}
KEY = {"algorithm": "hmac-md5", "secret": "", "scope": "POOL", "resource_id": POOL}
NOTED = {"description": "x"}
BODIES = {
    "POST /zones 202": {"name": "{name!}.example.", "email": "a@example.com"},
    "PATCH /zones/{zone_id} 202": {"ttl": 301},
    "PATCH /zones/{zone_id} 200": NOTED,
    "POST /zones/{zone_id}/tasks/pool_move 202": {"pool_id": "{pool}"},
    "POST /zones/{zone_id}/recordsets 202": NAMED | {"records": ["192.0.2.1"]},
    "POST /zones/{zone_id}/recordsets 201": NAMED,
    "PUT /zones/{zone_id}/recordsets/{recordset_id} 202": {"ttl": 301},
    "PUT /zones/{zone_id}/recordsets/{recordset_id} 200": NOTED,
    "POST /zones/{zone_id}/shares 201": {"target_project_id": "{name!}"},
    "POST /zones/{zone_id}/tasks/transfer_requests 201": NOTED,
    "PATCH /zones/tasks/transfer_requests/{zone_transfer_request_id} 200": NOTED,
    "PUT /zones/tasks/transfer_requests/{zone_transfer_request_id} 200": NOTED,
    "POST /zones/tasks/transfer_accepts 201": {
        "key": "{open.key}",
        "zone_transfer_request_id": "{open}",
    },
    "POST /zones/tasks/imports 202": {"zonefile": "$ORIGIN x.example.\n"},
    "PATCH /reverse/floatingips/{key} 202": {"ptrdname": "host.example."},
    "POST /tlds 201": {"name": "x.{name!}"},
    "PATCH /tlds/{tld_id} 200": NOTED,
    "POST /blacklists 201": {"pattern": "^{name!}$"},
    "PATCH /blacklists/{blacklist_id} 200": NOTED,
    "POST /tsigkeys 201": KEY | {"name": "{name!}"},
    "PATCH /tsigkeys/{tsigkey_id} 200": {"secret": ""},
    "POST /pools 201": {"name": "{name!}", "attributes": {"speed": "high"}},
    "PATCH /pools/{pool_id} 202": NOTED,
    "PATCH /quotas/{project_id} 200": {"zones": 10},
    "PATCH /admin/quotas/{project_id} 200": {"quota": {"zones": 10}},
}
# Exceptions to IDS.
OTHERS = {
    "PATCH /zones/{zone_id} 200": {"zone_id": "{failed!}"},
    "DELETE /zones/{zone_id} 202": {"zone_id": "{private!}"},
    "POST /zones/{zone_id}/tasks/abandon 204": {"zone_id": "{private!}"},
    "POST /zones/{zone_id}/tasks/xfr 202": {"zone_id": "{secondary}"},
    "POST /zones/{zone_id}/tasks/pool_move 202": {"zone_id": "{private!}"},
    "POST /zones/{zone_id}/tasks/transfer_requests 201": {"zone_id": "{private!}"},
    "PUT /zones/{zone_id}/recordsets/{recordset_id} 200": {"recordset_id": "{bare_rs}"},
}


class More(World):
    def make_bare_rs(self):
        """Create a recordset without records."""
        zone = self.get("zone")
        body = {"name": f"{self.name()}.{zone['name']}", "type": "A"}
        return self.made("POST", f"/v2/zones/{zone['id']}/recordsets", body)

    def make_failed(self):
        """Create a secondary zone whose transfer has failed."""
        zone = self.make_secondary()
        mine = zones.c.id == zone["id"]
        database = self.call.service.parts.database
        database.write(lambda tx: tx.execute(sa.update(zones).where(mine).values(status="ERROR")))
        return zone


# By their URL without `/v2`.
PATHS = {
    f"{root}{path}": item
    for root, name in (("", "v2"), ("/admin", "admin"))
    for path, item in openapi_checker.document(name)["paths"].items()
}
PROMISED = [
    f"{method.upper()} {path} {code}"
    for path, item in PATHS.items()
    for method, operation in item.items()
    if method != "parameters"
    for code in operation["responses"]
    if code < "4"
]


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with Service(tmp_path_factory.mktemp("answers"), **OPTIONS) as service:
        yield service


@pytest.fixture(scope="module")
def world(service):
    call = Http(service)
    yield More(call)
    call.close()


def words_of(promise, method, path):
    """Return the object for each id in the path."""
    names = re.findall(r"\{(\w+)\}", path)
    words = {name: IDS[name] for name in names}
    if method == "DELETE":
        words[names[-1]] = words[names[-1]].replace("}", "!}")
    return words | OTHERS.get(promise, {})


def listed(path):
    """Return the object that the list at a path contains, so that it is not empty."""
    items = re.compile(re.escape(path) + r"/\{(\w+)\}")
    return [IDS[found[1]] for other in PATHS if (found := items.fullmatch(other))]


@pytest.mark.parametrize("promise", PROMISED)
def test_what_is_promised_is_given(world, promise):
    """The client checks each response against the document."""
    method, path, code = promise.split()
    for word in listed(path):
        world.fill(word)
    for name, word in words_of(promise, method, path).items():
        path = path.replace(f"{{{name}}}", world.fill(word))
    body = BODIES.get(promise)
    if body is not None:
        body = {
            name: world.fill(value) if isinstance(value, str) and "{" in value else value
            for name, value in body.items()
        }

    url = path if path.startswith("/admin/") else f"/v2{path}"
    status, answer = world.call(method, url, body, OPS | DROP_SHARES)

    assert str(status) == code, answer
