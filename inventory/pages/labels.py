"""Labels and pick lists: choose size, copies and format, and take the file away.

The address with the choices is the file, so that it can be kept and opened again. Nothing changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy

from inventory.queries.catalog import get_product
from inventory.queries.labels import (
    MOST_LABELS,
    Choice,
    label_fonts,
    label_of_lot,
    label_of_package,
    label_words,
    labels_of_locations,
    labels_of_product,
    pick_list_of,
)
from inventory.queries.lots import get_lot
from inventory.queries.places import get_location, get_warehouse, zones
from inventory.rules.labels import (
    SIZES,
    Label,
    labels_pdf,
    labels_zpl,
    pick_list_pdf,
    unprintable,
)
from tenancy.pages.filters import offer, row_field
from tenancy.pages.web import UNPROCESSABLE, address, show
from tenancy.permissions import Permission, require

TEMPLATE = "inventory/labels.html"
MOST_COPIES = 200
USUAL_DOTS = 8
DOTS = {8: "203 dpi", 12: "300 dpi", 24: "600 dpi"}
SIZE_NAMES = {
    "100x50": gettext_lazy("Roll, 100 x 50 mm"),
    "76x51": gettext_lazy("Roll, 76 x 51 mm"),
    "57x32": gettext_lazy("Roll, 57 x 32 mm"),
    "100x150": gettext_lazy("Roll, 100 x 150 mm"),
    "a4-3x8": gettext_lazy("A4 sheet, 24 of 70 x 37 mm"),
    "a4-2x7": gettext_lazy("A4 sheet, 14 of 99.1 x 38.1 mm"),
    "a4-2x4": gettext_lazy("A4 sheet, 8 of 99.1 x 67.7 mm"),
}


class LabelForm(forms.Form):
    """Size, copies and format; ``file`` is the button, and tells a choice from a first look."""

    size = forms.ChoiceField(label=gettext_lazy("Labels"), choices=list(SIZE_NAMES.items()))
    copies = forms.IntegerField(
        label=gettext_lazy("Copies of each"), min_value=1, max_value=MOST_COPIES, initial=1
    )
    skip = forms.IntegerField(
        label=gettext_lazy("Used labels on the sheet"),
        min_value=0,
        max_value=23,
        initial=0,
        required=False,
        help_text=gettext_lazy("They stay empty, so that a sheet can be used up."),
    )
    dots = forms.TypedChoiceField(
        label=gettext_lazy("Label printer"),
        coerce=int,
        choices=list(DOTS.items()),
        required=False,
        help_text=gettext_lazy("For ZPL only."),
    )
    file = forms.ChoiceField(choices=[("pdf", "PDF"), ("zpl", "ZPL")], widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """Refuse sheets for a label printer."""
        data: dict[str, Any] = super().clean() or {}
        size = SIZES.get(data.get("size", ""))
        if data.get("file") == "zpl" and size is not None and size.is_sheet:
            self.add_error("size", _("A label printer prints on rolls: choose a roll for ZPL."))
        return data


class LocationLabelForm(LabelForm):
    zone = row_field(gettext_lazy("Zone"))
    q = forms.CharField(label=gettext_lazy("Codes that begin with"), max_length=48, required=False)

    def __init__(self, *args: Any, warehouse_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [
            (str(zone.pk), zone.name or zone.code)
            for zone in zones().filter(warehouse_id=warehouse_id)
        ]
        offer(self, "zone", _("All zones"), known)
        self.order_fields(["zone", "q"])


class ProductLabelForm(LabelForm):
    what = forms.MultipleChoiceField(
        label=gettext_lazy("What"), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, choices: Sequence[Choice], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["what"].choices = [(c.key, c.name) for c in choices]  # type: ignore[attr-defined]
        self.order_fields(["what"])


@dataclass(frozen=True)
class Paper:
    """What a page of this file is about: title, way back, name of the file, entry of the menu."""

    title: str
    back: str
    name: str
    nav: str
    usual_size: str = "100x50"
    back_title: str = ""


def location_labels(request: HttpRequest, tenant: str, location_id: int) -> HttpResponse:
    """Print the label of one location."""
    require(Permission.READ)
    place = get_location(location_id)
    labels = labels_of_locations(place.warehouse_id, location_id=place.pk)
    back = address(request, "inventory:warehouse_detail", warehouse_id=place.warehouse_id)
    paper = Paper(place.code, back, f"location-{place.pk}", "warehouses")
    return answer(request, LabelForm(sent(request)), labels, paper)


def warehouse_labels(request: HttpRequest, tenant: str, warehouse_id: int) -> HttpResponse:
    """Print the labels of a warehouse's locations, or of a zone or a row of them."""
    require(Permission.READ)
    warehouse = get_warehouse(warehouse_id)
    form = LocationLabelForm(sent(request), warehouse_id=warehouse.pk)
    chosen = form.cleaned_data if form.is_valid() else {}
    labels = labels_of_locations(
        warehouse.pk, zone_id=chosen.get("zone"), text=chosen.get("q", "").strip()
    )
    back = address(request, "inventory:warehouse_detail", warehouse_id=warehouse.pk)
    paper = Paper(warehouse.name, back, f"locations-{warehouse.pk}", "warehouses")
    return answer(request, form, labels, paper)


def product_labels(request: HttpRequest, tenant: str, product_id: int) -> HttpResponse:
    """Print labels of a product's unit and packagings."""
    require(Permission.READ)
    product = get_product(product_id)
    choices = labels_of_product(product.pk)
    form = ProductLabelForm(sent(request), choices=choices, initial={"what": ["unit"]})
    wanted = form.cleaned_data.get("what", []) if form.is_valid() else [c.key for c in choices]
    back = address(request, "inventory:product_detail", product_id=product.pk)
    paper = Paper(product.name, back, f"product-{product.pk}", "products", "57x32")
    return answer(request, form, [c.label for c in choices if c.key in wanted], paper)


def lot_labels(request: HttpRequest, tenant: str, lot_id: int) -> HttpResponse:
    """Print the label of a lot."""
    require(Permission.READ)
    lot = get_lot(lot_id)
    back = address(request, "inventory:lot_detail", lot_id=lot.pk)
    paper = Paper(lot.code, back, f"lot-{lot.pk}", "lots")
    return answer(request, LabelForm(sent(request)), [label_of_lot(lot.pk)], paper)


def package_labels(request: HttpRequest, tenant: str, package_id: int) -> HttpResponse:
    """Print the label of a package."""
    require(Permission.READ)
    label = label_of_package(package_id)
    paper = Paper(label.number, "", f"package-{label.number}", "scan", "100x150")
    return answer(request, LabelForm(sent(request)), [label], paper)


def wave_pick_list(request: HttpRequest, tenant: str, wave_id: int) -> HttpResponse:
    """Give the pick list of a wave as PDF."""
    require(Permission.READ)
    pick_list = pick_list_of(wave_id)
    drawn = pick_list_pdf(pick_list, fonts=label_fonts(), words=label_words())
    return _file(drawn, "application/pdf", f"{pick_list.number}.pdf")


def sent(request: HttpRequest) -> Any:
    """Return what was chosen, None on the first look."""
    return request.GET if "file" in request.GET else None


def answer(
    request: HttpRequest, form: LabelForm, labels: Sequence[Label], paper: Paper
) -> HttpResponse:
    """Return the file when the choices are in order, else the page with the form."""
    if form.is_valid():
        problem = _too_many(len(labels), form.cleaned_data["copies"])
        if not problem and labels:
            return _printed(form.cleaned_data, labels, paper)
        form.add_error(None, problem or _("No location matches: nothing would be printed."))
    if not form.is_bound:
        form.fields["size"].initial = paper.usual_size
    texts = [text for label in labels for text in _texts(label)]
    return show(
        request,
        TEMPLATE,
        paper.nav,
        form=form,
        paper=paper,
        count=len(labels),
        has_more=len(labels) > MOST_LABELS,
        missing=unprintable(texts, label_fonts()),
        status=UNPROCESSABLE if form.errors else 200,
    )


def _printed(chosen: dict[str, Any], labels: Sequence[Label], paper: Paper) -> HttpResponse:
    size = SIZES[chosen["size"]]
    if chosen["file"] == "zpl":
        text = labels_zpl(
            labels,
            size=size,
            copies=chosen["copies"],
            dots_per_mm=chosen["dots"] or USUAL_DOTS,
            words=label_words(),
        )
        return _file(text.encode(), "text/plain; charset=utf-8", f"{paper.name}.zpl")
    drawn = labels_pdf(
        labels,
        size=size,
        copies=chosen["copies"],
        skip=chosen["skip"] or 0,
        fonts=label_fonts(),
        words=label_words(),
    )
    return _file(drawn, "application/pdf", f"{paper.name}.pdf")


def _too_many(labels: int, copies: int) -> str:
    if labels * copies <= MOST_LABELS:
        return ""
    words = _("At most %(most)d labels in a file: narrow the choice, or take fewer copies.")
    return words % {"most": MOST_LABELS}


def _texts(label: Label) -> list[str]:
    face = label.face(label_words())
    return [face.head, *face.lines, *(value for _word, value in face.facts)]


def _file(content: bytes, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
