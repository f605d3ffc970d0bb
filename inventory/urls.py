"""Pages of inventory, below /t/<tenant>/."""

from django.urls import path

from inventory.pages import importing, places, products, stock

app_name = "inventory"
urlpatterns = [
    path("products/", products.product_list, name="product_list"),
    path("products/new/", products.product_create, name="product_create"),
    path("products/<int:product_id>/", products.product_detail, name="product_detail"),
    path("products/<int:product_id>/edit/", products.product_edit, name="product_edit"),
    path("stock/", stock.stock_list, name="stock_list"),
    path("movements/", stock.movement_list, name="movement_list"),
    path("import/", importing.import_list, name="import_list"),
    path("import/<int:file_id>/", importing.import_detail, name="import_detail"),
    path("import/<int:file_id>/progress/", importing.import_progress, name="import_progress"),
    path("import/<int:file_id>/cancel/", importing.import_cancel, name="import_cancel"),
    path("import/<int:file_id>/errors.csv", importing.import_errors, name="import_errors"),
    path("warehouses/", places.warehouse_list, name="warehouse_list"),
    path("warehouses/new/", places.warehouse_create, name="warehouse_create"),
    path("warehouses/<int:warehouse_id>/", places.warehouse_detail, name="warehouse_detail"),
]
