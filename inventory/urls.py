"""Pages of inventory, below /t/<tenant>/."""

from django.urls import path

from inventory.pages import (
    access,
    importing,
    packing,
    places,
    products,
    purchasing,
    receiving,
    reports,
    scan_move,
    scan_pack,
    scan_pick,
    scan_ship,
    scanning,
    shipping,
    stock,
    suppliers,
    wave_release,
    waves,
    worklists,
)
from inventory.queries.reports import REPORTS
from inventory.services.report_files import WRITERS

app_name = "inventory"
urlpatterns = [
    path("products/", products.product_list, name="product_list"),
    path("products/new/", products.product_create, name="product_create"),
    path("products/<int:product_id>/", products.product_detail, name="product_detail"),
    path("products/<int:product_id>/edit/", products.product_edit, name="product_edit"),
    path("products/<int:product_id>/codes/", products.product_codes, name="product_codes"),
    path("scan/", scanning.scan, name="scan"),
    path("scan/move/", scan_move.scan_move, name="scan_move"),
    path("stock/", stock.stock_list, name="stock_list"),
    path("movements/", stock.movement_list, name="movement_list"),
    path("import/", importing.import_list, name="import_list"),
    path("import/<int:file_id>/", importing.import_detail, name="import_detail"),
    path("import/<int:file_id>/progress/", importing.import_progress, name="import_progress"),
    path("import/<int:file_id>/cancel/", importing.import_cancel, name="import_cancel"),
    path("import/<int:file_id>/errors.csv", importing.import_errors, name="import_errors"),
    path("purchase-orders/", purchasing.purchase_order_list, name="purchase_order_list"),
    path("purchase-orders/new/", purchasing.purchase_order_create, name="purchase_order_create"),
    path(
        "purchase-orders/<int:order_id>/",
        purchasing.purchase_order_detail,
        name="purchase_order_detail",
    ),
    path(
        "purchase-orders/<int:order_id>/lines/",
        purchasing.purchase_order_add_line,
        name="purchase_order_add_line",
    ),
    path(
        "purchase-orders/<int:order_id>/lines/<int:line_id>/remove/",
        purchasing.purchase_order_remove_line,
        name="purchase_order_remove_line",
    ),
    path(
        "purchase-orders/<int:order_id>/place/",
        purchasing.purchase_order_place,
        name="purchase_order_place",
    ),
    path(
        "purchase-orders/<int:order_id>/cancel/",
        purchasing.purchase_order_cancel,
        name="purchase_order_cancel",
    ),
    path(
        "purchase-orders/<int:order_id>/close/",
        purchasing.purchase_order_close,
        name="purchase_order_close",
    ),
    path(
        "purchase-orders/<int:order_id>/receive/",
        receiving.purchase_order_receive,
        name="purchase_order_receive",
    ),
    path("work/take/", worklists.work_take, name="work_take"),
    path("work/give-back/", worklists.work_give_back, name="work_give_back"),
    path("to-pick/", waves.pick_list, name="pick_list"),
    path("waves/", waves.wave_list, name="wave_list"),
    path("waves/release/", wave_release.wave_release, name="wave_release"),
    path("waves/<int:wave_id>/", waves.wave_detail, name="wave_detail"),
    path("waves/<int:wave_id>/cancel/", waves.wave_cancel, name="wave_cancel"),
    path(
        "waves/<int:wave_id>/tasks/<int:pick_task_id>/put-back/",
        waves.wave_put_back,
        name="wave_put_back",
    ),
    path("waves/<int:wave_id>/pick/", scan_pick.scan_pick, name="scan_pick"),
    path("scan/pack/", scan_pack.scan_pack, name="scan_pack"),
    path("scan/ship/", scan_ship.scan_ship, name="scan_ship"),
    path("to-pack/", packing.pack_list, name="pack_list"),
    path("sales-orders/<int:sales_order_id>/pack/", packing.order_pack, name="order_pack"),
    path("packages/<int:package_id>/close/", packing.package_close, name="package_close"),
    path("packages/<int:package_id>/reopen/", packing.package_reopen, name="package_reopen"),
    path("packages/<int:package_id>/discard/", packing.package_discard, name="package_discard"),
    path(
        "packages/<int:package_id>/lines/<int:package_line_id>/take-out/",
        packing.package_take_out,
        name="package_take_out",
    ),
    path("to-ship/", shipping.ship_list, name="ship_list"),
    path("sales-orders/<int:sales_order_id>/ship/", shipping.order_ship, name="order_ship"),
    path("sales-orders/<int:sales_order_id>/stage/", shipping.order_stage, name="order_stage"),
    path("shipments/", shipping.shipment_list, name="shipment_list"),
    path("shipments/<int:shipment_id>/", shipping.shipment_detail, name="shipment_detail"),
    path("suppliers/", suppliers.supplier_list, name="supplier_list"),
    path("suppliers/new/", suppliers.supplier_create, name="supplier_create"),
    path("suppliers/<int:supplier_id>/", suppliers.supplier_detail, name="supplier_detail"),
    path("suppliers/<int:supplier_id>/edit/", suppliers.supplier_edit, name="supplier_edit"),
    path("suppliers/<int:supplier_id>/offers/new/", suppliers.offer_create, name="offer_create"),
    path(
        "suppliers/<int:supplier_id>/offers/<int:supplier_item_id>/",
        suppliers.offer_edit,
        name="offer_edit",
    ),
    path(
        "settings/members/<int:member_id>/warehouses/",
        access.member_warehouses,
        name="member_warehouses",
    ),
    path("warehouses/", places.warehouse_list, name="warehouse_list"),
    path("warehouses/new/", places.warehouse_create, name="warehouse_create"),
    path("warehouses/<int:warehouse_id>/", places.warehouse_detail, name="warehouse_detail"),
    path("reports/", reports.report_list, name="report_list"),
    *(
        path(f"reports/{name}/", reports.report_detail, {"name": name}, name="report_detail")
        for name in REPORTS
    ),
    *(
        path(
            f"reports/{name}.{file_format}",
            reports.report_export,
            {"name": name, "file_format": file_format},
            name="report_export",
        )
        for name in REPORTS
        for file_format in WRITERS
    ),
]
