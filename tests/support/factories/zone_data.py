"""MiniDNS on a database that a test fills through central."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
from webob import Request

from designate.api.app import build
from designate.central import service as central_service
from designate.context import Context, admin_context
from designate.mdns.server import MiniDns
from designate.model.pools import NsRecord, PoolSpec
from designate.model.recordsets import RecordSet, RecordSetDraft
from designate.model.zones import (
    NameserverAnswer,
    Outcome,
    Zone,
    ZoneAnnouncement,
    ZoneDraft,
    ZoneReport,
)
from designate.rpc.clients import CentralClient
from designate.rpc.local import LocalBus
from designate.runtime.clock import utcnow
from designate.storage.sqlalchemy.db.engine import Database
from designate.storage.sqlalchemy.tables import recordsets, shared_recordset_counts
from designate.storage.sqlalchemy.tables import zones as zones_table
from tests.support.servers import schema
from tests.support.servers.standalone import make_conf


class Quiet:
    """A worker that records its calls and does nothing."""

    def __init__(self) -> None:
        self.changes: list[ZoneAnnouncement] = []
        self.served: list[tuple[str, int, str]] = []
        self.refreshed: list[tuple[str, str | None]] = []
        self.nameserver_answers: tuple[NameserverAnswer, ...] = ()
        self.checked: tuple[ZoneAnnouncement, ...] = ()

    def zone_changed(self, context: Context, change: ZoneAnnouncement) -> None:  # noqa: ARG002 - part of the interface
        self.changes.append(change)

    def refresh_zone(self, context: Context, zone_id: str, source: str | None = None) -> None:  # noqa: ARG002 - part of the interface
        self.refreshed.append((zone_id, source))

    def look(self, context: Context, change: ZoneAnnouncement) -> tuple[NameserverAnswer, ...]:  # noqa: ARG002 - part of the interface
        return self.nameserver_answers

    def check_zones(self, context: Context, changes: tuple[ZoneAnnouncement, ...]) -> None:  # noqa: ARG002 - part of the interface
        self.checked += changes

    def zone_served(self, context: Context, zone_id: str, serial: int, peer: str) -> None:  # noqa: ARG002 - part of the interface
        self.served.append((zone_id, serial, peer))


class Prompt(LocalBus):
    """A bus that executes casts before they return."""

    def cast(
        self, topic: str, namespace: str, version: str, method: str, message: dict[str, Any]
    ) -> None:
        self.call(topic, namespace, version, method, message)


class Unversioned:
    """Finds transactions that change a zone's content without a new version of the zone's row.

    Cached pages depend on that version. Content is recordsets, and the columns of the zone's row that
    show in its recordsets. It watches all transactions of this process.

    Attributes:
        found: the first such statement of each transaction.
    """

    SHOWN = "name|email|mname|serial|refresh|retry|expire|minimum|revision|served_revision|status|action"
    CHANGES = re.compile(
        r"(INSERT INTO|UPDATE|DELETE FROM) (recordsets|records)\b"
        rf"|UPDATE zones SET (?!.*\bversion=).*\b({SHOWN})=.* WHERE ",
        re.DOTALL,
    )
    VERSIONS = re.compile(r"INSERT INTO zones\b|UPDATE zones SET .*\bversion=", re.DOTALL)

    def __init__(self) -> None:
        self.found: list[str] = []
        self._hooks = {
            "before_cursor_execute": self._execute,
            "commit": self._commit,
            "rollback": self._forget,
        }

    def __enter__(self) -> Self:
        for event, hook in self._hooks.items():
            sa.event.listen(sa.Engine, event, hook)
        return self

    def __exit__(self, *_: object) -> None:
        for event, hook in self._hooks.items():
            sa.event.remove(sa.Engine, event, hook)

    def _execute(self, connection: sa.Connection, _cursor: object, text: str, *_: object) -> None:
        if self.CHANGES.match(text):
            connection.info.setdefault("changed", text)
        elif self.VERSIONS.match(text):
            connection.info["versioned"] = True

    def _commit(self, connection: sa.Connection) -> None:
        changed = connection.info.get("changed")
        if changed and not connection.info.get("versioned"):
            self.found.append(changed)
        self._forget(connection)

    def _forget(self, connection: sa.Connection) -> None:
        if connection.invalidated:
            return
        for name in ("changed", "versioned"):
            connection.info.pop(name, None)


class Hidden:
    """Central and MiniDNS without nameservers: `with Hidden(folder) as dns`.

    `now` is central's clock; MiniDNS has the real one.
    """

    def __init__(
        self, folder: Path, now: Callable[[], datetime] = utcnow, **overrides: dict[str, Any]
    ) -> None:
        self.conf = make_conf(folder, **overrides)
        self.worker = Quiet()
        self.database = Database.from_conf(self.conf)
        bus = Prompt()
        bus.serve("central", central_service.dispatcher(self.conf, self.database, self.worker, now))
        self.central = CentralClient.over(bus)
        self.mdns = MiniDns(self.conf, self.database, self.worker)
        self.context = Context(project_id="p", roles=["admin"], user_id="u")
        self._unversioned = Unversioned()

    def __enter__(self) -> Self:
        schema.migrate(self.conf["storage:sqlalchemy"].connection)
        self._unversioned.__enter__()
        spec = PoolSpec(
            id="794ccc2c-d751-44fe-b57f-8894c9f5c842",
            name="default",
            ns_records=(NsRecord(hostname="ns1.example.org."),),
        )
        self.central.pools.apply(admin_context(), (spec,), False, False)
        self.mdns.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.mdns.stop()
        inconsistencies = self._inconsistencies()
        self.database.close()
        self._unversioned.__exit__()
        assert not self._unversioned.found, self._unversioned.found
        assert not inconsistencies, inconsistencies

    def _inconsistencies(self) -> list[str]:
        """Return the zones with wrong counts or a wrong status, both of which lists depend on.

        The counts are of the recordsets of their owner and of other projects. The status must show that
        a revision is not served yet.
        """
        actual = sa.select(
            recordsets.c.zone_id,
            sa.func.coalesce(recordsets.c.project_id, ""),
            sa.func.count(),
        ).group_by(recordsets.c.zone_id, recordsets.c.project_id)
        shared_counts = sa.select(shared_recordset_counts).where(
            shared_recordset_counts.c.recordsets != 0
        )
        found = []
        with self.database.read() as connection:
            counted: dict[str, dict[str, int]] = {}
            for zone_id, project_id, number in connection.execute(actual):
                counted.setdefault(zone_id, {})[project_id] = number
            recorded: dict[str, dict[str, int]] = {}
            for row in connection.execute(shared_counts):
                recorded.setdefault(row.zone_id, {})[row.project_id] = row.recordsets
            for zone in connection.execute(sa.select(zones_table)):
                owner = zone.project_id or ""
                each = counted.get(zone.id, {})
                others = {name: number for name, number in each.items() if name != owner}
                if zone.deleted != "0":
                    others = {}
                elif zone.recordset_count != sum(each.values()):
                    found.append(f"{zone.name}: {zone.recordset_count}, not {sum(each.values())}")
                waits = zone.deleted == "0" and zone.served_revision < zone.revision
                if waits and zone.status not in ("PENDING", "ERROR"):
                    found.append(f"{zone.name}: waits and is {zone.status}")
                if recorded.get(zone.id, {}) != others:
                    found.append(f"{zone.name}: {recorded.get(zone.id)} of others, not {others}")
        return found

    @property
    def address(self) -> tuple[str, int]:
        return self.mdns.addresses[0]

    def http(self) -> Callable[..., tuple[int, Any]]:
        """Return a function that sends a request to the API in this process.

        It maps (method, path, body or bytes, headers) to (status, JSON or text).
        """
        app = build(self.conf, self.central)

        def call(
            method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
        ) -> tuple[int, Any]:
            request = Request.blank(path, method=method, headers={"X-Auth-Project-ID": "p"})
            if body is not None:
                request.content_type = "application/json"
                request.body = body if isinstance(body, bytes) else json.dumps(body).encode()
            request.headers.update(headers or {})
            response = request.get_response(app)
            if response.content_type == "application/json" and response.body:
                return response.status_int, response.json
            return response.status_int, response.text if response.charset else response.body

        return call

    def zone(self, name: str, **members: Any) -> Zone:
        draft = ZoneDraft(name=name, email="a@example.com", **members)
        return self.central.zones.create(self.context, draft)

    def add(self, zone: Zone, name: str, rtype: str, *records: str, **more: Any) -> RecordSet:
        """Create a recordset; name: relative to the zone, or @ for the zone's own."""
        owner = zone.name if name == "@" else f"{name}.{zone.name}"
        draft = RecordSetDraft(name=owner, type=rtype, records=records, **more)
        return self.central.recordsets.create(self.context, zone.id, draft)

    def report(self, zone_id: str, outcome: Outcome, error: str | None = None) -> None:
        """Report an outcome for the zone's current revision, as a worker does."""
        everything = Context(project_id="p", roles=["admin"], all_projects=True)
        zone = self.central.zones.get(everything, zone_id)
        report = ZoneReport(
            zone_id=zone.id,
            revision=zone.revision,
            serial=zone.serial,
            outcome=outcome,
            error=error,
        )
        self.central.status.report(admin_context(), report)

    def fresh(self, zone: Zone) -> Zone:
        return self.central.zones.get(self.context, zone.id)
