"""Where goods belong: rules that name a product's or a category's place, in order."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from inventory.models.catalog import Category, Product
from inventory.models.places import Location, Warehouse, Zone
from tenancy.models import TenantForeignKey, TenantOwned


class PutAwayRule(TenantOwned):
    """A product's fixed ``location``, or the ``zone`` where a product or category belongs.

    Product and category empty: the warehouse's usual zone. The lowest ``priority`` is tried first.
    """

    warehouse = TenantForeignKey(Warehouse, on_delete=models.CASCADE, related_name="put_away_rules")
    product = TenantForeignKey(
        Product, on_delete=models.CASCADE, null=True, blank=True, related_name="put_away_rules"
    )
    category = TenantForeignKey(
        Category, on_delete=models.CASCADE, null=True, blank=True, related_name="put_away_rules"
    )
    location = TenantForeignKey(
        Location, on_delete=models.CASCADE, null=True, blank=True, related_name="put_away_rules"
    )
    zone = TenantForeignKey(
        Zone, on_delete=models.CASCADE, null=True, blank=True, related_name="put_away_rules"
    )
    priority = models.PositiveSmallIntegerField(_("priority"), default=10)

    class Meta(TenantOwned.Meta):
        ordering = ["warehouse_id", "priority", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(product__isnull=True) | Q(category__isnull=True),
                name="put_away_rule_product_or_category",
            ),
            models.CheckConstraint(
                condition=Q(location__isnull=True) ^ Q(zone__isnull=True),
                name="put_away_rule_location_or_zone",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id or self.category_id or '*'} -> {self.location_id or self.zone_id}"
