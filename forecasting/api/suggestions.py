"""Reorder suggestions: listed, explained, accepted into draft orders, dismissed, snoozed."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from forecasting.models import BlockedNeed, ReorderSuggestion, SuggestionSource, SuggestionState
from forecasting.queries.suggestions import (
    NamedSource,
    SuggestionFilter,
    blocked_needs,
    get_suggestion,
    named_sources,
    suggestions,
)
from forecasting.services.budget import BudgetRow, BudgetTable, budget_table
from forecasting.services.reorder_record import Replay, replay, sentences
from forecasting.services.suggestions import (
    accept_suggestions,
    dismiss_suggestions,
    snooze_suggestions,
)
from inventory.models import PurchaseOrder, TransferOrder
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, reading, writing
from tenancy.api.fields import IdField, MoneyField, QuantityField, Shown, Strict, many
from tenancy.api.parameters import Filter, choice_filter, id_filter, text_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class SuggestionShown(Shown[ReorderSuggestion]):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=SuggestionState.choices)
    product_id = serializers.IntegerField()
    sku = serializers.CharField(source="product.sku")
    warehouse_id = serializers.IntegerField()
    supplied_by = serializers.ChoiceField(source="source", choices=SuggestionSource.choices)
    from_warehouse_id = serializers.IntegerField(allow_null=True)
    supplier_id = serializers.IntegerField(
        source="supplier_item.supplier_id", allow_null=True, default=None
    )
    quantity = QuantityField()
    transfer_quantity = QuantityField(
        allow_null=True, help_text="Of both: the part that is transferred; the rest is bought."
    )
    quantity_accepted = QuantityField(allow_null=True)
    unit_price = MoneyField(allow_null=True)
    order_value = MoneyField(allow_null=True)
    order_by_on = serializers.DateField(allow_null=True)
    stockout_probability = serializers.FloatField(allow_null=True)
    reorder_point = serializers.FloatField()
    order_up_to = serializers.FloatField()
    safety_stock = serializers.FloatField()
    inventory_position = QuantityField()
    binding_constraint = serializers.CharField()
    reason_code = serializers.CharField()
    priority = serializers.FloatField(help_text="Expected gain in money.")
    snoozed_until = serializers.DateField(allow_null=True)
    order_id = serializers.IntegerField(source="order_line.order_id", allow_null=True, default=None)
    transfer_order_id = serializers.IntegerField(
        source="transfer_line.order_id", allow_null=True, default=None
    )
    decision_note = serializers.CharField()
    created_at = serializers.DateTimeField()
    version = serializers.IntegerField()


class StepShown(serializers.Serializer[Any]):
    code = serializers.CharField()
    text = serializers.CharField()
    change = serializers.FloatField(allow_null=True)
    quantity = serializers.FloatField(allow_null=True)


class WayShown(serializers.Serializer[Any]):
    """Money per unit; ``freight_basis``: what the transport cost of a purchase was taken from."""

    supplied_by = serializers.ChoiceField(choices=SuggestionSource.choices)
    name = serializers.CharField(help_text="Of the supplier, or the warehouse.")
    quantity = serializers.FloatField()
    moved = serializers.FloatField(help_text="Of it, units that are transferred.")
    days = serializers.FloatField()
    goods = serializers.FloatField()
    moving = serializers.FloatField()
    keeping = serializers.FloatField()
    waiting = serializers.FloatField()
    total = serializers.FloatField()
    obstacle = serializers.CharField(help_text="Why it is not taken; empty where it could be.")
    transport_mode = serializers.CharField()
    freight_basis = serializers.CharField()


def _way(one: NamedSource) -> dict[str, Any]:
    freight = one.numbers.get("freight") or {}
    return one.numbers | {
        "supplied_by": one.kind,
        "name": f"{one.name} + {one.second}" if one.second else one.name,
        "moved": one.numbers.get("moved", 0.0),
        "transport_mode": freight.get("mode", ""),
        "freight_basis": freight.get("basis", ""),
    }


class SuggestionDetailShown(SuggestionShown):
    ways = serializers.SerializerMethodField(help_text="What was compared, what is done first.")
    steps = serializers.SerializerMethodField()
    inputs = serializers.DictField()

    @extend_schema_field(WayShown(many=True))
    def get_ways(self, suggestion: ReorderSuggestion) -> list[dict[str, Any]]:
        ways = [_way(one) for one in named_sources(suggestion)]
        return list(WayShown(ways, many=True).data)

    @extend_schema_field(StepShown(many=True))
    def get_steps(self, suggestion: ReorderSuggestion) -> list[dict[str, Any]]:
        return sentences(suggestion.inputs)


class ReplayShown(Shown[Replay]):
    kept = QuantityField(help_text="What was decided; where something is moved, what was needed.")
    again = QuantityField(
        allow_null=True,
        help_text="What today's rules make of the inputs kept with it; null: kept in an old form.",
    )
    is_same = serializers.BooleanField()


class AcceptedLine(Strict):
    suggestion_id = IdField()
    quantity = QuantityField(required=False, help_text="Left out: as suggested.")


class Acceptance(Strict):
    suggestions = many(AcceptedLine)
    confirm_stale = serializers.BooleanField(
        required=False, help_text="Order although the forecast is out of date."
    )
    reason = serializers.CharField(
        required=False, max_length=200, help_text="Why quantities differ from what was suggested."
    )


class Dismissal(Strict):
    suggestion_ids = serializers.ListField(child=IdField(), min_length=1, max_length=500)
    note = serializers.CharField(required=False, allow_blank=True, max_length=200)


class Snooze(Strict):
    suggestion_ids = serializers.ListField(child=IdField(), min_length=1, max_length=500)
    until = serializers.DateField()


class DraftShown(Shown[PurchaseOrder]):
    id = serializers.IntegerField()
    number = serializers.CharField()
    supplier_id = serializers.IntegerField()
    warehouse_id = serializers.IntegerField()


class DraftTransferShown(Shown[TransferOrder]):
    id = serializers.IntegerField()
    number = serializers.CharField()
    from_warehouse_id = serializers.IntegerField()
    to_warehouse_id = serializers.IntegerField()


class AcceptanceShown(serializers.Serializer[Any]):
    orders = DraftShown(many=True)
    transfers = DraftTransferShown(many=True)


class BlockedNeedShown(Shown[BlockedNeed]):
    id = serializers.IntegerField()
    product_id = serializers.IntegerField()
    sku = serializers.CharField(source="product.sku")
    warehouse_id = serializers.IntegerField()
    reason = serializers.CharField()
    texts = serializers.SerializerMethodField()

    def get_texts(self, row: BlockedNeed) -> list[str]:
        return [str(one["text"]) for one in sentences({"steps": row.steps})]


class BudgetRowShown(Shown[BudgetRow]):
    suggestion_id = serializers.IntegerField(source="suggestion.id")
    sku = serializers.CharField(source="suggestion.product.sku")
    wanted = QuantityField(source="line.wanted")
    granted = QuantityField(source="line.granted", help_text="Of what is bought.")
    moved = QuantityField(help_text="What another warehouse gives beside it.")
    value = serializers.FloatField(source="line.value")
    gain = serializers.FloatField(source="line.gain", help_text="Expected money saved.")
    gain_per_money = serializers.FloatField()


class BudgetShown(Shown[BudgetTable]):
    budget = MoneyField()
    spent = MoneyField()
    wanted = MoneyField()
    rows = BudgetRowShown(many=True)


class DecidedShown(serializers.Serializer[Any]):
    suggestions = SuggestionShown(many=True)


class SuggestionList(TenantView):
    @listing(
        Endpoint("list_suggestions", Permission.READ, "Reorder suggestions"),
        Listing(
            SuggestionShown,
            orders={"-priority": ("-priority", "id"), "-id": ("-id",)},
            filters={
                "state": choice_filter("state", SuggestionState.choices),
                "product_id": id_filter("product_id"),
                "warehouse_id": id_filter("warehouse_id"),
                "supplier_id": id_filter("supplier_item__supplier_id"),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return suggestions(SuggestionFilter(state=""))


class BlockedNeedList(TenantView):
    @listing(
        Endpoint("list_blocked_needs", Permission.READ, "Needs no order can be suggested for"),
        Listing(
            BlockedNeedShown,
            orders={"id": ("id",)},
            filters={
                "reason": text_filter("reason"),
                "product_id": id_filter("product_id"),
                "warehouse_id": id_filter("warehouse_id"),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return blocked_needs()


class SuggestionBudget(TenantView):
    @reading(
        Endpoint("get_budget", Permission.READ, "What a budget buys of the open suggestions"),
        BudgetShown,
        budget=Filter(MoneyField(), required=True),
    )
    def get(self, request: Request, *, asked: dict[str, Any]) -> Any:
        return budget_table(asked["budget"], SuggestionFilter())


class SuggestionDetail(TenantView):
    @reading(
        Endpoint("get_suggestion", Permission.READ, "A suggestion and why it is this number"),
        SuggestionDetailShown,
    )
    def get(self, request: Request, suggestion_id: int) -> Any:
        return get_suggestion(suggestion_id)


class SuggestionCheck(TenantView):
    @reading(
        Endpoint("check_suggestion", Permission.READ, "A suggestion decided again"), ReplayShown
    )
    def get(self, request: Request, suggestion_id: int) -> Any:
        return replay(get_suggestion(suggestion_id))


class SuggestionAcceptance(TenantView):
    @writing(
        Endpoint("accept_suggestions", Permission.BUY, "Turn suggestions into draft orders"),
        Writing(AcceptanceShown, Acceptance, status=201, key_required=True),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        lines = data["suggestions"]
        drafts = accept_suggestions(
            suggestion_ids=[line["suggestion_id"] for line in lines],
            quantities={
                line["suggestion_id"]: line["quantity"] for line in lines if "quantity" in line
            },
            confirm_stale=data.get("confirm_stale", False),
            reason=data.get("reason", ""),
        )
        return {"orders": drafts.orders, "transfers": drafts.transfers}


class SuggestionDismissal(TenantView):
    @writing(
        Endpoint("dismiss_suggestions", Permission.PLAN, "Take suggestions off the list"),
        Writing(DecidedShown, Dismissal),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return {"suggestions": dismiss_suggestions(**data)}


class SuggestionSnooze(TenantView):
    @writing(
        Endpoint("snooze_suggestions", Permission.PLAN, "Put suggestions off until a day"),
        Writing(DecidedShown, Snooze),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return {"suggestions": snooze_suggestions(**data)}
