"""Read jobs: the list, one job, what still runs, the loss curve of a training."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from tenancy.errors import NotFound
from tenancy.models import Job


def jobs() -> QuerySet[Job]:
    """Return the tenant's jobs, newest first."""
    return Job.objects.order_by("-id")


def find_job(job_id: int) -> Job | None:
    """Return the job, or None."""
    return Job.objects.filter(pk=job_id).first()


def get_job(job_id: int) -> Job:
    """Return the job; raise ``NotFound``."""
    found = find_job(job_id)
    if found is None:
        raise NotFound("job", job_id)
    return found


def loss_curve(job: Job) -> dict[str, Any] | None:
    """Return the curve of what the job trains now, for the loss chart; None when it trains nothing.

    A handler puts it into the progress detail as ``epochs``: dictionaries with ``network``,
    ``stage``, ``epoch``, ``training_loss``, ``validation_loss`` and ``best``.
    """
    epochs: list[dict[str, Any]] = job.progress_detail.get("epochs") or []
    if not epochs:
        return None
    now = (epochs[-1].get("network"), epochs[-1].get("stage"))
    shown = [point for point in epochs if (point.get("network"), point.get("stage")) == now]
    best = [point["epoch"] for point in shown if point.get("best")]
    return {
        "epochs": [point["epoch"] for point in shown],
        "train": [point["training_loss"] for point in shown],
        "validation": [point["validation_loss"] for point in shown],
        "best_epoch": best[-1] if best else None,
    }
