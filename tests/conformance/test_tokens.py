"""Authentication: the real middleware with a real Keystone."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import pytest

from designate.api import keystone as keystone_api
from tests.support.clients import openapi_checker
from tests.support.clients.repeatable import assert_repeatable
from tests.support.deadlines import scaled, until
from tests.support.fakes.neutron import Neutron
from tests.support.servers.nameservers import Memcached, free_port
from tests.support.servers.standalone import Service

ZONE = {"name": "tokens.example.", "email": "admin@example.com"}


@pytest.fixture(scope="module")
def service(keystone, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokens")
    with Service(folder, config_file=keystone.config_file(folder)) as running:
        yield running


def ask(service, token, method="GET", path="/zones", body=None):
    return service.call(method, path, body, **({"X-Auth-Token": token} if token else {}))


def raw(service, token):
    """Send GET /v2/zones and return the response."""
    headers = {"X-Auth-Token": token} if token else {}
    return service.http.get(f"{service.url}/v2/zones", headers=headers, timeout=scaled(60))


@pytest.mark.parametrize("token", [None, "", "nonsense", "gAAAAA" + "x" * 180])
def test_without_a_valid_token_the_answer_is_401_and_says_where_to_get_one(
    service, keystone, token
):
    answer = raw(service, token)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == f'Keystone uri="{keystone.url}"'
    assert answer.headers["X-Openstack-Request-Id"].startswith("req-")
    assert answer.json()["error"]["code"] == 401
    openapi_checker.check("GET", "/v2/zones", 401, answer.headers, answer.content)


def test_the_version_document_and_health_need_no_token(service):
    for path in ("/", "/healthcheck"):
        assert service.http.get(service.url + path, timeout=scaled(10)).status_code == 200


def test_claims_of_the_caller_about_itself_are_ignored(service, keystone):
    member = keystone.account("claimant", "member")
    claims = {
        "X-Auth-Token": keystone.token(member),
        "X-Roles": "admin",
        "X-Project-Id": "somebody-else",
        "X-User-Id": "somebody-else",
        "X-Auth-Project-ID": "somebody-else",
        "X-Identity-Status": "Confirmed",
        "OpenStack-System-Scope": "all",
    }
    for number in range(3):  # from the second on, the token is remembered
        body = {**ZONE, "name": f"claims{number}.example."}
        status, zone = service.call("POST", "/zones", body, **claims)
        assert (status, zone["project_id"]) == (202, member.project_id), number
        assert service.call("GET", "/tlds", **claims)[0] == 403, number
    assert service.call("GET", "/zones", **{**claims, "X-Auth-Token": "nonsense"})[0] == 401


def test_the_catalogue_of_a_token_is_its_own_also_when_it_is_remembered(keystone, tmp_path):
    account = keystone.account("catalogued", "member")
    path = "/reverse/floatingips"
    with Neutron() as false, Neutron(identify=keystone.project_of) as true, Service(
        tmp_path, config_file=keystone.config_file(tmp_path)
    ) as service:  # fmt: skip
        made_up = [{"type": "network", "endpoints": [{"region": "R", "publicURL": false.url}]}]
        claims = {"X-Service-Catalog": json.dumps(made_up)}
        token = keystone.token(account)
        for _ in range(2):
            status, body = service.call("GET", path, **claims, **{"X-Auth-Token": token})
            assert (status, body["type"]) == (403, "no_endpoint")
        region = keystone.region("catalogued", network=true.url)
        try:
            id = true.has(account.project_id, "198.51.100.99")
            token = keystone.token(account)
            for _ in range(2):
                _, body = service.call("GET", path, **claims, **{"X-Auth-Token": token})
                assert [found["id"] for found in body["floatingips"]] == [f"{region}:{id}"]
        finally:
            keystone.withdraw(region)

    assert false.requests == []


@pytest.mark.parametrize(
    ("role", "reads", "writes", "administers"),
    [("admin", 200, 202, 200), ("member", 200, 202, 403), ("reader", 200, 403, 403),
     ("service", 403, 403, 403)],
)  # fmt: skip
def test_each_role_may_do_what_its_name_says(service, keystone, role, reads, writes, administers):
    token = keystone.token(keystone.account(f"is-{role}", role))
    body = {**ZONE, "name": f"{role}.example."}

    assert ask(service, token)[0] == reads
    assert ask(service, token, "POST", "/zones", body)[0] == writes
    assert ask(service, token, path="/tlds")[0] == administers


@pytest.mark.parametrize("where", ["system", "domain"])
def test_tokens_of_the_system_and_of_a_domain_are_refused_with_their_own_error(
    service, keystone, where
):
    scopes = {"system": {"system": {"all": True}}, "domain": {"domain": {"id": "default"}}}
    account = keystone.account(f"admin-of-{where}", **{where: "admin"})
    token = keystone.token(account, scopes[where])

    for path in ("/zones", "/tlds", "/zones/tasks/imports", "/recordsets"):
        status, body = ask(service, token, path=path)
        assert (status, body["type"]) == (403, "invalid_token_scope"), path
    status, body = ask(service, token, path="/quotas")
    assert (status, body["type"]) == (401, "missing_project_id")
    assert ask(service, token, "POST", "/zones", ZONE)[0] == 403


def test_a_token_without_a_scope_may_look_at_limits_alone(service, keystone):
    token = keystone.token(keystone.account("nowhere", "admin"), "unscoped")

    for method, path, body in (("GET", "/zones", None), ("POST", "/zones", ZONE)):
        assert ask(service, token, method, path, body)[0] == 403
    assert ask(service, token, path="/quotas")[0] == 401
    assert ask(service, token, path="/limits")[0] == 200


def test_a_token_ends_with_its_time_also_when_it_is_remembered(service, keystone):
    token = keystone.short_token(keystone.account("mayfly", "member"), seconds=4)
    first = ask(service, token)[0]

    assert first == 200
    soon_s = keystone_api.IDENTITY_TTL_S - 2  # by then it would be forgotten anyway
    until(lambda: ask(service, token)[0] == 401, soon_s, "the end of the token")


def test_a_revoked_token_is_believed_no_longer_than_tokens_are_remembered(keystone, tmp_path):
    token = keystone.token(keystone.account("dismissed", "reader"))
    config_file = keystone.config_file(tmp_path, "token_cache_time = 1")
    with Service(tmp_path, config_file=config_file) as service:
        before = ask(service, token)[0]
        keystone.revoke(token)
        until(lambda: ask(service, token)[0] == 401, 20, "the end of the token")

    assert before == 200


def test_a_token_for_some_requests_alone_is_good_for_no_others_also_when_it_is_remembered(
    service, keystone
):
    account = keystone.account("narrow", "admin")
    region = keystone.region("narrow", dns=service.url)
    try:
        token = keystone.narrow_token(account, "GET", "/v2/zones")
    finally:
        keystone.withdraw(region)
    for _ in range(3):
        assert ask(service, token)[0] == 200
        assert ask(service, token, path="/tlds")[0] == 401
        assert ask(service, token, "POST", "/zones", {**ZONE, "name": "narrow.example."})[0] == 401


def test_what_is_remembered_of_a_token_does_not_vouch_for_the_service_that_speaks_for_it(
    service, keystone
):
    token = keystone.token(keystone.account("spoken-for", "reader"))
    statuses = [ask(service, token)[0] for _ in range(2)]
    forged = {"X-Auth-Token": token, "X-Service-Token": "nonsense"}

    assert statuses == [200, 200]
    assert service.call("GET", "/zones", **forged)[0] == 401


def test_a_revoked_token_that_nobody_asked_about_before_is_refused(service, keystone):
    token = keystone.token(keystone.account("revoked", "member"))
    keystone.revoke(token)

    assert ask(service, token)[0] == 401


def test_a_token_is_asked_about_once_and_then_remembered(service, keystone):
    token = keystone.token(keystone.account("regular", "reader"))
    statuses = [ask(service, token)[0]]
    before = keystone.requests()
    statuses += [ask(service, token)[0] for _ in range(20)]

    assert set(statuses) == {200}
    assert keystone.requests() == before


@pytest.fixture
def memcached():
    with Memcached() as running:
        yield running


def test_there_is_a_limit_for_keystones_answer_without_any_setting(service):
    assert service.conf["service:api"].keystone_timeout == 30
    assert service.conf.keystone_authtoken.http_request_max_retries == 1


def test_memcached_remembers_tokens_for_every_process(keystone, memcached, tmp_path):
    token = keystone.token(keystone.account("shared", "reader"))
    more = f"memcached_servers = 127.0.0.1:{memcached.port}"
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        folder.mkdir()
    with Service(folders[0], config_file=keystone.config_file(folders[0], more)) as first:
        assert ask(first, token)[0] == 200
    gone = f"http://127.0.0.1:{free_port()}/v3"
    config_file = keystone.config_file(folders[1], more, gone)
    with Service(folders[1], config_file=config_file) as second:
        assert ask(second, token)[0] == 200
        assert_repeatable(raw(second, keystone.token(keystone.account("stranger", "reader"))))
    assert memcached.stat("get_hits") >= 1


def test_without_its_memcached_the_service_asks_keystone(keystone, memcached, tmp_path):
    token = keystone.token(keystone.account("uncached", "reader"))
    more = f"memcached_servers = 127.0.0.1:{memcached.port}"
    with Service(tmp_path, config_file=keystone.config_file(tmp_path, more)) as service:
        before = ask(service, token)[0]
        memcached.stop()
        after = ask(service, token)[0]

    assert (before, after) == (200, 200)


def test_no_secret_reaches_the_log(keystone, tmp_path, caplog):
    """Every library logs at its finest level, for success, rejection and failure."""
    caplog.set_level(logging.DEBUG)
    account = keystone.account("discreet", "member")
    token = keystone.token(account)
    config_file = keystone.config_file(tmp_path)
    with Service(tmp_path, config_file=config_file) as service:
        assert ask(service, token)[0] == 200
        assert ask(service, token + "x")[0] == 401
        keystone.stop()
        try:
            assert_repeatable(raw(service, "never-seen-" + token))
        finally:
            keystone.start()
        password = service.conf.keystone_authtoken.password
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    config_file = keystone.config_file(wrong)
    config_file.write_text(config_file.read_text().replace("\npassword = ", "\npassword = wrong"))
    with Service(wrong, config_file=config_file) as service:
        assert_repeatable(raw(service, token))
        wrong_password = service.conf.keystone_authtoken.password
    logged = "\n".join(caplog.handler.format(record) for record in caplog.records)

    assert "keystonemiddleware" in logged
    for secret in (token, password, wrong_password):
        assert secret not in logged


def test_projects_do_not_see_each_other(service, keystone):
    mine = keystone.account("mine", "member")
    theirs = replace(mine, project_id=keystone.project("theirs"))
    keystone.grant(mine, "member", f"/projects/{theirs.project_id}")
    status, zone = ask(
        service, keystone.token(mine), "POST", "/zones", {**ZONE, "name": "mine.example."}
    )
    found = ask(service, keystone.token(theirs), path=f"/zones/{zone['id']}")
    listed = ask(service, keystone.token(theirs))[1]["zones"]

    assert (status, zone["project_id"]) == (202, mine.project_id)
    assert (found[0], found[1]["type"], listed) == (404, "zone_not_found", [])
