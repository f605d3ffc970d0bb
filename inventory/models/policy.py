"""Stock policy: how much service a product deserves, and how often it may be ordered."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from inventory.models.catalog import Product
from inventory.models.fields import quantity_field
from inventory.models.places import Warehouse
from tenancy.models import TenantForeignKey, TenantOwned


class StockPolicy(TenantOwned):
    """Product and warehouse empty: the tenant's default. The most specific row wins."""

    product = TenantForeignKey(
        Product, on_delete=models.CASCADE, null=True, blank=True, related_name="policies"
    )
    warehouse = TenantForeignKey(
        Warehouse, on_delete=models.CASCADE, null=True, blank=True, related_name="policies"
    )
    cycle_service_level = models.DecimalField(
        _("service level"), max_digits=5, decimal_places=4, default=Decimal("0.95")
    )
    review_period_days = models.PositiveIntegerField(_("review period in days"), default=7)
    holding_cost_per_year = models.DecimalField(
        _("holding cost per year, share of value"),
        max_digits=6,
        decimal_places=4,
        default=Decimal("0.20"),
    )
    minimum_stock = quantity_field(null=True, blank=True, verbose_name=_("minimum stock"))
    maximum_stock = quantity_field(null=True, blank=True, verbose_name=_("maximum stock"))
    excess_cover_days = models.PositiveIntegerField(_("cover limit in days"), default=120)
    do_not_stock = models.BooleanField(_("do not stock"), default=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta(TenantOwned.Meta):
        ordering = ["product_id", "warehouse_id", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "product", "warehouse"],
                name="stock_policy_unique",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(cycle_service_level__gt=0, cycle_service_level__lt=1),
                name="stock_policy_service_level_sane",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cycle_service_level}"
