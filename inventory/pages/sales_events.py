"""What happened to a sales order, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _, gettext_lazy, ngettext_lazy

from inventory.models import SalesOrder
from tenancy.queries.audit import events_about

LATEST = 50

SENTENCES = {
    "sales_order.created": gettext_lazy("Draft created"),
    "sales_order.lines_added": gettext_lazy("Lines added"),
    "sales_order.line_changed": gettext_lazy("%(sku)s: %(before)s became %(after)s"),
    "sales_order.line_removed": gettext_lazy("A line was removed"),
    "sales_order.confirmed": gettext_lazy("Confirmed; its demand was recorded"),
    "sales_order.allocated": ngettext_lazy(
        "Stock promised in %(places)s place", "Stock promised in %(places)s places", "places"
    ),
    "sales_order.allocated_by_hand": gettext_lazy("%(quantity)s of %(sku)s promised by hand"),
    "sales_order.allocation_released": gettext_lazy("A promise of stock was taken back"),
    "sales_order.allocation_expired": gettext_lazy("A promise of stock lapsed"),
    "sales_order.allocation_busy": gettext_lazy("Others were taking the stock; to be allocated"),
    "sales_order.changed": gettext_lazy("Delivery changed"),
    "sales_order.priority_changed": gettext_lazy("Priority %(before)s became %(after)s"),
    "sales_order.amended": gettext_lazy("%(sku)s: %(before)s asked for became %(after)s"),
    "sales_order.cancelled": gettext_lazy("Cancelled"),
    "sales_order.closed": gettext_lazy("Closed"),
    "order.staged": gettext_lazy("Brought to %(place)s, ready to leave"),
    "order.shipped": gettext_lazy("Shipped as %(shipment)s"),
}


@dataclass(frozen=True)
class Event:
    """One thing that happened: when, in words, by whom, and the reason if one was given."""

    at: datetime
    text: str
    who: str
    reason: str


def timeline(order: SalesOrder) -> list[Event]:
    """Return the latest of what happened to the order, newest first: one statement."""
    rows = events_about("SalesOrder", order.pk)[:LATEST]
    return [
        Event(
            row.at,
            _sentence(row.action, row.data),
            row.actor_label,
            str(row.data.get("reason") or ""),
        )
        for row in rows
    ]


def _sentence(action: str, data: dict[str, Any]) -> str:
    known = SENTENCES.get(action)
    if known is None:
        return _("Recorded: %(what)s") % {"what": action.partition(".")[2].replace("_", " ")}
    try:
        return str(known % data)  # a plural chooses its form by the data
    except KeyError:
        return str(known).partition("%")[0].strip(" :,")
