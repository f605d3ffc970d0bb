"""Stock policies: how much service a product, a class or everything deserves, and where."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from inventory.models import PolicyTarget, Product, StockPolicy, Warehouse
from inventory.rules.class_policies import CLASS_POLICIES
from inventory.rules.units import quantity_fault
from inventory.services.ledger_lines import QUANTITY_FAULTS
from inventory.services.rows import check_version, load, save
from tenancy.errors import Invalid, Problem
from tenancy.permissions import Permission, require
from tenancy.services import audit


@dataclass(frozen=True, kw_only=True)
class PolicyScope:
    """Whom a policy is for. Everything empty: the whole tenant."""

    product_id: int | None = None
    warehouse_id: int | None = None
    abc_class: str = ""
    xyz_class: str = ""


@dataclass(frozen=True, kw_only=True)
class PolicyFields:
    """What a policy says. ``lost_sale_cost`` empty: price less cost is what a lost sale costs."""

    target: str = PolicyTarget.SERVICE_LEVEL
    cycle_service_level: Decimal = Decimal("0.95")
    lost_sale_cost: Decimal | None = None
    holding_cost_per_year: Decimal = Decimal("0.20")
    review_period_days: int = 7
    minimum_stock: Decimal | None = None
    maximum_stock: Decimal | None = None
    excess_cover_days: int = 120
    season_ends_on: date | None = None
    do_not_stock: bool = False


def set_policy(
    *, scope: PolicyScope, fields: PolicyFields, version: int | None = None
) -> StockPolicy:
    """Say what holds for a product, a class or everything; what was said before is replaced.

    Suggestions follow it from the next planning on. Raises ``NotFound``, ``Invalid``,
    ``StaleVersion``.
    """
    require(Permission.PLAN)
    product = None if scope.product_id is None else load(Product, scope.product_id)
    if scope.warehouse_id is not None:
        load(Warehouse, scope.warehouse_id)
    _check(scope, fields, product)
    with transaction.atomic():
        row = StockPolicy.objects.select_for_update().filter(**_where(scope)).first()
        row = row or StockPolicy(**asdict(scope))
        if row.pk:
            check_version(row, version)
            row.version += 1
        for name, value in asdict(fields).items():
            setattr(row, name, value)
        save(row)
        said = {name: str(value) for name, value in asdict(fields).items()}
        audit.record("stock_policy.set", row, **said)
    return row


def remove_policy(*, stock_policy_id: int, version: int | None = None) -> None:
    """Let the next less specific policy hold again. Raises ``NotFound``, ``StaleVersion``."""
    require(Permission.PLAN)
    with transaction.atomic():
        row = load(StockPolicy, stock_policy_id, lock=True)
        check_version(row, version)
        audit.record("stock_policy.removed", row)
        row.delete()


def add_class_policies() -> list[StockPolicy]:
    """Write the recommended policies of the nine ABC/XYZ classes; those that exist stay."""
    require(Permission.PLAN)
    with transaction.atomic():
        rows = StockPolicy.objects.exclude(abc_class="", xyz_class="").filter(warehouse=None)
        known = set(rows.values_list("abc_class", "xyz_class"))
        made = [
            save(
                StockPolicy(
                    abc_class=abc,
                    xyz_class=xyz,
                    cycle_service_level=usual.service_level,
                    review_period_days=usual.review_period_days,
                    excess_cover_days=usual.excess_cover_days,
                )
            )
            for (abc, xyz), usual in CLASS_POLICIES.items()
            if (abc, xyz) not in known
        ]
        for row in made:
            audit.record("stock_policy.set", row, source="class defaults")
    return made


def _where(scope: PolicyScope) -> dict[str, object]:
    return asdict(scope)


def _check(scope: PolicyScope, fields: PolicyFields, product: Product | None) -> None:
    problems = [
        Problem(name, fault.value, QUANTITY_FAULTS[fault])
        for name in ("minimum_stock", "maximum_stock")
        if (value := getattr(fields, name))
        and (fault := quantity_fault(value, whole_units=bool(product and product.whole_units)))
    ]
    for name, wrong, message in (
        ("abc_class", product is not None and bool(scope.abc_class or scope.xyz_class),
         _("A policy is for a product or for a class, not both.")),
        ("cycle_service_level", not 0 < fields.cycle_service_level < 1,
         _("A service level lies between 0 % and 100 %, without either.")),
        ("lost_sale_cost", fields.lost_sale_cost is not None and fields.lost_sale_cost < 0,
         _("A lost sale cannot cost less than nothing.")),
        ("holding_cost_per_year", fields.holding_cost_per_year < 0,
         _("Holding stock cannot cost less than nothing.")),
        ("review_period_days", fields.review_period_days < 1,
         _("There is at least a day between two reviews.")),
        ("maximum_stock", None not in (fields.minimum_stock, fields.maximum_stock)
         and (fields.minimum_stock or 0) > (fields.maximum_stock or 0),
         _("The maximum stock is below the minimum stock.")),
    ):  # fmt: skip
        if wrong:
            problems.append(Problem(name, "out_of_range", message))
    if problems:
        raise Invalid(problems)
