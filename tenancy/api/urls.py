"""Addresses of tenancy's API, below ``/api/v1/<tenant>/``."""

from django.urls import path

from tenancy.api import api_keys, audit, jobs, me, members

urlpatterns = [
    path("me", me.Me.as_view()),
    path("tenant", me.TenantDetail.as_view()),
    path("members", members.MemberList.as_view()),
    path("members/<int:membership_id>", members.MemberDetail.as_view()),
    path("api-keys", api_keys.ApiKeyList.as_view()),
    path("api-keys/<int:api_key_id>/revoke", api_keys.ApiKeyRevocation.as_view()),
    path("audit-events", audit.AuditEventList.as_view()),
    path("jobs", jobs.JobList.as_view()),
    path("jobs/<int:job_id>", jobs.JobDetail.as_view()),
    path("jobs/<int:job_id>/cancel", jobs.JobCancellation.as_view()),
]
