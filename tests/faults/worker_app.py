"""The Celery application of the tests' own workers: the real one, with jobs made for killing.

Run by ``celery -A tests.faults.worker_app worker``.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

from config.celery import app  # noqa: E402
from tenancy.services import audit  # noqa: E402
from tenancy.services.jobs import JobRun, job_handler  # noqa: E402

__all__ = ["app"]


@job_handler("test.killed_once")
def killed_once(run: JobRun) -> dict[str, Any]:
    """Wait to be killed the first time; publish the second time."""
    mark = Path(run.payload["folder"]) / f"attempt-{run.attempt}"
    mark.write_text(str(os.getpid()))
    while run.attempt == 1 and not run.payload.get("patient"):
        time.sleep(0.05)
    for step in range(200 if run.payload.get("patient") and run.attempt == 1 else 1):
        run.progress(step, 200)
        time.sleep(0.05)
    with run.publishing():
        audit.record("test.published", run.tenant, attempt=run.attempt)
        run.finish({"attempt": run.attempt})
    return {}


@job_handler("test.quick")
def quick(run: JobRun) -> dict[str, Any]:
    """Publish at once."""
    with run.publishing():
        audit.record("test.published", run.tenant, job=run.job_id)
        run.finish({})
    return {}
