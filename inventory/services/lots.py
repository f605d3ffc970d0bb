"""Lots: found or created as goods come in, put on hold, recalled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection
from django.utils.translation import gettext_lazy as _

from inventory.models import Lot, LotStatus, LotTracking, Product
from inventory.services.rows import load, load_many, save
from tenancy.errors import Invalid, Problem
from tenancy.permissions import Permission, require
from tenancy.scope import active_tenant_id
from tenancy.services import audit

LONGEST_CODE = 64


@dataclass(frozen=True, slots=True)
class LotLabel:
    """What is printed on incoming goods."""

    product_id: int
    code: str
    expires_on: date | None = None


# sorted, so that two receipts of the same new lots wait for each other in one order
ENSURE_LOTS = """
    INSERT INTO inventory_lot (tenant_id, product_id, code, expires_on, status, created_at)
    SELECT DISTINCT ON (product_id, code) %s, product_id, code, expires_on, 'available', now()
    FROM unnest(%s::bigint[], %s::text[], %s::date[]) AS label (product_id, code, expires_on)
    ORDER BY product_id, code
    ON CONFLICT (tenant_id, product_id, code) DO NOTHING
"""
FIND_LOTS = """
    SELECT lot.product_id, lot.code, lot.id, lot.expires_on
    FROM inventory_lot lot
    JOIN unnest(%s::bigint[], %s::text[]) AS label (product_id, code) USING (product_id, code)
    WHERE lot.tenant_id = %s
"""


def ensure_lots(*, labels: Sequence[LotLabel]) -> list[int]:
    """Return the lot id for each label, creating what is new: three statements for any number.

    Raises ``NotFound`` for a product, ``Invalid`` for a label on an untracked product, an empty
    code, or an expiry date other than the one the lot is known by.
    """
    require(Permission.FLOOR_WORK)
    if not labels:
        return []
    _check_labels(labels)
    products = [label.product_id for label in labels]
    codes = [label.code for label in labels]
    with connection.cursor() as cursor:
        expiries = [label.expires_on for label in labels]
        cursor.execute(ENSURE_LOTS, [active_tenant_id(), products, codes, expiries])
        cursor.execute(FIND_LOTS, [products, codes, active_tenant_id()])
        found = {(row[0], row[1]): (row[2], row[3]) for row in cursor.fetchall()}
    _refuse_other_expiry(labels, found)
    return [found[label.product_id, label.code][0] for label in labels]


def create_lot(*, product_id: int, code: str, expires_on: date | None = None) -> Lot:
    """Create a lot that does not exist yet. Raises ``Invalid`` when the code is taken."""
    require(Permission.FLOOR_WORK)
    _check_labels([LotLabel(product_id, code, expires_on)])
    lot = save(Lot(product_id=product_id, code=code, expires_on=expires_on))
    audit.record("lot.created", lot, code=code)
    return lot


def set_lot_status(*, lot_id: int, status: LotStatus) -> Lot:
    """Put a lot on hold, recall it or make it available again; held stock is not promised."""
    require(Permission.ADJUST)
    lot = load(Lot, lot_id, lock=True)
    before, lot.status = lot.status, status
    save(lot)
    audit.record("lot.status_changed", lot, before=before, after=str(status))
    return lot


def _check_labels(labels: Sequence[LotLabel]) -> None:
    products = load_many(Product, [label.product_id for label in labels])
    problems: list[Problem] = []
    for number, label in enumerate(labels):
        if products[label.product_id].lot_tracking == LotTracking.NONE:
            message = _("This product is not tracked by lot: leave the lot out.")
            problems.append(Problem("lot_code", "lot_forbidden", message, number))
        if not 0 < len(label.code) <= LONGEST_CODE:
            message = _("A lot code has 1 to 64 characters.")
            problems.append(Problem("lot_code", "bad_length", message, number))
    if problems:
        raise Invalid(problems)


def _refuse_other_expiry(
    labels: Sequence[LotLabel], found: dict[tuple[int, str], tuple[int, date | None]]
) -> None:
    problems = []
    for number, label in enumerate(labels):
        known = found[label.product_id, label.code][1]
        if label.expires_on is not None and label.expires_on != known:
            message = _("Lot %(code)s is known with the expiry date %(known)s.") % {
                "code": label.code,
                "known": known or "-",
            }
            problems.append(Problem("expires_on", "other_expiry", message, number))
    if problems:
        raise Invalid(problems)
