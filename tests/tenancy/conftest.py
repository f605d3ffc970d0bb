"""Kinds of jobs for tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tenancy.models import JobQueue
from tenancy.services import job_kinds, jobs

Handler = Callable[[jobs.JobRun], dict[str, Any]]


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Callable[..., str]:
    """Register handlers for the length of the test; what fails is repeated at once."""
    settings.JOB_RETRY_SECONDS = 0
    settings.JOB_RESEND_SECONDS = 60
    monkeypatch.setattr(job_kinds, "_kinds", dict(job_kinds._kinds))

    def register(handler: Handler, queue: JobQueue = JobQueue.DEFAULT) -> str:
        name = f"test.{len(job_kinds._kinds)}"
        jobs.job_handler(name, queue=queue, title="A test")(handler)
        return name

    return register
