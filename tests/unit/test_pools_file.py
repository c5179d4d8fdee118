"""Parsing of pools.yaml, its problems, and dumping pools."""

from datetime import datetime

import pytest
import yaml

from designate import errors
from designate.model import pools_file, pools_file_dump
from designate.model.pools import AlsoNotify, Nameserver, NsRecord, Pool, PoolSpec, Target
from designate.model.zones import PrimaryAddress

POOL_ID = "794ccc2c-d751-44fe-b57f-8894c9f5c842"
KEY_ID = "0d0d0d0d-0000-4000-8000-000000000001"

FULL = f"""
- name: default
  id: {POOL_ID}
  description: the one
  attributes: {{service_tier: gold, internal: true}}
  ns_records: [{{hostname: ns1.example.org., priority: 1}}, {{hostname: ns2.example.org.}}]
  nameservers:
    - {{host: 192.0.2.2, port: 53, tsigkey_id: {KEY_ID}}}
    - {{host: "2001:db8::2"}}
    - {{host: ns3.example.org.}}
    - {{host: ns4, signs: true}}
  targets:
    - type: bind9
      description: first
      tsigkey_id: {KEY_ID}
      signs: "true"
      masters: [{{host: 192.0.2.1, port: 5354}}]
      options: {{host: 192.0.2.2, port: 53, ratio: 2.1, clean: true, dirty: false, word: "no"}}
  also_notifies: [{{host: 192.0.2.4, port: 5300}}]
"""


def parsed(text, drivers=("bind9", "fake")):
    return pools_file.parse(yaml.safe_load(text), "pools.yaml", drivers)


def minimal(**changes):
    item = {
        "name": "p",
        "ns_records": [{"hostname": "ns1.example.org.", "priority": 1}],
        "nameservers": [{"host": "192.0.2.2", "port": 53}],
        "targets": [{"type": "fake", "masters": [], "options": {}}],
    }
    return {key: value for key, value in {**item, **changes}.items() if value is not ...}


def faults(*items, drivers=("bind9", "fake")):
    with pytest.raises(errors.BadRequest) as caught:
        pools_file.parse(list(items), "pools.yaml", drivers)
    return caught.value.message.splitlines()


def test_the_whole_grammar_is_read():
    assert parsed(FULL) == (
        PoolSpec(
            name="default",
            id=POOL_ID,
            description="the one",
            attributes={"service_tier": "gold", "internal": "true"},
            ns_records=(
                NsRecord(hostname="ns1.example.org.", priority=1),
                NsRecord(hostname="ns2.example.org.", priority=1),
            ),
            nameservers=(
                Nameserver(host="192.0.2.2", port=53, tsigkey_id=KEY_ID),
                Nameserver(host="2001:db8::2", port=53),
                Nameserver(host="ns3.example.org.", port=53),
                Nameserver(host="ns4", port=53, signs=True),
            ),
            targets=(
                Target(
                    type="bind9",
                    description="first",
                    tsigkey_id=KEY_ID,
                    signs=True,
                    masters=(PrimaryAddress(host="192.0.2.1", port=5354),),
                    options={
                        "host": "192.0.2.2",
                        "port": "53",
                        "ratio": "2.1",
                        "clean": "true",
                        "dirty": "false",
                        "word": "no",
                    },
                ),
            ),
            also_notifies=(AlsoNotify(host="192.0.2.4", port=5300),),
            left_out=("catalog_zone",),
        ),
    )


def test_what_is_dumped_is_read_back_as_the_same():
    spec = parsed(FULL)[0]
    pool = Pool(
        id=POOL_ID,
        created_at=datetime(2026, 1, 1),
        **{
            name: getattr(spec, name)
            for name in PoolSpec.__dataclass_fields__
            if name not in ("id", "left_out")
        },
    )

    text = yaml.safe_dump(pools_file_dump.dump([pool], secrets=True))

    assert parsed(text) == (spec,)


CAT = {"catalog_zone_fqdn": "cat.example."}


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"name": ...}, "pool 1: name: is required"),
        ({"name": "x" * 51}, "name: must be a text of at most 50 characters"),
        ({"id": "12"}, "pool p: id: Not a valid uuid: 12"),
        ({"name": ""}, "name: is required"),
        ({"ns_records": [{"hostname": ""}]}, "ns_records[0]: hostname: is required"),
        ({"ns_records": [{"hostname": "a..b."}]}, "hostname: a..b. is not a host name"),
        ({"ns_records": [{"hostname": "a b."}]}, "hostname: a b. is not a host name"),
        ({"nameservers": [{"host": ""}]}, "nameservers[0]: host: is required"),
        (
            {"nameservers": [{"host": "2001:DB8::1"}, {"host": "2001:db8:0::1"}]},
            "2001:db8::1 port 53 is listed more than once",
        ),
        ({"nameservers": [{"host": "a."}, {"host": "a"}]}, "a port 53 is listed more than once"),
        ({"also_notifies": ""}, "also_notifies: must be a list"),
        ({"targets": [{"type": ""}]}, "targets[0]: type: is required"),
        ({"description": "x" * 161}, "description: must be a text of at most 160 characters"),
        ({"attributes": ["a"]}, "attributes: must be a mapping"),
        ({"attributes": {"a": {"b": 1}}}, "attributes: a: must be a text"),
        ({"ns_records": []}, "ns_records: must not be empty"),
        ({"ns_records": {}}, "ns_records"),
        ({"ns_records": ["ns1."]}, "ns_records[0]: must be a mapping"),
        ({"ns_records": [{"hostname": "ns1.example.org"}]}, "does not end with a dot"),
        ({"ns_records": [{"hostname": "a.", "priority": 0}]}, "priority: must be a number from 1"),
        ({"ns_records": [{"hostname": "a.", "priority": 10001}]}, "from 1 to 10000"),
        ({"ns_records": [{"hostname": "a."}, {"hostname": "A."}]}, "a. is listed more than once"),
        ({"nameservers": []}, "nameservers: must not be empty"),
        ({"nameservers": [{"port": 53}]}, "nameservers[0]: host: is required"),
        ({"nameservers": [{"host": "a b"}]}, "a b is not an IP address or host name"),
        ({"nameservers": [{"host": "192.0.2.256"}]}, "is not an IP address or host name"),
        ({"nameservers": [{"host": "192.0.2.1:53"}]}, "is not an IP address or host name"),
        ({"nameservers": [{"host": "a", "port": 65536}]}, "port: must be a number from 1 to 65535"),
        ({"nameservers": [{"host": "a", "port": "dns"}]}, "port: must be a number"),
        ({"nameservers": [{"host": "a", "hots": 1}]}, "nameservers[0]: hots: unknown key"),
        ({"nameservers": [{"host": "a", "tsigkey_id": "k"}]}, "Not a valid uuid: k"),
        ({"nameservers": [{"host": "a"}, {"host": "A", "port": 53}]}, "listed more than once"),
        ({"nameservers": [{"host": "a", "signs": "on"}]}, "signs: must be true or false"),
        ({"targets": []}, "targets: must not be empty"),
        ({"targets": [{}]}, "targets[0]: type: is required"),
        ({"targets": [{"type": "agent"}]}, "backend driver type: agent"),
        ({"targets": [{"type": "fake", "masters": [{}]}]}, "targets[0]: masters[0]: host"),
        ({"targets": [{"type": "fake", "options": 1}]}, "options: must be a mapping"),
        ({"targets": [{"type": "fake", "options": {"k": "x" * 256}}]}, "at most 255 characters"),
        ({"also_notifies": [{"host": "a", "port": -1}]}, "also_notifies[0]: port"),
        ({"provisioner": "x"}, "pool p: provisioner: unknown key"),
        ({"catalog_zone": {}}, "catalog_zone: catalog_zone_fqdn: is required"),
        ({"catalog_zone": {"catalog_zone_fqdn": "cat.example"}}, "does not end with a dot"),
        (
            {"catalog_zone": {**CAT, "catalog_zone_refresh": -1}},
            "must be a number from 0 to 2147483647",
        ),
        (
            {"catalog_zone": {**CAT, "catalog_zone_refresh": True}},
            "must be a number from 0 to 2147483647",
        ),
        ({"catalog_zone": {**CAT, "catalog_zone_tsig_key": "YQ=="}}, "must be set together"),
        (
            {
                "catalog_zone": {
                    **CAT,
                    "catalog_zone_tsig_key": "s3cret!",
                    "catalog_zone_tsig_algorithm": "hmac-sha256",
                }
            },
            "pool p: catalog_zone: catalog_zone_tsig_key: must be base64",
        ),
        (
            {
                "catalog_zone": {
                    **CAT,
                    "catalog_zone_tsig_key": "YQ==",
                    "catalog_zone_tsig_algorithm": "hmac-sha3",
                }
            },
            "must be one of hmac-md5",
        ),
        ({"catalog_zone": {**CAT, "colour": 1}}, "catalog_zone: colour: unknown key"),
        ({"catalog_zone": []}, "must be a mapping"),
    ],
)
def test_a_fault_is_told_with_file_pool_and_key(changes, fault):
    found = faults(minimal(**changes))

    assert len(found) == 1
    assert found[0].startswith("pools.yaml: pool ")
    assert fault in found[0]


def test_quoted_numbers_and_missing_members_are_read():
    text = """
    - name: edge
      attributes: {"tier": "2", internal: true,}
      ns_records: [{hostname: a.ns.example., priority: "1"}, {hostname: b.ns.example., priority: }]
      nameservers: [{host: 192.0.2.7, port: "53"}, {host: "2001:db8::7", port: null}]
      targets: [{type: bind9, masters: [{host: "2001:db8::5", port: '5354'}], options: {host: 192.0.2.7,
        port: 53, rndc_port: '953', view: az1, clean_zonefile: true, ns_group: null}}]
      also_notifies: []
      catalog_zone: {catalog_zone_fqdn: cat.example., catalog_zone_refresh: '60'}
    """
    (spec,) = parsed(text)

    assert spec.attributes == {"tier": "2", "internal": "true"}
    assert [record.priority for record in spec.ns_records] == [1, 1]
    assert [server.port for server in spec.nameservers] == [53, 53]
    assert spec.targets[0].masters == (PrimaryAddress(host="2001:db8::5", port=5354),)
    assert spec.targets[0].options == {
        "host": "192.0.2.7",
        "port": "53",
        "rndc_port": "953",
        "view": "az1",
        "clean_zonefile": "true",
    }
    assert spec.catalog_zone.refresh == 60
    assert spec.left_out == ("description",)


def test_null_lists_and_attributes_are_left_out():
    nulls = dict.fromkeys(
        ("attributes", "ns_records", "nameservers", "targets", "also_notifies", "description")
    )

    (spec,) = pools_file.parse([{"name": "p", **nulls}], "pools.yaml")

    assert sorted(spec.left_out) == [
        "also_notifies", "attributes", "catalog_zone", "nameservers", "ns_records", "targets",
    ]  # fmt: skip
    assert spec.description is None


def test_no_fault_shows_an_options_value():
    for options in ({"api_token": "s3cret" * 50}, {"password": ["s3cret"]}):
        (found,) = faults(minimal(targets=[{"type": "fake", "options": options}]))
        assert "s3cret" not in found


def test_all_faults_are_told_at_once():
    found = faults(
        minimal(name="one", ns_records=[]), minimal(name="two", id="x", targets=[{"type": "no"}])
    )

    assert [line.split(":")[1].strip() for line in found] == ["pool one", "pool two", "pool two"]


@pytest.mark.parametrize("data", [None, {}, "text", 5, [None], [["name"]]])
def test_whatever_is_not_a_list_of_mappings_is_refused(data):
    with pytest.raises(errors.BadRequest, match=r"pools\.yaml: "):
        pools_file.parse(data, "pools.yaml", None)


def test_the_same_name_or_id_twice_is_refused():
    twice = faults(minimal(name="a", id=POOL_ID), minimal(name="a", id=POOL_ID))

    assert twice == [
        "pools.yaml: pool a: is listed more than once",
        f"pools.yaml: pool {POOL_ID}: is listed more than once",
    ]


def test_target_types_are_checked_only_against_a_given_list():
    specs = pools_file.parse([minimal(targets=[{"type": "mine"}])], "pools.yaml", None)

    assert specs[0].targets[0].type == "mine"


def test_secrets_are_masked_unless_they_are_asked_for():
    pool = Pool(
        id=POOL_ID,
        name="p",
        created_at=datetime(2026, 1, 1),
        targets=(
            Target(
                type="pdns4",
                options={
                    "api_endpoint": "http://192.0.2.1:8081",
                    "api_token": "s3cret",
                    "password": "s3cret",
                    "akamai_client_secret": "s3cret",
                    "tsigkey_value": "s3cret",
                },
            ),
        ),
    )

    masked = pools_file_dump.dump([pool])[0]["targets"][0]["options"]
    clear = pools_file_dump.dump([pool], secrets=True)[0]["targets"][0]["options"]

    assert "s3cret" not in masked.values()
    assert masked["api_endpoint"] == "http://192.0.2.1:8081"
    assert clear == pool.targets[0].options


def test_a_catalog_zone_is_dumped_and_read_back_and_its_secret_masked():
    catalog = {
        "catalog_zone_fqdn": "cat.example.",
        "catalog_zone_refresh": 60,
        "catalog_zone_tsig_key": "YSBzZWNyZXQ=",
        "catalog_zone_tsig_algorithm": "hmac-sha256",
    }
    (spec,) = pools_file.parse([minimal(catalog_zone=catalog)], "pools.yaml", None)
    members = {name: getattr(spec, name) for name in ("name", "ns_records", "catalog_zone")}
    pool = Pool(id=POOL_ID, created_at=datetime(2026, 1, 1), **members)

    assert pools_file_dump.dump([pool], secrets=True)[0]["catalog_zone"] == catalog
    assert "YSBzZWNyZXQ=" not in str(pools_file_dump.dump([pool]))
    assert "YSBzZWNyZXQ=" not in repr(pool)
