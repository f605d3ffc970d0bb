"""The audit trail: who did what to what, read only."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from tenancy.api.endpoints import Endpoint, Listing, listing
from tenancy.api.fields import Shown
from tenancy.api.parameters import id_filter, text_filter
from tenancy.api.views import TenantView
from tenancy.models import AuditEvent
from tenancy.permissions import Permission
from tenancy.queries.audit import audit_events


class AuditEventShown(Shown[AuditEvent]):
    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    actor_kind = serializers.CharField()
    actor_label = serializers.CharField()
    action = serializers.CharField()
    subject_kind = serializers.CharField()
    subject_id = serializers.IntegerField(allow_null=True)
    data = serializers.DictField()  # type: ignore[assignment]


class AuditEventList(TenantView):
    @listing(
        Endpoint("list_audit_events", Permission.READ_AUDIT, "Audit trail"),
        Listing(
            AuditEventShown,
            orders={"-id": ("-id",), "id": ("id",)},
            filters={
                "action": text_filter("action", help="E.g. purchase_order.placed"),
                "subject_kind": text_filter("subject_kind"),
                "subject_id": id_filter("subject_id"),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return audit_events()
