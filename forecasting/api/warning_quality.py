"""How good stock-out warnings were, judged by what happened since."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from forecasting.queries.warning_quality import WarningFigures, warning_figures
from tenancy.api.endpoints import Endpoint, reading
from tenancy.api.fields import Shown
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class WarningQualityShown(Shown[WarningFigures]):
    since = serializers.DateField()
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


class WarningQuality(TenantView):
    @reading(
        Endpoint("get_warning_quality", Permission.READ, "How often stock-out warnings came true"),
        WarningQualityShown,
    )
    def get(self, request: Request) -> Any:
        return warning_figures()
