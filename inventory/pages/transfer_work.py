"""Transfers on the floor: what is to be sent and received, and what arrived or is lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.forms import BoundField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_safe

from inventory.models import Location, TransferOrder, TransferPiece, TransferState, WorkKind
from inventory.pages.fields import plain, quantity_field
from inventory.pages.receiving import RECEIVING_KINDS, SUGGESTED_PLACES
from inventory.pages.transfers import DETAIL, NAV
from inventory.pages.waves import today
from inventory.pages.worklists import WorkFilters
from inventory.queries.places import find_location, receiving_places
from inventory.queries.transfers import (
    DUE_FIRST,
    get_transfer,
    pieces_on_the_way,
    transfer_totals,
    transfers_to_receive,
    transfers_to_send,
)
from inventory.queries.worklists import live_claims
from inventory.services.transfers import (
    LostGoods,
    ReceivedGoods,
    receive_transfer,
    state_transfer_loss,
)
from tenancy.pages.web import UNPROCESSABLE, address, send_form, show
from tenancy.permissions import Permission, require
from tenancy.queries.keyset import keyset_page


@dataclass(frozen=True)
class PieceRow:
    """What is on the way of a piece, and the controls that say what came of it."""

    piece: TransferPiece
    left: Decimal
    quantity: BoundField
    damaged: BoundField | None


class PiecesForm(forms.Form):
    """Fields ``quantity_7`` (and ``damaged_7``) for the piece 7."""

    quantity_label = gettext_lazy("Arrived")

    def __init__(self, *args: Any, pieces: list[TransferPiece], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.pieces = pieces
        for piece in pieces:
            self.add_fields(piece)

    def add_fields(self, piece: TransferPiece) -> None:
        """Add what is asked about a piece."""
        self.fields[f"quantity_{piece.pk}"] = quantity_field(
            self.quantity_label, required=False, min_value=0
        )

    def rows(self) -> Iterator[PieceRow]:
        """Yield the pieces with their controls."""
        for piece in self.pieces:
            damaged = f"damaged_{piece.pk}"
            yield PieceRow(
                piece=piece,
                left=on_the_way(piece),
                quantity=self[f"quantity_{piece.pk}"],
                damaged=self[damaged] if damaged in self.fields else None,
            )

    def clean(self) -> dict[str, Any]:
        """Refuse a form that says nothing."""
        data: dict[str, Any] = super().clean() or {}
        if not self.errors and not any(data.get(f"quantity_{p.pk}") for p in self.pieces):
            raise forms.ValidationError(_("Every quantity is empty: say how many."))
        return data


class ReceiptForm(PiecesForm):
    location = forms.CharField(
        label=gettext_lazy("Into"),
        max_length=48,
        widget=forms.TextInput(
            attrs={"list": "receiving-places", "autocomplete": "off", "spellcheck": "false"}
        ),
        help_text=gettext_lazy("The dock, or straight to a storage location."),
    )

    def __init__(self, *args: Any, order: TransferOrder, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order = order

    def add_fields(self, piece: TransferPiece) -> None:
        """Offer all that is on the way, and ask what of it is damaged."""
        self.fields[f"quantity_{piece.pk}"] = quantity_field(
            self.quantity_label, required=False, min_value=0, initial=plain(on_the_way(piece))
        )
        self.fields[f"damaged_{piece.pk}"] = quantity_field(
            _("Damaged, to the place for damaged goods"), required=False, min_value=0
        )

    def clean_location(self) -> Location:
        """Return the location of that code, where goods may arrive."""
        code = self.cleaned_data["location"]
        found = find_location(self.order.to_warehouse_id, code)
        if found is None or found.kind not in RECEIVING_KINDS:
            raise forms.ValidationError(
                _("%(code)s is neither a dock nor a storage or quarantine location of %(place)s."),
                params={"code": code, "place": self.order.to_warehouse.name},
            )
        return found


class LossForm(PiecesForm):
    quantity_label = gettext_lazy("Lost")
    note = forms.CharField(label=gettext_lazy("What happened"), max_length=200)


@require_safe
def transfer_send_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List the transfers that wait to leave, late ones first."""
    return _work_list(request, WorkKind.SEND_TRANSFER)


@require_safe
def transfer_receive_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List the transfers that are on the way, late ones first."""
    return _work_list(request, WorkKind.RECEIVE_TRANSFER)


def _work_list(request: HttpRequest, kind: WorkKind) -> HttpResponse:
    require(Permission.READ)
    filters = WorkFilters(request.GET)
    chosen = filters.chosen
    find = transfers_to_send if kind == WorkKind.SEND_TRANSFER else transfers_to_receive
    rows = find(
        warehouse_id=chosen.get("warehouse"),
        text=chosen.get("q", "").strip(),
        assignee=chosen.get("assignee", ""),
    )
    page = keyset_page(rows, order=DUE_FIRST, cursor=request.GET.get("cursor", ""))
    ids = [order.pk for order in page.items]
    totals, claims = transfer_totals(ids), live_claims(kind, ids)
    return show(
        request,
        "inventory/transfer_work_list.html",
        f"transfers_to_{'send' if kind == WorkKind.SEND_TRANSFER else 'receive'}",
        kind=kind.value,
        is_sending=kind == WorkKind.SEND_TRANSFER,
        filters=filters,
        is_filtered=any(chosen.values()),
        rows=[(order, totals[order.pk], claims.get(order.pk)) for order in page.items],
        next_cursor=page.next_cursor,
        today=today(),
    )


def transfer_receive(request: HttpRequest, tenant: str, transfer_order_id: int) -> HttpResponse:
    """Receive goods of a transfer; in parts if need be."""
    require(Permission.FLOOR_WORK)
    order = get_transfer(transfer_order_id)
    if order.state != TransferState.IN_TRANSIT and request.method != "POST":
        return redirect(_page(request, order))
    places = list(receiving_places(order.to_warehouse_id)[:SUGGESTED_PLACES])
    pieces = list(pieces_on_the_way(order.pk))
    initial = {"location": places[0].code if places else ""}
    form = ReceiptForm(
        request.POST if request.method == "POST" else None,
        pieces=pieces,
        order=order,
        initial=initial,
    )

    def receive(data: dict[str, Any]) -> str:
        goods = [
            ReceivedGoods(piece.pk, quantity, data.get(f"damaged_{piece.pk}") or Decimal(0))
            for piece in pieces
            if (quantity := data.get(f"quantity_{piece.pk}"))
        ]
        receive_transfer(
            transfer_order_id=order.pk, goods=goods, to_location_id=data["location"].pk
        )
        return _page(request, order)

    return _ask(request, order, form, receive, _("The goods were received."), places=places)


def transfer_lose(request: HttpRequest, tenant: str, transfer_order_id: int) -> HttpResponse:
    """State that goods on the way are lost, and what happened."""
    require(Permission.ADJUST)
    order = get_transfer(transfer_order_id)
    if order.state != TransferState.IN_TRANSIT and request.method != "POST":
        return redirect(_page(request, order))
    pieces = list(pieces_on_the_way(order.pk))
    form = LossForm(request.POST if request.method == "POST" else None, pieces=pieces)

    def lose(data: dict[str, Any]) -> str:
        goods = [
            LostGoods(piece.pk, quantity)
            for piece in pieces
            if (quantity := data.get(f"quantity_{piece.pk}"))
        ]
        state_transfer_loss(transfer_order_id=order.pk, goods=goods, note=data["note"])
        return _page(request, order)

    return _ask(request, order, form, lose, _("The loss was stated."), is_loss=True)


def _ask(
    request: HttpRequest,
    order: TransferOrder,
    form: PiecesForm,
    effect: Any,
    done: str,
    **context: Any,
) -> HttpResponse:
    if request.method == "POST":
        answer = send_form(request, form, effect, done)
        if answer is not None:
            return answer
    return show(
        request,
        "inventory/transfer_arrival.html",
        NAV,
        order=order,
        form=form,
        rows=list(form.rows()),
        status=UNPROCESSABLE if form.errors else 200,
        **context,
    )


def on_the_way(piece: TransferPiece) -> Decimal:
    """Return how much of a piece has neither arrived nor is stated as lost."""
    left: Decimal = piece.quantity - piece.quantity_received - piece.quantity_lost
    return left


def _page(request: HttpRequest, order: TransferOrder) -> str:
    return address(request, DETAIL, transfer_order_id=order.pk)
