"""Addresses of tenancy: health, home, tenant choice."""

from django.conf import settings
from django.urls import path

from tenancy.pages import health, home, styleguide

urlpatterns = [
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("", home.home, name="home"),
]

if settings.DEBUG:
    urlpatterns += [
        path("styleguide/", styleguide.styleguide, name="styleguide"),
        path("styleguide/progress/", styleguide.progress, name="styleguide_progress"),
    ]
