"""The API's document is valid and complete, and the service conforms to it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import openapi_spec_validator
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from designate.api import openapi, reference
from designate.api.app import API_INFO, resources
from designate.api.routing import is_parameter
from designate.errors import ConfigurationError
from tests.support.clients import openapi_checker
from tests.support.deadlines import scaled
from tests.support.factories.identities import OPS, STRANGER, Http, World
from tests.support.servers.standalone import Service

CHECKOUT = Path(__file__).parents[2]
FLOATINGIP = "11111111-1111-4111-8111-111111111111"
OPTIONS = {
    "DEFAULT": {"network_api": "fake"},
    "network_api:fake": {"floatingips": [f"one|RegionOne|{FLOATINGIP}|192.0.2.17"]},
}
EXAMPLES = int(os.environ.get("DESIGNATE_FUZZ_EXAMPLES", "12"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# The object for each id in a path; half of the requests use unknown ids.
KNOWN = {
    "zone_id": "zone",
    "recordset_id": "rs",
    "tld_id": "tld",
    "tsigkey_id": "tsigkey",
    "blacklist_id": "blacklist",
    "pool_id": "pool",
    "zone_transfer_request_id": "open",
    "export_id": "export",
    "import_id": "import",
}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with Service(tmp_path_factory.mktemp("openapi"), **OPTIONS) as service:
        yield service


@pytest.fixture(scope="module")
def world(service):
    call = Http(service)
    world = World(call)
    # With these, a TLD that a request adds does not exclude zones.
    for tld in ("example", "arpa"):
        world.made("POST", "/v2/tlds", {"name": tld}, OPS)
    for what in KNOWN.values():
        world.get(what)
    yield world
    call.close()


# Values that central may accept; random ones would mostly fail its validation of names and data.
LABELS = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
FORMATS = {
    "domain-name": st.builds(
        "{}.{}".format,
        LABELS,
        st.sampled_from(["example.", "n1.example.", "n2.example.", "2.0.192.in-addr.arpa."]),
    ),
    "email": st.builds("{}@{}.example".format, LABELS, LABELS),
    "rr-type": st.sampled_from(["A", "TXT", "MX", "CNAME", "NS", "SOA", "CAA", "x"]),
    "rdata": st.sampled_from(["192.0.2.1", '"a b"', "10 mx.example.", "a.example.", "\\", ""]),
}
for format_name, values in FORMATS.items():
    schemathesis.openapi.format(format_name, values)
DOCUMENT = openapi.document(resources(), API_INFO)
OPERATIONS = {
    found.ok().label: found.ok()
    for found in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()
}


@pytest.mark.parametrize("root", openapi_checker.ROOTS)
def test_the_document_is_one(root):
    """Validate its form, its schemas and its references."""
    openapi_spec_validator.validate(openapi_checker.document(root))


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")
@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_what_is_answered_is_what_the_document_says(service, world, label):
    @given(OPERATIONS[label].as_strategy(), st.booleans())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def run(case, real):
        if real and case.method != "DELETE":
            known = {name: KNOWN[name] for name in case.path_parameters or {} if name in KNOWN}
            for name, what in known.items():
                case.path_parameters[name] = world.get(what)["id"]
        for name in ("X-Auth-Sudo-Project-ID", "X-Auth-Sudo-Tenant-ID"):
            case.headers.pop(name, None)
        case.call_and_validate(
            base_url=f"{service.url}/v2", headers=OPS, checks=CHECKS, timeout=scaled(20)
        )

    run()


def test_every_operation_is_described():
    """Paths that differ only in the names of their ids count as one."""
    found = openapi.document(resources(), API_INFO)
    described = {
        (re.sub(r"\{\w+\}", "{}", path), method.upper())
        for path, item in found["paths"].items()
        for method in item
    }
    served = {
        ("/" + "/".join("{}" if is_parameter(part) else part for part in route.path), method)
        for route in resources()
        for method in route.operations
    }

    assert served - described == set()
    assert all(
        operation["summary"]
        for item in found["paths"].values()
        for method, operation in item.items()
        if method != "parameters"
    )
    names = [
        operation["operationId"]
        for item in found["paths"].values()
        for method, operation in item.items()
        if method != "parameters"
    ]
    assert len(names) == len(set(names))


def test_the_document_names_the_service_as_its_client_does(service):
    url = f"{service.url}/v2/openapi.json"
    named = requests.get(url, headers=OPS | {"Host": "localhost:4711"}, timeout=scaled(10))
    stranger = requests.get(url, headers=STRANGER, timeout=scaled(10))

    assert named.headers["Content-Type"] == "application/json"
    assert named.json()["openapi"] == "3.1.0"
    assert named.json()["servers"] == [{"url": "http://localhost:4711/v2"}]
    assert "/openapi.json" in named.json()["paths"]
    assert stranger.status_code == 200, "it holds nothing of anybody's"
    assert requests.post(url, headers=OPS, timeout=scaled(10)).status_code == 405
    assert requests.get(f"{url}/x", headers=OPS, timeout=scaled(10)).status_code == 405


def test_the_page_is_current():
    """Run `python -m designate.api.reference > doc/api-reference.md` to update it."""
    page = (CHECKOUT / "doc" / "api-reference.md").read_text(encoding="utf-8")

    assert page == reference.reference()


def test_the_page_s_links_lead_somewhere():
    page = reference.reference()
    headings = {
        line.strip("# ").lower().replace(" ", "-") for line in page.splitlines() if line[:1] == "#"
    }

    assert set(re.findall(r"\]\(#([\w-]+)\)", page)) <= headings


def test_two_plug_ins_cannot_call_different_things_the_same():
    from designate.api.operation import Operation, ResponseSpec
    from designate.api.routing import route

    def answering(schema):
        return Operation(
            handler=lambda _call: None,
            summary="Do",
            responses={
                200: ResponseSpec(description="d", schema=schema, schemas={"Thing": schema})
            },
        )

    routes = [route("/a", GET=answering({"type": "string"}))]
    openapi.document(routes, API_INFO)
    with pytest.raises(ConfigurationError, match="Thing"):
        openapi.document([*routes, route("/b", GET=answering({"type": "null"}))], API_INFO)
