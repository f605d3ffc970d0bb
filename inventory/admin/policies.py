"""Stock policies in the platform's admin."""

from __future__ import annotations

from django.contrib import admin

from inventory import models
from tenancy.admin_base import TenantAdmin


@admin.register(models.StockPolicy)
class StockPolicyAdmin(TenantAdmin):
    list_display = (
        "product",
        "abc_class",
        "xyz_class",
        "warehouse",
        "target",
        "cycle_service_level",
        "review_period_days",
        "do_not_stock",
    )
    list_select_related = ("product", "warehouse")
    autocomplete_fields = ("product", "warehouse")
