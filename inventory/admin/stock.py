"""The platform's admin pages of the warehouse. The ledger and demand are read-only."""

from __future__ import annotations

from django.contrib import admin

from inventory import models
from tenancy.admin_base import ReadOnlyTenantAdmin, TenantAdmin


@admin.register(models.Category)
class CategoryAdmin(TenantAdmin):
    list_display = ("name", "parent")
    search_fields = ("name",)


@admin.register(models.Product)
class ProductAdmin(TenantAdmin):
    list_display = ("sku", "name", "category", "base_unit", "unit_cost", "unit_price", "is_active")
    list_filter = ("is_active", "lot_tracking")
    list_select_related = ("category",)
    search_fields = ("sku", "name")
    autocomplete_fields = ("category",)


@admin.register(models.Packaging)
class PackagingAdmin(TenantAdmin):
    list_display = ("product", "name", "units")
    list_select_related = ("product",)
    autocomplete_fields = ("product",)


@admin.register(models.Barcode)
class BarcodeAdmin(TenantAdmin):
    list_display = ("code", "product", "packaging")
    list_select_related = ("product", "packaging")
    search_fields = ("code",)
    autocomplete_fields = ("product",)


@admin.register(models.Lot)
class LotAdmin(TenantAdmin):
    list_display = ("code", "product", "expires_on", "status")
    list_filter = ("status",)
    list_select_related = ("product",)
    search_fields = ("code",)
    autocomplete_fields = ("product",)


@admin.register(models.Warehouse)
class WarehouseAdmin(TenantAdmin):
    list_display = ("code", "name", "time_zone", "country", "is_active")
    search_fields = ("code", "name")


@admin.register(models.Zone)
class ZoneAdmin(TenantAdmin):
    list_display = ("code", "name", "warehouse")
    list_select_related = ("warehouse",)


@admin.register(models.Location)
class LocationAdmin(TenantAdmin):
    list_display = ("code", "kind", "warehouse", "zone", "walking_order", "is_active")
    list_filter = ("kind", "is_active")
    list_select_related = ("warehouse", "zone")
    search_fields = ("code",)


@admin.register(models.Supplier)
class SupplierAdmin(TenantAdmin):
    list_display = ("code", "name", "lead_time_days", "minimum_order_value", "is_active")
    search_fields = ("code", "name")


@admin.register(models.SupplierItem)
class SupplierItemAdmin(TenantAdmin):
    list_display = (
        "supplier",
        "product",
        "price",
        "minimum_order_quantity",
        "order_multiple",
        "is_preferred",
    )
    list_select_related = ("supplier", "product")
    autocomplete_fields = ("supplier", "product")


@admin.register(models.Channel)
class ChannelAdmin(TenantAdmin):
    list_display = ("code", "name", "kind", "is_active")


@admin.register(models.CustomerSegment)
class CustomerSegmentAdmin(TenantAdmin):
    list_display = ("code", "name")


@admin.register(models.Customer)
class CustomerAdmin(TenantAdmin):
    list_display = ("code", "name", "country", "segment", "is_active")
    list_select_related = ("segment",)
    search_fields = ("code", "name")


@admin.register(models.StockMovement)
class StockMovementAdmin(ReadOnlyTenantAdmin):
    list_display = (
        "id",
        "business_day",
        "reason",
        "product",
        "quantity",
        "from_location",
        "to_location",
    )
    list_filter = ("reason",)
    list_select_related = ("product", "from_location", "to_location")
    search_fields = ("product__sku",)


@admin.register(models.StockBalance)
class StockBalanceAdmin(ReadOnlyTenantAdmin):
    list_display = ("product", "location", "lot", "on_hand", "allocated")
    list_select_related = ("product", "location", "lot")
    search_fields = ("product__sku", "location__code")


@admin.register(models.StockValue)
class StockValueAdmin(ReadOnlyTenantAdmin):
    list_display = ("product", "warehouse", "method", "quantity", "value")
    list_filter = ("method",)
    list_select_related = ("product", "warehouse")
    search_fields = ("product__sku",)


@admin.register(models.ValueEntry)
class ValueEntryAdmin(ReadOnlyTenantAdmin):
    list_display = (
        "id",
        "business_day",
        "kind",
        "product",
        "warehouse",
        "quantity_change",
        "value_change",
        "is_estimated",
    )
    list_filter = ("kind", "is_estimated")
    list_select_related = ("product", "warehouse")
    search_fields = ("product__sku",)


@admin.register(models.CostLayer)
class CostLayerAdmin(ReadOnlyTenantAdmin):
    list_display = (
        "product",
        "warehouse",
        "received_at",
        "received_quantity",
        "remaining_quantity",
        "remaining_value",
    )
    list_select_related = ("product", "warehouse")
    search_fields = ("product__sku",)


@admin.register(models.PeriodClosing)
class PeriodClosingAdmin(ReadOnlyTenantAdmin):
    list_display = ("through", "closed_at", "closed_by_label")


@admin.register(models.StockSnapshot)
class StockSnapshotAdmin(ReadOnlyTenantAdmin):
    list_display = ("day", "product", "location", "lot", "quantity")
    list_select_related = ("product", "location", "lot")
    search_fields = ("product__sku", "location__code")


@admin.register(models.ValueSnapshot)
class ValueSnapshotAdmin(ReadOnlyTenantAdmin):
    list_display = ("day", "product", "warehouse", "quantity", "value")
    list_select_related = ("product", "warehouse")
    search_fields = ("product__sku",)


@admin.register(models.DailyDemand)
class DailyDemandAdmin(ReadOnlyTenantAdmin):
    list_display = ("business_day", "product", "warehouse", "channel", "segment", "quantity")
    list_select_related = ("product", "warehouse", "channel", "segment")
    search_fields = ("product__sku",)


@admin.register(models.PurchaseOrder)
class PurchaseOrderAdmin(ReadOnlyTenantAdmin):
    list_display = (
        "number",
        "supplier",
        "warehouse",
        "state",
        "expected_on",
        "placed_at",
        "received_at",
    )
    list_filter = ("state",)
    list_select_related = ("supplier", "warehouse")
    search_fields = ("number",)


@admin.register(models.PurchaseOrderLine)
class PurchaseOrderLineAdmin(ReadOnlyTenantAdmin):
    list_display = ("order", "product", "quantity", "quantity_received", "unit_price")
    list_select_related = ("order", "product")


@admin.register(models.Receipt)
class ReceiptAdmin(ReadOnlyTenantAdmin):
    list_display = ("number", "state", "purchase_order", "supplier", "warehouse", "completed_at")
    list_filter = ("state",)
    list_select_related = ("purchase_order", "supplier", "warehouse")
    search_fields = ("number", "delivery_note")


@admin.register(models.ReceiptLine)
class ReceiptLineAdmin(ReadOnlyTenantAdmin):
    list_display = ("receipt", "product", "quantity", "damaged", "lot_code", "reversed_at")
    list_select_related = ("receipt", "product")


@admin.register(models.PutAwayRule)
class PutAwayRuleAdmin(ReadOnlyTenantAdmin):
    list_display = ("warehouse", "priority", "product", "category", "location", "zone")
    list_select_related = ("warehouse", "product", "category", "location", "zone")


@admin.register(models.ImportedFile)
class ImportedFileAdmin(ReadOnlyTenantAdmin):
    list_display = (
        "file_name",
        "kind",
        "size_bytes",
        "created_by_label",
        "created_at",
        "completed_at",
    )
    list_filter = ("kind",)


@admin.register(models.LeadTimeObservation)
class LeadTimeObservationAdmin(ReadOnlyTenantAdmin):
    list_display = (
        "supplier",
        "product",
        "placed_on",
        "received_on",
        "promised_days",
        "lead_time_days",
        "transport_mode",
    )
    list_select_related = ("supplier", "product")


@admin.register(models.CycleCount)
class CycleCountAdmin(ReadOnlyTenantAdmin):
    list_display = ("number", "warehouse", "location", "product", "state", "reason", "due_on")
    list_filter = ("state", "reason")
    list_select_related = ("warehouse", "location", "product")
    search_fields = ("number", "location__code")


@admin.register(models.CountLine)
class CountLineAdmin(ReadOnlyTenantAdmin):
    list_display = ("count", "round_number", "product", "lot", "counted", "expected")
    list_select_related = ("count", "product", "lot")


@admin.register(models.InventorySettings)
class InventorySettingsAdmin(ReadOnlyTenantAdmin):
    list_display = ("valuation_method", "closed_through", "adjustment_limit", "counts_per_day")


@admin.register(models.WarehouseAccess)
class WarehouseAccessAdmin(ReadOnlyTenantAdmin):
    list_display = ("membership", "warehouse")
    list_select_related = ("membership__user", "warehouse")


@admin.register(models.Wave)
class WaveAdmin(ReadOnlyTenantAdmin):
    list_display = ("number", "warehouse", "kind", "state", "released_at", "completed_at")
    list_filter = ("state", "kind")
    list_select_related = ("warehouse",)
    search_fields = ("number",)


@admin.register(models.PickTask)
class PickTaskAdmin(ReadOnlyTenantAdmin):
    list_display = (
        "wave",
        "sequence",
        "location",
        "product",
        "quantity",
        "quantity_picked",
        "state",
        "short_reason",
    )
    list_filter = ("state", "short_reason")
    list_select_related = ("wave", "location", "product")
    search_fields = ("wave__number", "product__sku")


@admin.register(models.Package)
class PackageAdmin(ReadOnlyTenantAdmin):
    list_display = ("number", "sales_order", "state", "weight_kg", "shipment", "closed_at")
    list_filter = ("state",)
    list_select_related = ("sales_order", "shipment")
    search_fields = ("number", "sales_order__number")


@admin.register(models.PackageLine)
class PackageLineAdmin(ReadOnlyTenantAdmin):
    list_display = ("package", "allocation", "quantity")
    list_select_related = ("package", "allocation")
    search_fields = ("package__number",)


@admin.register(models.Shipment)
class ShipmentAdmin(ReadOnlyTenantAdmin):
    list_display = (
        "number",
        "sales_order",
        "warehouse",
        "carrier",
        "tracking_number",
        "transport_cost",
        "shipped_at",
    )
    list_select_related = ("sales_order", "warehouse")
    search_fields = ("number", "sales_order__number", "tracking_number")


@admin.register(models.ShipmentLine)
class ShipmentLineAdmin(ReadOnlyTenantAdmin):
    list_display = ("shipment", "product", "lot", "quantity", "quantity_returned")
    list_select_related = ("shipment", "product", "lot")
    search_fields = ("shipment__number", "product__sku")


@admin.register(models.WorkClaim)
class WorkClaimAdmin(ReadOnlyTenantAdmin):
    list_display = ("kind", "subject_id", "actor_label", "claimed_at", "expires_at")
    list_filter = ("kind",)


@admin.register(models.SalesOrder)
class SalesOrderAdmin(ReadOnlyTenantAdmin):
    list_display = ("number", "channel", "reference", "warehouse", "state", "promised_on")
    list_filter = ("state",)
    list_select_related = ("channel", "warehouse")
    search_fields = ("number", "reference")


@admin.register(models.SalesOrderLine)
class SalesOrderLineAdmin(ReadOnlyTenantAdmin):
    list_display = (
        "order",
        "product",
        "quantity",
        "quantity_allocated",
        "quantity_picked",
        "quantity_shipped",
    )
    list_select_related = ("order", "product")


@admin.register(models.Allocation)
class AllocationAdmin(ReadOnlyTenantAdmin):
    list_display = ("product", "quantity", "location", "lot", "state", "order_line")
    list_filter = ("state",)
    list_select_related = ("product", "location", "lot", "order_line__product")


@admin.register(models.ChannelStock)
class ChannelStockAdmin(ReadOnlyTenantAdmin):
    list_display = ("channel", "product", "warehouse", "ring_fenced", "buffer")
    list_select_related = ("channel", "product", "warehouse")
