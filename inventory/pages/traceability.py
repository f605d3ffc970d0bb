"""The way of a lot on one page, who has to be called, and the lots of a document."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy

from inventory.models import Location
from inventory.pages.fields import plain
from inventory.pages.scan_links import document_address
from inventory.queries.lots import is_expired, other_statuses
from inventory.queries.scanning import DOCUMENT, resolve_scan
from inventory.queries.traceability import (
    Crossing,
    DocumentLot,
    Edge,
    Holder,
    Stay,
    Trace,
    holders,
    lots_of_document,
    trace_lot,
)
from inventory.rules.importing.values import neutralised
from inventory.rules.timeline import Mark, Timeline
from tenancy.errors import Refused, Text
from tenancy.pages.web import UNPROCESSABLE, show
from tenancy.permissions import Permission, require

MOST_ROWS = 100
CSV_HEADER = (
    "kind",
    "document",
    "number",
    "order",
    "party",
    "address",
    "location",
    "warehouse",
    "quantity_in",
    "quantity_out",
    "on_hand",
    "first_at",
    "last_at",
)
EDGE_WORDS = {
    Edge.RECEIVED: gettext_lazy("Received"),
    Edge.RETURNED: gettext_lazy("Returned by customers"),
    Edge.FOUND: gettext_lazy("Found"),
    Edge.ARRIVED: gettext_lazy("From other warehouses"),
    Edge.SHIPPED: gettext_lazy("Shipped"),
    Edge.SENT_BACK: gettext_lazy("Returned to supplier"),
    Edge.LOST: gettext_lazy("Lost or scrapped"),
    Edge.LEFT: gettext_lazy("To other warehouses"),
}
CAME_FROM = (Edge.RECEIVED, Edge.ARRIVED, Edge.FOUND)
WENT_TO = (Edge.SHIPPED, Edge.RETURNED, Edge.SENT_BACK, Edge.LOST, Edge.LEFT)


@dataclass(frozen=True)
class Row:
    """A crossing as a line of a table, with the way to its document."""

    crossing: Crossing
    words: Text
    href: str


@dataclass(frozen=True)
class Lane:
    """One line of the picture: the marks of crossings, or of a stay."""

    label: Text
    detail: Text
    tone: str
    marks: Sequence[Mark]
    quantity: Decimal
    location: Location | None = None


class DocumentForm(forms.Form):
    number = forms.CharField(
        label=gettext_lazy("Document"),
        max_length=64,
        help_text=gettext_lazy("The number of a receipt, shipment, order or return."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


def lot_detail(request: HttpRequest, tenant: str, lot_id: int) -> HttpResponse:
    """Show where a lot came from, where it lies and lay, and where it went."""
    require(Permission.READ)
    trace = trace_lot(lot_id)
    came = _rows(request, trace, CAME_FROM)
    went = _rows(request, trace, WENT_TO)
    return show(
        request,
        "inventory/lot_detail.html",
        "lots",
        trace=trace,
        lot=trace.lot,
        **_state(trace),
        equation=_equation(trace),
        lanes=_lanes(trace, timezone.now()),
        line=_line(trace),
        came=came[:MOST_ROWS],
        went=went[:MOST_ROWS],
        has_more=max(len(came), len(went)) > MOST_ROWS,
        stays=trace.stays[:MOST_ROWS],
    )


def lot_recall(request: HttpRequest, tenant: str, lot_id: int) -> HttpResponse:
    """Show whom to call about a lot, and where it has to be taken from."""
    require(Permission.READ)
    trace = trace_lot(lot_id)
    found = holders(trace)
    return show(
        request,
        "inventory/lot_recall.html",
        "lots",
        trace=trace,
        lot=trace.lot,
        **_state(trace),
        holders=[(holder, _shipment_links(request, holder)) for holder in found],
        still_there=sum((holder.still_there for holder in found), Decimal(0)),
        stays=[stay for stay in trace.stays if stay.on_hand],
    )


def lot_trace_csv(request: HttpRequest, tenant: str, lot_id: int) -> HttpResponse:
    """Give the whole way of a lot as CSV: crossings, then places."""
    require(Permission.READ)
    trace = trace_lot(lot_id)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(CSV_HEADER)
    for crossing in trace.crossings:
        writer.writerow([neutralised(cell) for cell in _crossing_cells(crossing)])
    for stay in trace.stays:
        writer.writerow([neutralised(cell) for cell in _stay_cells(stay)])
    content = out.getvalue().encode("utf-8-sig")
    response = HttpResponse(content, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="lot-{trace.lot.pk}-trace.csv"'
    return response


def document_lots(request: HttpRequest, tenant: str) -> HttpResponse:
    """Show the lots that came with a receipt or left with a shipment: the trace backwards."""
    require(Permission.READ)
    form = DocumentForm(request.GET if "number" in request.GET else None)
    found: list[DocumentLot] = []
    label = href = ""
    if form.is_valid():
        try:
            document = resolve_scan(form.cleaned_data["number"].strip(), expects=DOCUMENT)
        except Refused as refusal:
            form.add_error("number", str(refusal))
        else:
            label = document.label
            href = document_address(request, document.document_kind, document.id)
            found = lots_of_document(document.document_kind, document.id)
    return show(
        request,
        "inventory/document_lots.html",
        "lots",
        form=form,
        label=label,
        href=href,
        rows=[(row, EDGE_WORDS[row.edge]) for row in found],
        status=UNPROCESSABLE if form.errors else 200,
    )


def _state(trace: Trace) -> dict[str, Any]:
    return {
        "is_expired": is_expired(trace.lot, timezone.localdate()),
        "statuses": other_statuses(trace.lot),
    }


def _rows(request: HttpRequest, trace: Trace, edges: Sequence[Edge]) -> list[Row]:
    return [
        Row(
            crossing,
            EDGE_WORDS[crossing.edge],
            document_address(request, crossing.party.document_kind, crossing.party.document_id),
        )
        for crossing in trace.over(*edges)
    ]


def _shipment_links(request: HttpRequest, holder: Holder) -> list[tuple[Crossing, str]]:
    return [
        (c, document_address(request, c.party.document_kind, c.party.document_id))
        for c in holder.shipments
    ]


def _equation(trace: Trace) -> list[tuple[str, Text, Decimal]]:
    """Return what came in and where it is now, term by term; ways nothing went are left out."""
    ways = [("+", edge) for edge in (Edge.RECEIVED, Edge.RETURNED, Edge.FOUND, Edge.ARRIVED)]
    ways += [("-", edge) for edge in (Edge.SHIPPED, Edge.SENT_BACK, Edge.LOST, Edge.LEFT)]
    terms = [(sign, EDGE_WORDS[edge], trace.total(edge)) for sign, edge in ways]
    return [term for term in terms if term[2]]


def _line(trace: Trace) -> Timeline | None:
    """Return the line of the picture: from the first movement to today, or the last movement."""
    moments = [moment for c in trace.crossings for moment in (c.first_at, c.last_at)]
    moments += [moment for stay in trace.stays for moment in (stay.first_at, stay.last_at)]
    if not moments:
        return None
    now = [timezone.now()] if trace.on_hand else []
    return Timeline.over([*moments, *now])


def _lanes(trace: Trace, now: datetime) -> list[Lane]:
    line = _line(trace)
    if line is None:
        return []
    lanes = [_crossing_lane(trace, line, edge, "success") for edge in CAME_FROM]
    lanes += [_stay_lane(line, stay, now) for stay in trace.stays[:MOST_ROWS]]
    lanes += [_crossing_lane(trace, line, edge, "accent") for edge in WENT_TO]
    return [lane for lane in lanes if lane.marks]


def _crossing_lane(trace: Trace, line: Timeline, edge: Edge, tone: str) -> Lane:
    crossings = [c for c in trace.over(edge) if c.quantity]
    tones = {Edge.LOST: "danger", Edge.RETURNED: "warning", Edge.SENT_BACK: "warning"}
    marks = sorted({line.span(c.first_at, c.last_at) for c in crossings}, key=lambda m: m.start)
    return Lane(EDGE_WORDS[edge], "", tones.get(edge, tone), marks, trace.total(edge))


def _stay_lane(line: Timeline, stay: Stay, now: datetime) -> Lane:
    until = now if stay.on_hand else stay.last_at
    place = stay.location
    return Lane(
        label=place.code,
        detail=place.warehouse.name,
        tone="info" if place.kind in {"storage", "packing", "shipping"} else "neutral",
        marks=[line.span(stay.first_at, until)],
        quantity=stay.on_hand,
        location=place,
    )


def _crossing_cells(crossing: Crossing) -> list[str]:
    party = crossing.party
    amount = plain(crossing.quantity)
    return [
        crossing.edge.value,
        party.document_kind,
        party.number,
        party.related,
        party.name,
        party.address,
        "",
        "",
        amount if crossing.is_in else "",
        "" if crossing.is_in else amount,
        "",
        crossing.first_at.isoformat(),
        crossing.last_at.isoformat(),
    ]


def _stay_cells(stay: Stay) -> list[str]:
    return [
        "stay",
        *[""] * 5,
        stay.location.code,
        stay.location.warehouse.code,
        plain(stay.quantity_in),
        plain(stay.quantity_out),
        plain(stay.on_hand),
        stay.first_at.isoformat(),
        stay.last_at.isoformat(),
    ]
