"""How stock is valued: choosing the method, and correcting what it is worth."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from inventory.models import (
    CostLayer,
    InventorySettings,
    Product,
    StockValue,
    ValuationMethod,
    ValueEntry,
    ValueEntryKind,
    Warehouse,
)
from inventory.queries.periods import database_clock
from inventory.rules.business_day import business_day
from inventory.rules.units import quantity_fault
from inventory.rules.valuation import Layer, revalued_layers
from inventory.services.access import require_every_warehouse
from inventory.services.ledger_balances import execute, fetch
from inventory.services.ledger_values import take_on
from inventory.services.ledger_values_sql import LOCK_ALL_VALUES, METHOD_CHANGES
from inventory.services.rows import load
from inventory.services.settings import lock_settings
from tenancy.errors import Conflict, Invalid
from tenancy.permissions import Permission, require
from tenancy.scope import active_tenant_id
from tenancy.services import audit

MILLIONTH = Decimal("0.000001")
LONGEST_NOTE = 200
SHORTEST_NOTE = 3

# stock that is there when layers begin to be kept is one layer, at what it is worth
BEGIN_LAYERS = """
    INSERT INTO inventory_costlayer (tenant_id, product_id, warehouse_id, received_at,
        received_quantity, remaining_quantity, remaining_value)
    SELECT tenant_id, product_id, warehouse_id, statement_timestamp(), quantity, quantity, value
    FROM inventory_stockvalue WHERE tenant_id = %s AND quantity > 0
"""
END_LAYERS = """
    UPDATE inventory_costlayer SET remaining_quantity = 0, remaining_value = 0
    WHERE tenant_id = %s AND remaining_quantity > 0
"""


@dataclass(frozen=True, slots=True)
class Revaluation:
    """What all the stock of a product in a warehouse is worth from now on, and why."""

    product_id: int
    warehouse_id: int
    value: Decimal
    note: str


class NothingToValue(Conflict):
    """There is none of the product in the warehouse, and nothing is worth nothing."""

    code = "nothing_to_value"

    def __init__(self, product: Product, warehouse: Warehouse) -> None:
        message = _("There is no %(sku)s in %(warehouse)s to value.")
        super().__init__(
            str(message) % {"sku": product.sku, "warehouse": warehouse.name},
            product_id=product.pk,
            warehouse_id=warehouse.pk,
        )


def change_valuation_method(
    *, method: ValuationMethod, version: int | None = None
) -> InventorySettings:
    """Value stock by another method from the next posting on; what it is worth now stays.

    To first in, first out: what is there becomes one layer, at its average. To the moving average:
    the layers become their average. Raises ``Invalid`` for the method in use, ``StaleVersion``,
    ``BeyondOwnAccess``.
    """
    require(Permission.APPROVE)
    require_every_warehouse()
    with transaction.atomic():
        settings = lock_settings(version)
        before = settings.valuation_method
        if method == before:
            message = _("Stock is valued by this method already.")
            raise Invalid.field("method", "in_use", message)
        tenant_id = active_tenant_id()
        fetch(METHOD_CHANGES, [tenant_id])
        fetch(LOCK_ALL_VALUES, {"tenant": tenant_id})
        execute(BEGIN_LAYERS if method == ValuationMethod.FIFO else END_LAYERS, [tenant_id])
        StockValue.objects.update(method=method)
        settings.valuation_method = method
        settings.version += 1
        settings.save(update_fields=["valuation_method", "version"])
        audit.record("valuation_method.changed", settings, before=before, after=str(method))
    return settings


def revalue_stock(*, revaluation: Revaluation) -> ValueEntry:
    """Correct what stock is worth, by an entry of its own that says why; its quantity stays.

    Layers share the change by their value. Raises ``NotFound``, ``Invalid``, ``NothingToValue``.
    """
    require(Permission.APPROVE)
    product = load(Product, revaluation.product_id)
    warehouse = load(Warehouse, revaluation.warehouse_id)
    note = revaluation.note.strip()
    _check(revaluation.value, note)
    with transaction.atomic():
        known = _locked_value(product, warehouse)
        if known.quantity == 0:
            raise NothingToValue(product, warehouse)
        change = revaluation.value - known.value
        if change == 0:
            message = _("The stock is worth that already.")
            raise Invalid.field("value", "unchanged", message)
        clock = database_clock()
        entry = ValueEntry.objects.create(
            kind=ValueEntryKind.REVALUATION,
            product=product,
            warehouse=warehouse,
            quantity_change=Decimal(0),
            value_change=change,
            note=note,
            effective_at=clock,
            business_day=business_day(clock, warehouse.time_zone),
        )
        if known.method == ValuationMethod.FIFO:
            _spread(known, revaluation.value)
        known.value = revaluation.value
        known.save(update_fields=["value"])
        audit.record(
            "stock.revalued",
            product,
            warehouse_id=warehouse.pk,
            change=str(change),
            value=str(revaluation.value),
            note=note,
        )
    return entry


def _check(value: Decimal, note: str) -> None:
    if value != 0 and quantity_fault(value, whole_units=False):
        message = _("Give an amount of money from zero up, with six decimal places at most.")
        raise Invalid.field("value", "not_an_amount", message)
    if not SHORTEST_NOTE <= len(note) <= LONGEST_NOTE:
        message = _("Say why, in 3 to 200 characters.")
        raise Invalid.field("note", "bad_length", message)


def _locked_value(product: Product, warehouse: Warehouse) -> StockValue:
    rows = StockValue.objects.select_for_update().filter(product=product, warehouse=warehouse)
    found = rows.first()
    if found is None:
        take_on([(product.pk, warehouse.pk)])
        found = rows.get()
    return found


def _spread(known: StockValue, value: Decimal) -> None:
    rows = CostLayer.objects.filter(
        product_id=known.product_id, warehouse_id=known.warehouse_id, remaining_quantity__gt=0
    ).order_by("received_at", "id")
    layers = {row.pk: row for row in rows}
    held = [
        Layer(r.pk, r.movement_id, r.received_at, r.remaining_quantity, r.remaining_value)
        for r in layers.values()
    ]
    changed = []
    for layer in revalued_layers(held, value):
        row = layers[layer.layer_id or 0]
        row.remaining_value = layer.value
        changed.append(row)
    CostLayer.objects.bulk_update(changed, ["remaining_value"])
