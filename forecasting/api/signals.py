"""Signals from outside: listed with what they do, made, filled with values, removed; holidays."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from forecasting.models import ExternalSignal, SignalKind, SignalValue
from forecasting.queries.signal_list import (
    effects,
    get_signal,
    holidays_ahead,
    signals,
    values_of,
)
from forecasting.services.signals import (
    DayValue,
    SignalFields,
    create_signal,
    delete_signal,
    set_known_ahead,
    set_signal_values,
)
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, reading, writing
from tenancy.api.fields import IdField, Shown, Strict, many
from tenancy.api.parameters import choice_filter, id_filter, text_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class SignalShown(Shown[ExternalSignal]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=SignalKind.choices)
    is_known_ahead = serializers.BooleanField()
    product_id = serializers.IntegerField(allow_null=True)
    category_id = serializers.IntegerField(allow_null=True)
    warehouse_id = serializers.IntegerField(allow_null=True)


class NewSignal(Strict):
    name = serializers.CharField(max_length=80)
    kind = serializers.ChoiceField(choices=SignalKind.choices)
    is_known_ahead = serializers.BooleanField(default=False)
    product_id = IdField(required=False, allow_null=True)
    category_id = IdField(required=False, allow_null=True)
    warehouse_id = IdField(required=False, allow_null=True)


class ChangedSignal(Strict):
    is_known_ahead = serializers.BooleanField(
        help_text="Holds for all signals of the name. The next training learns from coming days; "
        "otherwise from past ones."
    )


class SignalDayShown(Shown[SignalValue]):
    day = serializers.DateField()
    value = serializers.FloatField()


class NewSignalDay(Strict):
    day = serializers.DateField()
    value = serializers.FloatField(allow_null=True, help_text="Null takes the day's value away.")


class NewSignalDays(Strict):
    values = many(NewSignalDay)


class ValuesSetShown(serializers.Serializer[Any]):
    days = serializers.IntegerField()


class EffectShown(serializers.Serializer[Any]):
    name = serializers.CharField()
    increase = serializers.FloatField(
        allow_null=True, help_text="Growth of the network's loss without it."
    )
    forecasts = serializers.IntegerField(help_text="Explained forecasts that it moves.")
    units = serializers.FloatField()


class EffectsShown(serializers.Serializer[Any]):
    effects = EffectShown(many=True)


class HolidayShown(serializers.Serializer[Any]):
    day = serializers.DateField()
    name = serializers.CharField()
    country = serializers.CharField()
    warehouses = serializers.ListField(child=serializers.CharField())


class HolidaysShown(serializers.Serializer[Any]):
    holidays = HolidayShown(many=True)


class SignalList(TenantView):
    @listing(
        Endpoint("list_signals", Permission.READ, "Signals from outside"),
        Listing(
            SignalShown,
            orders={"name": ("name", "id"), "id": ("id",)},
            filters={
                "kind": choice_filter("kind", SignalKind.choices),
                "name": text_filter("name"),
                "product_id": id_filter("product_id"),
                "category_id": id_filter("category_id"),
                "warehouse_id": id_filter("warehouse_id"),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return signals()

    @writing(
        Endpoint("create_signal", Permission.PLAN, "Make a signal"),
        Writing(SignalShown, NewSignal, status=201),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return create_signal(fields=SignalFields(**data))


class SignalDetail(TenantView):
    @reading(Endpoint("get_signal", Permission.READ, "A signal"), SignalShown)
    def get(self, request: Request, external_signal_id: int) -> Any:
        return get_signal(external_signal_id)

    @writing(
        Endpoint("update_signal", Permission.PLAN, "Say whether a signal is known ahead"),
        Writing(SignalShown, ChangedSignal),
    )
    def patch(self, request: Request, external_signal_id: int, *, data: dict[str, Any]) -> Any:
        set_known_ahead(external_signal_id=external_signal_id, **data)
        return get_signal(external_signal_id)


class SignalRemovedShown(serializers.Serializer[Any]):
    removed = serializers.BooleanField()


class SignalRemoval(TenantView):
    @writing(
        Endpoint("remove_signal", Permission.PLAN, "Remove a signal and its values"),
        Writing(SignalRemovedShown),
    )
    def post(self, request: Request, external_signal_id: int, *, data: dict[str, Any]) -> Any:
        delete_signal(external_signal_id=external_signal_id)
        return {"removed": True}


class SignalValues(TenantView):
    @listing(
        Endpoint("list_signal_values", Permission.READ, "Values of a signal by day"),
        Listing(SignalDayShown, orders={"-day": ("-day", "-id")}, filters={}),
    )
    def get(self, request: Request, external_signal_id: int) -> Any:
        return values_of(get_signal(external_signal_id).pk)

    @writing(
        Endpoint("set_signal_values", Permission.PLAN, "Set the values of days"),
        Writing(ValuesSetShown, NewSignalDays),
    )
    def post(self, request: Request, external_signal_id: int, *, data: dict[str, Any]) -> Any:
        values = [DayValue(**one) for one in data["values"]]
        days = set_signal_values(external_signal_id=external_signal_id, values=values)
        return {"days": days}


class SignalEffects(TenantView):
    @reading(
        Endpoint("get_signal_effects", Permission.READ, "What each signal does to forecasts"),
        EffectsShown,
    )
    def get(self, request: Request) -> Any:
        found = sorted(effects().items())
        return {
            "effects": [
                {
                    "name": name,
                    "increase": one.increase,
                    "forecasts": one.forecasts,
                    "units": one.units,
                }
                for name, one in found
            ]
        }


class Holidays(TenantView):
    @reading(
        Endpoint("list_holidays", Permission.READ, "Public holidays ahead, by warehouse"),
        HolidaysShown,
    )
    def get(self, request: Request) -> Any:
        return {"holidays": holidays_ahead()}
