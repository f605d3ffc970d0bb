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
    the parameter in the path. With neither the flow is offered on the empty page only.
    """

    view: str
    title: Text
    text: Text
    icon: str
    starts_from: Mapping[ScannedKind, str] = field(default_factory=dict)
    documents: Mapping[str, str] = field(default_factory=dict)
    permission: Permission = Permission.FLOOR_WORK


FLOWS: tuple[FlowLink, ...] = (
    FlowLink(
        view="inventory:scan_receive",
        title=_("Receive"),
        text=_("A delivery: the order, what arrived, done."),
        icon="inbound",
    ),
    FlowLink(
        view="inventory:scan_receive_order",
        title=_("Receive this order"),
        text=_("Scan what arrived of it."),
        icon="inbound",
        documents={"PurchaseOrder": "order_id"},
    ),
    FlowLink(
        view="inventory:scan_put_away",
        title=_("Put away"),
        text=_("From the dock to where it belongs."),
        icon="layers",
        starts_from={ScannedKind.PRODUCT: "product"},
    ),
    FlowLink(
        view="inventory:pick_list",
        title=_("Pick"),
        text=_("Choose a wave, or scan its number."),
        icon="clipboard",
    ),
    FlowLink(
        view="inventory:scan_pick",
        title=_("Pick this wave"),
        text=_("Place by place, the goods confirmed by scanning."),
        icon="clipboard",
        documents={"Wave": "wave_id"},
    ),
    FlowLink(
        view="inventory:scan_pack",
        title=_("Pack"),
        text=_("Put picked goods of an order into packages."),
        icon="box",
    ),
    FlowLink(
        view="inventory:scan_ship",
        title=_("Ship"),
        text=_("Send the packages of an order."),
        icon="truck",
    ),
    FlowLink(
        view="inventory:scan_count_place",
        title=_("Count"),
        text=_("A place, and everything that lies there."),
        icon="count",
        starts_from={ScannedKind.LOCATION: "place"},
    ),
    FlowLink(
        view="inventory:scan_count",
        title=_("Count this"),
        text=_("Scan what lies there and type how many."),
        icon="count",
        documents={"CycleCount": "cycle_count_id"},
    ),
    FlowLink(
        view="inventory:scan_adjust",
        title=_("Adjust"),
        text=_("Damaged, scrapped, expired or found goods."),
        icon="edit",
        starts_from={ScannedKind.LOCATION: "place"},
    ),
    FlowLink(
        view="inventory:scan_send_transfer",
        title=_("Send this transfer"),
        text=_("Place by place, what is promised to it."),
        icon="truck",
        documents={"TransferOrder": "transfer_order_id"},
    ),
    FlowLink(
        view="inventory:scan_receive_transfer",
        title=_("Receive this transfer"),
        text=_("What was sent, onto the dock."),
        icon="inbound",
        documents={"TransferOrder": "transfer_order_id"},
    ),
    FlowLink(
        view="inventory:scan_receive_return",
        title=_("Receive a return"),
        text=_("What a customer sends back, into quarantine."),
        icon="inbound",
    ),
    FlowLink(
        view="inventory:scan_inspect_return",
        title=_("Inspect this return"),
        text=_("Back to stock, aside, to the supplier, or scrap."),
        icon="search",
        documents={"CustomerReturn": "customer_return_id"},
    ),
    FlowLink(
        view="inventory:scan_move",
        title=_("Move stock"),
        text=_("From one place of the warehouse to another."),
        icon="movements",
        starts_from={ScannedKind.LOCATION: "place"},
    ),
)


@dataclass(frozen=True)
class Link:
    """A flow with its address."""

    href: str
    title: Text
    text: Text
    icon: str


def flow_links(request: HttpRequest, found: Scanned | None) -> list[Link]:
    """Return the flows that start from what was scanned, or those that need nothing."""
    actor = active_scope().actor
    offered = [flow for flow in FLOWS if allows(actor, flow.permission)]
    return [
        Link(href, flow.title, flow.text, flow.icon)
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
    if href:
        yield href


def _address(request: HttpRequest, view: str, **ids: int) -> str:
    try:
        return address(request, view, **ids)
    except NoReverseMatch:
        return ""
