"""What scanning answers: the kinds of things, what was found, and each refusal in words."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from django.utils.translation import gettext as _, gettext_lazy

from inventory.rules.gs1 import ScanFault, UnreadableCode
from inventory.rules.scan_codes import ScannedCode
from tenancy.errors import Conflict

ONE = Decimal(1)
MOST_NAMED = 5


class ScannedKind(StrEnum):
    """What may be scanned; the value is the word for a refusal's data."""

    LOCATION = "location"
    PRODUCT = "product"
    PACKAGING = "packaging"
    LOT = "lot"
    DOCUMENT = "document"


KIND_WORDS = {
    ScannedKind.LOCATION: gettext_lazy("a location"),
    ScannedKind.PRODUCT: gettext_lazy("a product"),
    ScannedKind.PACKAGING: gettext_lazy("a packaging"),
    ScannedKind.LOT: gettext_lazy("a lot"),
    ScannedKind.DOCUMENT: gettext_lazy("a document"),
}
PLACE = frozenset({ScannedKind.LOCATION})
GOODS = frozenset({ScannedKind.PRODUCT, ScannedKind.PACKAGING, ScannedKind.LOT})
DOCUMENT = frozenset({ScannedKind.DOCUMENT})
ANYTHING = frozenset(ScannedKind)

FAULT_WORDS = {
    ScanFault.EMPTY: gettext_lazy("The scan was empty. Scan again."),
    ScanFault.TOO_LONG: gettext_lazy("The code is longer than any label: scan one code at a time."),
    ScanFault.CHECK_DIGIT: gettext_lazy(
        "The check digit of %(detail)s does not fit: scan again, or the label is misprinted."
    ),
    ScanFault.IMPOSSIBLE_DATE: gettext_lazy(
        "The label has a date that does not exist: %(detail)s."
    ),
    ScanFault.UNKNOWN_IDENTIFIER: gettext_lazy(
        "The label has an application identifier that GS1 does not know: %(detail)s."
    ),
    ScanFault.BAD_VALUE: gettext_lazy("The label has a value that GS1 does not allow: %(detail)s."),
    ScanFault.GIVEN_TWICE: gettext_lazy("The label says two different things: %(detail)s."),
    ScanFault.BROKEN_LABEL: gettext_lazy("The label is damaged: %(detail)s. Print it again."),
}


class CodeUnreadable(Conflict):
    """The code contradicts itself; ``data`` has the fault and where it is."""

    code = "unreadable_code"

    def __init__(self, fault: UnreadableCode) -> None:
        words = FAULT_WORDS[fault.fault] % {"detail": fault.detail}
        super().__init__(words, fault=fault.fault.value, detail=fault.detail)


class CodeUnknown(Conflict):
    """Nothing has this code; ``data`` says what was looked for."""

    code = "unknown_code"

    def __init__(self, scanned: ScannedCode, looked_for: Sequence[str]) -> None:
        words = _("Nothing here has the code %(code)s. Looked for: %(places)s.") % {
            "code": shown(scanned),
            "places": ", ".join(looked_for),
        }
        if scanned.doubt == ScanFault.CHECK_DIGIT:
            words += " " + _("Its check digit does not fit: it may be misread.")
        super().__init__(words, scanned=scanned.text, looked_for=list(looked_for))


class CodeAmbiguous(Conflict):
    """The code stands for several things; ``data`` names them."""

    code = "ambiguous_code"

    def __init__(self, scanned: ScannedCode, found: Sequence[Scanned]) -> None:
        words = _("%(code)s stands for several things: %(names)s.") % {
            "code": shown(scanned),
            "names": ", ".join(hit.label for hit in found[:MOST_NAMED]),
        }
        if all(hit.kind == ScannedKind.LOCATION for hit in found):
            words += " " + _("Choose your warehouse on the scan page, then scan again.")
        candidates = [
            {"kind": hit.kind.value, "id": hit.id, "label": hit.label} for hit in found[:MOST_NAMED]
        ]
        super().__init__(words, scanned=scanned.text, candidates=candidates)


class CodeUnexpected(Conflict):
    """The code is known, but another kind of thing is to be scanned now."""

    code = "unexpected_code"

    def __init__(self, found: Scanned, expects: Collection[ScannedKind]) -> None:
        words = _("%(label)s is %(kind)s. Scan %(expected)s.") % {
            "label": found.label,
            "kind": KIND_WORDS[found.kind],
            "expected": _("or")
            .join(f" {KIND_WORDS[kind]} " for kind in ScannedKind if kind in expects)
            .strip(),
        }
        kinds = [kind.value for kind in ScannedKind if kind in expects]
        super().__init__(words, found=found.kind.value, id=found.id, expected=kinds)


class LotUnknown(Conflict):
    """The goods are known, the lot printed on them is not."""

    code = "unknown_lot"

    def __init__(self, found: Scanned) -> None:
        words = _("%(label)s: this lot is not known here. It must be received first.") % {
            "label": found.label
        }
        super().__init__(words, product_id=found.product_id, lot_code=found.lot_code)


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a code stands for. ``id`` is that of the thing of this ``kind``.

    Goods carry ``product_id`` whatever their kind; ``lot_code`` and ``expires_on`` are as printed,
    ``lot_id`` is set when that lot is known. ``units`` is one of what was scanned in base units.
    """

    kind: ScannedKind
    id: int
    label: str
    code: ScannedCode
    warehouse_id: int | None = None
    location_id: int | None = None
    product_id: int | None = None
    packaging_id: int | None = None
    lot_id: int | None = None
    lot_code: str = ""
    expires_on: date | None = None
    units: Decimal = ONE
    document_kind: str = ""

    @property
    def quantity(self) -> Decimal:
        """Return how many base units were scanned: those of the packaging, times the count."""
        return self.units * (self.code.count or 1)


def shown(scanned: ScannedCode) -> str:
    """Return the code as a person can read it: without control characters."""
    return "".join(character if character.isprintable() else "␝" for character in scanned.text)
