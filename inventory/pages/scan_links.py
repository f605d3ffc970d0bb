"""Where a scanned thing leads: the page of a document, and the flows that start from it.

The page of a ``SalesOrder`` is ``inventory:sales_order_detail`` with ``sales_order_id``. A subject
adds its handheld flow to ``FLOWS``. What has no address is not shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from django.http import HttpRequest
from django.urls import NoReverseMatch
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from inventory.queries.scanning import Scanned, ScannedKind
from inventory.queries.scanning_work import work_of
from tenancy.errors import Text
from tenancy.pages.web import address
from tenancy.permissions import Permission, allows
from tenancy.scope import active_scope

OTHER_PARAMETERS = {"PurchaseOrder": "order_id"}
"""Where the parameter of a document's page is not ``<model>_id``."""


@dataclass(frozen=True)
class FlowLink:
    """A flow as the scan page offers it.

    ``starts_from`` names the parameter of the address by what was scanned: {LOCATION: "place"}
    opens ``?place=<location id>``. ``documents`` does the same for documents, by model, but names
    the parameter in the path. ``takes`` are the documents that the flow itself takes as its first
    scan. With none of them the flow is offered on the empty page only.

    ``command`` is the code that starts it. Documents offer a flow only while there is work for it.
    """

    command: str
    view: str
    title: Text
    text: Text
    icon: str
    starts_from: Mapping[ScannedKind, str] = field(default_factory=dict)
    documents: Mapping[str, str] = field(default_factory=dict)
    takes: frozenset[str] = frozenset()
    permission: Permission = Permission.FLOOR_WORK


FLOWS: tuple[FlowLink, ...] = (
    FlowLink(
        command="receive",
        view="inventory:scan_receive",
        title=_("Receive"),
        text=_("A delivery: the order, what arrived, done."),
        icon="inbound",
        takes=frozenset({"Receipt"}),
    ),
    FlowLink(
        command="receive",
        view="inventory:scan_receive_order",
        title=_("Receive this order"),
        text=_("Scan what arrived of it."),
        icon="inbound",
        documents={"PurchaseOrder": "order_id"},
    ),
    FlowLink(
        command="put-away",
        view="inventory:scan_put_away",
        title=_("Put away"),
        text=_("From the dock to where it belongs."),
        icon="layers",
        starts_from={ScannedKind.PRODUCT: "product"},
    ),
    FlowLink(
        command="order",
        view="inventory:scan_order",
        title=_("Go on with this order"),
        text=_("Confirm it, promise stock, pick, pack, ship."),
        icon="cart",
        documents={"SalesOrder": "sales_order_id"},
    ),
    FlowLink(
        command="pick",
        view="inventory:scan_pick_start",
        title=_("Pick"),
        text=_("A wave or an order, or the next that waits."),
        icon="clipboard",
    ),
    FlowLink(
        command="pick",
        view="inventory:scan_pick",
        title=_("Pick this wave"),
        text=_("Place by place, the goods confirmed by scanning."),
        icon="clipboard",
        documents={"Wave": "wave_id"},
    ),
    FlowLink(
        command="pack",
        view="inventory:scan_pack",
        title=_("Pack"),
        text=_("Put picked goods of an order into packages."),
        icon="box",
        takes=frozenset({"SalesOrder", "Wave", "Package"}),
    ),
    FlowLink(
        command="ship",
        view="inventory:scan_ship",
        title=_("Ship"),
        text=_("Send the packages of an order."),
        icon="truck",
        takes=frozenset({"SalesOrder", "Package"}),
    ),
    FlowLink(
        command="count",
        view="inventory:scan_count_place",
        title=_("Count"),
        text=_("A place, and everything that lies there."),
        icon="count",
        starts_from={ScannedKind.LOCATION: "place"},
    ),
    FlowLink(
        command="count",
        view="inventory:scan_count",
        title=_("Count this"),
        text=_("Scan what lies there and type how many."),
        icon="count",
        documents={"CycleCount": "cycle_count_id"},
    ),
    FlowLink(
        command="review",
        view="inventory:scan_count_review",
        title=_("Review this count"),
        text=_("What differs, and whether it is posted."),
        icon="check-circle",
        documents={"CycleCount": "cycle_count_id"},
        permission=Permission.APPROVE,
    ),
    FlowLink(
        command="adjust",
        view="inventory:scan_adjust",
        title=_("Adjust"),
        text=_("Damaged, scrapped, expired or found goods."),
        icon="edit",
        starts_from={ScannedKind.LOCATION: "place"},
    ),
    FlowLink(
        command="send",
        view="inventory:scan_send_transfer",
        title=_("Send this transfer"),
        text=_("Place by place, what is promised to it."),
        icon="truck",
        documents={"TransferOrder": "transfer_order_id"},
    ),
    FlowLink(
        command="receive",
        view="inventory:scan_receive_transfer",
        title=_("Receive this transfer"),
        text=_("What was sent, onto the dock."),
        icon="inbound",
        documents={"TransferOrder": "transfer_order_id"},
    ),
    FlowLink(
        command="return",
        view="inventory:scan_receive_return",
        title=_("Receive a return"),
        text=_("What a customer sends back, into quarantine."),
        icon="inbound",
        takes=frozenset({"CustomerReturn", "SalesOrder", "Shipment", "Package"}),
    ),
    FlowLink(
        command="inspect",
        view="inventory:scan_inspect_return",
        title=_("Inspect this return"),
        text=_("Back to stock, aside, to the supplier, or scrap."),
        icon="search",
        documents={"CustomerReturn": "customer_return_id"},
    ),
    FlowLink(
        command="move",
        view="inventory:scan_move",
        title=_("Move stock"),
        text=_("From one place of the warehouse to another."),
        icon="movements",
        starts_from={ScannedKind.LOCATION: "place"},
    ),
)


@dataclass(frozen=True)
class Link:
    """A flow as it is offered: with its address, or for the flow to take what was scanned."""

    command: str
    href: str
    title: Text
    text: Text
    icon: str


def flow_links(request: HttpRequest, found: Scanned | None) -> list[Link]:
    """Return the flows that start from what was scanned, or those that need nothing."""
    actor = active_scope().actor
    offered = [flow for flow in FLOWS if allows(actor, flow.permission)]
    if found is not None and found.kind == ScannedKind.DOCUMENT:
        waiting = work_of(found)
        offered = sorted(
            (flow for flow in offered if flow.command in waiting),
            key=lambda flow: waiting.index(flow.command),
        )
    return [
        Link(flow.command, href, flow.title, flow.text, flow.icon)
        for flow in offered
        for href in _addresses(request, flow, found)
    ]


def document_address(request: HttpRequest, kind: str, document_id: int | None) -> str:
    """Return the address of a document's page, or nothing when it has none."""
    if document_id is None:
        return ""
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", kind).lower()
    parameter = OTHER_PARAMETERS.get(kind, f"{name}_id")
    return _address(request, f"inventory:{name}_detail", **{parameter: document_id})


def page_address(request: HttpRequest, found: Scanned) -> str:
    """Return the page of what was scanned, made for the desk."""
    if found.kind == ScannedKind.DOCUMENT:
        return document_address(request, found.document_kind, found.id)
    if found.kind == ScannedKind.LOCATION:
        return address(request, "inventory:warehouse_detail", warehouse_id=found.warehouse_id)
    return address(request, "inventory:product_detail", product_id=found.product_id)


def label_address(request: HttpRequest, found: Scanned) -> str:
    """Return the label of what was scanned, as a PDF in its usual size."""
    if found.kind == ScannedKind.DOCUMENT:
        return printed_label(request, "package_labels", "100x150", package_id=found.id)
    if found.kind == ScannedKind.LOCATION:
        return printed_label(request, "location_labels", "100x50", location_id=found.id)
    if found.lot_id is not None:
        return printed_label(request, "lot_labels", "100x50", lot_id=found.lot_id)
    what = str(found.packaging_id) if found.packaging_id is not None else "unit"
    href = printed_label(request, "product_labels", "57x32", product_id=found.product_id or 0)
    return f"{href}&{urlencode({'what': what})}"


def printed_label(request: HttpRequest, view: str, size: str, **ids: int) -> str:
    """Return the address of one label's PDF."""
    chosen = {"size": size, "copies": "1", "file": "pdf"}
    return f"{address(request, f'inventory:{view}', **ids)}?{urlencode(chosen)}"


def _addresses(request: HttpRequest, flow: FlowLink, found: Scanned | None) -> Iterator[str]:
    href = ""
    if found is None:
        href = "" if flow.documents else _address(request, flow.view)
    elif found.kind == ScannedKind.DOCUMENT and found.document_kind in flow.documents:
        href = _address(request, flow.view, **{flow.documents[found.document_kind]: found.id})
    elif found.kind in flow.starts_from:
        href = _address(request, flow.view)
        if href:
            href += "?" + urlencode({flow.starts_from[found.kind]: found.id})
    is_taken = found is not None and found.document_kind in flow.takes
    if href or (is_taken and _address(request, flow.view)):
        yield href


def _address(request: HttpRequest, view: str, **ids: int) -> str:
    try:
        return address(request, view, **ids)
    except NoReverseMatch:
        return ""
