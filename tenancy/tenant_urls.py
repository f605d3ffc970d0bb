"""Pages every tenant has (jobs, settings), below /t/<tenant>/."""

from django.urls import URLPattern

app_name = "tenancy"
urlpatterns: list[URLPattern] = []
