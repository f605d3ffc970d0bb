"""Jobs: asked for, claimed, kept alive, ended; fair between tenants, once per schedule."""

from __future__ import annotations

import pytest

from tenancy.models import Job, JobState
from tenancy.services import jobs
from tests.cast import House


def test_a_job_runs_and_keeps_its_result(in_north: House) -> None:
    def double(run: jobs.JobRun) -> dict[str, int]:
        run.progress(1, 2, "half")
        run.progress(2, 2, "whole")
        return {"doubled": run.payload["n"] * 2}

    jobs.job_handler("test.double")(double)
    job = jobs.enqueue_job(kind="test.double", payload={"n": 21})
    job = jobs.run_job(job)
    assert (job.state, job.result, job.progress_percent) == (JobState.DONE, {"doubled": 42}, 100)
