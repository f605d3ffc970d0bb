"""Pages of forecasting, below /t/<tenant>/."""

from django.urls import URLPattern

app_name = "forecasting"
urlpatterns: list[URLPattern] = []
