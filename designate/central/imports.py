"""Imports: zone files that become zones."""

from __future__ import annotations

import logging
from typing import Any

from oslo_db import exception as db_errors

from designate import errors, rrtypes
from designate.central.base import Core, own_target, require_project
from designate.central.jobs import JobRunner, JobsEndpoint, ProgressReporter
from designate.central.policy import ADMIN_OR_MEMBER, ADMIN_OR_READER, rule
from designate.central.zone_creation import ZoneContent, ZoneCreator
from designate.context import Context
from designate.model.jobs import ImportDraft, JobStatus, ZoneJob
from designate.model.zones import ZoneDraft
from designate.storage.sqlalchemy import jobs as stored_jobs
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.wire import zonefile

LOG = logging.getLogger(__name__)

GROUP = "service:central"
PROGRESS_BATCH = 500  # recordsets between two progress reports
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

            def delete_file(tx: Transaction) -> dict[str, Any]:
                stored_jobs.delete_file(tx, row.id)
                return {}

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
        draft = ZoneDraft(
            name=found.origin,
            email=found.email,
            ttl=found.ttl or self._core.conf[GROUP].min_ttl,
            attributes=row.attributes,
        )
        content = _content_of(found, self._core, progress)
        progress(f"Storing {len(content.recordsets)} recordsets")

        def store(tx: Transaction) -> dict[str, Any]:
            zone = self._creator.create(tx, context, draft, content)
            stored_jobs.delete_file(tx, row.id)
            return {"zone_id": zone.id}

        message = f"{found.origin} imported"
        try:
            self._runner.finish(row.id, attempt, JobStatus.COMPLETE, message, store)
        except db_errors.DBDuplicateEntry:
            raise errors.Duplicate("zone") from None
        return found.origin


def _content_of(found: zonefile.ZoneFile, core: Core, progress: zonefile.Progress) -> ZoneContent:
    """Return the file's recordsets, validated and in wire form.

    Raises:
        InvalidZonefile: A recordset is invalid; the message has the problems with their lines.
    """
    cnames = _CnameCheck(found.origin)
    problems: list[str] = []
    sets = []
    for number, rrset in enumerate(found.rrsets):
        if number % PROGRESS_BATCH == PROGRESS_BATCH - 1:
            progress(f"Checking: {number + 1} of {len(found.rrsets)} recordsets")
        texts = rrset.texts
        try:
            rrtypes.check_type(rrset.type, core.conf.supported_record_type)
            rrtypes.check_owner(rrset.type, rrset.name)
            rdatas = rrtypes.rdata_from_zonefile(rrset.type, rrset.name, texts)
            cnames.check(rrset)
        except errors.BadRequest as error:
            problems += _problems_with_lines(rrset, error)
            if len(problems) >= zonefile.MAX_ERRORS:
                break
            continue
        sets.append((rrset.name, rrset.type, rrset.ttl or None, texts, rdatas))
    if problems:
        raise zonefile.InvalidZonefile("; ".join(problems))
    return ZoneContent(
        serial=found.serial, retry=found.retry, expire=found.expire, recordsets=tuple(sets)
    )


class _CnameCheck:
    """Refuses other records beside a CNAME (RFC 1034 section 3.6.2)."""

    def __init__(self, origin: str) -> None:
        self._origin = origin.lower()
        self._types: dict[str, set[str]] = {}

    def check(self, rrset: zonefile.ZonefileRRset) -> None:
        """Raise BadRequest when the recordset and those before it break the rule."""
        name = rrset.name.lower()
        types = self._types.setdefault(name, set())
        types.add(rrset.type)
        if "CNAME" in types and (len(types) > 1 or len(rrset.records) > 1 or name == self._origin):
            raise errors.BadRequest("a CNAME record must be the only one of its name")


def _problems_with_lines(rrset: zonefile.ZonefileRRset, error: errors.BadRequest) -> list[str]:
    """Return each reason with the line of its record, else of the recordset's first one."""
    lines = rrset.lines
    if not error.errors:
        return [f"line {lines[0]}: {error.message}"]
    found = []
    for reason in error.errors:
        at = reason.path[1] if len(reason.path) > 1 and reason.path[0] == "records" else 0
        found.append(f"line {lines[at if isinstance(at, int) else 0]}: {reason.message}")
    return found


def _failure_message(error: errors.DesignateError) -> str:
    """Return the message of a failed import, in Designate's words where clients know them."""
    if isinstance(error, zonefile.MissingOrigin):
        return "The $ORIGIN statement is required and must be the first statement in the zonefile."
    if isinstance(error, zonefile.MissingSoa):
        return "An SOA record is required."
    if isinstance(error, zonefile.InvalidZonefile):
        return f"Malformed zonefile. {error.message or ''}".strip()
    if isinstance(error, errors.Duplicate):
        return "Duplicate zone."
    if isinstance(error, errors.OverQuota):
        return "Quota exceeded during zone import."
    if error.type == "invalid_ttl" and error.message:
        return error.message
    reasons = "; ".join(reason.message for reason in error.errors)
    return f"An undefined error occurred. {error.message or reasons or error.type}"
