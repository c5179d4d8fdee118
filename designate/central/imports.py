"""Imports: zone files that become zones."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from oslo_db import exception as db_errors

from designate import errors
from designate.central import import_content, zone_rules
from designate.central.base import Core, own_target, require_project
from designate.central.jobs import JobRunner, JobsEndpoint, ProgressReporter
from designate.central.policy import ADMIN_OR_MEMBER, ADMIN_OR_READER, rule
from designate.central.zone_creation import ZoneCreator
from designate.context import Context
from designate.model.codec import to_plain
from designate.model.jobs import ImportDraft, JobFault, JobStatus, ZoneJob
from designate.model.zones import ZoneDraft
from designate.storage.sqlalchemy import jobs as stored_jobs
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.wire import zonefile
from designate.wire.zonefile_collector import FileFault

LOG = logging.getLogger(__name__)

GROUP = "service:central"
IMPORTS = "/v2/zones/tasks/imports"
RULES = (
    rule("create_zone_import", ADMIN_OR_MEMBER, f"POST {IMPORTS}", "Import a zone file."),
    rule("find_zone_imports", ADMIN_OR_READER, f"GET {IMPORTS}", "List imports."),
    rule("get_zone_import", ADMIN_OR_READER, f"GET {IMPORTS}/{{id}}", "Show an import."),
    rule("update_zone_import", ADMIN_OR_MEMBER, f"POST {IMPORTS}", "Finish an import."),
    rule("delete_zone_import", ADMIN_OR_MEMBER, f"DELETE {IMPORTS}/{{id}}", "Delete an import."),
)


class ImportsEndpoint(JobsEndpoint):
    """See rpc.interfaces.ImportsApi."""

    def __init__(self, core: Core, runner: JobRunner, creator: ZoneCreator) -> None:
        super().__init__(core, runner, stored_jobs.IMPORTS, "IMPORT", stored_jobs.IMPORT)
        self._creator = creator
        runner.register("IMPORT", self._run)

    def create(self, context: Context, draft: ImportDraft) -> ZoneJob:
        self._core.policy.check("create_zone_import", context, own_target(context))
        job = self._new_job(require_project(context))
        if draft.attributes:
            with self._core.db.read() as connection:
                self._creator.scheduler.choose(connection, context, draft.attributes)

        def write(tx: Transaction) -> None:
            plain = context.to_plain()
            stored_jobs.insert(tx, job, "IMPORT", plain, draft.attributes, draft.zonefile)
            tx.after_commit.append(lambda: self._runner.enqueue(job.id))
            self._notify(tx, context, "create", job)

        self._core.db.write(write)
        return job

    def get(self, context: Context, import_id: str) -> ZoneJob:
        return self._get(context, import_id, "get_zone_import")

    def delete(self, context: Context, import_id: str) -> None:
        self._delete(context, import_id)

    def _run(self, row: Any, attempt: int) -> None:
        try:
            name = self._import(row, attempt)
        except (errors.Unavailable, errors.DeadlineExceeded):
            raise  # another attempt follows when the claim has expired
        except errors.DesignateError as error:
            message = _failure_message(error)
            LOG.info("import %s: failed: %s", row.id, message)
            faults = error.faults if isinstance(error, zonefile.InvalidZonefile) else ()

            def delete_file(tx: Transaction) -> dict[str, Any]:
                stored_jobs.delete_file(tx, row.id)
                return {"faults": _stored_faults(faults)}

            self._runner.finish(row.id, attempt, JobStatus.ERROR, message, delete_file)
        else:
            LOG.info("import %s: created zone %s", row.id, name)

    def _import(self, row: Any, attempt: int) -> str:
        with self._core.db.read() as connection:
            text = stored_jobs.read_file(connection, row.id)
        report = self._runner.report_progress
        progress = ProgressReporter(lambda message: report(row.id, attempt, message))
        found = zonefile.parse(text or "", progress)
        context = Context.from_plain(row.context)
        self._core.policy.check("create_zone", context, own_target(context))
        draft = self._draft(found, row.attributes)
        content = import_content.read(self._core, context, found, progress)
        progress(f"Storing {len(content.recordsets)} recordsets")

        def store(tx: Transaction) -> dict[str, Any]:
            zone = self._creator.create(tx, context, draft, content)
            stored_jobs.delete_file(tx, row.id)
            return {
                "zone_id": zone.id,
                "faults": _stored_faults(found.skipped),
                "skipped_count": found.skipped_count,
            }

        message = f"{found.origin} imported"
        if found.skipped_count:
            message += f", {found.skipped_count} records outside the zone skipped"
        try:
            self._runner.finish(row.id, attempt, JobStatus.COMPLETE, message, store)
        except db_errors.DBDuplicateEntry:
            raise errors.Duplicate("zone") from None
        return found.origin

    def _draft(self, found: zonefile.ZoneFile, attributes: dict[str, str]) -> ZoneDraft:
        """Return the zone to create, of valid form.

        Raises:
            InvalidZonefile: Its name or its email address is invalid, in the line of the SOA.
        """
        draft = ZoneDraft(
            name=found.origin,
            email=found.email,
            ttl=found.ttl or self._core.conf[GROUP].min_ttl,
            attributes=attributes,
        )
        try:
            zone_rules.check_draft(draft)
        except errors.InvalidObject as error:
            fault = FileFault(found.soa_line, import_content.reason_of(error))
            raise zonefile.InvalidZonefile([fault]) from None
        return draft


def _stored_faults(faults: Iterable[FileFault]) -> list[dict[str, Any]]:
    return [to_plain(JobFault, JobFault(line=fault.line, reason=fault.reason)) for fault in faults]


def _failure_message(error: errors.DesignateError) -> str:
    """Return the message of a failed import, in Designate's words where clients know them."""
    if isinstance(error, zonefile.MissingOrigin):
        return "The $ORIGIN statement is required and must be the first statement in the zonefile."
    if isinstance(error, zonefile.MissingSoa):
        return "An SOA record is required."
    if isinstance(error, zonefile.InvalidZonefile) and error.type != "invalid_ttl":
        return f"Malformed zonefile. {error.message or ''}".strip()
    if isinstance(error, errors.Duplicate):
        return "Duplicate zone."
    if isinstance(error, errors.OverQuota):
        return "Quota exceeded during zone import."
    if error.type == "invalid_ttl" and error.message:
        return error.message
    return f"An undefined error occurred. {import_content.reason_of(error)}"
