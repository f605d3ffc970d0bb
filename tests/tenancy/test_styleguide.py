"""The living style guide renders with every component, and its live region ends."""

import pytest
from django.test import Client
from django.urls import include, path

from tenancy.pages import styleguide

urlpatterns = [
    path("styleguide/", styleguide.styleguide, name="styleguide"),
    path("styleguide/progress/", styleguide.progress, name="styleguide_progress"),
    path("", include("config.urls")),
]

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.tenancy.test_styleguide")]


def test_the_style_guide_shows_every_component() -> None:
    html = Client().get("/styleguide/").content.decode()

    shown = [
        "stat",
        "table-cards",
        "drop-zone",
        "radio-card",
        "badge",
        "alert",
        "dialog",
        "progress",
    ]
    shown += ["empty", "pagination", "selection-bar", "filter-bar", "sparkline", "crumbs", "tabs"]
    assert [name for name in shown if f'class="{name}' not in html and f" {name}" not in html] == []
    assert html.count("data-chart=") == 3


def test_the_live_region_polls_until_the_job_is_done() -> None:
    running = Client().get("/styleguide/progress/?done=36").content.decode()
    done = Client().get("/styleguide/progress/?done=40").content.decode()

    assert "hx-get=" in running
    assert "hx-get=" not in done
