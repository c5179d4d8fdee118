"""Plug-ins of operators: resources of the API and quota drivers."""

from textwrap import dedent

import pytest
from stevedore import extension

from designate import errors
from tests.support.deadlines import scaled
from tests.support.servers.standalone import Service, make_conf

MODULE = '''
    """Resources that an operator adds: the top-level domains under another name, and a greeting."""

    from designate.api.resource import Resource
    from designate.api.responses import json_response
    from designate.api.routing import route
    from designate.api.shape import STRING, UUID, Shape, member

    DOMAINS = Resource(
        name="domains",
        singular="a domain",
        path="/domains",
        id_name="domain_id",
        client=lambda central: central.tlds,
        shape=Shape(
            "Domain", {"id": member(UUID), "domain": member(STRING, value_of=lambda tld: tld.name)}
        ),
        self_path=lambda tld: f"/domains/{tld.id}",
        sort_keys=("created_at", "name"),
        filters=("name",),
        deletable=False,
        has_count=False,
    )


    def greet(call):
        return json_response({"hello": call.context.project_id})


    def routes():
        return [*DOMAINS.routes(), route("/hello", leaf=True, GET=greet)]


    def admin_routes():
        return [route("/hello", leaf=True, GET=greet)]
'''


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Install a package with a plug-in `sample` for each API."""
    site = tmp_path / "site"
    info = site / "sample-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "sample_plugin.py").write_text(dedent(MODULE))
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sample\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[designate.api.v2.extensions]\nsample = sample_plugin:routes\n"
        "[designate.api.admin.extensions]\nsample = sample_plugin:admin_routes\n"
    )
    monkeypatch.syspath_prepend(site)
    monkeypatch.setattr(extension.ExtensionManager, "ENTRY_POINT_CACHE", {})


@pytest.mark.usefixtures("plugin")
def test_a_plug_in_adds_resources_with_all_that_resources_have(tmp_path):
    options = {
        "enabled_extensions_v2": ["sample", "long-gone"],
        "enable_api_admin": True,
        "enabled_extensions_admin": ["sample"],
    }
    with Service(tmp_path, **{"service:api": options}) as service:
        for name in ("com", "net", "org"):
            assert service.call("POST", "/tlds", {"name": name})[0] == 201
        status, page = service.call("GET", "/domains?sort_key=name&limit=2")
        ids = [domain["id"] for domain in page["domains"]]
        rest = service.call("GET", f"/domains?sort_key=name&marker={ids[1]}")[1]
        one = service.call("GET", f"/domains/{ids[0]}")
        refused = service.call("POST", "/domains", {"name": "info"})
        wrong = service.call("GET", "/domains?colour=red")
        v2 = service.call("GET", "/hello", X_Auth_Project_ID="mine")
        admin = service.http.get(f"{service.url}/admin/hello", timeout=scaled(10))
        document = service.call("GET", "/openapi.json")[1]

    assert status == 200
    assert [domain["domain"] for domain in page["domains"]] == ["com", "net"]
    assert page["links"]["next"].endswith(f"/v2/domains?sort_key=name&limit=2&marker={ids[1]}")
    assert [domain["domain"] for domain in rest["domains"]] == ["org"]
    assert one[0] == 200
    assert one[1]["links"]["self"].endswith(f"/v2/domains/{ids[0]}")
    assert refused[0] == 405
    assert (wrong[0], wrong[1]["type"]) == (400, "bad_request")
    assert (v2[0], list(v2[1])) == (200, ["hello"])
    assert (admin.status_code, list(admin.json())) == (200, ["hello"])
    assert "get" in document["paths"]["/domains/{domain_id}"]
    assert "/hello" not in document["paths"], "a function alone says nothing about itself"
    domain = document["components"]["schemas"]["Domain"]
    assert list(domain["properties"]) == ["id", "domain", "links"]


@pytest.mark.usefixtures("plugin")
def test_a_plug_in_that_is_not_enabled_adds_nothing(tmp_path):
    with Service(tmp_path) as service:
        assert service.call("GET", "/domains")[0] == 404
        assert "/domains" not in service.call("GET", "/openapi.json")[1]["paths"]
        assert service.http.get(f"{service.url}/admin/hello", timeout=scaled(10)).status_code == 404


def test_the_versions_are_hosted_beside_each_other_and_each_can_be_left_out(tmp_path):
    options = {"enable_api_v2": False, "enable_api_admin": True}
    options["enabled_extensions_admin"] = ["quotas"]
    with Service(tmp_path, **{"service:api": options}) as service:
        v2 = service.http.get(f"{service.url}/v2/zones", timeout=scaled(10))
        admin = service.http.get(f"{service.url}/admin/quotas/p", timeout=scaled(10))

    assert v2.status_code == 404
    assert admin.status_code == 200


def test_without_quotas_nothing_is_limited_and_what_was_given_is_kept(tmp_path):
    limits = {"quota_zones": 1, "quota_zone_recordsets": 2, "quota_recordset_records": 1}
    with Service(tmp_path, DEFAULT={**limits, "quota_driver": "noop"}) as service:
        zones = [service.zone(f"free{n}.example.") for n in range(3)]
        body = {"name": zones[0]["name"], "type": "A", "records": ["192.0.2.1", "192.0.2.2"]}
        made = service.call("POST", f"/zones/{zones[0]['id']}/recordsets", body)
        given = service.call("PATCH", "/quotas/p", {"zones": 7}, X_Auth_All_Projects="true")
        shown = service.call("GET", "/limits")[1]
    with Service(tmp_path, DEFAULT=limits) as service:
        after = service.call("GET", "/quotas/p", X_Auth_All_Projects="true")[1]
        refused = service.call("POST", "/zones", {"name": "more.example.", "email": "a@b.example"})

    assert made[0] in (201, 202)
    assert (given[0], given[1]["zones"]) == (200, -1)
    assert (shown["max_zones"], shown["max_recordset_records"]) == (-1, -1)
    assert after["zones"] == 7
    assert (refused[0], refused[1]["type"]) == (413, "over_quota")


def test_an_unknown_quota_driver_is_told_at_the_start(tmp_path):
    with pytest.raises(errors.ConfigurationError, match="quota_driver: there is no driver 'other'"):
        Service(tmp_path, DEFAULT={"quota_driver": "other"})
    assert make_conf(tmp_path).quota_driver == "storage"
