"""Waves: listed, previewed, released and called off; their tasks picked, picked short, put back."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from inventory.models import (
    PickState,
    PickTask,
    ShortReason,
    Wave,
    WaveKind,
    WaveState,
)
from inventory.queries.picking import wave_tasks
from inventory.queries.waves import (
    WaveProgress,
    WaveRequest,
    check_known,
    get_wave,
    planned_waves,
    wave_progress,
    waves,
)
from inventory.rules.wave_plan import Limits, PlanKind, PlannedWave
from inventory.services.picking import Pick, pick, undo_pick
from inventory.services.short_picks import ShortPick, pick_short
from inventory.services.waves import cancel_wave, release_waves
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, reading, writing
from tenancy.api.fields import IdField, QuantityField, Shown, Strict, many
from tenancy.api.parameters import choice_filter, id_filter, text_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission

USUAL = Limits()
MOST_ORDERS, MOST_LINES = 200, 500
REASONS = [choice for choice in ShortReason.choices if choice[0]]


class WaveShown(Shown[Wave]):
    id = serializers.IntegerField()
    number = serializers.CharField()
    warehouse_id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=WaveKind.choices)
    zone_id = serializers.IntegerField(allow_null=True)
    state = serializers.ChoiceField(choices=WaveState.choices)
    to_location_id = serializers.IntegerField(help_text="Where picks are brought.")
    released_at = serializers.DateTimeField()
    completed_at = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField()


class ProgressShown(Shown[WaveProgress]):
    tasks = serializers.IntegerField()
    open = serializers.IntegerField()
    picked = serializers.IntegerField()
    short = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    orders = serializers.IntegerField()
    stops = serializers.IntegerField()


@dataclass(frozen=True)
class WaveDetail:
    """A wave and how far it is."""

    wave: Wave
    progress: WaveProgress

    @property
    def version(self) -> int:
        return int(self.wave.version)

    @classmethod
    def of(cls, wave_id: int) -> WaveDetail:
        return cls(get_wave(wave_id), wave_progress([wave_id])[wave_id])


class WaveDetailShown(Shown[WaveDetail]):
    wave = WaveShown()
    progress = ProgressShown()


class TaskShown(Shown[PickTask]):
    id = serializers.IntegerField()
    wave_id = serializers.IntegerField()
    allocation_id = serializers.IntegerField()
    sales_order_id = serializers.IntegerField()
    sequence = serializers.IntegerField(help_text="Along the way; done and new ones share numbers.")
    location_id = serializers.IntegerField()
    location_code = serializers.CharField(source="location.code")
    product_id = serializers.IntegerField()
    sku = serializers.CharField(source="product.sku")
    lot_id = serializers.IntegerField(allow_null=True)
    lot_code = serializers.CharField(source="lot.code", allow_null=True, default=None)
    quantity = QuantityField()
    quantity_picked = QuantityField()
    state = serializers.ChoiceField(choices=PickState.choices)
    short_reason = serializers.ChoiceField(choices=ShortReason.choices)
    picked_by = serializers.CharField(source="picked_by_label")
    picked_at = serializers.DateTimeField(allow_null=True)


class Wanted(Strict):
    warehouse_id = IdField()
    kind = serializers.ChoiceField(choices=WaveKind.choices, required=False)
    orders = serializers.IntegerField(
        required=False, min_value=1, max_value=MOST_ORDERS, help_text="At most, in a wave."
    )
    lines = serializers.IntegerField(
        required=False, min_value=1, max_value=MOST_LINES, help_text="At most, in a wave."
    )
    volume_l = QuantityField(
        required=False,
        allow_null=True,
        min_value=Decimal("0.001"),
        help_text="At most, in a wave. Left out: no limit.",
    )
    priority_up_to = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=9
    )
    promised_by = serializers.DateField(required=False, allow_null=True)
    zone_id = IdField(required=False, allow_null=True)
    order_ids = serializers.ListField(
        child=IdField(), required=False, max_length=MOST_LINES, help_text="Left out: all orders."
    )


class Release(Wanted):
    to_location_id = IdField(
        required=False, allow_null=True, help_text="Left out: the warehouse's packing place."
    )


class ReleasedShown(Shown[dict[str, Any]]):
    waves = WaveShown(many=True)


class PlannedShown(Shown[PlannedWave]):
    zone_id = serializers.IntegerField(allow_null=True)
    order_count = serializers.IntegerField()
    line_count = serializers.IntegerField()
    stop_count = serializers.IntegerField()
    volume_l = QuantityField(max_digits=24)
    first_location = serializers.CharField(source="first_code")
    last_location = serializers.CharField(source="last_code")


class PreviewShown(Shown[dict[str, Any]]):
    waves = PlannedShown(many=True)


class PickSaid(Strict):
    task_id = IdField()
    location_id = IdField(help_text="As scanned.")
    product_id = IdField(help_text="As scanned.")
    lot_id = IdField(required=False, allow_null=True, help_text="As scanned.")
    quantity = QuantityField(
        required=False, allow_null=True, min_value=0, help_text="Left out: all of it."
    )


class Picks(Strict):
    picks = many(PickSaid)


class ShortPicks(Picks):
    reason = serializers.ChoiceField(choices=REASONS)


class PutBack(Strict):
    task_ids = serializers.ListField(child=IdField(), min_length=1, max_length=MOST_LINES)


class ShortPickShown(Shown[ShortPick]):
    wave = WaveShown()
    missing = QuantityField()
    reallocated = QuantityField(help_text="Of the missing: promised from other places instead.")
    count_id = serializers.IntegerField(help_text="The cycle count that was asked for.")


class WaveList(TenantView):
    @listing(
        Endpoint("list_waves", Permission.READ, "Waves"),
        Listing(
            WaveShown,
            orders={"-id": ("-id",), "id": ("id",)},
            filters={
                "state": choice_filter("state", WaveState.choices),
                "warehouse_id": id_filter("warehouse_id"),
                "zone_id": id_filter("zone_id"),
                "number": text_filter("number"),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return waves()

    @writing(
        Endpoint("release_waves", Permission.FLOOR_WORK, "Release promised goods to be picked"),
        Writing(ReleasedShown, Release, status=201, key_required=True),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        to_location_id = data.pop("to_location_id", None)
        released = release_waves(request=_request(data), to_location_id=to_location_id)
        return {"waves": released}


class WavePreview(TenantView):
    @writing(
        Endpoint("preview_waves", Permission.READ, "What a release would make; it changes nothing"),
        Writing(PreviewShown, Wanted),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        wanted = _request(data)
        check_known(wanted)
        return {"waves": planned_waves(wanted)}


class WaveOne(TenantView):
    @reading(Endpoint("get_wave", Permission.READ, "A wave and how far it is"), WaveDetailShown)
    def get(self, request: Request, wave_id: int) -> Any:
        return WaveDetail.of(wave_id)


class WaveCancellation(TenantView):
    @writing(
        Endpoint("cancel_wave", Permission.FLOOR_WORK, "Call a wave off; its goods stay promised"),
        Writing(WaveDetailShown, key_required=True, versioned=True),
    )
    def post(self, request: Request, wave_id: int, *, data: dict[str, Any], version: int) -> Any:
        return WaveDetail.of(cancel_wave(wave_id=wave_id, version=version).pk)


class TaskList(TenantView):
    @listing(
        Endpoint("list_pick_tasks", Permission.READ, "Tasks of a wave along the way"),
        Listing(
            TaskShown,
            orders={"sequence": ("sequence", "id"), "id": ("id",)},
            filters={
                "state": choice_filter("state", PickState.choices),
                "sales_order_id": id_filter("sales_order_id"),
            },
        ),
    )
    def get(self, request: Request, wave_id: int) -> Any:
        return wave_tasks(get_wave(wave_id).pk)


class WavePicks(TenantView):
    @writing(
        Endpoint("confirm_picks", Permission.FLOOR_WORK, "Confirm picks by what was scanned"),
        Writing(WaveDetailShown, Picks, key_required=True),
    )
    def post(self, request: Request, wave_id: int, *, data: dict[str, Any]) -> Any:
        return WaveDetail.of(pick(wave_id=wave_id, picks=_picks(data)).pk)


class WaveShortPicks(TenantView):
    @writing(
        Endpoint("confirm_short_picks", Permission.FLOOR_WORK, "Report that less was found"),
        Writing(ShortPickShown, ShortPicks, key_required=True),
    )
    def post(self, request: Request, wave_id: int, *, data: dict[str, Any]) -> Any:
        return pick_short(wave_id=wave_id, picks=_picks(data), reason=data["reason"])


class WavePutBack(TenantView):
    @writing(
        Endpoint("undo_picks", Permission.FLOOR_WORK, "Put picked goods back to their places"),
        Writing(WaveDetailShown, PutBack, key_required=True),
    )
    def post(self, request: Request, wave_id: int, *, data: dict[str, Any]) -> Any:
        return WaveDetail.of(undo_pick(wave_id=wave_id, task_ids=data["task_ids"]).pk)


def _picks(data: dict[str, Any]) -> list[Pick]:
    return [Pick(**line) for line in data["picks"]]


def _request(data: dict[str, Any]) -> WaveRequest:
    limits = Limits(
        orders=data.get("orders", USUAL.orders),
        lines=data.get("lines", USUAL.lines),
        volume_l=data.get("volume_l"),
    )
    return WaveRequest(
        warehouse_id=data["warehouse_id"],
        kind=PlanKind(data.get("kind", PlanKind.BATCH.value)),
        limits=limits,
        priority_up_to=data.get("priority_up_to"),
        promised_by=data.get("promised_by"),
        zone_id=data.get("zone_id"),
        order_ids=tuple(data.get("order_ids", ())),
    )
