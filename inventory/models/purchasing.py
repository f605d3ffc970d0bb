"""Buying: suppliers, what they offer, and purchase orders."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from inventory.models.catalog import Product
from inventory.models.fields import money_field, quantity_field
from inventory.models.places import Warehouse
from tenancy.models import TenantForeignKey, TenantOwned


class TransportMode(models.TextChoices):
    """How goods come from a supplier; empty where nobody has said."""

    AIR = "air", _("Air")
    OCEAN = "ocean", _("Ocean")
    TRUCK = "truck", _("Truck")
    CHARTER = "charter", _("Charter")


def _mode_known(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(transport_mode__in=["", *TransportMode.values]), name=name
    )


def transport_mode_field() -> models.CharField[str, str]:
    """Return the field that says how goods come."""
    return models.CharField(
        _("transport mode"), max_length=8, choices=TransportMode.choices, blank=True, default=""
    )


class Supplier(TenantOwned):
    code = models.CharField(_("code"), max_length=32)
    name = models.CharField(_("name"), max_length=160)
    email = models.EmailField(_("e-mail"), blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    lead_time_days = models.PositiveIntegerField(
        _("promised lead time in days"), null=True, blank=True
    )
    minimum_order_value = money_field(default=0, verbose_name=_("minimum order value"))
    transport_cost = money_field(default=0, verbose_name=_("transport cost per order"))
    is_active = models.BooleanField(_("active"), default=True)

    class Meta(TenantOwned.Meta):
        ordering = ["code", "id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "code"], name="supplier_code_unique")
        ]

    def __str__(self) -> str:
        return self.name


class SupplierItem(TenantOwned):
    """A product as a supplier sells it."""

    supplier = TenantForeignKey(Supplier, on_delete=models.CASCADE, related_name="items")
    product = TenantForeignKey(Product, on_delete=models.CASCADE, related_name="supplier_items")
    supplier_sku = models.CharField(_("supplier's SKU"), max_length=64, blank=True)
    price = money_field(verbose_name=_("price"), validators=[MinValueValidator(0)])
    minimum_order_quantity = quantity_field(default=1, verbose_name=_("minimum order quantity"))
    order_multiple = quantity_field(default=1, verbose_name=_("order multiple"))
    lead_time_days = models.PositiveIntegerField(
        _("promised lead time in days"), null=True, blank=True
    )
    transport_cost_per_unit = money_field(default=0, verbose_name=_("transport cost per unit"))
    transport_mode = transport_mode_field()
    is_preferred = models.BooleanField(_("preferred"), default=False)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta(TenantOwned.Meta):
        ordering = ["supplier_id", "product_id", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "supplier", "product"], name="supplier_item_unique"
            ),
            models.UniqueConstraint(
                fields=["tenant", "product"],
                condition=Q(is_preferred=True),
                name="supplier_item_one_preferred",
            ),
            models.CheckConstraint(
                condition=Q(price__gte=0, minimum_order_quantity__gt=0, order_multiple__gt=0),
                name="supplier_item_numbers_sane",
            ),
            _mode_known("supplier_item_mode_known"),
        ]

    def __str__(self) -> str:
        return f"{self.supplier_id}:{self.product_id}"


class PriceBreak(TenantOwned):
    supplier_item = TenantForeignKey(
        SupplierItem, on_delete=models.CASCADE, related_name="price_breaks"
    )
    from_quantity = quantity_field()
    price = money_field()

    class Meta(TenantOwned.Meta):
        ordering = ["supplier_item_id", "from_quantity", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "supplier_item", "from_quantity"], name="price_break_unique"
            ),
            models.CheckConstraint(
                condition=Q(from_quantity__gt=0, price__gte=0), name="price_break_sane"
            ),
        ]

    def __str__(self) -> str:
        return f"from {self.from_quantity}: {self.price}"


class PurchaseOrderState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    PLACED = "placed", _("Placed")
    PARTIALLY_RECEIVED = "partially_received", _("Partially received")
    RECEIVED = "received", _("Received")
    CLOSED = "closed", _("Closed")
    CANCELLED = "cancelled", _("Cancelled")

    @classmethod
    def on_order(cls) -> list[PurchaseOrderState]:
        """Return the states whose open quantity counts as on order."""
        return [cls.PLACED, cls.PARTIALLY_RECEIVED]


class PurchaseOrder(TenantOwned):
    number = models.CharField(max_length=32)
    supplier = TenantForeignKey(Supplier, on_delete=models.PROTECT, related_name="orders")
    warehouse = TenantForeignKey(
        Warehouse, on_delete=models.PROTECT, related_name="purchase_orders"
    )
    state = models.CharField(
        max_length=20, choices=PurchaseOrderState.choices, default=PurchaseOrderState.DRAFT
    )
    note = models.CharField(max_length=200, blank=True)
    expected_on = models.DateField(null=True, blank=True)
    transport_mode = transport_mode_field()
    transport_cost = money_field(
        null=True, blank=True, verbose_name=_("transport cost"), help_text="Of all its deliveries."
    )
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    placed_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "number"], name="purchase_order_number_unique"
            ),
            models.CheckConstraint(
                condition=Q(state__in=PurchaseOrderState.values), name="purchase_order_state_known"
            ),
            _mode_known("purchase_order_mode_known"),
            models.CheckConstraint(
                condition=Q(transport_cost__isnull=True) | Q(transport_cost__gte=0),
                name="purchase_order_transport_not_negative",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "state", "-id"], name="purchase_order_by_state")]

    def __str__(self) -> str:
        return self.number


class PurchaseOrderLine(TenantOwned):
    order = TenantForeignKey(PurchaseOrder, on_delete=models.CASCADE, related_name="lines")
    product = TenantForeignKey(Product, on_delete=models.PROTECT, related_name="purchase_lines")
    supplier_item = TenantForeignKey(
        SupplierItem, on_delete=models.PROTECT, null=True, related_name="+"
    )
    quantity = quantity_field()
    unit_price = money_field()
    quantity_received = quantity_field(default=0)
    over_receipt_tolerance = quantity_field(default=0, help_text="Units that may come on top.")
    promised_on = models.DateField(null=True, blank=True)

    class Meta(TenantOwned.Meta):
        ordering = ["order_id", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "order", "product"], name="purchase_line_product_once"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, unit_price__gte=0), name="purchase_line_numbers_sane"
            ),
            models.CheckConstraint(
                condition=Q(quantity_received__gte=0)
                & Q(quantity_received__lte=F("quantity") + F("over_receipt_tolerance")),
                name="purchase_line_not_over_received",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} x {self.quantity}"


class LeadTimeObservation(TenantOwned):
    """From placed to completed receipt: what the lead-time estimate learns from."""

    supplier = TenantForeignKey(Supplier, on_delete=models.CASCADE, related_name="+")
    product = TenantForeignKey(Product, on_delete=models.CASCADE, null=True, related_name="+")
    placed_on = models.DateField()
    received_on = models.DateField()
    promised_days = models.PositiveIntegerField(null=True)
    lead_time_days = models.PositiveIntegerField()
    transport_mode = transport_mode_field()

    class Meta(TenantOwned.Meta):
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(received_on__gte=F("placed_on")), name="lead_time_forward"
            ),
            _mode_known("lead_time_mode_known"),
        ]

    def __str__(self) -> str:
        return f"{self.supplier_id}: {self.lead_time_days} d"
