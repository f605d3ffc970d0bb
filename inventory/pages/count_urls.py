"""Addresses of counting and adjusting, part of ``inventory/urls.py``."""

from django.urls import path

from inventory.pages import (
    adjustments,
    count_review,
    count_risk,
    counting,
    scan_adjust,
    scan_count,
    scan_count_place,
    scan_count_review,
    settings,
)

urlpatterns = [
    path("counts/", counting.count_list, name="count_list"),
    path("counts/review/", counting.count_review_list, name="count_review_list"),
    path("counts/all/", counting.count_history, name="count_history"),
    path("counts/risk/", count_risk.count_risk, name="count_risk"),
    path("counts/new/", counting.count_request, name="count_request"),
    path(
        "counts/<int:cycle_count_id>/scan/review/",
        scan_count_review.scan_count_review,
        name="scan_count_review",
    ),
    path("counts/<int:cycle_count_id>/", counting.cycle_count_detail, name="cycle_count_detail"),
    path(
        "counts/<int:cycle_count_id>/start/", counting.cycle_count_start, name="cycle_count_start"
    ),
    path(
        "counts/<int:cycle_count_id>/submit/",
        counting.cycle_count_submit,
        name="cycle_count_submit",
    ),
    path(
        "counts/<int:cycle_count_id>/cancel/",
        counting.cycle_count_cancel,
        name="cycle_count_cancel",
    ),
    path(
        "counts/<int:cycle_count_id>/approve/",
        count_review.cycle_count_approve,
        name="cycle_count_approve",
    ),
    path(
        "counts/<int:cycle_count_id>/post/", count_review.cycle_count_post, name="cycle_count_post"
    ),
    path(
        "counts/<int:cycle_count_id>/recount/",
        count_review.cycle_count_recount,
        name="cycle_count_recount",
    ),
    path(
        "counts/<int:cycle_count_id>/rebase/",
        count_review.cycle_count_rebase,
        name="cycle_count_rebase",
    ),
    path("scan/count/", scan_count_place.scan_count_place, name="scan_count_place"),
    path("scan/count/<int:cycle_count_id>/", scan_count.scan_count, name="scan_count"),
    path("scan/adjust/", scan_adjust.scan_adjust, name="scan_adjust"),
    path("stock/adjust/", adjustments.stock_adjust, name="stock_adjust"),
    path(
        "movements/<int:movement_id>/reverse/",
        adjustments.movement_reverse,
        name="movement_reverse",
    ),
    path("settings/counting/", settings.warehouse_settings, name="warehouse_settings"),
]
