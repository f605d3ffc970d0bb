"""Addresses of the API of this app, below ``/api/v1/<tenant>/``."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
