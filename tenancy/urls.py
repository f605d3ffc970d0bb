"""Addresses of tenancy: health, home, tenant choice."""

from django.urls import path

from tenancy.pages import health, home

urlpatterns = [
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("", home.home, name="home"),
]
