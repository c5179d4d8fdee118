"""Imports and exports as durable jobs: running them, and what their two endpoints share."""

from __future__ import annotations

import logging
import queue
import threading
import uuid
from collections.abc import Callable
from time import monotonic
from typing import Any

from oslo_config import cfg

from designate import errors
from designate.central.base import Core, own_target, page_limit
from designate.context import Context
from designate.model.jobs import JobStatus, ZoneJob
from designate.model.query import Page, Query
from designate.runtime.cooperative import yield_to_others
from designate.storage.sqlalchemy import jobs as stored_jobs
from designate.storage.sqlalchemy.db.rows import Rows
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.listing.pagination import Condition, of_project
from designate.storage.sqlalchemy.tables import zone_tasks

LOG = logging.getLogger(__name__)

GROUP = "service:central"
OPTS = [
    cfg.IntOpt(
        "task_threads",
        default=2,
        min=1,
        help="Imports and exports that one process of central runs at the same time.",
    ),
    cfg.FloatOpt(
        "task_claim",
        default=60.0,
        min=1,
        help="Seconds after which another process starts an import or export whose process died.",
    ),
]

MAX_ATTEMPTS = 5
MAX_MESSAGE_LENGTH = 160
MAX_QUEUED = 1000
PROGRESS_INTERVAL_S = 1.0


def shorten_message(message: str) -> str:
    """Return the message in MAX_MESSAGE_LENGTH characters; of a list of faults, as many as fit."""
    if len(message) <= MAX_MESSAGE_LENGTH:
        return message
    parts = message.split("; ")
    for count in range(len(parts) - 1, 0, -1):
        text = "; ".join(parts[:count]) + f"; and {len(parts) - count} more"
        if len(text) <= MAX_MESSAGE_LENGTH:
            return text
    return message[:MAX_MESSAGE_LENGTH]


class JobRunner:
    """Runs jobs in a few threads, which start with the first job. Thread-safe.

    The periodic recovery brings back jobs that did not fit into the queue or were lost with a
    process.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._handlers: dict[str, Callable[[Any, int], None]] = {}
        self._queue: queue.Queue[str] = queue.Queue(MAX_QUEUED)
        self._queued: set[str] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def register(self, job_type: str, handler: Callable[[Any, int], None]) -> None:
        """Register the function that runs claimed jobs of a type: handler(row, attempt)."""
        self._handlers[job_type] = handler

    def enqueue(self, job_id: str) -> None:
        """Queue a job unless it is queued already or the queue is full. Never blocks."""
        with self._lock:
            if job_id in self._queued:
                return
            try:
                self._queue.put_nowait(job_id)
            except queue.Full:
                return
            self._queued.add(job_id)
            if not self._threads:
                self._threads = [
                    threading.Thread(target=self._work, name=f"job-{n}", daemon=True)
                    for n in range(self._core.conf[GROUP].task_threads)
                ]
                for thread in self._threads:
                    thread.start()

    def recover(self) -> int:
        """Queue the pending jobs that no process runs and return how many there are."""
        with self._core.db.read() as connection:
            found = stored_jobs.find_runnable(connection, self._core.now(), MAX_QUEUED)
        for job_id in found:
            self.enqueue(job_id)
        return len(found)

    def _work(self) -> None:
        while True:
            job_id = self._queue.get()
            with self._lock:
                self._queued.discard(job_id)
            try:
                self._run(job_id)
            except Exception:
                LOG.exception("job %s: failed, deferred to periodic recovery", job_id)

    def _run(self, job_id: str) -> None:
        """Run a job; what will fail again when it is repeated ends the job."""
        try:
            row = self._claim(job_id)
            if row is not None:
                self._run_claimed(row)
        except (errors.Unavailable, errors.DeadlineExceeded) as error:
            LOG.warning("job %s: failed, deferred to periodic recovery: %s", job_id, error)

    def _run_claimed(self, row: Any) -> None:
        try:
            self._handlers[row.task_type](row, row.attempts)
        except (errors.Unavailable, errors.DeadlineExceeded):
            raise
        except errors.DesignateError as error:
            LOG.warning("job %s: failed: %s", row.id, error)
            self.finish(row.id, row.attempts, JobStatus.ERROR, error.message or error.type)
        except Exception:
            LOG.exception("job %s: failed", row.id)
            message = "An undefined error occurred. The log of designate-central has it."
            self.finish(row.id, row.attempts, JobStatus.ERROR, message)

    def _claim(self, job_id: str) -> Any:
        """Claim a job and return its row; None: it has ended, or is another process's."""
        core = self._core
        row = core.db.write(
            lambda tx: stored_jobs.claim(tx, job_id, core.now(), core.conf[GROUP].task_claim)
        )
        if row is not None and row.attempts > MAX_ATTEMPTS:
            self.finish(job_id, row.attempts, JobStatus.ERROR, "Given up after too many attempts.")
            return None
        return row

    def report_progress(self, job_id: str, attempt: int, message: str) -> None:
        """Store a progress message and extend the claim on the job."""
        core = self._core
        now, claim_s = core.now(), core.conf[GROUP].task_claim
        core.db.write(
            lambda tx: stored_jobs.set_message(tx, job_id, attempt, message, now, claim_s)
        )

    def finish(
        self,
        job_id: str,
        attempt: int,
        status: JobStatus,
        message: str | None,
        also: Callable[[Transaction], dict[str, Any]] = lambda _: {},
    ) -> None:
        """Store the outcome of a job; do nothing when another process has claimed it since.

        also: called in the same transaction; returns more columns of the job to set.
        """

        def write(tx: Transaction) -> None:
            if stored_jobs.lock_claim(tx, job_id, attempt):
                columns = also(tx)
                before = stored_jobs.IMPORTS.get(tx.connection, job_id)
                stored_jobs.IMPORTS.update(
                    tx,
                    job_id,
                    status=status,
                    message=message and shorten_message(message),
                    updated_at=self._core.now(),
                    **columns,
                )
                self._notify_update(tx, before)

        self._core.db.write(write)

    def _notify_update(self, tx: Transaction, before: ZoneJob) -> None:
        if self._core.notifications_enabled:
            after = stored_jobs.IMPORTS.get(tx.connection, before.id)
            job_type, plain = stored_jobs.get_requester(tx.connection, before.id)
            event = f"dns.zone_{job_type.lower()}.update"
            context = Context.from_plain(plain)
            self._core.notify(tx, context, event, after, before, {"task_type": job_type})


class ProgressReporter:
    """Reports progress at most once per interval, and yields to other threads with each call."""

    def __init__(
        self,
        report: Callable[[str], None],
        interval_s: float | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._report = report
        self._interval_s = PROGRESS_INTERVAL_S if interval_s is None else interval_s
        self._clock = clock
        self._next_s = clock() + self._interval_s

    def __call__(self, message: str) -> None:
        yield_to_others()
        if self._clock() >= self._next_s:
            self._report(message)
            self._next_s = self._clock() + self._interval_s


class JobsEndpoint:
    """Base of the endpoints of imports and of exports.

    job_type: IMPORT or EXPORT. rows, condition: which stored jobs are of this type.
    """

    def __init__(
        self,
        core: Core,
        runner: JobRunner,
        rows: Rows[ZoneJob],
        job_type: str,
        condition: Condition,
    ) -> None:
        self._core = core
        self._runner = runner
        self._rows = rows
        self._job_type = job_type
        self._label = f"zone_{job_type.lower()}"
        self._condition = condition

    def find(self, context: Context, query: Query) -> Page[ZoneJob]:
        core = self._core
        core.policy.check(f"find_{self._label}s", context, own_target(context))
        with core.db.read() as connection:
            return self._rows.find(
                connection,
                query,
                self._condition,
                *_visible_to(context),
                limit=page_limit(core, query),
                count=True,
            )

    def _get(self, context: Context, job_id: str, rule: str) -> ZoneJob:
        self._core.policy.check(rule, context, own_target(context))
        with self._core.db.read() as connection:
            return self._rows.get(connection, job_id, self._condition, *_visible_to(context))

    def _delete(self, context: Context, job_id: str) -> None:
        self._core.policy.check(f"delete_{self._label}", context, own_target(context))

        def write(tx: Transaction) -> None:
            job = self._rows.lock(tx, job_id, self._condition, *_visible_to(context))
            self._rows.delete(tx, job_id)
            self._notify(tx, context, "delete", job)

        self._core.db.write(write)

    def _new_job(self, project_id: str, zone_id: str | None = None) -> ZoneJob:
        return ZoneJob(
            id=str(uuid.uuid4()),
            project_id=project_id,
            status=JobStatus.PENDING,
            created_at=self._core.now(),
            zone_id=zone_id,
        )

    def _notify(self, tx: Transaction, context: Context, action: str, job: ZoneJob) -> None:
        more = {"task_type": self._job_type}
        self._core.notify(tx, context, f"dns.{self._label}.{action}", job, more=more)


def _visible_to(context: Context) -> tuple[Condition, ...]:
    if context.all_projects:
        return ()
    return (of_project(zone_tasks.c.project_id, context.project_id),)
