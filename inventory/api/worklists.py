"""Work lists: who has taken what, taking work and giving it back."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from inventory.models import WorkClaim, WorkKind
from inventory.queries.worklists import claims
from inventory.services.worklists import give_work_back, take_work
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, writing
from tenancy.api.fields import IdField, Shown, Strict
from tenancy.api.parameters import choice_filter, id_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class ClaimShown(Shown[WorkClaim]):
    kind = serializers.ChoiceField(choices=WorkKind.choices)
    subject_id = serializers.IntegerField()
    claimed_by = serializers.CharField(source="actor_label")
    claimed_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


class FreedShown(Shown[dict[str, Any]]):
    kind = serializers.ChoiceField(choices=WorkKind.choices)
    subject_id = serializers.IntegerField()


class Work(Strict):
    kind = serializers.ChoiceField(choices=WorkKind.choices)
    subject_id = IdField(help_text="Of the wave, order, count ... the list is about.")


class ClaimList(TenantView):
    @listing(
        Endpoint("list_work_claims", Permission.READ, "Work that somebody has taken"),
        Listing(
            ClaimShown,
            orders={"id": ("id",)},
            filters={
                "kind": choice_filter("kind", WorkKind.choices),
                "subject_id": id_filter("subject_id"),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return claims()

    @writing(
        Endpoint("take_work", Permission.FLOOR_WORK, "Take a piece of work, or hold it longer"),
        Writing(ClaimShown, Work),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return take_work(kind=WorkKind(data["kind"]), subject_id=data["subject_id"])


class ClaimRelease(TenantView):
    @writing(
        Endpoint("give_work_back", Permission.FLOOR_WORK, "Give a piece of work back"),
        Writing(FreedShown, Work),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        give_work_back(kind=WorkKind(data["kind"]), subject_id=data["subject_id"])
        return data
