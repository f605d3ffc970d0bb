"""Products: what is counted, how it is packed, and the codes that are scanned."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from inventory.models.fields import money_field, quantity_field
from tenancy.models import TenantForeignKey, TenantOwned


class Category(TenantOwned):
    name = models.CharField(max_length=120)
    parent = TenantForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )

    class Meta(TenantOwned.Meta):
        ordering = ["name", "id"]
        verbose_name_plural = _("categories")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="category_name_unique")
        ]

    def __str__(self) -> str:
        return self.name


class LotTracking(models.TextChoices):
    NONE = "none", _("Not tracked")
    LOT = "lot", _("By lot")
    SERIAL = "serial", _("By serial number")


class Product(TenantOwned):
    """The item counted, in ``base_unit``."""

    sku = models.CharField(_("SKU"), max_length=64)
    name = models.CharField(_("name"), max_length=200)
    description = models.TextField(_("description"), blank=True)
    category = TenantForeignKey(
        Category, on_delete=models.PROTECT, null=True, blank=True, related_name="products"
    )
    base_unit = models.CharField(_("base unit"), max_length=16, default="pcs")
    whole_units = models.BooleanField(_("counted in whole units"), default=True)
    lot_tracking = models.CharField(
        _("lot tracking"), max_length=8, choices=LotTracking.choices, default=LotTracking.NONE
    )
    shelf_life_days = models.PositiveIntegerField(_("shelf life in days"), null=True, blank=True)
    unit_cost = money_field(
        null=True, blank=True, verbose_name=_("unit cost"), validators=[MinValueValidator(0)]
    )
    unit_price = money_field(
        null=True, blank=True, verbose_name=_("unit price"), validators=[MinValueValidator(0)]
    )
    weight_kg = quantity_field(null=True, blank=True, verbose_name=_("weight in kg"))
    volume_l = quantity_field(null=True, blank=True, verbose_name=_("volume in litres"))
    attributes = models.JSONField(_("attributes"), default=dict, blank=True)
    introduced_on = models.DateField(_("introduced on"), null=True, blank=True)
    discontinued_on = models.DateField(_("discontinued on"), null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantOwned.Meta):
        ordering = ["sku", "id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "sku"], name="product_sku_unique"),
            models.CheckConstraint(condition=~Q(sku=""), name="product_sku_given"),
            models.CheckConstraint(
                condition=Q(unit_cost__isnull=True) | Q(unit_cost__gte=0),
                name="product_cost_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sku} {self.name}"


class Packaging(TenantOwned):
    """An exact multiple of the base unit: inner, case, pallet."""

    product = TenantForeignKey(Product, on_delete=models.CASCADE, related_name="packagings")
    name = models.CharField(max_length=40)
    units = quantity_field(validators=[MinValueValidator(0)])

    class Meta(TenantOwned.Meta):
        ordering = ["product_id", "units", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "product", "name"], name="packaging_name_unique"
            ),
            models.CheckConstraint(condition=Q(units__gt=0), name="packaging_units_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.units.normalize():f})"


class Barcode(TenantOwned):
    """A code on the unit or on a packaging."""

    code = models.CharField(max_length=80)
    product = TenantForeignKey(Product, on_delete=models.CASCADE, related_name="barcodes")
    packaging = TenantForeignKey(
        Packaging, on_delete=models.CASCADE, null=True, blank=True, related_name="barcodes"
    )

    class Meta(TenantOwned.Meta):
        ordering = ["code", "id"]
        constraints = [models.UniqueConstraint(fields=["tenant", "code"], name="barcode_unique")]

    def __str__(self) -> str:
        return self.code


class LotStatus(models.TextChoices):
    AVAILABLE = "available", _("Available")
    ON_HOLD = "on_hold", _("On hold")
    RECALLED = "recalled", _("Recalled")


class Lot(TenantOwned):
    """Units that share origin and expiry. A serial is a lot of one."""

    product = TenantForeignKey(Product, on_delete=models.PROTECT, related_name="lots")
    code = models.CharField(max_length=64)
    expires_on = models.DateField(null=True, blank=True)
    status = models.CharField(max_length=12, choices=LotStatus.choices, default=LotStatus.AVAILABLE)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantOwned.Meta):
        ordering = ["expires_on", "code", "id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "product", "code"], name="lot_code_unique")
        ]

    def __str__(self) -> str:
        return self.code
