"""Packing: what of an order waits for a package, and what is in which."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import (
    Count,
    DateField,
    DecimalField,
    Exists,
    F,
    OuterRef,
    Prefetch,
    QuerySet,
    Sum,
    Value,
)
from django.db.models.functions import Coalesce

from inventory.models import (
    Allocation,
    AllocationState,
    Lot,
    Package,
    PackageLine,
    PackageState,
    Product,
    SalesOrder,
    SalesOrderState,
    WorkKind,
)
from inventory.queries.access import in_allowed
from inventory.queries.worklists import of_assignee
from tenancy.errors import NotFound

NO_DAY = date.max
DUE_ON = Coalesce(F("promised_on"), Value(NO_DAY), output_field=DateField())
QUANTITY: DecimalField[Decimal, Decimal] = DecimalField(max_digits=24, decimal_places=6)


@dataclass(frozen=True)
class PackingLine:
    """Goods of an order that were picked and have not left, over all their allocations."""

    product: Product
    lot: Lot | None
    picked: Decimal
    packed: Decimal

    @property
    def left(self) -> Decimal:
        """Return what is in no package yet."""
        return self.picked - self.packed


@dataclass(frozen=True)
class PackingTotals:
    """Of one order: goods (product and lot) to pack, packages open and closed, their weight."""

    goods_left: int = 0
    open: int = 0
    closed: int = 0
    weight_kg: Decimal | None = None


def unpacked_allocations(order_ids: Collection[int]) -> QuerySet[Allocation]:
    """Return what was picked for these orders and is not all in packages."""
    return Allocation.objects.filter(
        order_line__order_id__in=order_ids,
        state=AllocationState.PICKED,
        quantity_packed__lt=F("quantity"),
    ).order_by("pk")


def packing_lines(order_id: int) -> list[PackingLine]:
    """Return the picked goods of an order by product and lot: three statements."""
    sums = (
        Allocation.objects.filter(order_line__order_id=order_id, state=AllocationState.PICKED)
        .order_by()
        .values("product_id", "lot_id")
        .annotate(picked=Sum("quantity"), packed=Sum("quantity_packed"))
        .values_list("product_id", "lot_id", "picked", "packed")
    )
    rows = list(sums.order_by("product__sku", "lot_id", "product_id"))
    products = Product.objects.in_bulk([row[0] for row in rows])
    lots = Lot.objects.in_bulk([row[1] for row in rows if row[1]])
    return [PackingLine(products[row[0]], lots.get(row[1] or 0), row[2], row[3]) for row in rows]


def orders_with_due(warehouse_id: int | None = None, text: str = "") -> QuerySet[SalesOrder]:
    """Return orders that are owed, with ``due_on``: the promised day, or the last day there is."""
    rows = SalesOrder.objects.filter(state__in=SalesOrderState.owing())
    rows = in_allowed(rows, "warehouse_id").select_related("warehouse", "channel", "customer")
    if warehouse_id is not None:
        rows = rows.filter(warehouse_id=warehouse_id)
    if text:
        rows = rows.filter(number__istartswith=text)
    return rows.annotate(due_on=DUE_ON)


def orders_to_pack(
    *, warehouse_id: int | None = None, text: str = "", assignee: str = ""
) -> QuerySet[SalesOrder]:
    """Return orders with picked goods in no package or with an open package, most urgent first."""
    unpacked = Allocation.objects.filter(
        order_line__order=OuterRef("pk"),
        state=AllocationState.PICKED,
        quantity_packed__lt=F("quantity"),
    )
    opened = Package.objects.filter(sales_order=OuterRef("pk"), state=PackageState.OPEN)
    rows = orders_with_due(warehouse_id, text).filter(Exists(unpacked) | Exists(opened))
    return of_assignee(rows, WorkKind.PACK, assignee).order_by("priority", DUE_ON, "id")


def packing_totals(order_ids: Collection[int]) -> dict[int, PackingTotals]:
    """Return the totals of each order: two statements for a page of a list."""
    goods = dict(
        unpacked_allocations(order_ids)
        .order_by()
        .values("order_line__order_id")
        .annotate(goods=Count("product_id", distinct=True))
        .values_list("order_line__order_id", "goods")
    )
    packages: dict[int, dict[str, tuple[int, Decimal | None]]] = {}
    rows = (
        Package.objects.filter(sales_order_id__in=order_ids)
        .exclude(state=PackageState.SHIPPED)
        .order_by()
        .values("sales_order_id", "state")
        .annotate(number=Count("id"), weight=Sum("weight_kg", output_field=QUANTITY))
    )
    for order_id, state, number, weight in rows.values_list(
        "sales_order_id", "state", "number", "weight"
    ):
        packages.setdefault(order_id, {})[state] = number, weight
    nothing: tuple[int, Decimal | None] = (0, None)
    return {
        order_id: PackingTotals(
            goods_left=goods.get(order_id, 0),
            open=packages.get(order_id, {}).get(PackageState.OPEN, nothing)[0],
            closed=packages.get(order_id, {}).get(PackageState.CLOSED, nothing)[0],
            weight_kg=packages.get(order_id, {}).get(PackageState.CLOSED, nothing)[1],
        )
        for order_id in order_ids
    }


def packages() -> QuerySet[Package]:
    """Return every package with its order and shipment, newest first."""
    rows = Package.objects.select_related("sales_order", "shipment").order_by("-id")
    return in_allowed(rows, "sales_order__warehouse_id")


def packages_of(order_id: int) -> QuerySet[Package]:
    """Return an order's packages with what is in them, the first one first."""
    return _with_lines(packages().filter(sales_order_id=order_id)).order_by("id")


def get_package(package_id: int) -> Package:
    """Return the package with what is in it; raise ``NotFound``."""
    found = _with_lines(packages()).filter(pk=package_id).first()
    if found is None:
        raise NotFound("package", package_id)
    return found


def _with_lines(rows: QuerySet[Package]) -> QuerySet[Package]:
    lines = PackageLine.objects.select_related(
        "allocation__product", "allocation__lot", "allocation__order_line"
    )
    return rows.prefetch_related(Prefetch("lines", lines.order_by("id")))


def get_order(order_id: int) -> SalesOrder:
    """Return the order with warehouse, channel and customer; raise ``NotFound``."""
    rows = SalesOrder.objects.select_related("warehouse", "channel", "customer")
    found = in_allowed(rows, "warehouse_id").filter(pk=order_id).first()
    if found is None:
        raise NotFound("sales order", order_id)
    return found
