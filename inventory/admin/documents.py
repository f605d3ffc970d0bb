"""Transfers and returns in the platform's admin: to look at, never to change."""

from __future__ import annotations

from django.contrib import admin

from inventory import models
from tenancy.admin_base import ReadOnlyTenantAdmin


@admin.register(models.TransferOrder)
class TransferOrderAdmin(ReadOnlyTenantAdmin):
    list_display = ("number", "state", "from_warehouse", "to_warehouse", "expected_on", "sent_at")
    list_filter = ("state",)
    list_select_related = ("from_warehouse", "to_warehouse")
    search_fields = ("number",)


@admin.register(models.TransferLine)
class TransferLineAdmin(ReadOnlyTenantAdmin):
    list_display = (
        "order",
        "product",
        "quantity",
        "quantity_sent",
        "quantity_received",
        "quantity_lost",
    )
    list_select_related = ("order", "product")


@admin.register(models.TransferPiece)
class TransferPieceAdmin(ReadOnlyTenantAdmin):
    list_display = ("line", "lot", "quantity", "quantity_received", "quantity_lost")
    list_select_related = ("line", "lot")


@admin.register(models.CustomerReturn)
class CustomerReturnAdmin(ReadOnlyTenantAdmin):
    list_display = ("number", "state", "warehouse", "sales_order", "customer", "received_at")
    list_filter = ("state",)
    list_select_related = ("warehouse", "sales_order", "customer")
    search_fields = ("number",)


@admin.register(models.CustomerReturnLine)
class CustomerReturnLineAdmin(ReadOnlyTenantAdmin):
    list_display = ("customer_return", "product", "lot", "quantity", "quantity_received")
    list_select_related = ("customer_return", "product", "lot")


@admin.register(models.SupplierReturn)
class SupplierReturnAdmin(ReadOnlyTenantAdmin):
    list_display = ("number", "state", "supplier", "warehouse", "reference", "sent_at")
    list_filter = ("state",)
    list_select_related = ("supplier", "warehouse")
    search_fields = ("number", "reference")


@admin.register(models.SupplierReturnLine)
class SupplierReturnLineAdmin(ReadOnlyTenantAdmin):
    list_display = ("supplier_return", "product", "location", "lot", "quantity", "unit_cost")
    list_select_related = ("supplier_return", "product", "location", "lot")


@admin.register(models.DocumentNumber)
class DocumentNumberAdmin(ReadOnlyTenantAdmin):
    list_display = ("kind", "last_number")
