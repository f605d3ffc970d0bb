"""Import suppliers and what they sell: price, price breaks, MOQ, multiple, lead time."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from inventory.models import ImportedFile, PriceBreak, Supplier, SupplierItem, TransportMode
from inventory.rules.importing.values import BadValue, parse_number
from inventory.services.importing.options import ImportOptions
from inventory.services.importing.registers import PRODUCTS, Register
from inventory.services.importing.reports import ImportReport, Progress, RowError, Tally
from inventory.services.importing.small_tables import Cells, accepted, read_small_table
from inventory.services.suppliers import LONGEST_LEAD_TIME_DAYS
from tenancy.permissions import Permission, require

BATCH = 500
SPELLINGS = {
    "sea": "ocean",
    "ship": "ocean",
    "vessel": "ocean",
    "seefracht": "ocean",
    "road": "truck",
    "lorry": "truck",
    "lkw": "truck",
    "flight": "air",
    "plane": "air",
    "airfreight": "air",
    "luftfracht": "air",
    "air charter": "charter",
}
"""How files write the transport modes, beside the modes' own words."""


@dataclass(frozen=True)
class Offer:
    """What one row says: fields of the supplier, of the item, and the item's price breaks."""

    code: str
    supplier: dict[str, Any]
    sku: str
    item: dict[str, Any]
    breaks: tuple[tuple[Decimal, Decimal], ...]


def import_suppliers(
    *, path: Path, record: ImportedFile, options: ImportOptions, progress: Progress
) -> ImportReport:
    """Create and update suppliers and their items from a file, in the caller's transaction.

    A row without SKU is about the supplier alone; an empty cell leaves what is known. Raises
    ``ImportRefused``; wrong rows are in the report.
    """
    require(Permission.IMPORT)
    report = ImportReport(kind="suppliers", file_name=record.file_name)
    rows = read_small_table("suppliers", path, options, report, progress)
    offers = _with_known_products(accepted(rows, _offer, report), options, report)
    suppliers = _save_suppliers([offer for _, offer, _ in offers], report)
    _save_items(offers, suppliers, report)
    progress(len(rows), len(rows), "")
    return report


def _offer(cells: Cells) -> Offer:
    supplier: dict[str, Any] = {
        "name": cells.text("supplier_name", most=160),
        "email": _email(cells),
        "country": cells.text("country", most=2).upper(),
        "currency": cells.text("currency", most=3).upper(),
        "minimum_order_value": cells.number_of("minimum_order_value"),
        "transport_cost": cells.number_of("transport_cost"),
    }
    item: dict[str, Any] = {
        "supplier_sku": cells.text("supplier_sku", most=64),
        "price": cells.number_of("price"),
        "minimum_order_quantity": cells.positive("minimum_order_quantity"),
        "order_multiple": cells.positive("order_multiple"),
    }
    sku = cells.text("sku", most=64)
    lead_time = {"lead_time_days": cells.days("lead_time_days", most=LONGEST_LEAD_TIME_DAYS)}
    supplier |= {} if sku else lead_time
    item |= lead_time if sku else {}
    if sku:
        item["transport_cost_per_unit"] = cells.number_of("transport_cost_per_unit")
        item["transport_mode"] = _mode(cells)
    if sku and cells.has("is_preferred"):
        item["is_preferred"] = cells.yes("is_preferred")
    return Offer(
        code=cells.text("supplier", most=32, required=True),
        supplier=_given(supplier),
        sku=sku,
        item=_given(item),
        breaks=_breaks(cells),
    )


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None and value != ""}


def _mode(cells: Cells) -> str:
    text = cells.text("transport_mode", most=32).lower()
    mode = SPELLINGS.get(text, text)
    if mode and mode not in TransportMode.values:
        raise BadValue("not_a_mode", "transport_mode", text)
    return mode


def _email(cells: Cells) -> str:
    text = cells.text("email", most=254)
    if text:
        try:
            validate_email(text)
        except ValidationError:
            raise BadValue("not_an_email", "email", text) from None
    return text


def _breaks(cells: Cells) -> tuple[tuple[Decimal, Decimal], ...]:
    """Read ``100:2.50; 500:2.20`` as (from quantity, price)."""
    text = cells.texts.get("price_breaks", "")
    found: dict[Decimal, Decimal] = {}
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        quantity, colon, price = part.partition(":")
        try:
            pair = [
                parse_number(value, "price_breaks", cells.conventions.decimal_mark)
                for value in (quantity, price)
            ]
        except BadValue:
            pair = []
        if not colon or len(pair) != 2 or pair[0] <= 0 or pair[1] < 0 or pair[0] in found:
            raise BadValue("break_unreadable", "price_breaks", text)
        found[pair[0]] = pair[1]
    return tuple(sorted(found.items()))


def _with_known_products(
    offers: list[tuple[int, Offer]], options: ImportOptions, report: ImportReport
) -> list[tuple[int, Offer, int | None]]:
    register = Register(PRODUCTS)
    missing = register.learn({offer.sku for _, offer in offers if offer.sku})
    if missing and options.create_products:
        register.create({sku: sku for sku in sorted(missing)})
        report.created["products"] = register.created
    kept: list[tuple[int, Offer, int | None]] = []
    seen: set[tuple[str, int]] = set()
    for number, offer in offers:
        product_id = register.id_of(offer.sku) if offer.sku else None
        if offer.sku and product_id is None:
            report.reject(RowError(number, "sku", offer.sku, "unknown_sku"))
            continue
        if product_id is not None and (offer.code.casefold(), product_id) in seen:
            report.reject(RowError(number, "sku", offer.sku, "repeated"))
            continue
        if product_id is not None:
            seen.add((offer.code.casefold(), product_id))
        kept.append((number, offer, product_id))
    return kept


def _save_suppliers(offers: list[Offer], report: ImportReport) -> dict[str, Supplier]:
    said: dict[str, dict[str, Any]] = {}
    codes: dict[str, str] = {}
    for offer in offers:
        said.setdefault(offer.code.casefold(), {}).update(offer.supplier)
        codes.setdefault(offer.code.casefold(), offer.code)
    known = {s.code.casefold(): s for s in Supplier.objects.select_for_update().order_by("-id")}
    new = [
        Supplier(**{"code": codes[key], "name": codes[key]} | values)
        for key, values in said.items()
        if key not in known
    ]
    changed = []
    for key in said.keys() & known.keys():
        values = {n: v for n, v in said[key].items() if getattr(known[key], n) != v}
        for name, value in values.items():
            setattr(known[key], name, value)
        if values:
            changed.append(known[key])
    Supplier.objects.bulk_create(new, batch_size=BATCH)
    names = sorted({name for values in said.values() for name in values})
    if changed:
        Supplier.objects.bulk_update(changed, names, batch_size=BATCH)
    report.created |= {"suppliers": len(new)} if new else {}
    report.updated |= {"suppliers": len(changed)} if changed else {}
    return known | {supplier.code.casefold(): supplier for supplier in new}


@dataclass
class _Items:
    """What an import makes of the supplier items, collected and then written at once."""

    known: dict[tuple[int, int], SupplierItem]
    preferred: set[int]
    new: list[SupplierItem] = field(default_factory=list)
    changed: list[SupplierItem] = field(default_factory=list)
    breaks: list[tuple[SupplierItem, Offer]] = field(default_factory=list)

    def take(self, supplier: Supplier, product_id: int, offer: Offer) -> bool:
        """Take an offer in; tell whether it says anything new. Raises ``BadValue``."""
        item = self.known.get((supplier.pk, product_id))
        values = offer.item
        if item is None and "price" not in values:
            raise BadValue("missing", "price", "")
        if values.get("is_preferred") and not (item is not None and item.is_preferred):
            if product_id in self.preferred:
                raise BadValue("preferred_twice", "is_preferred", offer.sku)
            self.preferred.add(product_id)
        if item is None:
            item = SupplierItem(supplier=supplier, product_id=product_id, **values)
            self.new.append(item)
        else:
            differing = {n: v for n, v in values.items() if getattr(item, n) != v}
            for name, value in differing.items():
                setattr(item, name, value)
            if not differing and not offer.breaks:
                return False
            self.changed.append(item)
        if offer.breaks:
            self.breaks.append((item, offer))
        return True


def _save_items(
    offers: list[tuple[int, Offer, int | None]],
    suppliers: dict[str, Supplier],
    report: ImportReport,
) -> None:
    of_these = SupplierItem.objects.select_for_update().filter(
        supplier__in=[supplier.pk for supplier in suppliers.values()]
    )
    preferred = SupplierItem.objects.filter(is_preferred=True)
    items = _Items(
        known={(item.supplier_id, item.product_id): item for item in of_these},
        preferred=set(preferred.values_list("product_id", flat=True)),
    )
    for number, offer, product_id in offers:
        try:
            news = product_id is None or items.take(
                suppliers[offer.code.casefold()], product_id, offer
            )
        except BadValue as bad:
            report.reject(RowError.of(number, bad))
            continue
        if news:
            report.imported.add()
        else:
            report.left_out.setdefault("unchanged", Tally()).add()
    SupplierItem.objects.bulk_create(items.new, batch_size=BATCH)
    if items.changed:
        SupplierItem.objects.bulk_update(items.changed, _ITEM_FIELDS, batch_size=BATCH)
    _replace_breaks(items.breaks)
    report.created |= {"supplier items": len(items.new)} if items.new else {}
    report.updated |= {"supplier items": len(items.changed)} if items.changed else {}


_ITEM_FIELDS = [
    "supplier_sku",
    "price",
    "minimum_order_quantity",
    "order_multiple",
    "lead_time_days",
    "transport_cost_per_unit",
    "transport_mode",
    "is_preferred",
]


def _replace_breaks(breaks: list[tuple[SupplierItem, Offer]]) -> None:
    PriceBreak.objects.filter(supplier_item__in=[item.pk for item, _ in breaks]).delete()
    PriceBreak.objects.bulk_create(
        [
            PriceBreak(supplier_item=item, from_quantity=quantity, price=price)
            for item, offer in breaks
            for quantity, price in offer.breaks
        ],
        batch_size=BATCH,
    )
