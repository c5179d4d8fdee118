"""Exports: zones that become zone files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa

from designate import errors
from designate.central import quotas
from designate.central.base import Core, require_project, scope_of, target_of
from designate.central.jobs import JobRunner, JobsEndpoint, ProgressReporter
from designate.central.policy import ADMIN_OR_MEMBER, ADMIN_OR_READER, rule
from designate.context import Context
from designate.model.jobs import JobStatus, ZoneJob
from designate.storage.sqlalchemy import jobs as stored_jobs
from designate.storage.sqlalchemy import zones
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.wire import zonefile_writer

PROGRESS_BATCH = 500  # recordsets between two progress reports
EXPORTS = "/v2/zones/tasks/exports"
RULES = (
    rule(
        "create_zone_export",
        ADMIN_OR_MEMBER,
        "POST /v2/zones/{zone_id}/tasks/export",
        "Export a zone.",
    ),
    rule("find_zone_exports", ADMIN_OR_READER, f"GET {EXPORTS}", "List exports."),
    rule("get_zone_export", ADMIN_OR_READER, f"GET {EXPORTS}/{{id}}", "Show an export."),
    rule("zone_export", ADMIN_OR_MEMBER, f"GET {EXPORTS}/{{id}}/export", "Download a zone file."),
    rule(
        "update_zone_export",
        ADMIN_OR_MEMBER,
        "POST /v2/zones/{zone_id}/tasks/export",
        "Finish an export.",
    ),
    rule("delete_zone_export", ADMIN_OR_MEMBER, f"DELETE {EXPORTS}/{{id}}", "Delete an export."),
)


class ExportsEndpoint(JobsEndpoint):
    """See rpc.interfaces.ExportsApi."""

    def __init__(self, core: Core, runner: JobRunner) -> None:
        super().__init__(core, runner, stored_jobs.EXPORTS, "EXPORT", stored_jobs.EXPORT)
        runner.register("EXPORT", self._run)

    def create(self, context: Context, zone_id: str) -> ZoneJob:
        core = self._core

        def write(tx: Transaction) -> ZoneJob:
            stored = zones.lock_visible(tx, zone_id, scope_of(context))
            core.policy.check("create_zone_export", context, target_of(context, stored.zone))
            limits = quotas.effective(core, tx.connection, stored.zone.project_id)
            quotas.require(limits, api_export_size=stored.recordset_count)
            job = self._new_job(require_project(context), stored.zone.id)
            stored_jobs.insert(tx, job, "EXPORT", context.to_plain(), {})
            tx.after_commit.append(lambda: self._runner.enqueue(job.id))
            self._notify(tx, context, "create", job)
            return job

        return core.db.write(write)

    def get(self, context: Context, export_id: str) -> ZoneJob:
        return self._get(context, export_id, "get_zone_export")

    def delete(self, context: Context, export_id: str) -> None:
        self._delete(context, export_id)

    def file(self, context: Context, export_id: str) -> str:
        job = self._get(context, export_id, "zone_export")
        if job.status is not JobStatus.COMPLETE:
            raise errors.BadRequest("The export is not complete")
        with self._core.db.read() as connection:
            text = stored_jobs.read_file(connection, export_id)
        if text is None:
            raise errors.NotFound("zone_export")
        return text

    def render(self, context: Context, zone_id: str) -> str:
        self._core.policy.check("zone_export", context, {})
        with self._core.db.read() as connection:
            return _zone_file(connection, zones.get(connection, zone_id, scope_of(context)).id)

    def _run(self, row: Any, attempt: int) -> None:
        """Render the file from one database snapshot, so that it shows the zone at one serial."""
        report = self._runner.report_progress
        progress = ProgressReporter(lambda message: report(row.id, attempt, message))
        try:
            with self._core.db.read() as connection:
                text = _zone_file(connection, row.zone_id, progress)
        except errors.NotFound:
            self._runner.finish(row.id, attempt, JobStatus.ERROR, "The zone no longer exists.")
            return

        def store(tx: Transaction) -> dict[str, Any]:
            stored_jobs.store_file(tx, row.id, text)
            return {"location": f"designate://v2/zones/tasks/exports/{row.id}/export"}

        self._runner.finish(row.id, attempt, JobStatus.COMPLETE, None, store)


def _zone_file(
    connection: sa.Connection, zone_id: str, progress: Callable[[str], None] = lambda _: None
) -> str:
    """Return the zone as a master file.

    Args:
        connection: A connection that reads.
        zone_id: The zone.
        progress: Called with a text after every PROGRESS_BATCH recordsets.

    Raises:
        BadRequest: A stored recordset cannot be read.
    """
    stored = zones.get_stored(connection, zone_id)
    zone = stored.zone
    recordsets = stored_jobs.content(connection, zone.id)

    def found() -> Iterator[zonefile_writer.WrittenRecordSet]:
        for number, recordset in enumerate(recordsets, start=1):
            if number % PROGRESS_BATCH == 0:
                progress(f"Writing: {number} of {stored.recordset_count} recordsets")
            yield zonefile_writer.WrittenRecordSet(*recordset)

    try:
        return "".join(zonefile_writer.render(zone.name, zone.ttl, stored.soa_wire, found()))
    except zonefile_writer.CorruptRecordSet as error:
        raise errors.BadRequest(f"The zone cannot be exported: {error}") from None
