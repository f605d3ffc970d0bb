"""What the handheld receiving asks and refuses, and how it reads lots and dates."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import Product
from inventory.pages.fields import plain
from inventory.queries.scanning import CodeUnreadable
from inventory.rules.gs1 import UnreadableCode
from inventory.rules.scan_codes import ScannedCode, read_code
from tenancy.errors import Conflict, Invalid

LONGEST_LOT = 64
DATE_FORMS = "2027-03-31, 31.3.2027, 270331"
PROMPTS = {
    "document": gettext_lazy("Scan the order or the receipt"),
    "goods": gettext_lazy("Scan what arrived"),
    "lot": gettext_lazy("Scan the lot or serial number"),
    "expiry": gettext_lazy("Until when is it good?"),
    "quantity": gettext_lazy("How many?"),
    "damaged": gettext_lazy("How many of them are damaged?"),
    "differences": gettext_lazy("It differs from the order"),
}


class WrongDocument(Conflict):
    """What was scanned cannot be received, or is not on the order."""

    code = "not_to_receive"

    def __init__(self, label: str, *, is_product: bool = False, unfinished: str = "") -> None:
        if unfinished:
            words = _("Complete %(number)s before %(label)s.")
        elif is_product:
            words = _(
                "%(label)s is not on this order. Put it aside and receive it without an order."
            )
        else:
            words = _("%(label)s is not to be received. Scan a placed order or an open receipt.")
        super().__init__(words % {"label": label, "number": unfinished}, label=label)


class TooMuch(Conflict):
    """More was counted than may still come of the order line."""

    code = "too_much"

    def __init__(self, product: Product, counted: Decimal, most: Decimal) -> None:
        words = _(
            "%(counted)s %(unit)s are too many: at most %(most)s can still come. Count again, or "
            "let the order be amended."
        )
        named = {"counted": plain(counted), "unit": product.base_unit, "most": plain(most) or "0"}
        super().__init__(words % named, counted=plain(counted), most=plain(most))


def lot_of(scan: str) -> tuple[str, date | None]:
    """Return the lot or serial number a label bears, and its expiry; a plain code is the lot."""
    code = _read(scan)
    lot = code.lot or code.serial or code.text
    if not 0 < len(lot) <= LONGEST_LOT:
        raise Invalid.field("scan", "bad_length", _("A lot code has 1 to 64 characters."))
    return lot, code.expires_on


def day_of(scan: str) -> date:
    """Return the day typed, or that of a GS1 label; raise ``Invalid`` for what is none."""
    text = scan.strip()
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
        if found := re.fullmatch(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})", text):
            return date(int(found.group(3)), int(found.group(2)), int(found.group(1)))
        if re.fullmatch(r"[0-9]{6}", text):
            text = f"(17){text}"
        expires_on = _read(text).expires_on
    except ValueError:
        expires_on = None
    if expires_on is None:
        message = _("This is no day. Write it as %(forms)s.") % {"forms": DATE_FORMS}
        raise Invalid.field("scan", "not_a_day", message)
    return expires_on


def _read(scan: str) -> ScannedCode:
    try:
        return read_code(scan, today=timezone.localdate())
    except UnreadableCode as fault:
        raise CodeUnreadable(fault) from fault
