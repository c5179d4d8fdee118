"""Recordsets of every type through the API, as each kind of database stores them."""

import base64
import itertools

import pytest

from designate.wire import types
from tests.support.factories.rdata_examples import EXAMPLES

numbers = itertools.count()


@pytest.fixture(scope="module")
def call(hidden):
    return hidden.http()


@pytest.fixture
def zone(call):
    body = {"name": f"types{next(numbers)}.example.", "email": "a@example.com"}
    status, zone = call("POST", "/v2/zones", body)
    assert status == 202, zone
    return zone


def post(call, zone, name, rtype, *records):
    name = f"{name}.{zone['name']}" if name else zone["name"]
    body = {"name": name, "type": rtype, "records": list(records)}
    return call("POST", f"/v2/zones/{zone['id']}/recordsets", body)


def made(call, zone, name, rtype, *records):
    status, found = post(call, zone, name, rtype, *records)
    assert status == 202, found
    return found


def message(found):
    return " ".join(
        [found.get("message", ""), *(each["message"] for each in found["errors"]["errors"])]
    )


@pytest.mark.parametrize("rtype", EXAMPLES)
def test_a_type_is_created_read_listed_and_changed_as_sent(call, zone, rtype):
    owner, text = EXAMPLES[rtype]
    found = made(call, zone, owner, rtype, text)
    path = f"/v2/zones/{zone['id']}/recordsets"

    assert (found["type"], found["records"]) == (types.canonical_name(rtype), [text])
    assert call("GET", f"{path}/{found['id']}")[1]["records"] == [text]
    (listed,) = call("GET", f"{path}?type={rtype}&name={found['name']}")[1]["recordsets"]
    assert (listed["id"], listed["records"]) == (found["id"], [text])
    assert call("PUT", f"{path}/{found['id']}", {"records": [text], "ttl": 60})[0] == 202
    assert post(call, zone, owner, found["type"], text)[0] in (
        409,
        400 if rtype == "CNAME" else 409,
    )


def test_a_type_by_number_is_the_type_and_its_bytes_are_its_text(call, zone):
    found = made(call, zone, "a", "TYPE1", "\\# 4 c0000201")
    path = f"/v2/zones/{zone['id']}/recordsets"

    assert (found["type"], found["records"]) == ("A", ["\\# 4 c0000201"])
    assert post(call, zone, "a", "A", "192.0.2.2")[0] == 409
    for given in ("A", "TYPE1", "type1", "a"):
        listed = call("GET", f"{path}?type={given}")[1]["recordsets"]
        assert [each["id"] for each in listed] == [found["id"]], given
    assert call("PUT", f"{path}/{found['id']}", {"records": ["192.0.2.1"]})[0] == 202


@pytest.mark.parametrize(
    "rtype", ["OPT", "TSIG", "SIG", "AXFR", "ANY", "TYPE255", "RRSIG", "TYPE47", "a"]
)
def test_types_that_clients_cannot_make_are_refused(call, zone, rtype):
    status, found = post(call, zone, "x", rtype, "\\# 1 00")

    assert (status, found["type"]) == (400, "invalid_object")
    assert f"'{rtype}' is not a valid record type" in message(found)


def test_a_type_that_is_switched_off_names_the_option(hidden, call, zone):
    hidden.conf.set_override("supported_record_type", ["A", "TYPE28", "caa"])
    try:
        assert post(call, zone, "x", "AAAA", "::1")[0] == 202
        assert post(call, zone, "x", "TYPE257", "0 issue ;")[0] == 202
        for rtype, text in (("LOC", "0 0 0 N 0 0 0 E 0m"), ("TYPE65400", "\\# 0")):
            status, found = post(call, zone, "x", rtype, text)
            assert status == 400
            assert "supported_record_type" in message(found)
    finally:
        hidden.conf.clear_override("supported_record_type")


@pytest.mark.parametrize("rtype", ["DNAME", "CNAME"])
def test_an_alias_has_one_record(call, zone, rtype):
    status, found = post(call, zone, "x", rtype, "a.", "b.")

    assert (status, found["type"]) == (400, "bad_request")


@pytest.mark.parametrize("rtype", ["DS", "CNAME"])
def test_types_that_the_apex_cannot_have(call, zone, rtype):
    text = EXAMPLES[rtype][1]

    assert post(call, zone, "", rtype, text)[1]["type"] == "invalid_recordset_location"


def test_rfc6672_s2_4_nothing_is_below_a_dname(call, zone):
    made(call, zone, "old", "A", "192.0.2.1")
    made(call, zone, "a.b", "A", "192.0.2.1")
    made(call, zone, "xold", "DNAME", "new.example.")
    assert post(call, zone, "b", "DNAME", "new.example.")[1]["type"] == "invalid_recordset_location"
    assert post(call, zone, "", "DNAME", "new.example.")[1]["type"] == "invalid_recordset_location"

    made(call, zone, "old", "DNAME", "new.example.")

    made(call, zone, "old", "TXT", "beside")
    made(call, zone, "x-old", "A", "192.0.2.1")
    for name in ("www.old", "a.b.OLD", "*.old"):
        status, found = post(call, zone, name, "A", "192.0.2.1")
        assert (status, found["type"]) == (400, "invalid_recordset_location"), name


def test_a_recordset_of_a_long_text_is_stored_whole(call, zone):
    key = "v=DKIM1; p=" + base64.b64encode(bytes(range(256)) * 4).decode()
    found = made(call, zone, "k._domainkey", "TXT", key)

    assert call("GET", f"/v2/zones/{zone['id']}/recordsets/{found['id']}")[1]["records"] == [key]
