"""The plug-in for devstack: all phases, with each back end, until a nameserver serves a zone."""

from configparser import ConfigParser

import dns.message
import dns.query
import dns.rcode
import pytest

from tests.support.deadlines import scaled
from tests.support.devstack.stack import Devstack
from tests.support.servers.nameservers import Memcached

POOL_2 = "cb3ffcc8-8e7f-4a52-9d0c-6a9e5c2f54b7"


@pytest.fixture(scope="module")
def memcached():
    with Memcached() as server:
        yield server


@pytest.fixture(scope="module")
def transport_url(broker):
    return broker.fresh()


@pytest.fixture
def devstack(tmp_path, keystone, mariadb, transport_url, memcached):
    """Return a function that makes a devstack with the given variables, which the test enters."""

    def make(**variables):
        return Devstack(tmp_path, keystone, mariadb, transport_url, memcached, variables)

    return make


def served(port, name):
    """Return the primary nameserver of a zone as a nameserver says."""
    query = dns.message.make_query(name, "SOA")
    answer = dns.query.udp(query, "127.0.0.1", port=port, timeout=scaled(5))
    if answer.rcode() != dns.rcode.NOERROR:
        return None
    return answer.answer[0][0].mname.to_text()


def configuration(text):
    parser = ConfigParser(interpolation=None, strict=False)
    parser.read_string(text)
    return parser


def lives(stack, use):
    """Run all phases, with a use of the service between them, and see that nothing is left."""
    before = stack.inventory()
    trace = stack.run("stack")
    use()
    assert [name for name, secret in stack.secrets().items() if secret in trace] == []
    stack.run("unstack")
    assert stack.processes() == []
    stack.run("clean")
    after = stack.inventory()
    assert [line for line in after if line not in before] == []
    assert [line for line in before if line not in after] == []


def upgrade(stack):
    """Run grenade's scripts in their order: its zone must be served before, during and afterwards."""
    stack.grenade("resources.sh", "create")
    stack.grenade("resources.sh", "verify", "pre-upgrade")
    stack.grenade("shutdown.sh")
    nameserver = stack.processes()
    assert len(nameserver) == 1
    stack.grenade("resources.sh", "verify_noapi", "pre-upgrade")
    stack.grenade("upgrade.sh")
    stack.grenade("resources.sh", "verify", "post-upgrade")
    stack.grenade("resources.sh", "destroy")
    assert nameserver[0] in stack.processes()


def test_bind9_serves_a_zone_and_nothing_is_left_after_clean(devstack):
    with devstack(DESIGNATE_BACKEND_DRIVER="bind9") as stack:

        def use():
            stack.zone("bind9.example.")
            assert served(stack.dns_port, "bind9.example.") == "ns1.devstack.org."
            conf = configuration(stack.file("/etc/designate/designate.conf"))
            assert conf["service:worker"]["poll_max_retries"] == "6"
            assert conf["DEFAULT"]["quota_zones"] == "10"
            tempest = configuration(stack.path("tempest.conf").read_text())
            assert tempest["service_available"]["designate"] == "True"
            assert tempest["dns"]["nameservers"] == f"127.0.0.1:{stack.dns_port}"
            upgrade(stack)

        lives(stack, use)


def test_an_unknown_back_end_is_refused_by_a_list_of_the_known_ones(devstack):
    with devstack(DESIGNATE_BACKEND_DRIVER="nsd") as stack:
        ended = stack.attempt("stack")

        assert ended.returncode != 0
        assert "DESIGNATE_BACKEND_DRIVER=nsd is unknown; one of: bind9 fake" in ended.stderr


def test_bind9_learns_its_zones_from_a_catalog_zone(devstack):
    with devstack(DESIGNATE_BACKEND_DRIVER="bind9", DESIGNATE_USE_CATALOG_ZONES="True") as stack:

        def use():
            stack.zone("member.example.")
            assert served(stack.dns_port, "member.example.") == "ns1.devstack.org."

        lives(stack, use)


def test_pdns4_serves_a_zone_and_nothing_is_left_after_clean(devstack):
    with devstack(DESIGNATE_BACKEND_DRIVER="pdns4") as stack:

        def use():
            stack.zone("pdns4.example.")
            assert served(stack.dns_port, "pdns4.example.") == "ns1.devstack.org."

        lives(stack, use)


def test_multipool_bind9_serves_each_pool_from_its_own_bind(devstack):
    variables = {
        "DESIGNATE_BACKEND_DRIVER": "multipool-bind9",
        "DESIGNATE_DEFAULT_NS2_RECORD": "ns2.devstack.example.",
        "SCHEDULER_FILTERS": "pool_id_attribute,in_doubt_default_pool",
    }
    with devstack(**variables) as stack:

        def use():
            stack.zone("first.example.")
            stack.zone("second.example.", attributes={"pool_id": POOL_2})

            assert served(stack.dns_port, "first.example.") == "ns1.devstack.org."
            assert served(stack.dns_port, "second.example.") is None
            assert served(stack.dns_port_2, "first.example.") is None
            assert served(stack.dns_port_2, "second.example.") == "ns2.devstack.example."

        lives(stack, use)


def test_fake_has_active_zones_that_minidns_serves(devstack):
    with devstack(DESIGNATE_BACKEND_DRIVER="fake") as stack:

        def use():
            stack.zone("fake.example.")
            assert served(stack.mdns_port, "fake.example.") == "ns1.devstack.org."

        lives(stack, use)
