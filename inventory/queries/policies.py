"""Stock policies: all of them, one, and what holds for a product of a class in a warehouse."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from inventory.models import StockPolicy
from inventory.queries.access import allowed_warehouses
from inventory.rules.class_policies import CLASS_POLICIES, most_specific
from tenancy.errors import NotFound


class Policies:
    """The stock policies of the tenant: the most specific row wins, else the class's default."""

    def __init__(self, rows: Iterable[StockPolicy]) -> None:
        self._rows = {
            (row.product_id, row.warehouse_id, row.abc_class, row.xyz_class): row for row in rows
        }
        self._scopes = set(self._rows)
        self._usual = {
            classes: StockPolicy(
                abc_class=classes[0],
                xyz_class=classes[1],
                cycle_service_level=one.service_level,
                review_period_days=one.review_period_days,
                excess_cover_days=one.excess_cover_days,
            )
            for classes, one in CLASS_POLICIES.items()
        }
        self._default = StockPolicy()

    def of(
        self, product_id: int, warehouse_id: int, classes: tuple[str, str] = ("", "")
    ) -> StockPolicy:
        """Return what holds for a product of a class in a warehouse."""
        scope = most_specific(self._scopes, (product_id, warehouse_id), classes)
        if scope is not None:
            return self._rows[scope]
        return self._usual.get(classes, self._default)


def read_policies() -> Policies:
    """Return the tenant's stock policies."""
    return Policies(StockPolicy.objects.order_by("id"))


def policies(*, text: str = "") -> QuerySet[StockPolicy]:
    """Return the policies with product and warehouse, those for everything first."""
    rows = StockPolicy.objects.select_related("product", "warehouse").order_by("id")
    if text:
        rows = rows.filter(Q(product__sku__istartswith=text) | Q(product__name__icontains=text))
    allowed = allowed_warehouses()
    if allowed is None:
        return rows
    return rows.filter(Q(warehouse=None) | Q(warehouse_id__in=sorted(allowed)))


def get_policy(stock_policy_id: int) -> StockPolicy:
    """Return the policy; raise ``NotFound``."""
    found = policies().filter(pk=stock_policy_id).first()
    if found is None:
        raise NotFound("stock policy", stock_policy_id)
    return found
