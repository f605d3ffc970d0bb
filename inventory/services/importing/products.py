"""Import products: create what is new, change what the file says differently, leave the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inventory.models import Barcode, Category, ImportedFile, LotTracking, Product, StockMovement
from inventory.rules.importing.values import BadValue
from inventory.services.catalog import FROZEN_ONCE_MOVED
from inventory.services.importing.options import ImportOptions
from inventory.services.importing.registers import PRODUCTS, Register
from inventory.services.importing.reports import ImportReport, Progress, RowError, Tally
from inventory.services.importing.small_tables import Cells, accepted, read_small_table
from tenancy.permissions import Permission, require

BATCH = 500
TRACKING = {str(choice.label).casefold(): choice for choice in LotTracking} | {
    choice.value: choice for choice in LotTracking
}
Values = dict[str, Any]
Numbered = tuple[int, Values]


def import_products(
    *, path: Path, record: ImportedFile, options: ImportOptions, progress: Progress
) -> ImportReport:
    """Create and update products from a file, in the caller's transaction.

    An empty cell leaves what is known. Raises ``ImportRefused``; wrong rows are in the report.
    """
    require(Permission.IMPORT)
    report = ImportReport(kind="products", file_name=record.file_name)
    rows = read_small_table("products", path, options, report, progress)
    wanted = _without_repeats(accepted(rows, _values, report), report)
    _with_categories(wanted, report)
    known = _known_products([values["sku"] for _, values in wanted])
    created = [(n, v) for n, v in wanted if v["sku"].casefold() not in known]
    changed = [(n, v) for n, v in wanted if v["sku"].casefold() in known]
    _create(created, report)
    _update(changed, known, report)
    progress(len(rows), len(rows), "")
    _put_barcodes(wanted, report)
    return report


def _values(cells: Cells) -> Values:
    """Return what the row says; fields it leaves empty are not in it."""
    values: Values = {
        "sku": cells.text("sku", most=64, required=True),
        "name": cells.text("name", most=200),
        "description": cells.text("description", most=10_000),
        "category": cells.text("category", most=120),
        "base_unit": cells.text("base_unit", most=16),
        "barcode": cells.text("barcode", most=80),
        "lot_tracking": _tracking(cells),
        "shelf_life_days": cells.days("shelf_life_days"),
        "introduced_on": cells.day("introduced_on"),
        "discontinued_on": cells.day("discontinued_on"),
    }
    for name in ("unit_cost", "unit_price", "weight_kg", "volume_l"):
        values[name] = cells.number_of(name)
    return {name: value for name, value in values.items() if value not in {None, ""}}


def _tracking(cells: Cells) -> str:
    if not cells.has("lot_tracking"):
        return ""
    found = TRACKING.get(cells.texts["lot_tracking"].casefold())
    if found is None:
        raise BadValue("not_a_choice", "lot_tracking", cells.texts["lot_tracking"])
    return str(found.value)


def _without_repeats(rows: list[Numbered], report: ImportReport) -> list[Numbered]:
    seen: set[str] = set()
    kept = []
    for number, values in rows:
        key = values["sku"].casefold()
        if key in seen:
            report.reject(RowError(number, "sku", values["sku"], "repeated"))
            continue
        seen.add(key)
        kept.append((number, values))
    return kept


def _with_categories(rows: list[Numbered], report: ImportReport) -> None:
    names = {values["category"] for _, values in rows if "category" in values}
    known = dict(Category.objects.filter(name__in=names).values_list("name", "id"))
    new = Category.objects.bulk_create([Category(name=name) for name in sorted(names - set(known))])
    known |= {category.name: category.pk for category in new}
    if new:
        report.created["categories"] = len(new)
    for _, values in rows:
        if "category" in values:
            values["category_id"] = known[values.pop("category")]


def _known_products(skus: list[str]) -> dict[str, Product]:
    register = Register(PRODUCTS)
    register.learn(skus)
    ids = {sku.casefold(): register.id_of(sku) for sku in skus}
    products = Product.objects.select_for_update().in_bulk([i for i in ids.values() if i])
    return {key: products[i] for key, i in ids.items() if i}


def _create(rows: list[Numbered], report: ImportReport) -> None:
    if not rows:
        return
    products = []
    for _, values in rows:
        fields = {name: value for name, value in values.items() if name != "barcode"}
        products.append(Product(**{"name": values["sku"]} | fields))
    Product.objects.bulk_create(products, batch_size=BATCH)
    report.created["products"] = len(products)
    report.imported.add(rows=len(products))


def _update(rows: list[Numbered], known: dict[str, Product], report: ImportReport) -> None:
    changed: list[Product] = []
    names: set[str] = set()
    moved = _moved([known[values["sku"].casefold()].pk for _, values in rows])
    for number, values in rows:
        product = known[values["sku"].casefold()]
        differing = {
            name: value
            for name, value in values.items()
            if name not in {"sku", "barcode"} and getattr(product, name) != value
        }
        frozen = sorted(differing.keys() & set(FROZEN_ONCE_MOVED))
        if frozen and product.pk in moved:
            report.reject(RowError(number, frozen[0], str(differing[frozen[0]]), "in_use"))
            continue
        if not differing:
            report.left_out.setdefault("unchanged", Tally()).add()
            continue
        for name, value in differing.items():
            setattr(product, name, value)
        product.version += 1
        changed.append(product)
        names |= differing.keys()
    if changed:
        Product.objects.bulk_update(changed, sorted(names | {"version"}), batch_size=BATCH)
        report.updated["products"] = len(changed)
        report.imported.add(rows=len(changed))


def _moved(product_ids: list[int]) -> set[int]:
    found = StockMovement.objects.filter(product_id__in=product_ids).order_by()
    return set(found.values_list("product_id", flat=True).distinct())


def _put_barcodes(rows: list[Numbered], report: ImportReport) -> None:
    wanted = [(number, values) for number, values in rows if "barcode" in values]
    if not wanted:
        return
    products = _known_products([values["sku"] for _, values in wanted])
    codes = [values["barcode"] for _, values in wanted]
    owners = dict(Barcode.objects.filter(code__in=codes).values_list("code", "product_id"))
    new = []
    for number, values in wanted:
        product = products[values["sku"].casefold()]
        code = values["barcode"]
        if owners.setdefault(code, product.pk) != product.pk:
            report.reject(RowError(number, "barcode", code, "taken"))
        else:
            new.append(Barcode(code=code, product=product))
    Barcode.objects.bulk_create(new, batch_size=BATCH, ignore_conflicts=True)
