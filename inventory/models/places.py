"""Places: warehouses with a time zone, zones, and addressable locations."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from inventory.models.fields import quantity_field
from tenancy.models import TenantForeignKey, TenantOwned
from tenancy.models.tenant import validate_time_zone


class Warehouse(TenantOwned):
    code = models.CharField(_("code"), max_length=32)
    name = models.CharField(_("name"), max_length=120)
    time_zone = models.CharField(_("time zone"), max_length=64, validators=[validate_time_zone])
    country = models.CharField(_("country"), max_length=2, blank=True)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta(TenantOwned.Meta):
        ordering = ["code", "id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "code"], name="warehouse_code_unique")
        ]

    def __str__(self) -> str:
        return self.name


class Zone(TenantOwned):
    warehouse = TenantForeignKey(Warehouse, on_delete=models.PROTECT, related_name="zones")
    parent = TenantForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        help_text="Where goods go when this zone is full.",
    )
    code = models.CharField(_("code"), max_length=32)
    name = models.CharField(_("name"), max_length=120, blank=True)

    class Meta(TenantOwned.Meta):
        ordering = ["code", "id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "warehouse", "code"], name="zone_code_unique")
        ]

    def __str__(self) -> str:
        return self.code


class LocationKind(models.TextChoices):
    """The last three are outside: they carry no balance, stock comes from or goes to them."""

    STORAGE = "storage", _("Storage")
    RECEIVING = "receiving", _("Receiving")
    PACKING = "packing", _("Packing")
    SHIPPING = "shipping", _("Shipping")
    QUARANTINE = "quarantine", _("Quarantine")
    DAMAGED = "damaged", _("Damaged")
    IN_TRANSIT = "in_transit", _("In transit")
    SUPPLIER = "supplier", _("Supplier")
    CUSTOMER = "customer", _("Customer")
    LOSS = "loss", _("Loss")


OUTSIDE_KINDS = frozenset({LocationKind.SUPPLIER, LocationKind.CUSTOMER, LocationKind.LOSS})
PROMISABLE_KINDS = frozenset({LocationKind.STORAGE, LocationKind.PACKING, LocationKind.SHIPPING})


class MixingRule(models.TextChoices):
    """What may lie together at a location."""

    ANY = "any", _("Anything")
    ONE_PRODUCT = "one_product", _("One product")
    ONE_LOT = "one_lot", _("One lot")


class Location(TenantOwned):
    """An addressable place. Each warehouse has its own outside ones: every movement has a site."""

    warehouse = TenantForeignKey(Warehouse, on_delete=models.PROTECT, related_name="locations")
    zone = TenantForeignKey(
        Zone, on_delete=models.PROTECT, null=True, blank=True, related_name="locations"
    )
    code = models.CharField(_("code"), max_length=48)
    kind = models.CharField(_("kind"), max_length=12, choices=LocationKind.choices)
    walking_order = models.PositiveIntegerField(_("walking order"), default=0)
    max_volume_l = quantity_field(
        null=True, blank=True, verbose_name=_("room in litres"), validators=[MinValueValidator(0)]
    )
    max_weight_kg = quantity_field(
        null=True, blank=True, verbose_name=_("load in kg"), validators=[MinValueValidator(0)]
    )
    mixing_rule = models.CharField(
        _("mixing"), max_length=12, choices=MixingRule.choices, default=MixingRule.ANY
    )
    is_active = models.BooleanField(_("active"), default=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta(TenantOwned.Meta):
        ordering = ["warehouse_id", "walking_order", "code", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "warehouse", "code"], name="location_code_unique"
            ),
            models.UniqueConstraint(
                fields=["tenant", "warehouse", "kind"],
                condition=models.Q(kind__in=["supplier", "customer", "loss", "in_transit"]),
                name="location_one_of_each_virtual_kind",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def is_outside(self) -> bool:
        """Tell whether stock here is not ours (supplier, customer, loss)."""
        return self.kind in OUTSIDE_KINDS
