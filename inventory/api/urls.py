"""Addresses of the inventory's API, below ``/api/v1/<tenant>/``."""

from django.urls import path

from inventory.api import (
    access,
    catalog,
    demand,
    movements,
    places,
    purchasing,
    receiving,
    sales,
    stock,
    suppliers,
)

urlpatterns = [
    path("products", catalog.ProductList.as_view()),
    path("products/<int:product_id>", catalog.ProductDetail.as_view()),
    path("products/<int:product_id>/packagings", catalog.ProductPackagings.as_view()),
    path("products/<int:product_id>/barcodes", catalog.ProductBarcodes.as_view()),
    path("categories", catalog.CategoryList.as_view()),
    path("warehouses", places.WarehouseList.as_view()),
    path("warehouses/<int:warehouse_id>", places.WarehouseDetail.as_view()),
    path("members/<int:membership_id>/warehouses", access.MemberWarehouses.as_view()),
    path("locations", places.LocationList.as_view()),
    path("suppliers", suppliers.SupplierList.as_view()),
    path("suppliers/<int:supplier_id>", suppliers.SupplierDetail.as_view()),
    path("supplier-items", suppliers.SupplierItemList.as_view()),
    path("channels", sales.ChannelList.as_view()),
    path("segments", sales.SegmentList.as_view()),
    path("sales", sales.SaleList.as_view()),
    path("stock/balances", stock.BalanceList.as_view()),
    path("stock/availability", stock.AvailabilityList.as_view()),
    path("stock/moves", stock.MoveList.as_view()),
    path("stock/adjustments", stock.AdjustmentList.as_view()),
    path("movements", movements.MovementList.as_view()),
    path("movements/<int:movement_id>/reverse", movements.MovementReversal.as_view()),
    path("demand", demand.DemandList.as_view()),
    path("purchase-orders", purchasing.OrderList.as_view()),
    path("purchase-orders/<int:order_id>", purchasing.OrderDetail.as_view()),
    path("purchase-orders/<int:order_id>/place", purchasing.OrderPlacing.as_view()),
    path("purchase-orders/<int:order_id>/cancel", purchasing.OrderCancellation.as_view()),
    path("purchase-orders/<int:order_id>/close", purchasing.OrderClosing.as_view()),
    path("purchase-orders/<int:order_id>/receive", receiving.OrderReceipt.as_view()),
]
