"""Pages of inventory, below /t/<tenant>/."""

from django.urls import URLPattern

app_name = "inventory"
urlpatterns: list[URLPattern] = []
