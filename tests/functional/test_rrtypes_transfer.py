"""All data that the API accepts reaches a real BIND by transfer and is returned equal."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from designate import errors
from designate.context import Context
from designate.model.recordsets import RecordSetDraft
from tests.support.factories.rdata_strategies import TYPES, owner_for, record_text
from tests.support.servers.nameservers import Named, free_port
from tests.support.servers.standalone import Service, transferred

CONTEXT = Context(project_id="noauth-project", roles=["admin"])
BATCHES = 6
ZONE = "types{}.example."


@st.composite
def drafts(draw):
    """Return recordsets of every type, valid and nearly valid, with names below ZONE."""
    found = []
    for number, rtype in enumerate(TYPES):
        owner = draw(owner_for(rtype, f"n{number}.{ZONE}"))
        texts = tuple(dict.fromkeys(draw(st.lists(record_text(rtype), min_size=1, max_size=3))))
        if rtype in ("CNAME", "DNAME", "NXT"):
            texts = texts[:1]
        found.append(RecordSetDraft(name=owner, type=rtype, records=texts))
    return found


@pytest.fixture(scope="module")
def batches():
    """Draw before servers run: hypothesis must not share `random` with other threads."""
    found: list[list[RecordSetDraft]] = []

    @settings(
        max_examples=BATCHES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(batch=drafts())
    def collect(batch):
        found.append(batch)

    collect()
    return found


@pytest.fixture(scope="module")
def bind(tmp_path_factory, batches):  # noqa: ARG001 - the batches are made before
    with Named(tmp_path_factory.mktemp("bind")) as bind:
        yield bind


@pytest.fixture(scope="module")
def service(tmp_path_factory, bind):
    with Service(tmp_path_factory.mktemp("service"), bind, free_port()) as service:
        yield service


def test_what_is_accepted_is_served_by_bind_unchanged(service, bind, batches):
    total = 0
    for number, batch in enumerate(batches):
        zone = service.zone(ZONE.format(number))
        accepted = 0
        for draft in batch:
            named = replace(draft, name=draft.name.format(number))
            try:
                service.parts.central.recordsets.create(CONTEXT, zone["id"], named)
            except (errors.BadRequest, errors.OverQuota, errors.Duplicate):
                continue
            accepted += len(draft.records)
        service.active(f"/zones/{zone['id']}", 20)
        own = transferred(service.dns, zone["name"])
        held = sum(len(rdataset) for _, rdataset in own.iterate_rdatasets())

        assert own == transferred(("127.0.0.1", bind.port), zone["name"]), batch
        assert held == accepted + 2, batch
        total += accepted
    assert total > BATCHES  # what is drawn at random is not all refused


def test_rfc2181_s9_the_largest_recordset_is_served_by_bind_and_a_larger_one_refused(service, bind):
    zone = service.zone("largest.example.")
    texts = [f'"{number}{"x" * 21_000}"' for number in range(4)]
    service.recordset(zone, "www.largest.example.", "SPF", texts[:3])
    body = {"name": "more.largest.example.", "type": "SPF", "records": texts}

    status, refusal = service.call("POST", f"/zones/{zone['id']}/recordsets", body)
    service.active(f"/zones/{zone['id']}", 20)

    assert status == 400
    assert [reason["path"] for reason in refusal["errors"]["errors"]] == [["records"]]
    served = transferred(("127.0.0.1", bind.port), zone["name"])
    assert served == transferred(service.dns, zone["name"])
    assert len(served.find_rdataset("www", "SPF")) == 3
