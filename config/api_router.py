"""Every address of the API. Each app lists its own in ``api/urls.py``, without trailing slashes."""

from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularSwaggerView

from tenancy.api.description import ApiDescription
from tenancy.api.problems import no_such_address

urlpatterns: list[URLPattern | URLResolver] = [
    path("schema/", ApiDescription.as_view(), name="api_schema"),
    path(
        "docs/",
        SpectacularSwaggerView.as_view(url_name="api_schema", permission_classes=[]),
        name="api_docs",
    ),
    path("v1/<slug:tenant>/", include("tenancy.api.urls")),
    path("v1/<slug:tenant>/", include("inventory.api.urls")),
    path("v1/<slug:tenant>/", include("forecasting.api.urls")),
    re_path(r"^.*$", no_such_address, name="api_unknown"),
]
