"""Stock policy: how much service a product deserves, and how often it may be ordered."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from inventory.models.catalog import Product
from inventory.models.fields import money_field, quantity_field
from inventory.models.places import Warehouse
from tenancy.models import TenantForeignKey, TenantOwned


class AbcClass(models.TextChoices):
    A = "A", "A"
    B = "B", "B"
    C = "C", "C"


class XyzClass(models.TextChoices):
    X = "X", "X"
    Y = "Y", "Y"
    Z = "Z", "Z"


class PolicyTarget(models.TextChoices):
    """What decides how much stock is enough."""

    SERVICE_LEVEL = "service_level", _("Service level")
    COST = "cost", _("Cost of a lost sale against holding")


class StockPolicy(TenantOwned):
    """What holds for a product, for a class of products, or (all empty) for everything.

    The most specific row wins: product before class before everything, each with a warehouse
    before without.
    """

    product = TenantForeignKey(
        Product, on_delete=models.CASCADE, null=True, blank=True, related_name="policies"
    )
    warehouse = TenantForeignKey(
        Warehouse, on_delete=models.CASCADE, null=True, blank=True, related_name="policies"
    )
    abc_class = models.CharField(
        _("ABC class"), max_length=1, choices=AbcClass.choices, blank=True, default=""
    )
    xyz_class = models.CharField(
        _("XYZ class"), max_length=1, choices=XyzClass.choices, blank=True, default=""
    )
    target = models.CharField(
        _("target"),
        max_length=16,
        choices=PolicyTarget.choices,
        default=PolicyTarget.SERVICE_LEVEL,
    )
    lost_sale_cost = money_field(
        null=True, blank=True, verbose_name=_("cost of a lost sale, per unit")
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
    season_ends_on = models.DateField(_("season ends on"), null=True, blank=True)
    do_not_stock = models.BooleanField(_("do not stock"), default=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta(TenantOwned.Meta):
        ordering = ["product_id", "warehouse_id", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "product", "warehouse", "abc_class", "xyz_class"],
                name="stock_policy_unique",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(cycle_service_level__gt=0, cycle_service_level__lt=1),
                name="stock_policy_service_level_sane",
            ),
            models.CheckConstraint(
                condition=Q(abc_class__in=["", *AbcClass.values])
                & Q(xyz_class__in=["", *XyzClass.values])
                & Q(target__in=PolicyTarget.values),
                name="stock_policy_words_known",
            ),
            models.CheckConstraint(
                condition=Q(product__isnull=True) | Q(abc_class="", xyz_class=""),
                name="stock_policy_product_or_class",
            ),
            models.CheckConstraint(
                condition=(Q(lost_sale_cost__isnull=True) | Q(lost_sale_cost__gte=0))
                & Q(holding_cost_per_year__gte=0)
                & Q(review_period_days__gt=0),
                name="stock_policy_costs_sane",
            ),
            models.CheckConstraint(
                condition=Q(minimum_stock__isnull=True)
                | Q(maximum_stock__isnull=True)
                | Q(minimum_stock__lte=models.F("maximum_stock")),
                name="stock_policy_bounds_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cycle_service_level}"
