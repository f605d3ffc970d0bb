"""How good warnings were, kind by kind, judged by what happened since."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from forecasting.models import RiskKind
from forecasting.queries.warning_quality import KindFigures, WarningFigures, warning_figures
from forecasting.queries.warning_replay import other_figures
from tenancy.api.endpoints import Endpoint, reading
from tenancy.api.fields import Shown
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class KindFiguresShown(Shown[KindFigures]):
    kind = serializers.ChoiceField(choices=RiskKind.choices)
    warnings = serializers.IntegerField(help_text="Those whose time is over.")
    came_true = serializers.IntegerField(
        help_text="Of a late supplier: late, and out of stock between promise and receipt."
    )
    happened = serializers.IntegerField(
        allow_null=True,
        help_text="How often it came to pass, warned or not; null where nobody can know.",
    )
    simulated = serializers.BooleanField(
        help_text="Events were put into real demand on purpose, to see which are found."
    )
    precision = serializers.FloatField(allow_null=True)
    recall = serializers.FloatField(allow_null=True)
    f1 = serializers.FloatField(allow_null=True)


class WarningQualityShown(Shown[WarningFigures]):
    """Stock-outs, whose figures stand on their own, and the other kinds."""

    since = serializers.DateField(
        help_text="13 weeks ago, or the day before the first warning of all."
    )
    warnings = serializers.IntegerField(help_text="Whose four weeks are over.")
    came_true = serializers.IntegerField()
    young = serializers.IntegerField(help_text="May still come true; not judged yet.")
    acted = serializers.IntegerField(
        help_text="Ordered after the warning: what that prevented cannot be known; not counted."
    )
    stockouts = serializers.IntegerField()
    warned = serializers.IntegerField(help_text="Stock-outs that had a warning.")
    precision = serializers.FloatField(allow_null=True)
    recall = serializers.FloatField(allow_null=True)
    f1 = serializers.FloatField(allow_null=True)
    others = serializers.SerializerMethodField(
        help_text="Late suppliers, excess, dead stock and abnormal sales."
    )

    @extend_schema_field(KindFiguresShown(many=True))
    def get_others(self, figures: WarningFigures) -> list[dict[str, Any]]:
        return [dict(KindFiguresShown(one).data) for one in other_figures()]


class WarningQuality(TenantView):
    @reading(
        Endpoint("get_warning_quality", Permission.READ, "How often warnings came true"),
        WarningQualityShown,
    )
    def get(self, request: Request) -> Any:
        return warning_figures()
