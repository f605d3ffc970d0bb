"""Rules of put-away: a product's fixed place, or the zone where a product or category belongs."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from inventory.models import (
    Category,
    Location,
    LocationKind,
    Product,
    PutAwayRule,
    Warehouse,
    Zone,
)
from inventory.services.rows import load
from tenancy.errors import Conflict, Invalid, NotFound, Problem
from tenancy.permissions import Permission, require
from tenancy.services import audit

MOST_PRIORITY = 32767


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFields:
    """What a rule says: for a product, a category or (neither) everything; to a place or a zone."""

    product_id: int | None = None
    category_id: int | None = None
    location_id: int | None = None
    zone_id: int | None = None
    priority: int = 10


class RuleExists(Conflict):
    """The warehouse has this very rule already."""

    code = "rule_exists"

    def __init__(self, rule: PutAwayRule) -> None:
        message = _("This rule is there already, with the priority %(priority)d: change that one.")
        super().__init__(message % {"priority": rule.priority}, put_away_rule_id=rule.pk)


def create_put_away_rule(*, warehouse_id: int, fields: RuleFields) -> PutAwayRule:
    """Add a rule to a warehouse. Raises ``NotFound``, ``Invalid``, ``RuleExists``."""
    require(Permission.EDIT_CATALOG)
    warehouse = load(Warehouse, warehouse_id)
    rule = PutAwayRule(warehouse=warehouse)
    _fill(rule, fields)
    rule.save()
    audit.record("put_away_rule.created", rule, warehouse=warehouse.code, **_told(rule))
    return rule


def change_put_away_rule(*, put_away_rule_id: int, fields: RuleFields) -> PutAwayRule:
    """Replace what a rule says. Raises ``NotFound``, ``Invalid``, ``RuleExists``."""
    require(Permission.EDIT_CATALOG)
    rule = load(PutAwayRule, put_away_rule_id, lock=True)
    before = _told(rule)
    _fill(rule, fields)
    rule.save()
    audit.record("put_away_rule.changed", rule, before=before, after=_told(rule))
    return rule


def delete_put_away_rule(*, put_away_rule_id: int) -> PutAwayRule:
    """Take a rule away; what was put away by it stays where it is. Raises ``NotFound``."""
    require(Permission.EDIT_CATALOG)
    rule = load(PutAwayRule, put_away_rule_id, lock=True)
    audit.record("put_away_rule.deleted", rule, **_told(rule))
    deleted_id = rule.pk
    rule.delete()
    rule.pk = deleted_id
    return rule


def _fill(rule: PutAwayRule, fields: RuleFields) -> None:
    problems = list(_problems(fields))
    if problems:
        raise Invalid(problems)
    rule.product = load(Product, fields.product_id) if fields.product_id is not None else None
    rule.category = load(Category, fields.category_id) if fields.category_id is not None else None
    rule.location = _location(rule.warehouse_id, fields.location_id)
    rule.zone = _zone(rule.warehouse_id, fields.zone_id)
    rule.priority = fields.priority
    same = PutAwayRule.objects.filter(
        warehouse_id=rule.warehouse_id,
        product=rule.product,
        category=rule.category,
        location=rule.location,
        zone=rule.zone,
    ).exclude(pk=rule.pk)
    if found := same.first():
        raise RuleExists(found)


def _problems(fields: RuleFields) -> list[Problem]:
    problems = []
    if fields.product_id is not None and fields.category_id is not None:
        message = _("A rule is for a product or for a category, not for both.")
        problems.append(Problem("category_id", "product_or_category", message))
    if (fields.location_id is None) == (fields.zone_id is None):
        message = _("A rule names a location or a zone: one of them.")
        problems.append(Problem("zone_id", "location_or_zone", message))
    if not 0 <= fields.priority <= MOST_PRIORITY:
        message = _("The priority is a number from 0 to 32767; the lowest is tried first.")
        problems.append(Problem("priority", "out_of_range", message))
    return problems


def _location(warehouse_id: int, location_id: int | None) -> Location | None:
    if location_id is None:
        return None
    location = load(Location, location_id)
    if location.warehouse_id != warehouse_id:
        raise NotFound("location", location_id)
    if location.kind != LocationKind.STORAGE:
        message = _("%(code)s is no storage place.") % {"code": location.code}
        raise Invalid.field("location_id", "not_storage", message)
    return location


def _zone(warehouse_id: int, zone_id: int | None) -> Zone | None:
    if zone_id is None:
        return None
    zone = load(Zone, zone_id)
    if zone.warehouse_id != warehouse_id:
        raise NotFound("zone", zone_id)
    return zone


def _told(rule: PutAwayRule) -> dict[str, int | None]:
    names = ("product_id", "category_id", "location_id", "zone_id", "priority")
    return {name: getattr(rule, name) for name in names}
