"""What labels and pick lists are printed from, and with which fonts and words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from inventory.models import (
    Barcode,
    Lot,
    LotTracking,
    Package,
    PickState,
    PickTask,
    SalesOrder,
)
from inventory.queries.access import is_reachable
from inventory.queries.catalog import get_product, product_barcodes, product_packagings
from inventory.queries.packing import get_package
from inventory.queries.places import get_warehouse, working_locations
from inventory.queries.waves import get_wave
from inventory.rules.gs1 import as_gtin
from inventory.rules.labels import (
    Fonts,
    Label,
    LabelWords,
    LocationLabel,
    LotLabel,
    PackageLabel,
    PickLine,
    PickList,
    ProductLabel,
)
from tenancy.errors import NotFound

MOST_LABELS = 1000
USUAL_FONTS = (
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf",
    "/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf",
    "/usr/share/fonts/truetype/noto/NotoSans-Bold.ttf",
    "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf",
    "/usr/share/fonts/truetype/liberation/LiberationSans-Bold.ttf",
)


@dataclass(frozen=True)
class Choice:
    """One thing a label can be printed for, and what it is called in the form."""

    key: str
    name: str
    label: Label


def labels_of_locations(
    warehouse_id: int, *, location_id: int | None = None, zone_id: int | None = None, text: str = ""
) -> list[Label]:
    """Return the labels of a warehouse's locations along the walk, one more than may be printed.

    ``text`` is the start of the code. Raises ``NotFound``.
    """
    warehouse = get_warehouse(warehouse_id)
    rows = working_locations(warehouse.pk).exclude(kind="in_transit")
    if location_id is not None:
        rows = rows.filter(pk=location_id)
    if zone_id is not None:
        rows = rows.filter(zone_id=zone_id)
    if text:
        rows = rows.filter(code__istartswith=text)
    ordered = rows.order_by("walking_order", "code", "id")[: MOST_LABELS + 1]
    return [
        LocationLabel(
            warehouse_code=warehouse.code,
            warehouse_name=warehouse.name,
            location=row.code,
            zone=(row.zone.name or row.zone.code) if row.zone else "",
        )
        for row in ordered
    ]


def labels_of_product(product_id: int) -> list[Choice]:
    """Return the labels of the unit and of each packaging. Raises ``NotFound``."""
    product = get_product(product_id)
    codes: dict[int | None, list[str]] = {}
    for row in product_barcodes(product.pk):
        codes.setdefault(row.packaging_id, []).append(row.code)
    unit = ProductLabel(product.sku, product.name, barcode=_best(codes.get(None, [])))
    found = [Choice("unit", _("The unit (%(unit)s)") % {"unit": product.base_unit}, unit)]
    for packaging in product_packagings(product.pk):
        contents = f"{packaging.units.normalize():f} {product.base_unit}"
        label = ProductLabel(
            product.sku,
            product.name,
            barcode=_best(codes.get(packaging.pk, [])),
            packaging=packaging.name,
            contents=contents,
        )
        found.append(Choice(str(packaging.pk), f"{packaging.name} ({contents})", label))
    return found


def label_of_lot(lot_id: int) -> LotLabel:
    """Return the label of a lot, GS1 when its product has a GTIN. Raises ``NotFound``."""
    lot = Lot.objects.select_related("product").filter(pk=lot_id).first()
    if lot is None:
        raise NotFound("lot", lot_id)
    codes = Barcode.objects.filter(product_id=lot.product_id, packaging=None).order_by("id")
    return LotLabel(
        sku=lot.product.sku,
        name=lot.product.name,
        lot=lot.code,
        expires_on=lot.expires_on,
        gtin=next((gtin for row in codes if (gtin := as_gtin(row.code))), ""),
        is_serial=lot.product.lot_tracking == LotTracking.SERIAL,
    )


def label_of_package(package_id: int) -> PackageLabel:
    """Return the label of a package with its address and place among the order's packages.

    Raises ``NotFound``.
    """
    package = get_package(package_id)
    order = SalesOrder.objects.select_related("customer").get(pk=package.sales_order_id)
    if not is_reachable(order):
        raise NotFound("package", package_id)
    ids = list(
        Package.objects.filter(sales_order=order).order_by("id").values_list("id", flat=True)
    )
    shipment = package.shipment
    return PackageLabel(
        number=package.number,
        order_number=order.number,
        ship_to=_ship_to(order),
        weight="" if package.weight_kg is None else f"{package.weight_kg.normalize():f} kg",
        carrier=shipment.carrier if shipment else "",
        tracking_number=shipment.tracking_number if shipment else "",
        part=f"{ids.index(package.pk) + 1}/{len(ids)}",
    )


def pick_list_of(wave_id: int) -> PickList:
    """Return what of a wave is still to be picked, in walking order. Raises ``NotFound``."""
    wave = get_wave(wave_id)
    if not is_reachable(wave):
        raise NotFound("wave", wave_id)
    tasks = PickTask.objects.filter(wave=wave, state=PickState.OPEN).select_related(
        "product", "location", "lot", "sales_order"
    )
    lines = tuple(
        PickLine(
            location=task.location.code,
            sku=task.product.sku,
            name=task.product.name,
            quantity=f"{task.quantity.normalize():f} {task.product.base_unit}",
            lot=task.lot.code if task.lot else "",
            order_number=task.sales_order.number,
        )
        for task in tasks.order_by("sequence", "id")
    )
    facts = ((_("Warehouse"), wave.warehouse.name), (_("Bring to"), wave.to_location.code))
    return PickList(wave.number, _("Pick list"), lines, facts)


def label_fonts() -> Fonts:
    """Return the operator's fonts, or the usual ones that this machine has."""
    found = [path for path in settings.LABEL_FONTS or USUAL_FONTS if Path(path).is_file()]
    return Fonts(
        files=tuple(path for path in found if not _is_bold(path)),
        bold_files=tuple(path for path in found if _is_bold(path)),
    )


def label_words() -> LabelWords:
    """Return the words printed on labels in the active language."""
    return LabelWords(
        lot=_("Lot"),
        serial=_("Serial no."),
        expires=_("Expires"),
        order=_("Order"),
        weight=_("Weight"),
        carrier=_("Carrier"),
        tracking=_("Tracking"),
        package=_("Package"),
        location=_("Location"),
        product=_("Product"),
        quantity=_("Quantity"),
        page=_("Page"),
    )


def _best(codes: Sequence[str]) -> str:
    """Return the trade number among the barcodes, else the first."""
    return next((code for code in codes if as_gtin(code)), codes[0] if codes else "")


def _ship_to(order: SalesOrder) -> tuple[str, ...]:
    name = order.ship_to_name or (order.customer.name if order.customer else "")
    lines = [line.strip() for line in order.ship_to_address.splitlines()]
    country = order.customer.country if order.customer and not order.ship_to_address else ""
    return tuple(line for line in (name, *lines, country) if line)


def _is_bold(path: str) -> bool:
    return "bold" in Path(path).stem.lower()
