"""Find transfers between warehouses, what is to be sent and received, and how far they are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, DateField, Exists, F, OuterRef, Prefetch, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from inventory.models import (
    Allocation,
    AllocationState,
    TransferLine,
    TransferOrder,
    TransferPiece,
    TransferState,
    WorkKind,
)
from inventory.queries.access import in_allowed
from inventory.queries.worklists import of_assignee
from tenancy.errors import NotFound

NO_DAY = date.max
DUE_FIRST: tuple[str, ...] = ("due_on", "id")
OPEN_STATES = (TransferState.RELEASED, TransferState.IN_TRANSIT)


@dataclass(frozen=True)
class TransferTotals:
    """How many lines a transfer has, and of how many all is sent, and all that was sent arrived."""

    lines: int = 0
    sent: int = 0
    arrived: int = 0


def transfer_orders() -> QuerySet[TransferOrder]:
    """Return every transfer with its warehouses, newest first; one end within reach is enough."""
    rows = TransferOrder.objects.select_related("from_warehouse", "to_warehouse").order_by("-id")
    return in_allowed(rows, "from_warehouse_id", "to_warehouse_id")


def search_transfers(*, text: str = "", warehouse_id: int | None = None) -> QuerySet[TransferOrder]:
    """Return transfers from or to a warehouse whose number starts with, or note has, ``text``.

    Each has ``due_on``: the expected day, or the last day there is when none is known.
    """
    rows = transfer_orders().annotate(
        due_on=Coalesce(F("expected_on"), Value(NO_DAY), output_field=DateField())
    )
    if text:
        rows = rows.filter(Q(number__istartswith=text) | Q(note__icontains=text))
    if warehouse_id is not None:
        rows = rows.filter(Q(from_warehouse_id=warehouse_id) | Q(to_warehouse_id=warehouse_id))
    return rows


def transfers_to_send(
    *, warehouse_id: int | None = None, text: str = "", assignee: str = ""
) -> QuerySet[TransferOrder]:
    """Return what waits to leave: released or sent in part, with stock promised; late first."""
    promised = Allocation.objects.filter(
        transfer_line__order_id=OuterRef("pk"), state=AllocationState.ALLOCATED
    )
    rows = in_allowed(search_transfers(), "from_warehouse_id")
    rows = rows.filter(Exists(promised), state__in=OPEN_STATES, number__istartswith=text)
    if warehouse_id is not None:
        rows = rows.filter(from_warehouse_id=warehouse_id)
    return of_assignee(rows, WorkKind.SEND_TRANSFER, assignee).order_by(*DUE_FIRST)


def transfers_to_receive(
    *, warehouse_id: int | None = None, text: str = "", assignee: str = ""
) -> QuerySet[TransferOrder]:
    """Return what is on the way: goods that were sent and have not arrived; late first."""
    coming = TransferLine.objects.filter(
        order_id=OuterRef("pk"), quantity_sent__gt=F("quantity_received") + F("quantity_lost")
    )
    rows = in_allowed(search_transfers(), "to_warehouse_id")
    rows = rows.filter(Exists(coming), state=TransferState.IN_TRANSIT, number__istartswith=text)
    if warehouse_id is not None:
        rows = rows.filter(to_warehouse_id=warehouse_id)
    return of_assignee(rows, WorkKind.RECEIVE_TRANSFER, assignee).order_by(*DUE_FIRST)


def transfer_totals(transfer_order_ids: Collection[int]) -> dict[int, TransferTotals]:
    """Return the totals of each transfer in one statement; those without lines get zeros."""
    arrived = Q(quantity_sent__gt=0, quantity_sent__lte=F("quantity_received") + F("quantity_lost"))
    rows = (
        TransferLine.objects.filter(order_id__in=transfer_order_ids)
        .order_by()
        .values("order_id")
        .annotate(
            lines=Count("id"),
            sent=Count("id", filter=Q(quantity_sent__gte=F("quantity"))),
            arrived=Count("id", filter=arrived),
        )
    )
    found = {
        row["order_id"]: TransferTotals(row["lines"], row["sent"], row["arrived"]) for row in rows
    }
    return {pk: found.get(pk, TransferTotals()) for pk in transfer_order_ids}


def get_transfer(transfer_order_id: int) -> TransferOrder:
    """Return the transfer with its lines, products and pieces; raise ``NotFound``."""
    pieces = TransferPiece.objects.select_related("lot").order_by("id")
    lines = (
        TransferLine.objects.select_related("product")
        .prefetch_related(Prefetch("pieces", pieces))
        .order_by("id")
    )
    rows = transfer_orders().prefetch_related(Prefetch("lines", lines))
    found = rows.filter(pk=transfer_order_id).first()
    if found is None:
        raise NotFound("transfer order", transfer_order_id)
    return found


def promises_of(transfer_order_id: int) -> QuerySet[Allocation]:
    """Return what is still promised to the transfer, along the walking path."""
    return (
        Allocation.objects.filter(
            transfer_line__order_id=transfer_order_id, state=AllocationState.ALLOCATED
        )
        .select_related("product", "location", "lot", "transfer_line")
        .order_by("location__walking_order", "location__code", "id")
    )


def pieces_on_the_way(transfer_order_id: int) -> QuerySet[TransferPiece]:
    """Return what was sent of the transfer and has neither arrived nor is stated as lost."""
    return (
        TransferPiece.objects.filter(
            line__order_id=transfer_order_id,
            quantity__gt=F("quantity_received") + F("quantity_lost"),
        )
        .select_related("line__product", "lot")
        .order_by("line_id", "id")
    )
