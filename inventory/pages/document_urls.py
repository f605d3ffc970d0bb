"""Addresses of transfers and of returns both ways, below /t/<tenant>/."""

from __future__ import annotations

from django.urls import path

from inventory.pages import (
    returns,
    scan_return,
    scan_transfer,
    supplier_returns,
    transfer_work,
    transfers,
)

TRANSFER = (
    ("", transfers.transfer_detail, "transfer_order_detail"),
    ("lines/", transfers.transfer_add_line, "transfer_add_line"),
    (
        "lines/<int:transfer_line_id>/remove/",
        transfers.transfer_remove_line,
        "transfer_remove_line",
    ),
    ("release/", transfers.transfer_release, "transfer_release"),
    ("cancel/", transfers.transfer_cancel, "transfer_cancel"),
    ("send/", transfers.transfer_send, "transfer_send"),
    ("end-sending/", transfers.transfer_end_sending, "transfer_end_sending"),
    ("receive/", transfer_work.transfer_receive, "transfer_receive"),
    ("loss/", transfer_work.transfer_lose, "transfer_lose"),
    (
        "movements/<int:movement_id>/take-back/",
        transfers.transfer_take_back,
        "transfer_take_back",
    ),
    ("scan/send/", scan_transfer.scan_send_transfer, "scan_send_transfer"),
    ("scan/receive/", scan_transfer.scan_receive_transfer, "scan_receive_transfer"),
)
CUSTOMER_RETURN = (
    ("", returns.return_detail, "customer_return_detail"),
    ("receive/", returns.return_receive, "return_receive"),
    ("inspect/", returns.return_inspect, "return_inspect"),
    ("close/", returns.return_close, "return_close"),
    ("cancel/", returns.return_cancel, "return_cancel"),
    ("movements/<int:movement_id>/take-back/", returns.return_take_back, "return_take_back"),
    ("scan/inspect/", scan_return.scan_inspect_return, "scan_inspect_return"),
)

SUPPLIER_RETURN = (
    ("", supplier_returns.supplier_return_detail, "supplier_return_detail"),
    ("lines/", supplier_returns.supplier_return_add_line, "supplier_return_add_line"),
    (
        "lines/<int:supplier_return_line_id>/remove/",
        supplier_returns.supplier_return_remove_line,
        "supplier_return_remove_line",
    ),
    ("send/", supplier_returns.supplier_return_send, "supplier_return_send"),
    ("call-back/", supplier_returns.supplier_return_call_back, "supplier_return_call_back"),
    ("close/", supplier_returns.supplier_return_close, "supplier_return_close"),
    ("cancel/", supplier_returns.supplier_return_cancel, "supplier_return_cancel"),
)

DOCUMENT_URLS = [
    path("supplier-returns/", supplier_returns.supplier_return_list, name="supplier_return_list"),
    path(
        "supplier-returns/new/",
        supplier_returns.supplier_return_create,
        name="supplier_return_create",
    ),
    *(
        path(f"supplier-returns/<int:supplier_return_id>/{end}", view, name=name)
        for end, view, name in SUPPLIER_RETURN
    ),
    path("transfers/", transfers.transfer_list, name="transfer_list"),
    path("transfers/new/", transfers.transfer_create, name="transfer_create"),
    path("transfers/to-send/", transfer_work.transfer_send_list, name="transfer_send_list"),
    path(
        "transfers/to-receive/",
        transfer_work.transfer_receive_list,
        name="transfer_receive_list",
    ),
    *(
        path(f"transfers/<int:transfer_order_id>/{end}", view, name=name)
        for end, view, name in TRANSFER
    ),
    path("returns/", returns.return_list, name="customer_return_list"),
    path("returns/new/", returns.return_create, name="return_create"),
    path("returns/to-inspect/", returns.return_inspect_list, name="return_inspect_list"),
    path("returns/scan/", scan_return.scan_receive_return, name="scan_receive_return"),
    path("sales-orders/<int:sales_order_id>/return/", returns.return_expect, name="return_expect"),
    *(
        path(f"returns/<int:customer_return_id>/{end}", view, name=name)
        for end, view, name in CUSTOMER_RETURN
    ),
]
