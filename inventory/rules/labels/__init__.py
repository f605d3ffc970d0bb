"""Labels and pick lists: what stands on them as data, drawn as PDF or written as ZPL.

    labels = [LocationLabel("MAIN", "Main", "A-01")]
    labels_pdf(labels, size=SIZES["100x50"])                 # bytes
    labels_zpl(labels, size=SIZES["100x50"], copies=2)       # text for a label printer
    labels_pdf([package_label(PackageLabel(...))], ...)
    pick_list_pdf(PickList(...))                             # bytes, A4

What comes from people is data here, never a template: in ZPL every character that could be a
command is written as its code.
"""

from inventory.rules.labels.contents import (
    CommandLabel,
    Label,
    LabelWords,
    LocationLabel,
    LotLabel,
    PackageLabel,
    PickLine,
    PickList,
    ProductLabel,
)
from inventory.rules.labels.fonts import Fonts, unprintable
from inventory.rules.labels.pdf import labels_pdf
from inventory.rules.labels.pick_list import pick_list_pdf
from inventory.rules.labels.sizes import SIZES, LabelSize
from inventory.rules.labels.zpl import labels_zpl

__all__ = [
    "SIZES",
    "CommandLabel",
    "Fonts",
    "Label",
    "LabelSize",
    "LabelWords",
    "LocationLabel",
    "LotLabel",
    "PackageLabel",
    "PickLine",
    "PickList",
    "ProductLabel",
    "labels_pdf",
    "labels_zpl",
    "pick_list_pdf",
    "unprintable",
]
