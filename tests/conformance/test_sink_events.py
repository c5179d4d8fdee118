"""Events of Nova and Neutron: the handlers with a real central and its database."""

import logging
from datetime import datetime, timedelta

import pytest

from designate import errors
from designate.context import Context, admin_context
from designate.model.events import ExternalEvent
from designate.model.query import Query
from designate.model.recordsets import RecordSetPatch
from designate.model.zones import Action, Outcome, ZoneReport
from designate.sink.handlers import Handler
from designate.sink.records import Records
from designate.sink.service import Sink
from designate.storage.sqlalchemy import managed_names
from tests.support.factories.zone_data import Hidden
from tests.support.fakes.clock import ManualClock

NOVA, NEUTRON = "handler:nova_fixed", "handler:neutron_floatingip"
NOON = datetime(2026, 11, 1, 12)
INSTANCE = "0c8a3a4e-7c1f-4d0a-9a39-6a5b1c4d2e3f"
OTHER = "1c8a3a4e-7c1f-4d0a-9a39-6a5b1c4d2e3f"
FIP = "2c8a3a4e-7c1f-4d0a-9a39-6a5b1c4d2e3f"


class Given:
    """The event source of a sink, for tests that deliver the events themselves."""

    def __init__(self, _conf, sources, _take, pool):
        self.sources = sources
        self.pool = pool

    def start(self):
        pass

    stop = start


class Cloud:
    """A zone, and a sink whose events the test delivers."""

    def __init__(self, folder, clock):
        self.clock = clock
        self.hidden = Hidden(folder, clock.now)
        self.central = self.hidden.central

    def begin(self):
        self.zone = self.hidden.zone("cloud.example.org.")
        self.revision = self.shown().revision

    def sink(self, *handlers, **options):
        """Return a sink; options: those of both address handlers."""
        conf = self.hidden.conf
        conf.set_override("enabled_notification_handlers", list(handlers), "service:sink")
        for group in (NOVA, NEUTRON):
            for name, value in {"zone_id": self.zone.id, **options}.items():
                conf.set_override(name, value, group)
        return Sink(conf, self.central, Given)

    def shown(self):
        return self.central.zones.get(admin_context(), self.zone.id)

    def changes(self):
        """Return how many revisions the zone had since the last call."""
        before, self.revision = self.revision, self.shown().revision
        return self.revision - before

    def managed(self):
        """Return the records of resources by (name relative to the zone, type)."""
        page = self.central.recordsets.find(admin_context(), self.zone.id, Query(limit=100))
        return {
            (found.name.removesuffix(f".{self.zone.name}"), found.type): found.records
            for found in page.items
            if found.managed and found.type in ("A", "AAAA")
        }


@pytest.fixture
def cloud(tmp_path):
    made = Cloud(tmp_path, ManualClock(NOON + timedelta(hours=1)))
    with made.hidden:
        made.begin()
        yield made


def created(*addresses, instance=INSTANCE, hostname="web", at=NOON, **more):
    """Return Nova's event for an instance with these addresses."""
    fixed = [
        {"address": address, "version": 6 if ":" in address else 4, "label": "net"}
        for address in addresses
    ]
    payload = {
        "instance_id": instance, "hostname": hostname, "tenant_id": "alice", "fixed_ips": fixed,
        "metadata": {}, **more,
    }  # fmt: skip
    return event("compute.instance.create.end", payload, at)


def deleted(instance=INSTANCE, at=NOON + timedelta(minutes=1)):
    payload = {"instance_id": instance, "hostname": "web", "tenant_id": "alice"}
    return event("compute.instance.delete.start", payload, at)


def floating(fixed="10.0.0.5", address="192.0.2.9", at=NOON, **more):
    payload = {
        "id": FIP, "floating_ip_address": address, "fixed_ip_address": fixed,
        "tenant_id": "alice", **more,
    }  # fmt: skip
    return event("floatingip.update.end", {"floatingip": payload}, at)


def event(type, payload, at=NOON):
    return ExternalEvent(type=type, context={"project_name": "shop"}, payload=payload, at=at)


# -- instances -----------------------------------------------------------------------------------


def test_an_instance_has_its_name_until_it_is_deleted(cloud):
    sink = cloud.sink("nova_fixed")

    sink.take(created("192.0.2.1", "192.0.2.2", "2001:db8::1"))

    assert cloud.managed() == {
        ("web", "A"): ("192.0.2.1", "192.0.2.2"),
        ("web", "AAAA"): ("2001:db8::1",),
    }
    assert cloud.changes() == 1
    sink.take(deleted())
    assert cloud.managed() == {}
    assert cloud.changes() == 1
    assert cloud.shown().status == "PENDING"


def test_an_event_that_comes_twice_changes_the_zone_once(cloud):
    sink = cloud.sink("nova_fixed")
    for _ in range(2):
        sink.take(created("192.0.2.1"))
    assert cloud.changes() == 1
    for _ in range(2):
        sink.take(deleted())
    assert cloud.changes() == 1


def test_another_address_takes_the_place_of_the_first(cloud):
    sink = cloud.sink("nova_fixed")
    sink.take(created("192.0.2.1", "2001:db8::1"))
    sink.take(created("192.0.2.7", at=NOON + timedelta(seconds=1)))
    assert cloud.managed() == {("web", "A"): ("192.0.2.7",)}


def test_a_creation_that_comes_after_its_deletion_leaves_nothing(cloud):
    sink = cloud.sink("nova_fixed")
    sink.take(deleted())
    sink.take(created("192.0.2.1"))
    assert cloud.managed() == {}
    sink.take(created("192.0.2.1", instance=OTHER))
    assert cloud.managed() == {("web", "A"): ("192.0.2.1",)}


def test_times_of_events_are_forgotten_after_days(cloud):
    sink = cloud.sink("nova_fixed")
    sink.take(deleted())
    cloud.clock.advance(days=3)
    sink.take(created("192.0.2.1", instance=OTHER, at=cloud.clock.now()))
    with cloud.hidden.database.read() as connection:
        held = connection.exec_driver_sql("SELECT resource_id FROM resource_events").scalars().all()
    assert held == [OTHER]
    assert timedelta(days=3) > managed_names.EVENT_RETENTION


def test_a_name_belongs_to_whoever_had_it_first(cloud, caplog):
    sink = cloud.sink("nova_fixed")
    cloud.hidden.add(cloud.zone, "mail", "A", "198.51.100.1")
    sink.take(created("192.0.2.1"))

    sink.take(created("192.0.2.2", instance=OTHER))
    sink.take(created("192.0.2.3", instance=FIP, hostname="mail"))

    assert cloud.managed() == {("web", "A"): ("192.0.2.1",)}
    assert f"instance {OTHER}: no name" in caplog.text
    assert f"instance {FIP}: no name" in caplog.text
    sink.take(deleted(OTHER))
    sink.take(deleted(FIP))
    assert cloud.managed() == {("web", "A"): ("192.0.2.1",)}
    assert cloud.central.recordsets.find(
        admin_context(), cloud.zone.id, _named(cloud, "mail")
    ).items


def _named(cloud, name):
    return Query(limit=10, filters={"name": f"{name}.{cloud.zone.name}"})


def test_every_template_makes_a_name(cloud):
    sink = cloud.sink(
        "nova_fixed",
        formatv4=["%(octet0)s-%(octet3)s.%(label)s.%(zone)s", "%(hostname)s.%(project)s.%(zone)s"],
        formatv6=["%(ip_address)s-v%(ip_version)s.%(zone)s", "%(octet0)s-%(octet2)s.%(zone)s"],
    )
    sink.take(created("192.0.2.1", "2001:db8::1"))
    assert cloud.managed() == {
        ("192-1.net", "A"): ("192.0.2.1",),
        ("web.shop", "A"): ("192.0.2.1",),
        ("2001-db8--1-v6", "AAAA"): ("2001:db8::1",),
        ("2001-1", "AAAA"): ("2001:db8::1",),
    }


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("%(nothing)s.%(zone)s", "needs nothing"),
        ("%(display_name)s.%(zone)s", "is a wildcard"),
        ("%(hostname)s.elsewhere.example.", "not contained within its zone"),
        ("%(key)s.%(zone)s", "is not a name: ' ' must be written"),
        ("%(dots)s.%(zone)s", "no name in zone"),
        ("%(escaped)s.%(zone)s", "is a wildcard"),
        ("%(backslash)s.%(zone)s", "not contained within its zone"),
    ],
)
def test_a_template_without_a_name_does_not_keep_the_others(cloud, caplog, template, why):
    sink = cloud.sink("nova_fixed", formatv4=[template, "%(hostname)s.%(zone)s"])
    odd = {"key": "a b", "dots": "a..c", "escaped": "\\042", "backslash": "a\\"}
    sink.take(created("192.0.2.1", display_name="*", **odd))
    assert cloud.managed() == {("web", "A"): ("192.0.2.1",)}
    assert why in caplog.text


def test_a_name_beyond_ascii_is_stored_as_a_label(cloud):
    sink = cloud.sink("nova_fixed", formatv4=["%(display_name)s.%(zone)s"])
    sink.take(created("192.0.2.1", display_name="Gr\u00f6\u00dfe"))

    assert cloud.managed() == {("xn--gre-6ka8i", "A"): ("192.0.2.1",)}


def test_the_recordset_says_what_it_stands_for(cloud):
    cloud.sink("nova_fixed").take(created("192.0.2.1"))
    page = cloud.central.recordsets.find(admin_context(), cloud.zone.id, _named(cloud, "web"))
    found = cloud.central.recordsets.get(admin_context(), cloud.zone.id, page.items[0].id)
    stands = found.managed_by
    assert (stands.plugin_type, stands.plugin_name) == ("handler", "nova_fixed")
    assert (stands.resource_type, stands.resource_id) == ("instance", INSTANCE)
    assert (stands.project_id, found.ttl, found.project_id) == ("alice", None, "p")
    mine = Context(project_id="p", roles=["member"])
    with pytest.raises(errors.BadRequest, match="Managed"):
        cloud.central.recordsets.update(
            mine, cloud.zone.id, found.id, RecordSetPatch(records=("192.0.2.2",))
        )
    with pytest.raises(errors.BadRequest, match="Managed"):
        cloud.central.recordsets.delete(mine, cloud.zone.id, found.id)


def test_what_is_served_is_active(cloud):
    cloud.sink("nova_fixed").take(created("192.0.2.1"))
    zone = cloud.shown()
    told = ZoneReport(
        zone_id=zone.id, revision=zone.revision, serial=zone.serial, outcome=Outcome.SERVED
    )
    cloud.central.status.report(admin_context(), told)
    page = cloud.central.recordsets.find(admin_context(), cloud.zone.id, _named(cloud, "web"))
    assert [(found.status, found.action) for found in page.items] == [("ACTIVE", Action.NONE)]


def test_a_quota_holds_for_events_too(cloud, caplog):
    cloud.central.quotas.set(admin_context(), "p", {"zone_recordsets": 3, "recordset_records": 1})
    sink = cloud.sink("nova_fixed")
    sink.take(created("192.0.2.1"))
    sink.take(created("192.0.2.2", instance=OTHER, hostname="second"))
    sink.take(created("192.0.2.1", "192.0.2.2", at=NOON + timedelta(seconds=1)))
    assert cloud.managed() == {("web", "A"): ("192.0.2.1",)}
    assert f"instance {OTHER}: no name" in caplog.text


# -- floating addresses --------------------------------------------------------------------------


def test_a_floating_address_has_its_name_while_it_is_used(cloud):
    sink = cloud.sink("neutron_floatingip")
    sink.take(floating())
    assert cloud.managed() == {("192-0-2-9", "A"): ("192.0.2.9",)}
    sink.take(floating(fixed=None, at=NOON + timedelta(seconds=1)))
    assert cloud.managed() == {}
    sink.take(floating(at=NOON + timedelta(seconds=2)))
    assert cloud.managed() == {("192-0-2-9", "A"): ("192.0.2.9",)}
    gone = {"floatingip_id": FIP}
    sink.take(event("floatingip.delete.start", gone, NOON + timedelta(seconds=3)))
    sink.take(floating(at=NOON + timedelta(seconds=1)))
    assert cloud.managed() == {}


def test_a_floating_address_may_be_of_version_6(cloud):
    sink = cloud.sink("neutron_floatingip", formatv6=["%(description)s.%(zone)s"])
    sink.take(floating(address="2001:db8::9", description="door"))
    assert cloud.managed() == {("door", "AAAA"): ("2001:db8::9",)}


# -- the frame -----------------------------------------------------------------------------------


def test_each_source_is_listened_to_once(cloud):
    sink = cloud.sink(
        "nova_fixed", "neutron_floatingip", notification_topics=["dns", "more"],
        control_exchange="shared",
    )  # fmt: skip
    assert sink._listener.sources == [("shared", "dns"), ("shared", "more")]


def test_without_handlers_it_idles_and_says_so(cloud, caplog):
    sink = cloud.sink()
    sink.start()
    sink.take(created("192.0.2.1"))
    sink.stop()
    assert "nothing to do" in caplog.text
    assert cloud.managed() == {}


def test_a_handler_without_a_zone_ignores_its_events(cloud, caplog):
    sink = cloud.sink("nova_fixed", zone_id=None)
    sink.take(created("192.0.2.1"))
    assert "[handler:nova_fixed] zone_id is not set" in caplog.text
    assert cloud.managed() == {}


@pytest.mark.parametrize(
    ("handlers", "options", "why"),
    [
        (("nova_fixed", "nova_fixd"), {}, "not installed: nova_fixd"),
        (("nova_fixed",), {"formatv4": ["%(hostname)"]}, "name template"),
    ],
)
def test_what_cannot_be_used_is_told_at_the_start(cloud, handlers, options, why):
    with pytest.raises(errors.ConfigurationError, match=why):
        cloud.sink(*handlers, **options)


@pytest.mark.parametrize(
    "payload",
    [None, [], {}, {"instance_id": INSTANCE}, {"instance_id": INSTANCE, "fixed_ips": [{}]}],
)
def test_what_is_no_event_of_its_kind_is_dropped(cloud, caplog, payload):
    sink = cloud.sink("nova_fixed")
    sink.take(event("compute.instance.create.end", payload))
    assert "nova_fixed: failed to process compute.instance.create.end" in caplog.text
    sink.take(created("not an address", "192.0.2.1"))
    sink.take(created("192.0.2.1", at=NOON + timedelta(seconds=1)))
    assert cloud.managed() == {("web", "A"): ("192.0.2.1",)}


def test_a_zone_that_cannot_hold_names_drops_the_event(cloud, caplog):
    sink = cloud.sink("nova_fixed")
    cloud.central.zones.delete(cloud.hidden.context, cloud.zone.id)
    sink.take(created("192.0.2.1"))
    assert "The zone is being deleted" in caplog.text


class Away(Handler):
    """A handler that is unavailable for now."""

    __plugin_name__ = "away"
    OPTIONS = []

    def get_event_types(self):
        return ["compute.instance.create.end"]

    def process_notification(self, _context, _event_type, _payload):
        raise errors.Unavailable("central is unavailable", retry_after_s=1)


def test_what_cannot_be_done_now_is_wanted_again(cloud):
    sink = cloud.sink("nova_fixed")
    sink._handlers.insert(0, Away(cloud.hidden.conf, None))
    with pytest.raises(errors.Unavailable):
        sink.take(created("192.0.2.1"))
    assert cloud.managed() == {("web", "A"): ("192.0.2.1",)}
    sink.take(deleted())
    assert cloud.managed() == {}


class Sample(Handler):
    """A handler as operators write them."""

    __plugin_name__ = "sample"
    OPTIONS = []

    def get_event_types(self):
        return ["compute.instance.create.end", "compute.instance.delete.start"]

    def process_notification(self, context, event_type, payload):
        stands = {
            "managed": True,
            "managed_plugin_type": "handler",
            "managed_plugin_name": "sample",
            "managed_resource_type": "instance",
            "managed_resource_id": payload["instance_id"],
        }
        zone_id = self.zone.id
        if event_type.endswith("delete.start"):
            self.central_api.delete_managed_records(context, zone_id, stands)
            return
        for fixed in payload["fixed_ips"]:
            name = f"{fixed['label']}-{payload['hostname']}.{self.zone.name}"
            for alias in (name, f"x{name}"):
                self.central_api.create_managed_records(
                    context,
                    zone_id,
                    records_values=[{"data": fixed["address"], **stands}],
                    recordset_values={"zone_id": zone_id, "name": alias, "type": "A"},
                )


def test_an_operators_own_handler_makes_and_deletes_records(cloud):
    sink = cloud.sink("nova_fixed")
    handler = Sample(cloud.hidden.conf, Records(cloud.central))
    handler.zone = cloud.zone
    sink._handlers.append(handler)
    sink.take(created("192.0.2.1"))
    assert cloud.managed() == {
        ("web", "A"): ("192.0.2.1",),
        ("net-web", "A"): ("192.0.2.1",),
        ("xnet-web", "A"): ("192.0.2.1",),
    }
    own, sink._handlers = sink._handlers, sink._handlers[:1]
    sink.take(deleted())
    assert cloud.managed().keys() == {("net-web", "A"), ("xnet-web", "A")}
    sink._handlers = own
    sink.take(deleted(at=NOON + timedelta(minutes=2)))
    assert cloud.managed() == {}


def test_the_log_handler_writes_what_it_is_asked_for(cloud, caplog):
    caplog.set_level(logging.INFO)
    cloud.hidden.conf.set_override("allowed_event_types", ["a.b"], "handler:fake")
    sink = cloud.sink("fake")
    sink.take(event("a.b", {}))
    sink.take(event("a.c", {}))
    assert "fake: received event a.b" in caplog.text
    assert "a.c" not in caplog.text
