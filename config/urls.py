"""Every address of the site. Pages of a tenant live under ``/t/<tenant>/``."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", include("config.api_router")),
    path("accounts/", include("allauth.urls")),
    path("", include("tenancy.urls")),
    path("t/<slug:tenant>/", include("forecasting.urls")),
    path("t/<slug:tenant>/", include("inventory.urls")),
    path("t/<slug:tenant>/", include("tenancy.tenant_urls")),
    path("", include("django_prometheus.urls")),
]
