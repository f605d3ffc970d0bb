"""The work list of warnings: what may go wrong, the dearest first."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q, QuerySet, Sum

from forecasting.models import RiskWarning, WarningState
from inventory.queries.access import in_allowed
from tenancy.models import Membership, Role

PLANNERS = (Role.PLANNER, Role.MANAGER, Role.OWNER)


@dataclass(frozen=True)
class WarningFilter:
    """What the list shows; empty fields show everything."""

    state: str = "open"
    kind: str = ""
    warehouse_id: int | None = None
    text: str = ""
    user_id: int | None = None


@dataclass(frozen=True)
class KindTotal:
    """How many open warnings of a kind there are, and what they cost together."""

    kind: str
    count: int
    money: Decimal


def warnings(wanted: WarningFilter = WarningFilter()) -> QuerySet[RiskWarning]:
    """Return the warnings about the reader's warehouses, with what lists show, dearest first."""
    rows = (
        in_allowed(RiskWarning.objects.all(), "warehouse_id")
        .select_related("product", "warehouse", "lot", "run", "order", "assigned_to__user")
        .order_by("-severity_money", "id")
    )
    if wanted.state:
        rows = rows.filter(state=wanted.state)
    if wanted.kind:
        rows = rows.filter(kind=wanted.kind)
    if wanted.warehouse_id is not None:
        rows = rows.filter(warehouse_id=wanted.warehouse_id)
    if wanted.user_id is not None:
        rows = rows.filter(assigned_to__user_id=wanted.user_id)
    if wanted.text:
        rows = rows.filter(
            Q(product__sku__istartswith=wanted.text) | Q(product__name__icontains=wanted.text)
        )
    return rows


def live_warnings_of(product_id: int, warehouse_id: int) -> QuerySet[RiskWarning]:
    """Return the warnings that stand for a product in a warehouse."""
    rows = warnings(WarningFilter(state="")).filter(state__in=WarningState.live())
    return rows.filter(product_id=product_id, warehouse_id=warehouse_id)


def totals_by_kind() -> dict[str, KindTotal]:
    """Return count and cost of the open warnings by kind."""
    rows = (
        in_allowed(RiskWarning.objects.filter(state=WarningState.OPEN), "warehouse_id")
        .order_by()
        .values_list("kind")
        .annotate(count=Count("id"), money=Sum("severity_money"))
    )
    return {kind: KindTotal(kind, count, money or Decimal(0)) for kind, count, money in rows}


def members_to_assign() -> list[tuple[int, str]]:
    """Return the active members who plan, by name."""
    rows = Membership.objects.filter(is_active=True, role__in=PLANNERS)
    return [(row.pk, str(row.user)) for row in rows.select_related("user").order_by("id")]
