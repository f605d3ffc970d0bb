"""Long work as jobs: ask for it, cancel it, run it.

A handler (see ``job_kinds``) gets a ``JobRun`` and runs outside any transaction:

    @job_handler("forecast", queue=JobQueue.TRAINING, title=_("Forecast"))
    def forecast(run: JobRun) -> dict[str, Any]:
        with run.scope():
            panel = load_panel()
        for epoch in range(epochs):
            run.progress(epoch, epochs, _("Training"), {"loss": losses})
        with run.publishing():
            store(network)
            run.finish({"network": network.pk})   # done in the same transaction as the effect
        return {}
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from tenancy.errors import NotFound
from tenancy.models import Job, JobState, Tenant
from tenancy.permissions import Permission, require
from tenancy.scope import Actor, active_scope, tenant_scope
from tenancy.services import audit, job_leases
from tenancy.services.job_kinds import find_kind, job_handler
from tenancy.services.job_leases import ClockTimestamp, Lease
from tenancy.services.worker_stop import is_worker_stopping

__all__ = [
    "JobBusy",
    "JobCancelled",
    "JobFailed",
    "JobHandedBack",
    "JobRun",
    "LeaseLost",
    "cancel_job",
    "enqueue_job",
    "execute",
    "job_handler",
    "run_job",
    "run_job_here",
]

PROGRESS_SECONDS = 0.5
Report = Callable[[int, int, str], None]


class JobFailed(Exception):
    """Raised by a handler when repeating cannot help; the message is shown to people."""


class JobCancelled(Exception):
    """Somebody cancelled the job; raised by ``JobRun.progress``."""


class JobHandedBack(Exception):
    """The worker is being stopped; raised by ``JobRun.progress``, the job is queued again."""


class LeaseLost(Exception):
    """Another worker took the job over: whatever this one did must not be published."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        super().__init__(f"job {lease.job_id}: token {lease.fencing_token} is no longer valid")


class JobBusy(Exception):
    """The job cannot be started here: it is not queued, or a training runs already."""

    def __init__(self, job_id: int) -> None:
        self.job_id = job_id
        super().__init__(f"job {job_id} cannot be started now")


class JobRun:
    """A claimed job in the hands of its handler."""

    def __init__(self, lease: Lease, job: Job, *, report: Report | None = None) -> None:
        self.lease = lease
        self.job_id = lease.job_id
        self.tenant = lease.tenant
        self.kind = job.kind
        self.payload: dict[str, Any] = job.payload
        self.attempt = job.attempt
        self.finished = False
        self.stopped_by: type[Exception] | None = None
        self.at_heartbeat: list[Callable[[], None]] = []
        """Called with every renewal of the lease, in its transaction and from its thread."""
        self._actor = Actor.system(f"{job.created_by_label} (job {job.pk})".strip())
        self._report = report
        self._written_at = 0.0
        self._asked_at = 0.0

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Open a short tenant scope as the job."""
        with tenant_scope(self.tenant, actor=self._actor):
            yield

    @contextmanager
    def publishing(self) -> Iterator[None]:
        """Open a scope whose effects commit only under a live lease; raise ``LeaseLost`` otherwise.

        The job's row stays locked until the commit, so nobody can take the job over meanwhile.
        """
        with self.scope():
            if job_leases.held(self.lease).select_for_update().first() is None:
                raise LeaseLost(self.lease)
            yield
            if not self.finished:
                job_leases.held(self.lease).update(lease_expires_at=job_leases.new_lease())

    def finish(self, result: dict[str, Any]) -> None:
        """End the job as done; inside ``publishing`` this commits together with the effect."""
        if not job_leases.close(self.lease, JobState.DONE, result=result):
            raise LeaseLost(self.lease)
        self.finished = True

    def progress(
        self,
        done: int,
        total: int,
        message: str = "",
        detail: dict[str, Any] | None = None,
        *,
        at_once: bool = False,
    ) -> None:
        """Show progress and renew the lease; written at most twice a second, the last one always.

        With `at_once` it is written whatever the time: what it tells must outlive the worker.
        Raises ``JobCancelled``, ``JobHandedBack`` or ``LeaseLost``: let them pass.
        """
        now = time.monotonic()
        if at_once or now - self._written_at >= PROGRESS_SECONDS or done >= total:
            self._written_at = self._asked_at = now
            shown = {} if detail is None else {"progress_detail": detail}
            self._ask_row(
                progress_done=done,
                progress_total=total,
                progress_message=message[:200],
                lease_expires_at=job_leases.new_lease(),
                **shown,
            )
            if self._report is not None:
                self._report(done, total, message)
        if self.should_stop():
            assert self.stopped_by is not None  # noqa: S101 - set by should_stop
            raise self.stopped_by

    def should_stop(self) -> bool:
        """Tell whether to stop now: cancelled, worker being stopped, or lease lost.

        Cheap enough for every batch. A handler that sees True saves what it can and returns.
        """
        if self.stopped_by is None and is_worker_stopping():
            self.stopped_by = JobHandedBack
        now = time.monotonic()
        if self.stopped_by is None and now - self._asked_at >= PROGRESS_SECONDS:
            self._asked_at = now
            self._ask_row()
        return self.stopped_by is not None

    def _ask_row(self, **changes: Any) -> None:
        """Write the changes if any, and look whether the job is still ours and still wanted."""
        with self.scope():
            row = job_leases.held(self.lease)
            if changes and not row.update(**changes):
                raise LeaseLost(self.lease)
            found = list(row.values_list("cancel_requested_at", flat=True))
        if not found:
            raise LeaseLost(self.lease)
        if found[0] is not None:
            self.stopped_by = JobCancelled


# -- asking for work ------------------------------------------------------------------------------
def enqueue_job(*, kind: str, payload: dict[str, Any], schedule_key: str | None = None) -> Job:
    """Queue a job of the active tenant and ring for a worker once the transaction has committed.

    With a ``schedule_key`` that exists already the existing job is returned. The calling service
    has checked the rights. Raises ``UnknownJobKind``.
    """
    queue = find_kind(kind).queue
    scope = active_scope()
    if schedule_key is not None:
        existing = Job.objects.filter(schedule_key=schedule_key).first()
        if existing is not None:
            return existing
    try:
        with transaction.atomic():
            job = Job.objects.create(
                kind=kind,
                queue=queue,
                payload=payload,
                schedule_key=schedule_key,
                created_by_label=scope.actor.label[:160],
            )
    except IntegrityError:
        return Job.objects.get(schedule_key=schedule_key)
    transaction.on_commit(partial(_announce_job, scope.tenant, queue, job.pk), robust=True)
    return job


def _announce_job(tenant: Tenant, queue: str, job_id: int) -> None:
    if job_leases.announce(tenant, queue):
        job_leases.mark_sent(tenant, [job_id])


def cancel_job(*, job_id: int) -> Job:
    """Cancel a job: a queued one at once, a running one at its next look; an ended one stays.

    Raises ``NotFound``, ``PermissionRefused``.
    """
    require(Permission.PLAN)
    job = Job.objects.select_for_update().filter(pk=job_id).first()
    if job is None:
        raise NotFound("job", job_id)
    if job.state == JobState.QUEUED:
        Job.objects.filter(pk=job.pk).update(
            state=JobState.CANCELLED,
            reason=_("Cancelled."),
            finished_at=ClockTimestamp(),
            cancel_requested_at=ClockTimestamp(),
        )
    elif job.state == JobState.RUNNING and job.cancel_requested_at is None:
        Job.objects.filter(pk=job.pk).update(cancel_requested_at=ClockTimestamp())
    else:
        return job
    audit.record("job.cancelled", job, kind=job.kind)
    job.refresh_from_db()
    return job


# -- running --------------------------------------------------------------------------------------
def run_job(job: Job, *, report: Report | None = None) -> Job:
    """Run a queued job in this process and return it as it ended (done, failed, cancelled, queued).

    For commands and tests. Raises ``JobBusy`` when a worker has it.
    """
    tenant = Tenant.objects.get(pk=job.tenant_id)
    lease = job_leases.claim(tenant, job.pk)
    if lease is None:
        raise JobBusy(job.pk)
    return execute(lease, report=report)


def run_job_here(
    *, tenant: Tenant, kind: str, payload: dict[str, Any], report: Report | None = None
) -> Job:
    """Create a job that no worker ever sees as queued, and run it in this process.

    For commands: the job shows in the pages like any other. Raises ``JobBusy``, ``UnknownJobKind``.
    """
    actor = Actor.system("command")
    with tenant_scope(tenant, actor=actor):
        job = Job.objects.create(
            kind=kind, queue=find_kind(kind).queue, payload=payload, created_by_label=actor.label
        )
        lease = job_leases.claim(tenant, job.pk)
        if lease is None:
            raise JobBusy(job.pk)
    return execute(lease, report=report)


def execute(lease: Lease, *, report: Report | None = None) -> Job:
    """Run the handler of a claimed job, keep its lease alive, and record how it ended."""
    with tenant_scope(lease.tenant, actor=lease.actor):
        job = Job.objects.get(pk=lease.job_id)
    run = JobRun(lease, job, report=report)
    log = structlog.get_logger().bind(job=job.pk, kind=job.kind, tenant=lease.tenant.slug)
    log.info("job_started", attempt=job.attempt)
    with _heartbeat(run):
        _run_handler(run, log)
    with tenant_scope(lease.tenant, actor=lease.actor):
        job.refresh_from_db()
    log.info("job_ended", state=job.state)
    return job


def _run_handler(run: JobRun, log: Any) -> None:
    """Call the handler and turn each way it can end into a state of the job."""
    lease = run.lease
    try:
        result = find_kind(run.kind).handler(run)
        if run.finished:
            return
        if run.stopped_by is not None:
            raise run.stopped_by  # noqa: TRY301 - the same endings as from progress()
        job_leases.close(lease, JobState.DONE, result=result)
    except LeaseLost:
        log.warning("job_lease_lost")
    except JobCancelled:
        job_leases.close(lease, JobState.CANCELLED, reason=_("Cancelled."))
    except JobHandedBack:
        job_leases.hand_back(lease)
    except JobFailed as failure:
        job_leases.close(lease, JobState.FAILED, reason=str(failure))
    except SoftTimeLimitExceeded:
        job_leases.close(lease, JobState.FAILED, reason=_("It took too long and was stopped."))
    except KeyboardInterrupt:
        job_leases.close(lease, JobState.CANCELLED, reason=_("Interrupted."))
        raise
    except Exception as error:
        log.exception("job_raised")
        reason = _("An unexpected error: %(error)s") % {"error": f"{type(error).__name__}: {error}"}
        job_leases.fail_or_retry(lease, reason[:2000])


@contextmanager
def _heartbeat(run: JobRun) -> Iterator[None]:
    """Renew the lease from a thread with its own connection: a long step stays alive."""
    ended = threading.Event()
    thread = threading.Thread(target=_beat, args=(run, ended), name="job-heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _beat(run: JobRun, ended: threading.Event) -> None:
    lease = run.lease
    try:
        while not ended.wait(settings.JOB_LEASE_SECONDS / 3):
            try:
                with tenant_scope(lease.tenant, actor=lease.actor):
                    # While the job publishes its row is locked, which keeps everybody else away:
                    # there is nothing to renew, and waiting would hold up the end.
                    free = job_leases.held(lease).select_for_update(skip_locked=True)
                    if free.first() is not None:
                        job_leases.held(lease).update(lease_expires_at=job_leases.new_lease())
                        for action in list(run.at_heartbeat):
                            action()
            except Exception as error:  # noqa: BLE001 - one missed beat is not the end
                structlog.get_logger().warning(
                    "heartbeat_missed", job=lease.job_id, error=str(error)
                )
    finally:
        connection.close()
