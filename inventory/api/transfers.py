"""Transfers between warehouses: drafted, released, sent, received, stated as lost, taken back."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from inventory.models import TransferLine, TransferOrder, TransferPiece, TransferState
from inventory.queries.transfers import get_transfer, transfer_orders
from inventory.services.transfers import (
    AskedLine,
    LostGoods,
    ReceivedGoods,
    SentGoods,
    add_transfer_lines,
    cancel_transfer,
    create_transfer,
    end_sending,
    receive_transfer,
    release_transfer,
    remove_transfer_line,
    reverse_transfer_movement,
    send_transfer,
    state_transfer_loss,
)
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, reading, writing
from tenancy.api.fields import (
    IdField,
    InstantField,
    MoneyField,
    QuantityField,
    Shown,
    Strict,
    many,
)
from tenancy.api.parameters import choice_filter, id_filter, text_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class TransferShown(Shown[TransferOrder]):
    id = serializers.IntegerField()
    number = serializers.CharField()
    from_warehouse_id = serializers.IntegerField()
    to_warehouse_id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=TransferState.choices)
    expected_on = serializers.DateField(allow_null=True)
    transport_cost = MoneyField(allow_null=True)
    note = serializers.CharField()
    created_at = serializers.DateTimeField()
    released_at = serializers.DateTimeField(allow_null=True)
    sent_at = serializers.DateTimeField(allow_null=True)
    received_at = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField()


class TransferPieceShown(Shown[TransferPiece]):
    id = serializers.IntegerField()
    lot_id = serializers.IntegerField(allow_null=True)
    quantity = QuantityField()
    quantity_received = QuantityField()
    quantity_lost = QuantityField()


class TransferLineShown(Shown[TransferLine]):
    id = serializers.IntegerField()
    product_id = serializers.IntegerField()
    sku = serializers.CharField(source="product.sku")
    quantity = QuantityField()
    quantity_sent = QuantityField()
    quantity_received = QuantityField()
    quantity_lost = QuantityField()
    pieces = TransferPieceShown(many=True, help_text="What was sent, by lot.")


class TransferDetailShown(TransferShown):
    lines = TransferLineShown(many=True)


class NewTransferLine(Strict):
    product_id = IdField()
    quantity = QuantityField()


class NewTransferLines(Strict):
    lines = many(NewTransferLine)


class NewTransfer(Strict):
    from_warehouse_id = IdField()
    to_warehouse_id = IdField()
    lines = many(NewTransferLine, least=0, required=False)
    expected_on = serializers.DateField(required=False, allow_null=True)
    note = serializers.CharField(required=False, allow_blank=True, max_length=200)
    transport_cost = MoneyField(required=False, allow_null=True, min_value=0)


class TransferRelease(Strict):
    allow_short = serializers.BooleanField(
        required=False, help_text="Promise what lies free when that is less than asked for."
    )


class TransferCancelled(Strict):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=200)


class SentPart(Strict):
    line_id = IdField()
    location_id = IdField()
    quantity = QuantityField()
    lot_id = IdField(required=False, allow_null=True)


class TransferSent(Strict):
    goods = many(SentPart, required=False, help_text="Left out: all that is promised.")
    sent_at = InstantField(required=False)


class ReceivedPart(Strict):
    piece_id = IdField()
    quantity = QuantityField(help_text="Damaged goods included.")
    damaged = QuantityField(required=False, min_value=0)


class TransferReceived(Strict):
    goods = many(ReceivedPart)
    received_at = InstantField(required=False)
    to_location_id = IdField(required=False, allow_null=True)


class LostPart(Strict):
    piece_id = IdField()
    quantity = QuantityField()


class TransferLoss(Strict):
    goods = many(LostPart)
    note = serializers.CharField(max_length=200)
    effective_at = InstantField(required=False)


class TransferReversal(Strict):
    reason = serializers.CharField(max_length=200)


class TransferList(TenantView):
    @listing(
        Endpoint("list_transfers", Permission.READ, "Transfers between warehouses"),
        Listing(
            TransferShown,
            orders={"-id": ("-id",), "id": ("id",)},
            filters={
                "state": choice_filter("state", TransferState.choices),
                "from_warehouse_id": id_filter("from_warehouse_id"),
                "to_warehouse_id": id_filter("to_warehouse_id"),
                "number": text_filter("number"),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return transfer_orders()

    @writing(
        Endpoint("create_transfer", Permission.PLAN, "Draft a transfer"),
        Writing(TransferDetailShown, NewTransfer, status=201, key_required=True),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        lines = [AskedLine(**line) for line in data.pop("lines", [])]
        return get_transfer(create_transfer(lines=lines, **data).pk)


class TransferDetail(TenantView):
    @reading(Endpoint("get_transfer", Permission.READ, "A transfer"), TransferDetailShown)
    def get(self, request: Request, transfer_order_id: int) -> Any:
        return get_transfer(transfer_order_id)


class TransferLines(TenantView):
    @writing(
        Endpoint("add_transfer_lines", Permission.PLAN, "Add lines to a draft"),
        Writing(
            TransferDetailShown, NewTransferLines, status=201, key_required=True, versioned=True
        ),
    )
    def post(
        self, request: Request, transfer_order_id: int, *, data: dict[str, Any], version: int
    ) -> Any:
        lines = [AskedLine(**line) for line in data["lines"]]
        add_transfer_lines(transfer_order_id=transfer_order_id, lines=lines, version=version)
        return get_transfer(transfer_order_id)


class TransferLineDetail(TenantView):
    @writing(
        Endpoint("remove_transfer_line", Permission.PLAN, "Take a line off a draft"),
        Writing(TransferDetailShown, versioned=True),
    )
    def delete(
        self,
        request: Request,
        transfer_order_id: int,
        transfer_line_id: int,
        *,
        data: dict[str, Any],
        version: int,
    ) -> Any:
        remove_transfer_line(
            transfer_order_id=transfer_order_id, line_id=transfer_line_id, version=version
        )
        return get_transfer(transfer_order_id)


class TransferReleasing(TenantView):
    @writing(
        Endpoint("release_transfer", Permission.PLAN, "Promise stock to a draft, to be sent"),
        Writing(TransferDetailShown, TransferRelease, key_required=True, versioned=True),
    )
    def post(
        self, request: Request, transfer_order_id: int, *, data: dict[str, Any], version: int
    ) -> Any:
        release_transfer(transfer_order_id=transfer_order_id, version=version, **data)
        return get_transfer(transfer_order_id)


class TransferCancelling(TenantView):
    @writing(
        Endpoint("cancel_transfer", Permission.PLAN, "Cancel a transfer of which nothing left"),
        Writing(TransferDetailShown, TransferCancelled, key_required=True, versioned=True),
    )
    def post(
        self, request: Request, transfer_order_id: int, *, data: dict[str, Any], version: int
    ) -> Any:
        cancel_transfer(transfer_order_id=transfer_order_id, version=version, **data)
        return get_transfer(transfer_order_id)


class TransferSending(TenantView):
    @writing(
        Endpoint("send_transfer", Permission.FLOOR_WORK, "Send goods, in parts if need be"),
        Writing(TransferDetailShown, TransferSent, status=201, key_required=True),
    )
    def post(self, request: Request, transfer_order_id: int, *, data: dict[str, Any]) -> Any:
        named = data.pop("goods", None)
        goods = None if named is None else [SentGoods(**part) for part in named]
        send_transfer(transfer_order_id=transfer_order_id, goods=goods, **data)
        return get_transfer(transfer_order_id)


class TransferSendingEnd(TenantView):
    @writing(
        Endpoint("end_transfer_sending", Permission.FLOOR_WORK, "State that no more will leave"),
        Writing(TransferDetailShown, key_required=True, versioned=True),
    )
    def post(
        self, request: Request, transfer_order_id: int, *, data: dict[str, Any], version: int
    ) -> Any:
        end_sending(transfer_order_id=transfer_order_id, version=version)
        return get_transfer(transfer_order_id)


class TransferReceiving(TenantView):
    @writing(
        Endpoint("receive_transfer", Permission.FLOOR_WORK, "Receive goods that were sent"),
        Writing(TransferDetailShown, TransferReceived, status=201, key_required=True),
    )
    def post(self, request: Request, transfer_order_id: int, *, data: dict[str, Any]) -> Any:
        goods = [ReceivedGoods(**part) for part in data.pop("goods")]
        receive_transfer(transfer_order_id=transfer_order_id, goods=goods, **data)
        return get_transfer(transfer_order_id)


class TransferLosing(TenantView):
    @writing(
        Endpoint("state_transfer_loss", Permission.ADJUST, "State goods on the way as lost"),
        Writing(TransferDetailShown, TransferLoss, status=201, key_required=True),
    )
    def post(self, request: Request, transfer_order_id: int, *, data: dict[str, Any]) -> Any:
        goods = [LostGoods(**part) for part in data.pop("goods")]
        state_transfer_loss(transfer_order_id=transfer_order_id, goods=goods, **data)
        return get_transfer(transfer_order_id)


class TransferMovementReversal(TenantView):
    @writing(
        Endpoint("reverse_transfer_movement", Permission.FLOOR_WORK, "Take a movement back"),
        Writing(TransferDetailShown, TransferReversal, status=201, key_required=True),
    )
    def post(
        self, request: Request, transfer_order_id: int, movement_id: int, *, data: dict[str, Any]
    ) -> Any:
        reverse_transfer_movement(
            transfer_order_id=transfer_order_id, movement_id=movement_id, **data
        )
        return get_transfer(transfer_order_id)
