"""The worker's queries and NOTIFYs, signed with the pool's keys."""

from dataclasses import replace

import dns.tsig
import pytest

from designate import errors
from designate.backend.base import load
from designate.backend.fake import FakeBackend
from designate.model.pools import CatalogZone
from designate.model.zones import Action, Outcome, ZoneType
from designate.worker.pools import PoolCache
from designate.worker.service import Worker
from tests.support.deadlines import until
from tests.support.factories.worker import Central, change, stored_pool
from tests.support.fakes.nameserver import NanoServer
from tests.support.servers.standalone import make_conf

SECRET = "YSBzZWNyZXQgb2Ygc29tZSBieXRlcw=="
NEW_SECRET = "YW5vdGhlciBzZWNyZXQ="


def keyed(server, version=1, target="key", nameserver="key"):
    """Return a pool whose target and nameserver have keys."""
    pool = stored_pool(server, version=version)
    return replace(
        pool,
        targets=tuple(replace(one, tsigkey_id=target) for one in pool.targets),
        nameservers=tuple(replace(one, tsigkey_id=nameserver) for one in pool.nameservers),
    )


def knows(server, secret=SECRET):
    key = dns.tsig.Key("pool-key.", secret, "hmac-sha256")
    server.keyring = {key.name: key}


def names(messages):
    """Return the zones of queries or NOTIFYs."""
    return [message.question[0].name.to_text() for message in list(messages)]


@pytest.fixture
def server():
    with NanoServer() as server:
        knows(server)
        server.serials["example.org."] = 100
        yield server


@pytest.fixture
def central(server):
    central = Central(keyed(server))
    central.keys.add("Pool-Key", SECRET)
    return central


@pytest.fixture
def worker(central, tmp_path, quick_timeouts):  # noqa: ARG001 - for its effect
    worker = Worker(make_conf(tmp_path), central.client)
    worker.start()
    yield worker
    worker.stop()


def test_notify_and_soa_queries_are_signed_and_the_zone_converges(worker, central, server):
    desired = change(1, Action.CREATE, created=False)

    worker.zone_changed(None, desired)

    assert central.reports.wait(desired).outcome is Outcome.SERVED
    assert server.queries
    assert server.notifies
    assert all(message.had_tsig for message in (*server.queries, *server.notifies))


def test_a_changed_key_is_used_as_soon_as_the_pool_has_a_new_version(worker, central, server):
    first = change(1)
    worker.zone_changed(None, first)
    central.reports.wait(first, Outcome.SERVED)
    knows(server, NEW_SECRET)
    central.keys.add("pool-key", NEW_SECRET)
    central.pools.by_id["pool"] = keyed(server, version=2)
    server.serials["example.org."] = 200
    second = change(2, pool_version=2)

    worker.zone_changed(None, second)

    assert central.reports.wait(second).outcome is Outcome.SERVED


def test_a_key_that_is_gone_is_told_in_the_zones_error(worker, central):
    central.keys.by_id.clear()
    desired = change(1)

    worker.zone_changed(None, desired)

    report = central.reports.wait(desired)
    assert report.outcome is Outcome.FAILED
    assert "TSIG key key does not exist" in report.error


def test_a_key_that_cannot_be_used_is_told_without_its_secret(central):
    central.keys.add("pool-key", "no base64 at all")

    with pytest.raises(errors.ConfigurationError, match="not base64") as caught:
        PoolCache(central.client, load).get("pool", 1)

    assert "at all" not in str(caught.value)


def test_target_and_nameserver_have_keys_of_their_own_or_none(central, server):
    central.keys.add("other-key", SECRET, "other")
    central.pools.by_id["pool"] = keyed(server, target="other", nameserver=None)
    live = PoolCache(central.client, load).get("pool", 1)

    (target,) = live.targets
    assert target.key.name == "other-key."
    assert isinstance(target.backend, FakeBackend)
    assert target.backend.key_name == "other-key."
    assert live.key_of(live.nameservers[0]) is None


def test_a_catalog_that_the_server_keeps_to_itself_counts_once_its_notify_is_taken(
    worker, central, server
):
    """RFC 9432 section 7; other zones that are refused are not served."""
    server.serials.clear()
    server.lose_notifies = 1
    central.pools.by_id["pool"] = replace(
        keyed(server), catalog_zone=CatalogZone(fqdn="cat.example.")
    )
    catalog = replace(change(1, name="cat.example."), type=ZoneType.CATALOG)
    member = change(1)

    worker.zone_changed(None, catalog)
    worker.zone_changed(None, member)

    assert central.reports.wait(catalog).outcome is Outcome.SERVED
    first = [0]

    def polled_after_notify():
        """Return whether the member was polled again after its NOTIFY was accepted."""
        if "example.org." not in names(server.notifies):
            return False
        count = names(server.queries).count("example.org.")
        first[0] = first[0] or count
        return count >= first[0] + 2

    until(polled_after_notify, 20, "two more polls of the member")
    assert server.lost
    assert central.reports.of(member) == []
