"""A member restricted to some warehouses: what is seen, and what can be done, everywhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from inventory.models import (
    CycleCount,
    MovementReason,
    Product,
    PurchaseOrder,
    StockBalance,
    StockMovement,
    WarehouseAccess,
)
from inventory.queries.access import allowed_warehouses, require_locations, require_warehouse
from inventory.queries.availability import availability
from inventory.queries.catalog import product_balances, product_totals
from inventory.queries.movements import movements
from inventory.queries.places import get_warehouse, locations, warehouse_totals, warehouses
from inventory.queries.purchasing import get_purchase_order, purchase_orders
from inventory.queries.scanning import resolve_scan
from inventory.queries.scanning_words import CodeUnknown
from inventory.queries.stock import balances, lying
from inventory.rules.scan_codes import location_code
from inventory.services.access import (
    BeyondOwnAccess,
    OwnAccess,
    OwnersWorkEverywhere,
    set_warehouse_access,
)
from inventory.services.adjustments import Adjustment, adjust_stock
from inventory.services.counting import request_count
from inventory.services.ledger import (
    AllocationLine,
    allocate,
    post_movements,
    reverse_movement,
)
from inventory.services.places import create_location, create_warehouse
from inventory.services.purchasing import OrderLine, create_draft_order, place_order
from inventory.services.receiving import ReceiptLine, receive_order
from inventory.services.stock import SaleLine, ship_sale
from inventory.services.suppliers import SupplierFields, create_supplier
from tenancy.errors import NotFound
from tenancy.models import AuditEvent, Membership
from tenancy.permissions import PermissionRefused
from tests.api.calls import Caller, by_session, key_of
from tests.cast import House
from tests.inventory.book import Site, make_product, make_site

ROLES = ("viewer", "operator", "planner", "manager")


@dataclass(frozen=True)
class Half:
    """One of the two warehouses: a place, apples in it, and an order placed for it."""

    site: Site
    order: PurchaseOrder
    movement_id: int


@dataclass(frozen=True)
class TwoSites:
    house: House
    apple: Product
    here: Half
    there: Half

    def half(self, *, reached: bool) -> Half:
        """Return the half that restricted members reach, or the other."""
        return self.here if reached else self.there


def _half(code: str, apple: Product) -> Half:
    site = make_site(code)
    [movement_id] = site.receive(apple, 10)
    supplier = create_supplier(fields=SupplierFields(code=f"S-{code}", name="Sam"))
    order = create_draft_order(
        supplier_id=supplier.pk,
        warehouse_id=site.warehouse.pk,
        lines=[OrderLine(apple.pk, Decimal(5), Decimal(1))],
    )
    return Half(site, place_order(order_id=order.pk), movement_id)


def member_of(house: House, role: str) -> Membership:
    return Membership.objects.get(user=house.members[role])


def restrict(house: House, role: str, *warehouse_ids: int) -> None:
    """Let the member of that role work in these warehouses only."""
    with house.scope():
        set_warehouse_access(membership_id=member_of(house, role).pk, warehouse_ids=warehouse_ids)


@pytest.fixture
def two(north: House) -> TwoSites:
    """Two warehouses; everybody but the owner works in HERE only."""
    with north.scope():
        apple = make_product(unit_cost=Decimal(2))
        here, there = _half("HERE", apple), _half("THERE", apple)
    for role in ROLES:
        restrict(north, role, here.site.warehouse.pk)
    return TwoSites(north, apple, here, there)


def scans(code: str) -> bool:
    """Tell whether the code is known to whoever scans it."""
    try:
        resolve_scan(code)
    except CodeUnknown:
        return False
    return True


SEEN: dict[str, Callable[[TwoSites], set[Any]]] = {
    "warehouses": lambda two: {w.code for w in warehouses()},
    "locations": lambda two: {row.warehouse.code for row in locations()},
    "balances": lambda two: {row.location.warehouse.code for row in balances()},
    "movements": lambda two: {row.to_location.warehouse.code for row in movements()},
    "purchase orders": lambda two: {o.warehouse.code for o in purchase_orders()},
    "where a product lies": lambda two: {
        row.location.warehouse.code for row in product_balances(two.apple.pk)
    },
    "availability": lambda two: {
        get_warehouse(row.warehouse_id).code for row in availability(product_ids=[two.apple.pk])
    },
    "what lies": lambda two: {row.location.warehouse.code for row in lying()},
    "scanned places": lambda two: {
        code
        for code, half in (("HERE", two.here), ("THERE", two.there))
        if scans(location_code(code, "STORAGE")) and scans(half.order.number)
    },
    "value": lambda two: {get_warehouse(pk).code for pk in warehouse_totals()},
}


@pytest.mark.parametrize("what", SEEN)
def test_only_the_own_warehouse_is_seen_and_by_others_both(two: TwoSites, what: str) -> None:
    with two.house.scope("viewer"):
        assert SEEN[what](two) == {"HERE"}
    with two.house.scope("owner"):  # control: there are two to be seen
        assert SEEN[what](two) == {"HERE", "THERE"}


def test_totals_add_up_what_is_seen(two: TwoSites) -> None:
    with two.house.scope("viewer"):
        assert product_totals([two.apple.pk])[two.apple.pk].on_hand == 10
    with two.house.scope("owner"):
        assert product_totals([two.apple.pk])[two.apple.pk].on_hand == 20


DONE: dict[str, Callable[[TwoSites, Half], Any]] = {
    "open the warehouse": lambda two, half: get_warehouse(half.site.warehouse.pk),
    "open the order": lambda two, half: get_purchase_order(half.order.pk),
    "receive": lambda two, half: receive_order(
        order_id=half.order.pk,
        lines=[ReceiptLine(half.order.lines.get().pk, Decimal(1))],
    ),
    "ship": lambda two, half: ship_sale(
        warehouse_id=half.site.warehouse.pk, lines=[SaleLine(two.apple.pk, Decimal(1))]
    ),
    "post": lambda two, half: half.site.ship(two.apple, 1),
    "allocate": lambda two, half: allocate(
        lines=[AllocationLine(two.apple.pk, half.site.at("storage"), Decimal(1))]
    ),
    "reverse": lambda two, half: reverse_movement(movement_id=half.movement_id),
    "draft an order": lambda two, half: create_draft_order(
        supplier_id=two.here.order.supplier_id, warehouse_id=half.site.warehouse.pk
    ),
    "request a count": lambda two, half: request_count(location_id=half.site.at("storage")),
    "adjust": lambda two, half: adjust_stock(
        warehouse_id=half.site.warehouse.pk,
        adjustments=[
            Adjustment(two.apple.pk, half.site.at("storage"), Decimal(-1), MovementReason.SCRAP)
        ],
    ),
    "add a location": lambda two, half: create_location(
        warehouse_id=half.site.warehouse.pk, code="NEW"
    ),
    "require": lambda two, half: require_warehouse(half.site.warehouse.pk),
    "require places": lambda two, half: require_locations([half.site.at("storage")]),
}


def _rows() -> tuple[Any, ...]:
    stock = StockBalance.objects.order_by("id").values_list("on_hand", "allocated")
    counted = [m.objects.count() for m in (StockMovement, PurchaseOrder, CycleCount, AuditEvent)]
    return (*stock, *counted)


@pytest.mark.parametrize("what", DONE)
def test_nothing_is_done_in_another_warehouse_and_everything_in_the_own(
    two: TwoSites, what: str
) -> None:
    with two.house.scope("manager"):
        before = _rows()
        with pytest.raises(NotFound):
            DONE[what](two, two.there)
        assert _rows() == before
        DONE[what](two, two.here)
    with two.house.scope("owner"):  # control: it is possible there, too
        DONE[what](two, two.there)


def test_another_warehouse_answers_like_a_missing_one(two: TwoSites) -> None:
    refusals = []
    with two.house.scope("manager"):
        for warehouse_id in (two.there.site.warehouse.pk, 987654321):
            with pytest.raises(NotFound) as refusal:
                create_location(warehouse_id=warehouse_id, code="NEW")
            refusals.append(str(refusal.value).replace(str(warehouse_id), "?"))
    assert refusals[0] == refusals[1]


def test_goods_on_the_road_belong_to_both_ends(two: TwoSites) -> None:
    """Sent from there by the owner, received here by somebody who works here only."""
    out, road = two.there.site, two.there.site.at("in_transit")
    with two.house.scope("owner"):
        post_movements(lines=[out.line(two.apple, 4, "storage", "in_transit")])
    arrival = two.here.site.line(two.apple, 4, "supplier", "storage")
    arrival = type(arrival)(
        two.apple.pk, road, arrival.to_location_id, Decimal(4), MovementReason.TRANSFER_IN
    )
    with two.house.scope("operator"):
        post_movements(lines=[arrival])
    back = type(arrival)(
        two.apple.pk, road, out.at("storage"), Decimal(1), MovementReason.TRANSFER_IN
    )
    with two.house.scope("operator"), pytest.raises(NotFound):
        post_movements(lines=[back])


PAGES = ("stock/", "movements/", "purchase-orders/", "warehouses/", "products/")


@pytest.mark.parametrize("rest", PAGES)
def test_pages_do_not_name_the_other_warehouse(two: TwoSites, rest: str) -> None:
    theirs = two.there.site.warehouse.name
    assert theirs.encode() not in two.house.client("operator").get(two.house.path(rest)).content
    seen = two.house.client("owner").get(two.house.path(rest)).content
    # movements name locations only; every other page names the warehouse
    assert (theirs.encode() in seen) or rest in {"movements/", "products/"}


@pytest.mark.parametrize(
    "rest",
    [
        "warehouses/{warehouse}/",
        "purchase-orders/{order}/",
        "purchase-orders/{order}/receive/",
    ],
)
def test_addresses_of_the_other_warehouse_are_not_found(two: TwoSites, rest: str) -> None:
    def asked(half: Half, client: Client) -> int:
        path = rest.format(warehouse=half.site.warehouse.pk, order=half.order.pk)
        return client.get(two.house.path(path)).status_code

    operator = two.house.client("operator")
    assert asked(two.there, operator) == 404
    assert asked(two.here, operator) == 200
    assert asked(two.there, two.house.client("owner")) == 200


@pytest.mark.parametrize("path", ["warehouses", "locations", "purchase-orders", "stock/balances"])
def test_the_api_lists_the_own_warehouse(two: TwoSites, path: str) -> None:
    here, there = two.here.site.warehouse.pk, two.there.site.warehouse.pk
    key = "id" if path == "warehouses" else "warehouse_id"
    seen = by_session(two.house, "operator").get(path, limit=100).json()["items"]
    assert {row[key] for row in seen} == {here}
    seen = by_session(two.house, "owner").get(path, limit=100).json()["items"]
    assert {row[key] for row in seen} == {here, there}


def test_a_key_reaches_as_far_as_the_member_who_made_it(two: TwoSites) -> None:
    from tenancy.services.api_keys import create_api_key

    with two.house.scope("manager"):
        narrow = create_api_key(name="n", role="manager", scopes=["read"]).secret
    wide = key_of(two.house)
    for secret, count in ((narrow, 1), (wide, 2)):
        caller = Caller(two.house, headers={"Authorization": f"Bearer {secret}"})
        assert len(caller.get("warehouses").json()["items"]) == count


def test_the_look_is_one_statement_a_scope_and_none_for_owners_and_jobs(
    two: TwoSites, django_assert_num_queries: Any
) -> None:
    from tenancy.scope import Actor, tenant_scope

    with two.house.scope("operator"), django_assert_num_queries(1):
        assert allowed_warehouses() == {two.here.site.warehouse.pk}
        assert allowed_warehouses() == {two.here.site.warehouse.pk}
    with two.house.scope("owner"), django_assert_num_queries(0):
        assert allowed_warehouses() is None
    system = tenant_scope(two.house.tenant, actor=Actor.system("job"))
    with system, django_assert_num_queries(0):
        assert allowed_warehouses() is None
    with tenant_scope(two.house.tenant, actor=Actor.anonymous()):
        assert allowed_warehouses() == frozenset()


def test_lifting_the_restriction_holds_from_the_next_scope_on(two: TwoSites) -> None:
    restrict(two.house, "operator")
    with two.house.scope("operator"):
        assert allowed_warehouses() is None
        assert warehouses().count() == 2


def test_owners_and_oneself_are_not_restricted(two: TwoSites, south: House) -> None:
    here, there = two.here.site.warehouse.pk, two.there.site.warehouse.pk
    with two.house.scope("owner"):
        with pytest.raises(OwnersWorkEverywhere):
            set_warehouse_access(
                membership_id=member_of(two.house, "owner").pk, warehouse_ids=[here]
            )
        with pytest.raises(NotFound):
            set_warehouse_access(
                membership_id=member_of(two.house, "viewer").pk, warehouse_ids=[987654321]
            )
    with south.scope():
        stranger = member_of(south, "viewer").pk
    with two.house.scope("manager"):
        with pytest.raises(OwnAccess):
            set_warehouse_access(membership_id=member_of(two.house, "manager").pk, warehouse_ids=[])
        with pytest.raises(NotFound):
            set_warehouse_access(membership_id=stranger, warehouse_ids=[here])
        with pytest.raises(NotFound):
            set_warehouse_access(
                membership_id=member_of(two.house, "viewer").pk, warehouse_ids=[there]
            )
    with two.house.scope("operator"), pytest.raises(PermissionRefused):
        set_warehouse_access(membership_id=member_of(two.house, "viewer").pk, warehouse_ids=[])
    with two.house.scope():
        assert set(WarehouseAccess.objects.values_list("warehouse_id", flat=True)) == {here}


def test_a_restricted_manager_gives_no_more_than_the_own_reach(two: TwoSites) -> None:
    viewer = {"warehouse_ids": []}
    with two.house.scope("manager"):
        viewer["membership_id"] = member_of(two.house, "viewer").pk
        with pytest.raises(BeyondOwnAccess):  # none named: everywhere
            set_warehouse_access(**viewer)
        with pytest.raises(BeyondOwnAccess):
            create_warehouse(code="NEW", name="New")
    restrict(two.house, "viewer", two.here.site.warehouse.pk, two.there.site.warehouse.pk)
    with two.house.scope("manager"), pytest.raises(BeyondOwnAccess):  # would take THERE away
        set_warehouse_access(**viewer | {"warehouse_ids": [two.here.site.warehouse.pk]})


def test_a_manager_chooses_warehouses_on_the_members_page(two: TwoSites) -> None:
    with two.house.scope():
        member = member_of(two.house, "operator")
    page = two.house.path(f"settings/members/{member.pk}/warehouses/")
    owner = two.house.client("owner")
    assert page.encode() in owner.get(two.house.path("settings/members/")).content
    assert b"checked" in owner.get(page).content
    empty = owner.post(page, {"reach": "some"})
    assert (empty.status_code, b"Choose one warehouse" in empty.content) == (422, True)
    both = [two.here.site.warehouse.pk, two.there.site.warehouse.pk]
    assert owner.post(page, {"reach": "some", "warehouse_ids": both}).status_code == 302
    with two.house.scope("operator"):
        assert allowed_warehouses() == set(both)
    assert owner.post(page, {"reach": "everywhere"}).status_code == 302
    with two.house.scope("operator"):
        assert allowed_warehouses() is None
        event = AuditEvent.objects.filter(action="member.warehouses_changed").latest("id")
        assert event.data == {"warehouses": []}
    assert two.house.client("operator").get(page).status_code == 403


def test_the_api_reads_and_sets_where_a_member_works(two: TwoSites) -> None:
    with two.house.scope():
        member = member_of(two.house, "operator")
    caller, path = by_session(two.house, "owner"), f"members/{member.pk}/warehouses"
    here, there = two.here.site.warehouse.pk, two.there.site.warehouse.pk
    assert caller.get(path).json() == {
        "membership_id": member.pk,
        "is_restricted": True,
        "warehouse_ids": [here],
    }
    changed = caller.send("PUT", path, {"warehouse_ids": [there, here]})
    assert (changed.status_code, changed.json()["warehouse_ids"]) == (200, [here, there])
    lifted = caller.send("PUT", path, {"warehouse_ids": []})
    assert lifted.json()["is_restricted"] is False
    assert by_session(two.house, "operator").get(path).status_code == 403
