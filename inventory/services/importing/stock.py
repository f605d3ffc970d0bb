"""Import opening stock: what lies where on the first day, posted through the ledger."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from inventory.models import (
    OUTSIDE_KINDS,
    ImportedFile,
    Location,
    LocationKind,
    LotTracking,
    Product,
)
from inventory.rules.importing.values import BadValue
from inventory.services.importing.errors import ImportRefused
from inventory.services.importing.options import ImportOptions
from inventory.services.importing.places import Places, find_places
from inventory.services.importing.registers import PRODUCTS, Register
from inventory.services.importing.reports import ImportReport, Progress, RowError
from inventory.services.importing.small_tables import Cells, accepted, read_small_table
from inventory.services.lots import LotLabel, ensure_lots
from inventory.services.opening_stock import OpeningLine, post_opening_stock
from tenancy.errors import Invalid, Refused
from tenancy.permissions import Permission, require

PER_POSTING = 2_000


@dataclass(frozen=True)
class StockRow:
    """One quantity, before its codes are looked up."""

    sku: str
    quantity: Decimal
    warehouse: str
    location: str
    lot: str
    expires_on: date | None
    unit_cost: Decimal | None


@dataclass(frozen=True)
class PlacedRow:
    """One quantity of a known product at a known place."""

    number: int
    row: StockRow
    product_id: int
    warehouse_id: int
    location_id: int | None


def import_stock(
    *, path: Path, record: ImportedFile, options: ImportOptions, progress: Progress
) -> ImportReport:
    """Post the opening stock of a file, in the caller's transaction.

    The same file is never posted twice (see ``find_earlier``). Raises ``ImportRefused``; wrong rows
    are in the report.
    """
    require(Permission.IMPORT)
    report = ImportReport(kind="stock", file_name=record.file_name)
    rows = read_small_table("stock", path, options, report, progress)
    by_column = any("warehouse" in cells.texts for cells in rows[:1])
    places = find_places(options.warehouse, by_column=by_column)
    wanted = accepted(rows, lambda cells: _stock_row(cells, places), report)
    placed = _placed(wanted, places, options, report)
    if not report.bad_rows or options.skip_bad_rows:
        _post(placed, report, progress)
    return report


def _stock_row(cells: Cells, places: Places) -> StockRow:
    quantity = cells.number_of("quantity")
    if quantity is None:
        raise BadValue("missing", "quantity", "")
    if quantity == 0:
        raise BadValue("not_positive", "quantity", cells.texts["quantity"])
    warehouse = cells.text("warehouse", most=32) or places.home
    if warehouse not in places.ids:
        raise BadValue("unknown_warehouse", "warehouse", warehouse)
    return StockRow(
        sku=cells.text("sku", most=64, required=True),
        quantity=quantity,
        warehouse=warehouse,
        location=cells.text("location", most=48),
        lot=cells.text("lot", most=64),
        expires_on=cells.day("expires_on"),
        unit_cost=cells.number_of("unit_cost"),
    )


def _placed(
    rows: list[tuple[int, StockRow]], places: Places, options: ImportOptions, report: ImportReport
) -> list[PlacedRow]:
    """Look up products, locations and lot rules; rows that name something unknown become errors."""
    locations = {
        (location.warehouse_id, location.code.casefold()): location.pk
        for location in Location.objects.filter(is_active=True).exclude(
            kind__in=[*OUTSIDE_KINDS, LocationKind.IN_TRANSIT]
        )
    }
    register = Register(PRODUCTS)
    register.learn({row.sku for _, row in rows})
    # a row without a place posts nothing, so it creates nothing either
    missing = register.learn({r.sku for _, r in rows if _has_place(r, locations, places)})
    if missing and options.create_products:
        register.create({sku: sku for sku in sorted(missing)})
        report.created["products"] = register.created
    ids = {row.sku: register.id_of(row.sku) for _, row in rows}
    products = Product.objects.in_bulk([i for i in ids.values() if i])
    kept = []
    for number, row in rows:
        product = products.get(ids[row.sku] or 0)
        fault = _fault(row, product, locations, places)
        if fault is not None:
            report.reject(RowError(number, fault.field, fault.value, fault.problem))
        elif product is not None:
            warehouse_id = places.ids[row.warehouse]
            place = locations.get((warehouse_id, row.location.casefold()))
            kept.append(PlacedRow(number, row, product.pk, warehouse_id, place))
    return kept


def _has_place(row: StockRow, locations: dict[tuple[int, str], int], places: Places) -> bool:
    place = (places.ids[row.warehouse], row.location.casefold())
    return not row.location or place in locations


def _fault(
    row: StockRow,
    product: Product | None,
    locations: dict[tuple[int, str], int],
    places: Places,
) -> BadValue | None:
    if not _has_place(row, locations, places):
        return BadValue("unknown_location", "location", row.location)
    if product is None:
        return BadValue("unknown_sku", "sku", row.sku)
    if product.whole_units and row.quantity != row.quantity.to_integral_value():
        return BadValue("not_whole", "quantity", str(row.quantity.normalize()))
    if product.lot_tracking == LotTracking.NONE and row.lot:
        return BadValue("lot_forbidden", "lot", row.lot)
    if product.lot_tracking != LotTracking.NONE and not row.lot:
        return BadValue("lot_required", "lot", "")
    return None


def _post(placed: list[PlacedRow], report: ImportReport, progress: Progress) -> None:
    by_warehouse: dict[int, list[PlacedRow]] = defaultdict(list)
    for row in placed:
        by_warehouse[row.warehouse_id].append(row)
    done = 0
    for warehouse_id, rows in by_warehouse.items():
        for start in range(0, len(rows), PER_POSTING):
            part = rows[start : start + PER_POSTING]
            _post_part(warehouse_id, part)
            done += len(part)
            for line in part:
                cost = line.row.unit_cost or Decimal(0)
                report.imported.add(line.row.quantity, line.row.quantity * cost)
            progress(done, len(placed), "")


def _post_part(warehouse_id: int, rows: list[PlacedRow]) -> None:
    with_lot = [row for row in rows if row.row.lot]
    try:
        lot_ids = ensure_lots(
            labels=[LotLabel(r.product_id, r.row.lot, r.row.expires_on) for r in with_lot]
        )
        lots = {row.number: lot_id for row, lot_id in zip(with_lot, lot_ids, strict=True)}
        post_opening_stock(
            warehouse_id=warehouse_id,
            lines=[
                OpeningLine(
                    product_id=row.product_id,
                    quantity=row.row.quantity,
                    location_id=row.location_id,
                    lot_id=lots.get(row.number),
                    unit_cost=row.row.unit_cost,
                )
                for row in rows
            ],
        )
    except Invalid as refusal:
        # the problems count lines from 0; people look for the row of the file
        told = "; ".join(
            f"{rows[p.line].number if p.line is not None else '-'}: {p.message}"
            for p in refusal.problems[:5]
        )
        raise ImportRefused("refused_stock", why=told) from refusal
    except Refused as refusal:
        raise ImportRefused("refused_stock", why=str(refusal)) from refusal
