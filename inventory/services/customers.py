"""Customers and the segments they belong to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from inventory.models import Customer, CustomerSegment
from inventory.services.rows import load, save
from tenancy.permissions import Permission, require
from tenancy.services import audit


@dataclass(frozen=True, kw_only=True)
class CustomerFields:
    """Orders of the customer belong to its segment unless they say otherwise."""

    code: str
    name: str
    country: str = ""
    segment_id: int | None = None
    is_active: bool = True


def create_customer(*, fields: CustomerFields) -> Customer:
    """Create a customer. Raises ``NotFound`` for the segment, ``Invalid`` naming the field."""
    require(Permission.SELL)
    customer = Customer()
    _fill(customer, fields)
    save(customer)
    audit.record("customer.created", customer, code=customer.code)
    return customer


def update_customer(*, customer_id: int, fields: CustomerFields) -> Customer:
    """Replace what is said about a customer. Raises ``NotFound``, ``Invalid`` naming the field."""
    require(Permission.SELL)
    customer = load(Customer, customer_id, lock=True)
    changes = _fill(customer, fields)
    if changes:
        save(customer)
        audit.record("customer.updated", customer, **changes)
    return customer


def create_segment(*, code: str, name: str) -> CustomerSegment:
    """Create a segment. Raises ``Invalid`` naming the field."""
    require(Permission.SELL)
    segment = save(CustomerSegment(code=code, name=name))
    audit.record("customer_segment.created", segment, code=code)
    return segment


def update_segment(*, segment_id: int, code: str, name: str) -> CustomerSegment:
    """Rename a segment. Raises ``NotFound``, ``Invalid`` naming the field."""
    require(Permission.SELL)
    segment = load(CustomerSegment, segment_id, lock=True)
    if (segment.code, segment.name) != (code, name):
        before, segment.code, segment.name = segment.code, code, name
        save(segment)
        audit.record("customer_segment.updated", segment, before=before, after=code)
    return segment


def _fill(customer: Customer, fields: CustomerFields) -> dict[str, Any]:
    if fields.segment_id is not None:
        load(CustomerSegment, fields.segment_id)
    given = asdict(fields)
    before = {n: str(getattr(customer, n)) for n, v in given.items() if getattr(customer, n) != v}
    for name in before:
        setattr(customer, name, given[name])
    after = {name: str(given[name]) for name in before}
    return {"before": before, "after": after} if before else {}
