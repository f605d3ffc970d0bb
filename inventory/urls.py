"""Pages of inventory, below /t/<tenant>/."""

from django.urls import path

from inventory.pages import places, products, stock

app_name = "inventory"
urlpatterns = [
    path("products/", products.product_list, name="product_list"),
    path("products/new/", products.product_create, name="product_create"),
    path("products/<int:product_id>/", products.product_detail, name="product_detail"),
    path("products/<int:product_id>/edit/", products.product_edit, name="product_edit"),
    path("stock/", stock.stock_list, name="stock_list"),
    path("movements/", stock.movement_list, name="movement_list"),
    path("warehouses/", places.warehouse_list, name="warehouse_list"),
    path("warehouses/new/", places.warehouse_create, name="warehouse_create"),
    path("warehouses/<int:warehouse_id>/", places.warehouse_detail, name="warehouse_detail"),
]
