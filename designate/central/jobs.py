"""Imports and exports of zone files: durable jobs, run by central beside its other work."""

from __future__ import annotations

import logging
import queue
import threading
import uuid
from collections.abc import Callable
from time import monotonic
from typing import Any

from oslo_config import cfg
from oslo_db import exception as db_errors

from designate import errors, rrtypes
from designate.central import quotas
from designate.central.base import Core, own_target, scope_of, target_of
from designate.central.policy import ADMIN_OR_MEMBER, ADMIN_OR_READER, rule
from designate.central.zone_creation import ZoneContent, ZoneCreator
from designate.context import Context
from designate.model.jobs import ImportDraft, JobStatus, ZoneJob
from designate.model.query import Page, Query
from designate.model.zones import Zone, ZoneDraft
from designate.runtime.cooperative import yield_to_others
from designate.storage.sqlalchemy import jobs as stored_jobs
from designate.storage.sqlalchemy import zones
from designate.storage.sqlalchemy.db.engine import Transaction
from designate.storage.sqlalchemy.db.rows import Rows
from designate.storage.sqlalchemy.listing.pagination import EVERYTHING, Condition, of_project
from designate.storage.sqlalchemy.tables import zone_tasks
from designate.wire import zonefile

LOG = logging.getLogger(__name__)

GROUP = "service:central"
OPTS = [
    cfg.IntOpt(
        "task_threads",
        default=2,
        min=1,
        help="Imports and exports that one central works on at the same time.",
    ),
    cfg.FloatOpt(
        "task_claim",
        default=60.0,
        min=1,
        help="Seconds after which an import or export whose process died is started again.",
    ),
]

IMPORTS = "/v2/zones/tasks/imports"
EXPORTS = "/v2/zones/tasks/exports"
RULES = (
    rule("create_zone_import", ADMIN_OR_MEMBER, f"POST {IMPORTS}", "Import a zone file."),
    rule("find_zone_imports", ADMIN_OR_READER, f"GET {IMPORTS}", "List imports."),
    rule("get_zone_import", ADMIN_OR_READER, f"GET {IMPORTS}/{{id}}", "Show an import."),
    rule("update_zone_import", ADMIN_OR_MEMBER, f"POST {IMPORTS}", "Finish an import."),
    rule("delete_zone_import", ADMIN_OR_MEMBER, f"DELETE {IMPORTS}/{{id}}", "Delete an import."),
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

IMPORT, EXPORT = {"task_type": "IMPORT"}, {"task_type": "EXPORT"}
MOST_ATTEMPTS = 5
LONGEST_MESSAGE = 160
MOST_QUEUED = 1000
# Seconds between two words about how far an import is, and recordsets between two looks at the clock.
TOLD_EVERY_S = 1.0
REPORTED = 500


def shortened(message: str) -> str:
    """At most LONGEST_MESSAGE characters, whole faults of a list of them as far as they fit."""
    if len(message) <= LONGEST_MESSAGE:
        return message
    parts = message.split("; ")
    for kept in range(len(parts) - 1, 0, -1):
        text = "; ".join(parts[:kept]) + f"; and {len(parts) - kept} more"
        if len(text) <= LONGEST_MESSAGE:
            return text
    return message[:LONGEST_MESSAGE]


class Jobs:
    """Runs tasks in a few threads, which start with the first one. Thread-safe. What does not fit
    into the queue, and what was lost with a process, the sweep brings back."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._runners: dict[str, Callable[[Any, int], None]] = {}
        self._queue: queue.Queue[str] = queue.Queue(MOST_QUEUED)
        self._queued: set[str] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def runs(self, task_type: str, runner: Callable[[Any, int], None]) -> None:
        """runner: does a claimed task (its row, its number of attempts)."""
        self._runners[task_type] = runner

    def put(self, task_id: str) -> None:
        """Never blocks."""
        with self._lock:
            if task_id in self._queued:
                return
            try:
                self._queue.put_nowait(task_id)
            except queue.Full:
                return
            self._queued.add(task_id)
            if not self._threads:
                self._threads = [
                    threading.Thread(target=self._work, name=f"task-{n}", daemon=True)
                    for n in range(self._core.conf[GROUP].task_threads)
                ]
                for thread in self._threads:
                    thread.start()

    def recover(self) -> int:
        """Take up tasks that nobody runs; answers how many."""
        with self._core.db.read() as connection:
            found = stored_jobs.find_runnable(connection, self._core.now(), MOST_QUEUED)
        for task_id in found:
            self.put(task_id)
        return len(found)

    def _work(self) -> None:
        while True:
            task_id = self._queue.get()
            with self._lock:
                self._queued.discard(task_id)
            try:
                self._run(task_id)
            except errors.DesignateError as error:
                LOG.warning("task %s is left to the sweep: %s", task_id, error)
            except Exception:
                LOG.exception("task %s failed and is left to the sweep", task_id)

    def _run(self, task_id: str) -> None:
        core = self._core
        row = core.db.write(
            lambda tx: stored_jobs.claim(tx, task_id, core.now(), core.conf[GROUP].task_claim)
        )
        if row is None:
            return
        if row.attempts > MOST_ATTEMPTS:
            self.finish(task_id, row.attempts, JobStatus.ERROR, "Given up after too many attempts.")
            return
        self._runners[row.task_type](row, row.attempts)

    def tell(self, task_id: str, attempt: int, words: str) -> None:
        """Show how far the task is, and keep it claimed."""
        core = self._core
        now, for_s = core.now(), core.conf[GROUP].task_claim
        core.db.write(lambda tx: stored_jobs.set_message(tx, task_id, attempt, words, now, for_s))

    def finish(
        self,
        task_id: str,
        attempt: int,
        status: JobStatus,
        message: str | None,
        also: Callable[[Transaction], dict[str, Any]] = lambda _: {},
    ) -> None:
        """Store how the task ended, with what `also` does in the same transaction; nothing, when
        somebody else has the task by now."""

        def write(tx: Transaction) -> None:
            if stored_jobs.lock_claim(tx, task_id, attempt):
                columns = also(tx)
                before = stored_jobs.IMPORTS.get(tx.connection, task_id)
                stored_jobs.IMPORTS.update(
                    tx,
                    task_id,
                    status=status,
                    message=message and shortened(message),
                    updated_at=self._core.now(),
                    **columns,
                )
                self._tell(tx, before)

        self._core.db.write(write)

    def _tell(self, tx: Transaction, before: ZoneJob) -> None:
        if self._core.notifications_enabled:
            after = stored_jobs.IMPORTS.get(tx.connection, before.id)
            kind, plain = stored_jobs.requested_by(tx.connection, before.id)
            event = f"dns.zone_{kind.lower()}.update"
            context = Context.from_plain(plain)
            self._core.notify(tx, context, event, after, before, {"task_type": kind})


class Progress:
    """Passes words on about how far a task is, but not more often than `every_s`, and lets other
    threads on."""

    def __init__(
        self,
        tell: Callable[[str], None],
        every_s: float | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._tell = tell
        self._every_s = TOLD_EVERY_S if every_s is None else every_s
        self._clock = clock
        self._next_s = clock() + self._every_s

    def __call__(self, words: str) -> None:
        yield_to_others()
        if self._clock() >= self._next_s:
            self._tell(words)
            self._next_s = self._clock() + self._every_s


class _Tasks:
    """What imports and exports have in common."""

    def __init__(
        self, core: Core, jobs: Jobs, rows: Rows[ZoneJob], one: str, only: Condition
    ) -> None:
        self._core = core
        self._jobs = jobs
        self._rows = rows
        self._one = one
        self._only = only

    def _get(self, context: Context, task_id: str, rule: str) -> ZoneJob:
        self._core.policy.check(rule, context, own_target(context))
        with self._core.db.read() as connection:
            return self._rows.get(connection, task_id, self._only, *_mine(context))

    def find(self, context: Context, query: Query) -> Page[ZoneJob]:
        core = self._core
        core.policy.check(f"find_zone_{self._one}s", context, own_target(context))
        limit = query.limit or core.conf["service:api"].default_limit_v2
        with core.db.read() as connection:
            return self._rows.find(
                connection, query, self._only, *_mine(context), limit=limit, count=True
            )

    def _delete(self, context: Context, task_id: str) -> None:
        self._core.policy.check(f"delete_zone_{self._one}", context, own_target(context))

        def write(tx: Transaction) -> None:
            task = self._rows.lock(tx, task_id, self._only, *_mine(context))
            self._rows.delete(tx, task_id)
            more = {"task_type": self._one.upper()}
            self._core.notify(tx, context, f"dns.zone_{self._one}.delete", task, more=more)

        self._core.db.write(write)

    def _new(self, project_id: str, zone_id: str | None = None) -> ZoneJob:
        return ZoneJob(
            id=str(uuid.uuid4()),
            project_id=project_id,
            status=JobStatus.PENDING,
            created_at=self._core.now(),
            zone_id=zone_id,
        )


def _mine(context: Context) -> tuple[Condition, ...]:
    if context.all_projects:
        return ()
    return (of_project(zone_tasks.c.project_id, context.project_id),)


def _needed_project(context: Context) -> str:
    if context.project_id is None:
        raise errors.Unauthorized("A project is needed")
    return str(context.project_id)


class ImportsEndpoint(_Tasks):
    """See rpc.interfaces.ImportsApi."""

    def __init__(self, core: Core, jobs: Jobs, creator: ZoneCreator) -> None:
        super().__init__(core, jobs, stored_jobs.IMPORTS, "import", stored_jobs.IMPORT)
        self._creator = creator
        jobs.runs("IMPORT", self._run)

    def create(self, context: Context, draft: ImportDraft) -> ZoneJob:
        self._core.policy.check("create_zone_import", context, own_target(context))
        task = self._new(_needed_project(context))
        if draft.attributes:
            with self._core.db.read() as connection:
                self._creator.scheduler.choose(connection, context, draft.attributes)

        def write(tx: Transaction) -> None:
            plain = context.to_plain()
            stored_jobs.insert(tx, task, "IMPORT", plain, draft.attributes, draft.zonefile)
            tx.after_commit.append(lambda: self._jobs.put(task.id))
            self._core.notify(tx, context, "dns.zone_import.create", task, more=IMPORT)

        self._core.db.write(write)
        return task

    def get(self, context: Context, import_id: str) -> ZoneJob:
        return self._get(context, import_id, "get_zone_import")

    def delete(self, context: Context, import_id: str) -> None:
        self._delete(context, import_id)

    def _run(self, row: Any, attempt: int) -> None:
        try:
            name = self._import(row, attempt)
        except (errors.Unavailable, errors.DeadlineExceeded):
            raise  # tried again once the claim has run out
        except errors.DesignateError as error:
            message = _explained(error)
            LOG.info("import %s failed: %s", row.id, message)
            self._jobs.finish(row.id, attempt, JobStatus.ERROR, message, self._without_file(row))
        else:
            LOG.info("import %s made the zone %s", row.id, name)

    @staticmethod
    def _without_file(row: Any) -> Callable[[Transaction], dict[str, Any]]:
        def drop(tx: Transaction) -> dict[str, Any]:
            stored_jobs.delete_file(tx, row.id)
            return {}

        return drop

    def _import(self, row: Any, attempt: int) -> str:
        with self._core.db.read() as connection:
            text = stored_jobs.read_file(connection, row.id)
        progress = Progress(lambda words: self._jobs.tell(row.id, attempt, words))
        found = zonefile.parse(text or "", progress)
        context = Context.from_plain(row.context)
        self._core.policy.check("create_zone", context, own_target(context))
        draft = ZoneDraft(
            name=found.origin,
            email=found.email,
            ttl=found.ttl or self._core.conf[GROUP].min_ttl,
            attributes=row.attributes,
        )
        content = _content(found, self._core, progress)
        progress(f"Storing {len(content.recordsets)} recordsets")

        def store(tx: Transaction) -> dict[str, Any]:
            zone = self._creator.create(tx, context, draft, content)
            stored_jobs.delete_file(tx, row.id)
            return {"zone_id": zone.id}

        message = f"{found.origin} imported"
        try:
            self._jobs.finish(row.id, attempt, JobStatus.COMPLETE, message, store)
        except db_errors.DBDuplicateEntry:
            raise errors.Duplicate("zone") from None
        return found.origin


def _content(found: zonefile.ZoneFile, core: Core, progress: zonefile.Progress) -> ZoneContent:
    """Return the file's recordsets, validated and in wire form.

    Raises InvalidZonefile, which names the errors and their lines.
    """
    cnames = _Cnames(found.origin)
    faults: list[str] = []
    sets = []
    for number, rrset in enumerate(found.rrsets):
        if number % REPORTED == REPORTED - 1:
            progress(f"Checking: {number + 1} of {len(found.rrsets)} recordsets")
        texts = rrset.texts
        try:
            rrtypes.check_type(rrset.type, core.conf.supported_record_type)
            rrtypes.check_owner(rrset.type, rrset.name)
            rdatas = rrtypes.rdata_from_zonefile(rrset.type, rrset.name, texts)
            cnames.check(rrset)
        except errors.BadRequest as error:
            faults += _with_lines(rrset, error)
            if len(faults) >= zonefile.MAX_ERRORS:
                break
            continue
        sets.append((rrset.name, rrset.type, rrset.ttl or None, texts, rdatas))
    if faults:
        raise zonefile.InvalidZonefile("; ".join(faults))
    return ZoneContent(
        serial=found.serial, retry=found.retry, expire=found.expire, recordsets=tuple(sets)
    )


class _Cnames:
    """RFC 1034 section 3.6.2: where a CNAME is, nothing else is."""

    def __init__(self, origin: str) -> None:
        self._origin = origin.lower()
        self._types: dict[str, set[str]] = {}

    def check(self, rrset: zonefile.ZonefileRRset) -> None:
        """Raises BadRequest."""
        name = rrset.name.lower()
        types = self._types.setdefault(name, set())
        types.add(rrset.type)
        if "CNAME" in types and (len(types) > 1 or len(rrset.records) > 1 or name == self._origin):
            raise errors.BadRequest("a CNAME record must be the only one of its name")


def _with_lines(rrset: zonefile.ZonefileRRset, error: errors.BadRequest) -> list[str]:
    """Each reason with the line of the record that it is about, else of the recordset's first."""
    lines = rrset.lines
    if not error.errors:
        return [f"line {lines[0]}: {error.message}"]
    found = []
    for reason in error.errors:
        at = reason.path[1] if len(reason.path) > 1 and reason.path[0] == "records" else 0
        found.append(f"line {lines[at if isinstance(at, int) else 0]}: {reason.message}")
    return found


def _explained(error: errors.DesignateError) -> str:
    """The message of a failed import, in the words that clients know."""
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


class ExportsEndpoint(_Tasks):
    """See rpc.interfaces.ExportsApi."""

    def __init__(self, core: Core, jobs: Jobs) -> None:
        super().__init__(core, jobs, stored_jobs.EXPORTS, "export", stored_jobs.EXPORT)
        jobs.runs("EXPORT", self._run)

    def create(self, context: Context, zone_id: str) -> ZoneJob:
        core = self._core

        def write(tx: Transaction) -> ZoneJob:
            stored = zones.lock_visible(tx, zone_id, scope_of(context))
            core.policy.check("create_zone_export", context, target_of(context, stored.zone))
            limits = quotas.effective(core, tx.connection, stored.zone.project_id)
            quotas.require(limits, api_export_size=stored.recordset_count)
            task = self._new(_needed_project(context), stored.zone.id)
            stored_jobs.insert(tx, task, "EXPORT", context.to_plain(), {})
            tx.after_commit.append(lambda: self._jobs.put(task.id))
            return core.notify(tx, context, "dns.zone_export.create", task, more=EXPORT)

        return core.db.write(write)

    def get(self, context: Context, export_id: str) -> ZoneJob:
        return self._get(context, export_id, "get_zone_export")

    def delete(self, context: Context, export_id: str) -> None:
        self._delete(context, export_id)

    def file(self, context: Context, export_id: str) -> str:
        task = self._get(context, export_id, "zone_export")
        if task.status is not JobStatus.COMPLETE:
            raise errors.BadRequest("The export is not complete")
        with self._core.db.read() as connection:
            text = stored_jobs.read_file(connection, export_id)
        if text is None:
            raise errors.NotFound("zone_export")
        return text

    def render(self, context: Context, zone_id: str) -> str:
        self._core.policy.check("zone_export", context, {})
        with self._core.db.read() as connection:
            zone = zones.get(connection, zone_id, scope_of(context))
            return _rendered(connection, zone)

    def _run(self, row: Any, attempt: int) -> None:
        """The file is read in one snapshot, so that it is the zone at one serial."""
        try:
            with self._core.db.read() as connection:
                zone = zones.get(connection, row.zone_id, EVERYTHING)
                text = _rendered(connection, zone)
        except errors.NotFound:
            self._jobs.finish(row.id, attempt, JobStatus.ERROR, "The zone is gone.")
            return

        def store(tx: Transaction) -> dict[str, Any]:
            stored_jobs.store_file(tx, row.id, text)
            return {"location": f"designate://v2/zones/tasks/exports/{row.id}/export"}

        self._jobs.finish(row.id, attempt, JobStatus.COMPLETE, None, store)


def _rendered(connection: Any, zone: Zone) -> str:
    rrsets = (
        (name, rtype, ttl, rrtypes.master_form(rtype, texts))
        for name, rtype, ttl, texts in stored_jobs.content(connection, zone)
    )
    return "".join(zonefile.render(zone.name, zone.ttl, rrsets))
