"""Pages every tenant has (jobs, settings), below /t/<tenant>/."""

from django.urls import path

from tenancy.pages import api_keys, audit, company, jobs, members

app_name = "tenancy"
urlpatterns = [
    path("jobs/", jobs.job_list, name="job_list"),
    path("jobs/<int:job_id>/", jobs.job_detail, name="job_detail"),
    path("jobs/<int:job_id>/progress/", jobs.job_progress, name="job_progress"),
    path("jobs/<int:job_id>/cancel/", jobs.job_cancel, name="job_cancel"),
    path("settings/", company.company, name="settings"),
    path("settings/members/", members.member_list, name="member_list"),
    path("settings/members/<int:member_id>/role/", members.member_role, name="member_role"),
    path(
        "settings/members/<int:member_id>/deactivate/",
        members.member_deactivate,
        name="member_deactivate",
    ),
    path(
        "settings/members/<int:member_id>/reactivate/",
        members.member_reactivate,
        name="member_reactivate",
    ),
    path("settings/api-keys/", api_keys.api_key_list, name="api_key_list"),
    path("settings/api-keys/new/", api_keys.api_key_create, name="api_key_create"),
    path("settings/api-keys/<int:key_id>/revoke/", api_keys.api_key_revoke, name="api_key_revoke"),
    path("settings/audit/", audit.audit_list, name="audit_list"),
]
