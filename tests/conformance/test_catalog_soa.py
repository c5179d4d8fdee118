"""The SOA of a catalog zone: a consumer gets a difference only from a revision that it really has."""

import dns.message
import dns.query
import dns.rdatatype
import dns.rrset
import pytest

from designate.context import Context, admin_context
from designate.model.pools import CatalogZone, NsRecord, PoolSpec
from designate.model.query import Query
from designate.model.zones import Outcome, Status, ZoneReport
from tests.support.deadlines import scaled
from tests.support.factories.zone_data import Hidden
from tests.support.servers.standalone import transferred

DEFAULT = "794ccc2c-d751-44fe-b57f-8894c9f5c842"
CATALOG = "cat.example."


@pytest.fixture
def listed(tmp_path):
    """A service whose pool has a catalog zone."""
    with Hidden(tmp_path) as parts:
        spec = PoolSpec(
            id=DEFAULT,
            name="default",
            ns_records=(NsRecord(hostname="ns1.example.org."),),
            catalog_zone=CatalogZone(fqdn=CATALOG),
        )
        parts.central.pools.apply(admin_context(), (spec,), False, False)
        yield parts


def soa_of(listed):
    return transferred(listed.address, CATALOG).get_soa()


def catalog_of(listed):
    everything = Context(project_id="p", roles=["admin"], all_projects=True)
    return listed.central.zones.find(everything, Query(filters={"name": CATALOG})).items[0]


def difference(listed, soa):
    """Return the types of the RRs in the answer to an IXFR query from this SOA."""
    query = dns.message.make_query(CATALOG, "IXFR")
    query.authority.append(dns.rrset.from_text(CATALOG, 0, "IN", "SOA", soa))
    host, port = listed.address
    answer = dns.query.tcp(query, host, port=port, timeout=scaled(5), one_rr_per_rrset=True).answer
    return [dns.rdatatype.to_text(rrset.rdtype) for rrset in answer]


DIFFERENCE = ["SOA", "SOA", "SOA", "PTR", "SOA"]
WHOLE = ["SOA", "NS", "TXT", "PTR", "PTR", "SOA"]


def test_each_revision_has_an_mname_of_its_own(listed):
    found = [soa_of(listed)]
    for name in ("one.example.org.", "two.example.org."):
        listed.zone(name)
        found.append(soa_of(listed))

    assert len({soa.mname for soa in found}) == len(found)
    assert {soa.mname.labels[1:] for soa in found} == {(b"invalid", b"")}


def test_rfc1995_s4_the_difference_is_for_consumers_with_our_soa_only(listed):
    listed.zone("one.example.org.")
    before = soa_of(listed)
    listed.zone("two.example.org.")
    others = before.replace(mname=dns.name.from_text("other.invalid."))
    empty = f". . {before.serial} 0 0 0 0"

    assert difference(listed, before.to_text()) == DIFFERENCE
    assert difference(listed, before.to_text().upper()) == DIFFERENCE
    assert sorted(difference(listed, others.to_text())) == sorted(WHOLE)
    assert sorted(difference(listed, empty)) == sorted(WHOLE)


def test_another_catalog_of_the_same_serial_is_passed(listed):
    catalog = catalog_of(listed)
    report = ZoneReport(
        zone_id=catalog.id,
        revision=catalog.revision,
        serial=catalog.serial,
        newest=catalog.serial,
        outcome=Outcome.SERVED,
        error="nameserver ns: serial 7 is that of another catalog zone of this name",
    )
    listed.central.status.report(admin_context(), report)
    after = catalog_of(listed)

    assert (after.status, after.served_revision) == (Status.PENDING, 0)
    assert after.serial > catalog.serial
    assert after.error == report.error


def test_the_soa_that_is_shown_is_the_one_that_is_served(listed):
    listed.zone("one.example.org.")
    catalog = catalog_of(listed)

    assert catalog.soa_text == soa_of(listed).to_text()
