"""Which column of a file is which field: by its header, and, as a suggestion, by its content."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inventory.rules.importing.values import looks_like_date, looks_like_number

CURRENCIES = frozenset(
    [
        "gbp",
        "eur",
        "usd",
        "chf",
        "jpy",
        "cny",
        "inr",
        "aud",
        "cad",
        "sek",
        "nok",
        "dkk",
        "pln",
        "czk",
    ]
)


@dataclass(frozen=True)
class Field:
    """A field an import knows; ``headers`` are the names people give its column, best first."""

    name: str
    headers: tuple[str, ...]
    required: bool = False


def _field(name: str, headers: str, *, required: bool = False) -> Field:
    return Field(name, (name.replace("_", " "), *headers.split("|")), required)


_SKU = _field(
    "sku",
    "stock code|stockcode|item code|product code|article number|article|item number|item no|"
    "item id|"
    "product id|item|product|artikelnummer|artikelnr|artikel|code article|referencia|codigo",
    required=True,
)
_QUANTITY = _field(
    "quantity",
    "qty|units|units sold|sold|demand|pieces|pcs|count|amount sold|on hand|stock|menge|anzahl|"
    "quantite|cantidad",
    required=True,
)
_WAREHOUSE = _field(
    "warehouse", "warehouse code|store|store id|site|branch|depot|plant|lager|filiale|entrepot"
)

SALES_FIELDS = (
    _SKU,
    _QUANTITY,
    _field(
        "sold_at",
        "timestamp|date|invoice date|invoicedate|order date|sale date|sales date|datetime|"
        "transaction date|"
        "day|business day|time|datum|belegdatum|date de vente|fecha",
        required=True,
    ),
    _field(
        "document",
        "invoice|invoice no|invoiceno|invoice number|order|order id|order number|order no|receipt|"
        "receipt number|transaction id|transaction|document number|beleg|belegnummer|rechnung|"
        "facture|factura",
    ),
    _field(
        "unit_price",
        "price|price each|selling price|sales price|net price|unitprice|preis|einzelpreis|prix|"
        "precio",
    ),
    _field(
        "customer",
        "customer id|customerid|customer code|customer number|client|kunde|kundennummer|cliente",
    ),
    _field("country", "country code|customer country|land|pays|pais"),
    _field(
        "product_name",
        "description|product description|item description|item name|article name|title|name|"
        "bezeichnung|designation",
    ),
    _field("channel", "sales channel|channel code|source|kanal|canal"),
    _field("segment", "customer segment|customer group|customer type|segmento"),
    _WAREHOUSE,
)
PRODUCT_FIELDS = (
    _SKU,
    _field(
        "name",
        "product name|description|product description|item name|item description|"
        "short description|title|bezeichnung|designation|nombre",
    ),
    # a lone column "description" is the name of the product, as its place in both lists says
    Field("description", ("long description", "details", "notes", "remarks", "description")),
    _field(
        "category", "product category|group|product group|family|department|warengruppe|kategorie"
    ),
    _field("base_unit", "unit|uom|unit of measure|einheit|unite"),
    _field("unit_cost", "cost|cost price|purchase price|standard cost|einkaufspreis|ek"),
    _field("unit_price", "price|selling price|sales price|list price|verkaufspreis|vk|preis"),
    _field("barcode", "ean|ean13|ean code|gtin|upc"),
    _field("shelf_life_days", "shelf life|shelf life in days|haltbarkeit"),
    _field("weight_kg", "weight|weight in kg|gross weight|gewicht"),
    _field("volume_l", "volume|volume in litres|litres|volumen"),
    _field("lot_tracking", "tracking|lots|tracked by"),
    _field("introduced_on", "introduced|launch date|available from"),
    _field("discontinued_on", "discontinued|end of life"),
)
SUPPLIER_FIELDS = (
    Field(
        "supplier",
        (
            "supplier code",
            "supplier",
            "supplier id",
            "vendor",
            "vendor code",
            "vendor id",
            "lieferant",
        ),
        required=True,
    ),
    Field("supplier_name", ("supplier name", "vendor name", "company", "lieferantenname")),
    Field(_SKU.name, _SKU.headers),
    _field("supplier_sku", "supplier item|supplier article|vendor sku|vendor item|bestellnummer"),
    _field("price", "unit price|purchase price|cost|unit cost|einkaufspreis|preis"),
    _field("minimum_order_quantity", "moq|min order qty|minimum quantity|min qty|mindestmenge"),
    _field("order_multiple", "multiple|pack size|lot size|order unit|verpackungseinheit"),
    _field("lead_time_days", "lead time|lead time in days|leadtime|delivery days|lieferzeit"),
    _field("price_breaks", "breaks|price break|volume prices|staffelpreise"),
    _field("transport_cost", "transport|freight|shipping cost|transport cost per order"),
    _field("transport_cost_per_unit", "transport per unit|freight per unit|shipping cost per unit"),
    _field("transport_mode", "mode|shipment mode|mode of transport|shipping mode|transportart"),
    _field("minimum_order_value", "min order value|minimum value|mindestbestellwert"),
    _field("currency", "waehrung"),
    _field("country", "country code|land"),
    _field("email", "e mail|mail"),
    _field("is_preferred", "preferred|main supplier"),
)
STOCK_FIELDS = (
    _SKU,
    _QUANTITY,
    _WAREHOUSE,
    _field("location", "location code|bin|shelf|place|lagerplatz|platz|emplacement"),
    _field("lot", "lot code|lot number|batch|batch number|serial|serial number|charge"),
    _field("expires_on", "expiry|expiry date|expires|best before|use by|mhd|dlc"),
    _field("unit_cost", "cost|cost price|value per unit|purchase price"),
)
FIELDS: dict[str, tuple[Field, ...]] = {
    "sales": SALES_FIELDS,
    "products": PRODUCT_FIELDS,
    "suppliers": SUPPLIER_FIELDS,
    "stock": STOCK_FIELDS,
}


def required_fields(kind: str) -> tuple[str, ...]:
    """Return the fields a file of that kind cannot do without."""
    return tuple(field.name for field in FIELDS[kind] if field.required)


def simplified(header: str) -> str:
    """Return a header in small letters without punctuation, camel case, unit or currency."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header)
    words = re.sub(r"[^0-9a-zà-ÿ]+", " ", spaced.lower()).split()
    while len(words) > 1 and words[-1] in CURRENCIES:
        words.pop()
    return " ".join(words)


def duplicated_headers(header: Sequence[str]) -> list[str]:
    """Return the names that head more than one column."""
    names = [name.strip() for name in header if name.strip()]
    return sorted({name for name in names if names.count(name) > 1})


def mapping_by_header(kind: str, header: Sequence[str]) -> dict[str, str]:
    """Return field -> column for every column whose header is known; the closest name wins."""
    simple = {name: simplified(name) for name in header}
    ranked = sorted(
        (field.headers.index(word), position, field.name, column)
        for position, field in enumerate(FIELDS[kind])
        for column, word in simple.items()
        if word in field.headers
    )
    mapping: dict[str, str] = {}
    for _, _, name, column in ranked:
        if name not in mapping and column not in mapping.values():
            mapping[name] = column
    return mapping


def mapping_by_content(
    kind: str, header: Sequence[str], rows: Sequence[Sequence[str]], known: Mapping[str, str]
) -> dict[str, str]:
    """Suggest columns for required fields that no header gave away. A person must confirm these."""
    free = [i for i, name in enumerate(header) if name not in known.values()]
    cells = {i: [row[i] for row in rows if i < len(row) and row[i].strip()] for i in free}
    tests = {"sold_at": looks_like_date, "quantity": looks_like_number, "sku": _looks_like_code}
    suggested: dict[str, str] = {}
    for name in ("sold_at", "sku", "quantity"):
        if name in known or name not in required_fields(kind):
            continue
        for i in [i for i in free if header[i] not in suggested.values() and cells[i]]:
            if sum(map(tests[name], cells[i])) >= 0.95 * len(cells[i]):
                suggested[name] = header[i]
                break
    return suggested


def _looks_like_code(text: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z0-9._/-]{2,32}", text.strip())) and not looks_like_date(text)
