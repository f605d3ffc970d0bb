"""Which warnings a member's digest holds, and whether a member asked for one."""

from __future__ import annotations

from django.db.models import Q

from forecasting.models import RiskWarning, WarningDigest, WarningState


def wants_digest(user_id: int) -> bool:
    """Tell whether the member asked for the digest."""
    return WarningDigest.objects.filter(membership__user_id=user_id).exists()


def digest_warnings(membership_id: int, warehouse_ids: list[int] | None) -> list[RiskWarning]:
    """Return the open warnings that are the member's or nobody's, the dearest first."""
    rows = RiskWarning.objects.filter(state=WarningState.OPEN).filter(
        Q(assigned_to=None) | Q(assigned_to_id=membership_id)
    )
    if warehouse_ids is not None:
        rows = rows.filter(warehouse_id__in=warehouse_ids)
    return list(rows.select_related("product", "warehouse").order_by("-severity_money", "id"))
