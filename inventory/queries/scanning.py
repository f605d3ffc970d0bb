"""What a scanned code stands for: a place, goods, a lot or a document.

At most five statements, whatever was scanned.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from inventory.models import (
    OUTSIDE_KINDS,
    Barcode,
    CustomerReturn,
    CycleCount,
    DocumentKind,
    Location,
    LocationKind,
    Lot,
    LotTracking,
    Package,
    Packaging,
    Product,
    PurchaseOrder,
    Receipt,
    SalesOrder,
    Shipment,
    SupplierReturn,
    TransferOrder,
    Wave,
)
from inventory.queries.access import in_allowed, is_reachable
from inventory.queries.scanning_words import (
    ANYTHING,
    DOCUMENT,
    GOODS,
    MOST_NAMED,
    ONE,
    PLACE,
    CodeAmbiguous,
    CodeUnexpected,
    CodeUnknown,
    CodeUnreadable,
    LotUnknown,
    Scanned,
    ScannedKind,
)
from inventory.rules.gs1 import UnreadableCode, gtin_forms
from inventory.rules.scan_codes import LabelKind, ScannedCode, read_code
from tenancy.models import TenantOwned

__all__ = [
    "ANYTHING",
    "DOCUMENT",
    "DOCUMENTS",
    "GOODS",
    "PLACE",
    "CodeAmbiguous",
    "CodeUnexpected",
    "CodeUnknown",
    "CodeUnreadable",
    "LotUnknown",
    "Scanned",
    "ScannedKind",
    "resolve_scan",
]

Row = TypeVar("Row")
DOCUMENT_NUMBER = re.compile(r"([A-Za-z]{2,4})-[0-9]{1,12}")

UNMARKED_KINDS = OUTSIDE_KINDS | {LocationKind.IN_TRANSIT}

DOCUMENTS: dict[DocumentKind, type[TenantOwned]] = {
    DocumentKind.PURCHASE_ORDER: PurchaseOrder,
    DocumentKind.RECEIPT: Receipt,
    DocumentKind.SALES_ORDER: SalesOrder,
    DocumentKind.WAVE: Wave,
    DocumentKind.PACKAGE: Package,
    DocumentKind.SHIPMENT: Shipment,
    DocumentKind.TRANSFER: TransferOrder,
    DocumentKind.CYCLE_COUNT: CycleCount,
    DocumentKind.CUSTOMER_RETURN: CustomerReturn,
    DocumentKind.SUPPLIER_RETURN: SupplierReturn,
}
"""Which model a document number belongs to, by its prefix. The model has a ``number``."""


def resolve_scan(
    text: str,
    *,
    warehouse_id: int | None = None,
    expects: Collection[ScannedKind] = ANYTHING,
    product_id: int | None = None,
) -> Scanned:
    """Return what was scanned. What the step ``expects`` wins where a code has two meanings.

    Locations are those of the warehouse, lots those of the product, where given; places outside
    and in transit bear no label. Raises ``CodeUnreadable``, ``CodeUnknown``, ``CodeAmbiguous``,
    ``CodeUnexpected`` or ``LotUnknown``, all ``Conflict``.
    """
    try:
        scanned = read_code(text, today=timezone.localdate())
    except UnreadableCode as fault:
        raise CodeUnreadable(fault) from fault
    search = _Search(scanned, warehouse_id, product_id)
    # a product whose barcode is its SKU is found twice
    found = list({(hit.kind, hit.id): hit for hit in search.hits()}.values())
    if not found:
        raise CodeUnknown(scanned, search.looked_for)
    fitting = [hit for hit in found if hit.kind in expects]
    if not fitting and found[0].lot_code and ScannedKind.LOT in expects:
        raise LotUnknown(found[0])
    if not fitting:
        raise CodeUnexpected(found[0], expects)
    if len(fitting) > 1:
        raise CodeAmbiguous(scanned, fitting)
    return fitting[0]


class _Search:
    """Looks one code up; ``looked_for`` names where."""

    def __init__(
        self, scanned: ScannedCode, warehouse_id: int | None, product_id: int | None
    ) -> None:
        self.scanned = scanned
        self.warehouse_id = warehouse_id
        self.product_id = product_id
        self.looked_for: list[str] = []

    def hits(self) -> Iterator[Scanned]:
        code = self.scanned
        if code.label == LabelKind.LOCATION:
            yield from self._locations(Q(warehouse__code=code.parts[0], code=code.parts[1]))
        elif code.label == LabelKind.PACKAGING:
            yield from self._goods(self._packagings(*code.parts))
        elif code.label is not None:
            self.looked_for.append(_("SKU"))
            yield from self._goods(_products_by_sku([code.parts[0]]))
        elif code.gtin:
            yield from self._goods(self._by_barcode(gtin_forms(code.gtin)))
            if not code.is_gs1:
                yield from self._plain(barcodes=False)
        elif code.is_gs1:
            yield from self._lots([word for word in (code.serial, code.lot) if word])
        else:
            yield from self._plain(barcodes=True)

    def _plain(self, *, barcodes: bool) -> Iterator[Scanned]:
        words = _spellings(self.scanned.text)
        if found := DOCUMENT_NUMBER.fullmatch(self.scanned.text):
            yield from self._documents(found.group(1).upper())
        places = Q(code__in=words)
        yield from self._locations(places)
        self.looked_for.append(_("SKU"))
        yield from self._goods(_products_by_sku(words))
        if barcodes:
            yield from self._goods(self._by_barcode(words))
        yield from self._lots(words)

    def _locations(self, condition: Q) -> Iterator[Scanned]:
        self.looked_for.append(_("location"))
        rows = Location.objects.filter(condition).exclude(kind__in=UNMARKED_KINDS)
        rows = in_allowed(rows, "warehouse_id")
        rows = rows.select_related("warehouse")
        # our own label names its warehouse: that it is another one is worth saying
        if self.warehouse_id is not None and self.scanned.label is None:
            rows = rows.filter(warehouse_id=self.warehouse_id)
        for row in _closest(rows.order_by("id")[: MOST_NAMED + 1], "code", self.scanned.text):
            yield Scanned(
                kind=ScannedKind.LOCATION,
                id=row.pk,
                label=f"{row.code} ({row.warehouse.name})",
                code=self.scanned,
                warehouse_id=row.warehouse_id,
                location_id=row.pk,
            )

    def _by_barcode(self, codes: Sequence[str]) -> list[_Goods]:
        self.looked_for.append(_("barcode"))
        rows = Barcode.objects.filter(code__in=codes).select_related("product", "packaging")
        found: dict[tuple[int, int | None], _Goods] = {}
        for row in _closest(rows.order_by("id"), "code", self.scanned.text):
            # one thing may carry the same number in two lengths
            found.setdefault((row.product_id, row.packaging_id), _Goods(row.product, row.packaging))
        return list(found.values())

    def _packagings(self, sku: str, name: str) -> list[_Goods]:
        self.looked_for.append(_("packaging"))
        rows = Packaging.objects.filter(product__sku=sku, name=name).select_related("product")
        return [_Goods(row.product, row) for row in rows.order_by("id")]

    def _goods(self, found: Sequence[_Goods]) -> Iterator[Scanned]:
        lots = self._named_lots([goods.product for goods in found])
        for goods in found:
            word = _lot_word(self.scanned, goods.product)
            lot = lots.get((goods.product.pk, word)) if word else None
            yield _scanned_goods(self.scanned, goods, lot, word)

    def _named_lots(self, products: Sequence[Product]) -> Mapping[tuple[int, str], Lot]:
        words = {word for word in (self.scanned.lot, self.scanned.serial) if word}
        if not products or not words:
            return {}
        rows = Lot.objects.filter(product__in=products, code__in=words).order_by("id")
        return {(row.product_id, row.code): row for row in rows}

    def _lots(self, words: Sequence[str]) -> Iterator[Scanned]:
        self.looked_for.append(_("lot"))
        rows = Lot.objects.filter(code__in=words).select_related("product")
        if self.product_id is not None:
            rows = rows.filter(product_id=self.product_id)
        for row in _closest(rows.order_by("id")[: MOST_NAMED + 1], "code", self.scanned.text):
            yield _scanned_goods(self.scanned, _Goods(row.product, None), row, row.code)

    def _documents(self, prefix: str) -> Iterator[Scanned]:
        if prefix not in DocumentKind.values:
            return
        kind = DocumentKind(prefix)
        model: Any = DOCUMENTS[kind]
        self.looked_for.append(str(kind.label))
        for row in model.objects.filter(number=self.scanned.text.upper()).order_by("id"):
            if not is_reachable(row):
                continue
            yield Scanned(
                kind=ScannedKind.DOCUMENT,
                id=row.pk,
                label=f"{kind.label} {row.number}",
                code=self.scanned,
                warehouse_id=getattr(row, "warehouse_id", None),
                document_kind=model.__name__,
            )


@dataclass(frozen=True)
class _Goods:
    product: Product
    packaging: Packaging | None


def _scanned_goods(scanned: ScannedCode, goods: _Goods, lot: Lot | None, word: str) -> Scanned:
    product, packaging = goods.product, goods.packaging
    names = [product.name]
    if packaging is not None:
        names.append(packaging.name)
    if word:
        names.append(_("lot %(code)s") % {"code": word})
    kind, row_id = ScannedKind.PRODUCT, product.pk
    if packaging is not None:
        kind, row_id = ScannedKind.PACKAGING, packaging.pk
    if lot is not None:
        kind, row_id = ScannedKind.LOT, lot.pk
    return Scanned(
        kind=kind,
        id=row_id,
        label=" · ".join(names),
        code=scanned,
        product_id=product.pk,
        packaging_id=packaging.pk if packaging is not None else None,
        lot_id=lot.pk if lot is not None else None,
        lot_code=word,
        expires_on=scanned.expires_on,
        units=packaging.units if packaging is not None else ONE,
    )


def _products_by_sku(words: Sequence[str]) -> list[_Goods]:
    rows = Product.objects.filter(sku__in=words).order_by("id")
    return [_Goods(product, None) for product in _closest(rows, "sku", words[0])]


def _lot_word(scanned: ScannedCode, product: Product) -> str:
    """Return the lot or serial number as printed, whichever this product is tracked by."""
    if product.lot_tracking == LotTracking.SERIAL:
        return scanned.serial or scanned.lot
    return scanned.lot if product.lot_tracking == LotTracking.LOT else ""


def _spellings(text: str) -> list[str]:
    """Return the code as scanned first, then as a scanner with another shift sends it."""
    return list(dict.fromkeys([text, text.upper(), text.lower(), text.swapcase()]))


def _closest(rows: Iterable[Row], field: str, text: str) -> list[Row]:
    """Return the rows spelled exactly like the code, or else all of them."""
    found = list(rows)
    return [row for row in found if getattr(row, field) == text] or found
