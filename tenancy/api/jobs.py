"""Jobs: listed, watched, cancelled."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, reading, writing
from tenancy.api.fields import Shown
from tenancy.api.parameters import choice_filter, text_filter
from tenancy.api.views import TenantView
from tenancy.models import Job, JobQueue, JobState
from tenancy.permissions import Permission
from tenancy.queries.jobs import get_job, jobs
from tenancy.services.job_kinds import job_title
from tenancy.services.jobs import cancel_job


class JobShown(Shown[Job]):
    id = serializers.IntegerField()
    kind = serializers.CharField()
    title = serializers.SerializerMethodField()
    queue = serializers.ChoiceField(choices=JobQueue.choices)
    state = serializers.ChoiceField(choices=JobState.choices)
    reason = serializers.CharField()
    attempt = serializers.IntegerField()
    progress_done = serializers.IntegerField()
    progress_total = serializers.IntegerField()
    progress_percent = serializers.IntegerField()
    progress_message = serializers.CharField()
    created_by = serializers.CharField(source="created_by_label")
    queued_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)

    def get_title(self, job: Job) -> str:
        return job_title(job.kind)


class JobDetailShown(JobShown):
    result = serializers.DictField(allow_null=True)
    progress_detail = serializers.DictField()


class JobList(TenantView):
    @listing(
        Endpoint("list_jobs", Permission.READ, "Jobs"),
        Listing(
            JobShown,
            orders={"-id": ("-id",), "id": ("id",)},
            filters={
                "state": choice_filter("state", JobState.choices),
                "queue": choice_filter("queue", JobQueue.choices),
                "kind": text_filter("kind"),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return jobs()


class JobDetail(TenantView):
    @reading(Endpoint("get_job", Permission.READ, "A job with its live figures"), JobDetailShown)
    def get(self, request: Request, job_id: int) -> Any:
        return get_job(job_id)


class JobCancellation(TenantView):
    @writing(Endpoint("cancel_job", Permission.PLAN, "Cancel a job"), Writing(JobDetailShown))
    def post(self, request: Request, job_id: int, *, data: dict[str, Any]) -> Any:
        return cancel_job(job_id=job_id)
