"""Put-away: what waits, where it belongs, and what a place does not take."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.models import (
    Category,
    Location,
    LocationKind,
    Packaging,
    Product,
    PutAwayRule,
    StockBalance,
    WorkKind,
)
from inventory.queries.integrity import check_book
from inventory.queries.put_away import WORK_ORDER, get_put_away_work, put_away_work, suggestions
from inventory.queries.worklists import live_claims
from inventory.services.ledger import InsufficientStock, post_movements, reverse_movement
from inventory.services.places import change_location, create_location, create_zone
from inventory.services.put_away import DoesNotFit, NotToPutAway, put_away
from inventory.services.put_away_rules import (
    RuleExists,
    RuleFields,
    change_put_away_rule,
    create_put_away_rule,
    delete_put_away_rule,
)
from inventory.services.worklists import ClaimedByOther, claim_work
from tenancy.errors import Invalid, NotFound
from tenancy.models import AuditEvent
from tenancy.permissions import PermissionRefused
from tenancy.queries.keyset import keyset_page
from tests.cast import House
from tests.inventory.book import Site, make_lot, make_product, make_site, on_hand
from tests.inventory.outbound_world import Floor


def docked(site: Site, product: Product, quantity: Any = 10, **more: Any) -> StockBalance:
    """Bring goods to the dock and return what lies there."""
    kind = more.pop("kind", "receiving")
    post_movements(lines=[site.line(product, quantity, "supplier", kind, **more)])
    return StockBalance.objects.get(
        product=product, location=site.at(kind), lot_id=more.get("lot_id")
    )


def shelf(site: Site, code: str, **fields: Any) -> Location:
    return Location.objects.create(
        warehouse=site.warehouse, code=code, kind=LocationKind.STORAGE, **fields
    )


def put(balance: StockBalance, place: Location, quantity: Any, **more: Any) -> Any:
    return put_away(
        stock_balance_id=balance.pk,
        to_location_id=place.pk,
        quantity=Decimal(str(quantity)),
        **more,
    )


def where(balance: StockBalance) -> list[tuple[str, int, str]]:
    found = suggestions([balance])[balance.pk]
    return [(s.location.code, int(s.quantity), str(s.why)) for s in found]


# -- the list -------------------------------------------------------------------------------------
def test_what_lies_at_the_dock_and_free_at_packing_waits(site: Site) -> None:
    apple, pear, plum = make_product(), make_product("PEAR"), make_product("PLUM")
    dock = docked(site, apple)
    packing = docked(site, pear, 4, kind="packing")
    promised = docked(site, plum, 3, kind="packing")
    StockBalance.objects.filter(pk=promised.pk).update(allocated=3)
    StockBalance.objects.filter(pk=packing.pk).update(allocated=1)
    docked(site, plum, 5, kind="storage")
    docked(site, plum, 5, kind="quarantine")
    found = {row.pk: row.free for row in put_away_work()}
    assert found == {dock.pk: 10, packing.pk: 3}


def test_what_an_order_waits_for_comes_first_then_the_oldest(site: Site) -> None:
    old, new, wanted = make_product("OLD"), make_product("NEW"), make_product("WANTED")
    for product in (old, new, wanted):
        docked(site, product)
    docked(site, old, 1)  # more of it came: it has waited since then
    floor = Floor(site)
    floor.order((wanted, 5))
    floor.order((new, 5), state="draft")  # nobody is owed anything by a draft
    assert [row.product.sku for row in put_away_work()] == ["WANTED", "NEW", "OLD"]
    pages, cursor = [], ""
    for _ in range(3):
        page = keyset_page(put_away_work(), order=WORK_ORDER, cursor=cursor, size=1)
        pages += [row.product.sku for row in page.items]
        cursor = page.next_cursor
    assert pages == ["WANTED", "NEW", "OLD"]
    assert cursor == ""


def test_the_list_is_filtered(north: House) -> None:
    with north.scope():
        site, other = make_site(), make_site("OTHER")
        zone = create_zone(warehouse_id=site.warehouse.pk, code="DOCKS")
        Location.objects.filter(pk=site.at("receiving")).update(zone=zone)
        apple, pear, far = make_product(), make_product("PEAR"), make_product("FAR")
        mine, free = docked(site, apple), docked(site, pear)
        away = docked(other, far)
        claim_work(kind=WorkKind.PUT_AWAY, subject_id=mine.pk)

        def found(**filters: Any) -> set[int]:
            return {row.pk for row in put_away_work(**filters)}

        assert found(warehouse_id=other.warehouse.pk) == {away.pk}
        assert found(zone_id=zone.pk) == {mine.pk, free.pk}
        assert found(text="pea") == {free.pk}
        assert found(assignee="mine") == {mine.pk}
        assert found(assignee="free") == {free.pk, away.pk}
    with north.scope("operator"):
        assert set(put_away_work(assignee="mine")) == set()


# -- suggestions ----------------------------------------------------------------------------------
def test_suggestions_know_lots_rules_zones_and_room(site: Site) -> None:
    warehouse = site.warehouse.pk
    hall = create_zone(warehouse_id=warehouse, code="HALL")
    cold = create_zone(warehouse_id=warehouse, code="COLD", parent_id=hall.pk)
    milk = make_product("MILK", lot_tracking="lot", volume_l=Decimal(1))
    lot = make_lot(milk, "A").pk
    shelf(site, "C-1", zone=cold, max_volume_l=Decimal(4), walking_order=50)
    shelf(site, "H-1", zone=hall, max_volume_l=Decimal(100), walking_order=60)
    fixed = shelf(site, "FIX", max_volume_l=Decimal(2), walking_order=70)
    same = shelf(site, "LOT", max_volume_l=Decimal(3), walking_order=80)
    create_put_away_rule(warehouse_id=warehouse, fields=RuleFields(zone_id=cold.pk))
    rule = RuleFields(product_id=milk.pk, location_id=fixed.pk, priority=20)
    create_put_away_rule(warehouse_id=warehouse, fields=rule)
    first = docked(site, milk, 2, lot_id=lot)
    put(first, same, 2)
    balance = docked(site, milk, 20, lot_id=lot)
    assert where(balance) == [
        ("LOT", 1, "same_lot"),  # 3 - 2
        ("FIX", 2, "fixed_place"),
        ("C-1", 4, "zone"),
        ("H-1", 13, "overflow_zone"),  # 20 - 1 - 2 - 4
    ]


def test_a_rule_for_a_category_reaches_those_below_it(site: Site) -> None:
    food = Category.objects.create(name="Food")
    fruit = Category.objects.create(name="Fruit", parent=food)
    zone = create_zone(warehouse_id=site.warehouse.pk, code="FOOD")
    shelf(site, "F-1", zone=zone, walking_order=99)
    fields = RuleFields(category_id=food.pk, zone_id=zone.pk)
    create_put_away_rule(warehouse_id=site.warehouse.pk, fields=fields)
    apple, bolt = make_product(category=fruit), make_product("BOLT")
    assert where(docked(site, apple)) == [("F-1", 10, "zone")]
    assert where(docked(site, bolt)) == [("STORAGE", 10, "room")]


def test_places_out_of_use_and_of_other_warehouses_are_not_suggested(site: Site) -> None:
    other = make_site("OTHER")
    shelf(other, "A-1")
    shelf(site, "A-2", is_active=False)
    assert where(docked(site, make_product())) == [("STORAGE", 10, "room")]


def test_what_fits_nowhere_is_still_told_a_place(site: Site) -> None:
    Location.objects.filter(pk=site.at("storage")).update(max_volume_l=Decimal(3))
    apple = make_product(volume_l=Decimal(1))
    found = where(docked(site, apple))
    assert found == [("STORAGE", 3, "room"), ("STORAGE", 7, "last_resort")]


def test_a_page_of_suggestions_takes_as_many_statements_as_one(site: Site) -> None:
    zone = create_zone(warehouse_id=site.warehouse.pk, code="Z")
    create_put_away_rule(warehouse_id=site.warehouse.pk, fields=RuleFields(zone_id=zone.pk))
    waiting = [docked(site, make_product(f"P{n}")) for n in range(30)]
    rows = list(put_away_work())
    assert len(rows) == len(waiting)
    counts = []
    for some in (rows[:1], rows):
        with CaptureQueriesContext(connection) as statements:
            assert len(suggestions(some)) == len(some)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 6


# -- putting away ---------------------------------------------------------------------------------
def test_goods_go_from_the_dock_to_the_place_and_the_claim_ends_with_the_last(site: Site) -> None:
    apple, place = make_product(), shelf(site, "A-1")
    balance = docked(site, apple)
    movement = put(balance, place, 4)
    assert movement.get_reason_display() == "Put-away"
    assert (on_hand(apple, site.at("receiving")), on_hand(apple, place.pk)) == (6, 4)
    assert balance.pk in live_claims(WorkKind.PUT_AWAY, [balance.pk])
    put(balance, place, 6)
    assert live_claims(WorkKind.PUT_AWAY, [balance.pk]) == {}
    assert list(put_away_work()) == []
    event = AuditEvent.objects.filter(action="stock.put_away").latest("id")
    assert (event.data["sku"], event.data["quantity"], event.data["place"]) == ("APPLE", "6", "A-1")
    assert check_book() == []


def test_a_put_away_is_taken_back_by_its_reversal(site: Site) -> None:
    apple, place = make_product(), shelf(site, "A-1")
    movement = put(docked(site, apple), place, 10)
    reverse_movement(movement_id=movement.pk)
    assert on_hand(apple, site.at("receiving")) == 10
    assert [row.free for row in put_away_work()] == [10]


def test_packagings_are_counted_exactly(site: Site) -> None:
    beer, place = make_product("BEER"), shelf(site, "A-1")
    case = Packaging.objects.create(product=beer, name="Case", units=Decimal(6))
    balance = docked(site, beer, 24)
    put(balance, place, "1.5", packaging_id=case.pk)
    assert on_hand(beer, place.pk) == 9
    with pytest.raises(Invalid) as refusal:
        put(balance, place, "0.25", packaging_id=case.pk)  # one and a half bottles
    assert refusal.value.problems[0].code == "inexact_not_whole"
    stranger = Packaging.objects.create(product=make_product("WINE"), name="Box", units=Decimal(6))
    with pytest.raises(NotFound):
        put(balance, place, 1, packaging_id=stranger.pk)
    assert on_hand(beer, place.pk) == 9


def test_more_than_lies_on_the_dock_is_refused_with_the_numbers(site: Site) -> None:
    apple, place = make_product(), shelf(site, "A-1")
    balance = docked(site, apple)
    with pytest.raises(InsufficientStock) as refusal:
        put(balance, place, 11)
    [short] = refusal.value.lines
    assert (short.on_hand, short.required) == (10, 11)
    assert on_hand(apple, site.at("receiving")) == 10
    assert live_claims(WorkKind.PUT_AWAY, [balance.pk]) == {}


@pytest.mark.parametrize(
    ("quantity", "code"),
    [
        ("0", "not_positive"),
        ("-1", "not_positive"),
        ("0.5", "not_whole"),
        ("1e400", "too_large"),
        ("NaN", "not_a_number"),
        ("sNaN", "not_a_number"),
    ],
)
def test_absurd_quantities_are_refused_by_name(site: Site, quantity: str, code: str) -> None:
    apple, place = make_product(), shelf(site, "A-1")
    with pytest.raises(Invalid) as refusal:
        put(docked(site, apple), place, quantity)
    assert [problem.code for problem in refusal.value.problems] == [code]
    assert on_hand(apple, place.pk) == 0


def test_only_storage_of_the_same_warehouse_takes_goods_from_a_dock(site: Site) -> None:
    apple, other = make_product(), make_site("OTHER")
    balance, here = docked(site, apple), shelf(site, "A-1")
    with pytest.raises(NotFound):
        put(balance, shelf(other, "A-1"), 1)
    for kind in ("packing", "damaged", "customer"):
        with pytest.raises(Invalid) as refusal:
            put(balance, site.places[LocationKind(kind)], 1)
        assert refusal.value.problems[0].code == "not_storage"
    here.is_active = False
    here.save()
    with pytest.raises(Invalid) as refusal:
        put(balance, here, 1)
    assert refusal.value.problems[0].code == "inactive_location"
    stored = docked(site, apple, 5, kind="storage")
    with pytest.raises(NotToPutAway):
        put(stored, shelf(site, "A-2"), 1)
    with pytest.raises(NotFound):
        put(StockBalance(pk=987_654), here, 1)
    assert on_hand(apple, site.at("receiving")) == 10


def test_what_does_not_fit_needs_a_reason_which_is_audited(site: Site) -> None:
    apple, pear = make_product(volume_l=Decimal(2)), make_product("PEAR")
    place = shelf(site, "A-1", max_volume_l=Decimal(9), mixing_rule="one_product")
    put(docked(site, pear, 1), place, 1)
    balance = docked(site, apple)
    with pytest.raises(DoesNotFit) as refusal:
        put(balance, place, 5)
    assert refusal.value.data["limits"] == [
        {"limit": "mixing", "needed": "0", "free": "0"},
        {"limit": "volume", "needed": "10", "free": "9"},
    ]
    assert "A-1" in str(refusal.value)
    assert on_hand(apple, place.pk) == 0
    put(balance, place, 5, override_reason="hall closed for repair")
    assert on_hand(apple, place.pk) == 5
    event = AuditEvent.objects.filter(action="stock.put_away").latest("id")
    assert event.data["reason"] == "hall closed for repair"
    assert [limit["limit"] for limit in event.data["override"]] == ["mixing", "volume"]


def test_what_somebody_else_puts_away_is_left_to_them(north: House) -> None:
    with north.scope("planner"):
        site, apple = make_site(), make_product()
        balance, place = docked(site, apple), shelf(site, "A-1")
    with north.scope("operator"):
        claim_work(kind=WorkKind.PUT_AWAY, subject_id=balance.pk)
    with north.scope("planner"), pytest.raises(ClaimedByOther):
        put(balance, place, 1)
    with north.scope("operator"):
        put(balance, place, 10)


def test_another_tenant_and_a_viewer_put_nothing_away(north: House, south: House) -> None:
    with north.scope():
        site, apple = make_site(), make_product()
        balance, place = docked(site, apple), shelf(site, "A-1")
    with south.scope():
        with pytest.raises(NotFound):
            put(balance, place, 1)
        with pytest.raises(NotFound):
            get_put_away_work(balance.pk)
        assert list(put_away_work()) == []
    with north.scope("viewer"), pytest.raises(PermissionRefused):
        put(balance, place, 1)


# -- rules ----------------------------------------------------------------------------------------
def test_rules_are_made_changed_and_taken_away(site: Site) -> None:
    apple, place = make_product(), shelf(site, "A-9", walking_order=99)
    fields = RuleFields(product_id=apple.pk, location_id=place.pk)
    rule = create_put_away_rule(warehouse_id=site.warehouse.pk, fields=fields)
    balance = docked(site, apple)
    assert where(balance) == [("A-9", 10, "fixed_place")]
    with pytest.raises(RuleExists):
        create_put_away_rule(warehouse_id=site.warehouse.pk, fields=fields)
    zone = create_zone(warehouse_id=site.warehouse.pk, code="Z")
    changed = RuleFields(zone_id=zone.pk, priority=3)
    change_put_away_rule(put_away_rule_id=rule.pk, fields=changed)
    rule.refresh_from_db()
    assert (rule.product, rule.location, rule.zone, rule.priority) == (None, None, zone, 3)
    delete_put_away_rule(put_away_rule_id=rule.pk)
    assert PutAwayRule.objects.count() == 0
    assert where(balance) == [("STORAGE", 10, "room")]
    actions = AuditEvent.objects.filter(action__startswith="put_away_rule")
    assert actions.count() == 3


def test_rules_that_say_too_much_or_too_little_are_refused(site: Site) -> None:
    apple, food = make_product(), Category.objects.create(name="Food")
    place = shelf(site, "A-1")
    zone = create_zone(warehouse_id=site.warehouse.pk, code="Z")
    far = create_zone(warehouse_id=make_site("OTHER").warehouse.pk, code="Z")
    for fields, code in [
        (RuleFields(), "location_or_zone"),
        (RuleFields(location_id=place.pk, zone_id=zone.pk), "location_or_zone"),
        (
            RuleFields(product_id=apple.pk, category_id=food.pk, zone_id=zone.pk),
            "product_or_category",
        ),
        (RuleFields(zone_id=zone.pk, priority=-1), "out_of_range"),
        (RuleFields(zone_id=zone.pk, priority=40_000), "out_of_range"),
        (RuleFields(location_id=site.at("receiving")), "not_storage"),
    ]:
        with pytest.raises(Invalid) as refusal:
            create_put_away_rule(warehouse_id=site.warehouse.pk, fields=fields)
        assert refusal.value.problems[0].code == code
    for fields in (
        RuleFields(zone_id=far.pk),
        RuleFields(zone_id=987_654),
        RuleFields(product_id=987_654, zone_id=zone.pk),
    ):
        with pytest.raises(NotFound):
            create_put_away_rule(warehouse_id=site.warehouse.pk, fields=fields)
    assert PutAwayRule.objects.count() == 0


def test_an_operator_makes_no_rules(north: House, site: Site) -> None:
    fields = RuleFields(location_id=shelf(site, "A-1").pk)
    with north.scope("operator"), pytest.raises(PermissionRefused):
        create_put_away_rule(warehouse_id=site.warehouse.pk, fields=fields)


def test_a_location_made_by_service_is_suggested_until_it_is_closed(site: Site) -> None:
    place = create_location(warehouse_id=site.warehouse.pk, code="FIRST", walking_order=0)
    balance = docked(site, make_product())
    assert where(balance) == [("FIRST", 10, "room")]
    change_location(location_id=place.pk, changes={"is_active": False})
    assert where(balance) == [("STORAGE", 10, "room")]
