"""Demand by channel and segment, moves between warehouses that pay, and suggested buffers."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from forecasting.api.suggestions import ReplayShown
from forecasting.models import BufferSuggestion, SuggestionState
from forecasting.queries import channels
from forecasting.queries.buffers import buffer_suggestions, get_buffer_suggestion
from forecasting.queries.channels import (
    ChannelFigures,
    Rebalancing,
    SegmentFigures,
    WeekOfChannels,
)
from forecasting.queries.forecasts import latest_run
from forecasting.queries.series import business_today, latest_origin
from forecasting.services.buffers import accept_buffers, dismiss_buffers, replay_buffer
from inventory.models import ChannelKind
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, reading, writing
from tenancy.api.fields import IdField, MoneyField, QuantityField, Shown, Strict
from tenancy.api.parameters import choice_filter, id_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class ChannelFiguresShown(Shown[ChannelFigures]):
    """Units of the last 13 weeks and of those before; the forecast is of four weeks."""

    channel_id = serializers.IntegerField(source="channel.pk")
    code = serializers.CharField(source="channel.code")
    channel_kind = serializers.ChoiceField(source="channel.kind", choices=ChannelKind.choices)
    sold = QuantityField()
    before = QuantityField()
    share = serializers.FloatField()
    change = serializers.FloatField(allow_null=True)
    forecast = serializers.FloatField(allow_null=True)
    ring_fenced = QuantityField(help_text="Kept for it, of all products.")
    buffer = QuantityField(help_text="Kept from it.")


class SegmentFiguresShown(Shown[SegmentFigures]):
    segment_id = serializers.IntegerField(
        source="segment.pk", allow_null=True, default=None, help_text="Null: nobody said."
    )
    code = serializers.CharField(source="segment.code", default="")
    sold = QuantityField()
    before = QuantityField()
    share = serializers.FloatField()
    change = serializers.FloatField(allow_null=True)
    online = QuantityField()
    offline = QuantityField()
    online_share = serializers.FloatField(allow_null=True)
    revenue = MoneyField()


class ChannelWeekShown(Shown[WeekOfChannels]):
    first_day = serializers.DateField(source="day")
    online = QuantityField()
    offline = QuantityField()


class RebalancingShown(Shown[Rebalancing]):
    product_id = serializers.IntegerField(source="product.pk")
    sku = serializers.CharField(source="product.sku")
    from_warehouse_id = serializers.IntegerField()
    to_warehouse_id = serializers.IntegerField()
    units = serializers.FloatField()
    saving = serializers.FloatField(help_text="Margin saved after the cost of moving.")


class ChannelDemandShown(serializers.Serializer[Any]):
    channels = ChannelFiguresShown(many=True)
    segments = SegmentFiguresShown(many=True)
    weeks = ChannelWeekShown(many=True)
    moves = RebalancingShown(many=True)


class ChannelDemand(TenantView):
    @reading(
        Endpoint("get_channel_demand", Permission.READ, "Demand by channel and segment"),
        ChannelDemandShown,
    )
    def get(self, request: Request) -> Any:
        run, last_day = latest_run(), latest_origin() or business_today()
        return {
            "channels": channels.channel_figures(last_day, run),
            "segments": channels.segment_figures(last_day),
            "weeks": channels.weeks_of_channels(last_day),
            "moves": channels.moves_that_pay(),
        }


class BufferSuggestionShown(Shown[BufferSuggestion]):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=SuggestionState.choices)
    channel_id = serializers.IntegerField()
    product_id = serializers.IntegerField()
    sku = serializers.CharField(source="product.sku")
    warehouse_id = serializers.IntegerField()
    buffer = QuantityField()
    buffer_before = QuantityField(help_text="What was kept when it was suggested.")
    gain = serializers.FloatField(help_text="Margin expected to be saved.")
    created_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField()


class BufferSuggestionDetailShown(BufferSuggestionShown):
    inputs = serializers.DictField(help_text="Everything the number came from.")


class BufferChoice(Strict):
    buffer_suggestion_ids = serializers.ListField(child=IdField(), min_length=1, max_length=200)


class BuffersDecidedShown(serializers.Serializer[Any]):
    buffers = BufferSuggestionShown(many=True)


class BufferSuggestionList(TenantView):
    @listing(
        Endpoint("list_buffer_suggestions", Permission.READ, "Suggested buffers of channels"),
        Listing(
            BufferSuggestionShown,
            orders={"-gain": ("-gain", "id"), "-id": ("-id",)},
            filters={
                "state": choice_filter("state", SuggestionState.choices),
                "channel_id": id_filter("channel_id"),
                "product_id": id_filter("product_id"),
                "warehouse_id": id_filter("warehouse_id"),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return buffer_suggestions("")


class BufferSuggestionDetail(TenantView):
    @reading(
        Endpoint("get_buffer_suggestion", Permission.READ, "A suggested buffer and why"),
        BufferSuggestionDetailShown,
    )
    def get(self, request: Request, buffer_suggestion_id: int) -> Any:
        return get_buffer_suggestion(buffer_suggestion_id)


class BufferSuggestionCheck(TenantView):
    @reading(
        Endpoint("check_buffer_suggestion", Permission.READ, "A suggested buffer decided again"),
        ReplayShown,
    )
    def get(self, request: Request, buffer_suggestion_id: int) -> Any:
        return replay_buffer(get_buffer_suggestion(buffer_suggestion_id))


class BufferAcceptance(TenantView):
    @writing(
        Endpoint("accept_buffer_suggestions", Permission.SELL, "Keep suggested buffers"),
        Writing(BuffersDecidedShown, BufferChoice, key_required=True),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return {"buffers": accept_buffers(**data)}


class BufferDismissal(TenantView):
    @writing(
        Endpoint("dismiss_buffer_suggestions", Permission.PLAN, "Dismiss suggested buffers"),
        Writing(BuffersDecidedShown, BufferChoice),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return {"buffers": dismiss_buffers(**data)}
