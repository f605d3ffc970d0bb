"""Where the numbers of documents begin."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from inventory.models import DocumentKind, DocumentNumber
from inventory.services.numbers import LARGEST_NUMBER, begin_numbers
from tenancy.api.endpoints import Endpoint, Writing, writing
from tenancy.api.fields import Shown, Strict
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class BeginningShown(Shown[DocumentNumber]):
    kind = serializers.ChoiceField(choices=DocumentKind.choices)
    last_number = serializers.IntegerField(help_text="The next number follows this one.")


class Beginning(Strict):
    kind = serializers.ChoiceField(choices=DocumentKind.choices)
    next_number = serializers.IntegerField(min_value=1, max_value=LARGEST_NUMBER)


class NumberBeginnings(TenantView):
    @writing(
        Endpoint("begin_document_numbers", Permission.OWN, "Let numbers go on with a later one"),
        Writing(BeginningShown, Beginning, key_required=True),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return begin_numbers(kind=DocumentKind(data["kind"]), next_number=data["next_number"])
