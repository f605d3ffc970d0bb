"""Transfers: drafted, released against what is there, cancelled."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from inventory.models import (
    Allocation,
    AllocationState,
    ChannelStock,
    TransferOrder,
    TransferState,
    WorkKind,
)
from inventory.queries.worklists import live_claims
from inventory.services.lots import set_lot_status
from inventory.services.transfers import (
    AskedLine,
    ShortTransfer,
    TransferHasNoLines,
    WrongTransferState,
    add_transfer_lines,
    cancel_transfer,
    create_transfer,
    release_transfer,
    remove_transfer_line,
    send_transfer,
)
from inventory.services.worklists import claim_work
from tenancy.errors import Invalid, NotFound, StaleVersion
from tenancy.models import AuditEvent
from tenancy.permissions import PermissionRefused
from tests.cast import House
from tests.inventory.book import make_lot, make_product, make_site
from tests.inventory.selling import make_channel
from tests.inventory.shifting import Pair, allocated, fresh, make_pair

HUGE = Decimal("1e400")


# -- drafts ---------------------------------------------------------------------------------------
def test_a_draft_commits_to_nothing(pair: Pair) -> None:
    apple = make_product()
    pair.here.receive(apple, 10)
    order = pair.draft((apple, 4), expected_on=date(2026, 12, 1), note="for Christmas")
    assert (order.number, order.state, order.version) == ("TO-000001", TransferState.DRAFT, 1)
    assert order.lines.get().quantity == 4
    assert allocated(apple) == 0
    assert AuditEvent.objects.filter(action="transfer.created").count() == 1


def test_a_transfer_goes_to_another_warehouse_in_use(pair: Pair) -> None:
    here, there = pair.here.warehouse, pair.there.warehouse
    with pytest.raises(Invalid, match="goes to another warehouse"):
        create_transfer(from_warehouse_id=here.pk, to_warehouse_id=here.pk)
    there.is_active = False
    there.save()
    with pytest.raises(Invalid, match="THERE is not in use") as refused:
        create_transfer(from_warehouse_id=here.pk, to_warehouse_id=there.pk)
    assert refused.value.problems[0].field == "to_warehouse_id"
    assert TransferOrder.objects.count() == 0


@pytest.mark.parametrize(
    "quantity", [Decimal(0), Decimal(-1), Decimal("0.5"), HUGE, Decimal("NaN")]
)
def test_a_line_asks_for_an_exact_number_of_units(pair: Pair, quantity: Decimal) -> None:
    with pytest.raises(Invalid) as refused:
        pair.draft((make_product("APPLE"), 1), (make_product("PEAR"), quantity))
    assert [(p.field, p.line) for p in refused.value.problems] == [("quantity", 1)]
    assert TransferOrder.objects.count() == 0


@pytest.mark.parametrize("cost", [Decimal(-1), HUGE, Decimal("NaN"), Decimal("0.0000001")])
def test_the_transport_cost_is_an_amount_of_money(pair: Pair, cost: Decimal) -> None:
    with pytest.raises(Invalid) as refused:
        pair.draft(transport_cost=cost)
    assert refused.value.problems[0].field == "transport_cost"


def test_a_product_stands_on_a_transfer_once(pair: Pair) -> None:
    apple = make_product()
    with pytest.raises(Invalid, match="APPLE is on this transfer already"):
        pair.draft((apple, 1), (apple, 2))
    order = pair.draft((apple, 1))
    with pytest.raises(Invalid, match="APPLE is on this transfer already"):
        add_transfer_lines(transfer_order_id=order.pk, lines=[AskedLine(apple.pk, Decimal(1))])
    assert fresh(order).version == 1


def test_lines_are_added_and_taken_off_while_it_is_a_draft(pair: Pair) -> None:
    apple, pear = make_product("APPLE"), make_product("PEAR")
    order = pair.draft((apple, 1))
    pair.here.receive(pear, 9)
    add_transfer_lines(
        transfer_order_id=order.pk, lines=[AskedLine(pear.pk, Decimal(2))], version=1
    )
    first = order.lines.get(product=apple)
    remove_transfer_line(transfer_order_id=order.pk, line_id=first.pk, version=2)
    assert [line.product_id for line in order.lines.all()] == [pear.pk]
    release_transfer(transfer_order_id=order.pk, version=3)
    last = order.lines.get()
    for change in (
        lambda: add_transfer_lines(
            transfer_order_id=order.pk, lines=[AskedLine(apple.pk, Decimal(1))]
        ),
        lambda: remove_transfer_line(transfer_order_id=order.pk, line_id=last.pk),
    ):
        with pytest.raises(WrongTransferState, match="possible only when Draft"):
            change()
    assert order.lines.count() == 1


def test_a_line_of_another_transfer_is_not_found_here(pair: Pair) -> None:
    apple = make_product()
    mine, other = pair.draft((apple, 1)), pair.draft((apple, 1))
    with pytest.raises(NotFound):
        remove_transfer_line(transfer_order_id=mine.pk, line_id=other.lines.get().pk)
    assert other.lines.count() == 1


def test_rows_of_another_tenant_answer_like_missing_ones(north: House, south: House) -> None:
    with south.scope():
        foreign = make_pair()
        product = make_product()
        theirs = foreign.draft((product, 1))
    with north.scope():
        own = make_site()
        with pytest.raises(NotFound, match="warehouse"):
            create_transfer(
                from_warehouse_id=own.warehouse.pk, to_warehouse_id=foreign.there.warehouse.pk
            )
        pair = make_pair()
        with pytest.raises(NotFound, match="product"):
            pair.draft((product, 1))
        for use in (release_transfer, cancel_transfer, send_transfer):
            with pytest.raises(NotFound, match="transfer order"):
                use(transfer_order_id=theirs.pk)


@pytest.mark.parametrize("change", ["add", "remove", "release", "cancel"])
def test_a_stale_version_changes_nothing(pair: Pair, change: str) -> None:
    apple, pear = make_product("APPLE"), make_product("PEAR")
    pair.here.receive(apple, 10)
    order = pair.draft((apple, 1))
    line = order.lines.get()
    asked: dict[str, object] = {"transfer_order_id": order.pk, "version": 7}
    with pytest.raises(StaleVersion):
        {
            "add": lambda: add_transfer_lines(lines=[AskedLine(pear.pk, Decimal(1))], **asked),
            "remove": lambda: remove_transfer_line(line_id=line.pk, **asked),
            "release": lambda: release_transfer(**asked),
            "cancel": lambda: cancel_transfer(**asked),
        }[change]()
    assert (fresh(order).state, fresh(order).version) == (TransferState.DRAFT, 1)
    assert order.lines.count() == 1
    assert allocated(apple) == 0


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_only_who_plans_drafts_releases_and_cancels(north: House, role: str) -> None:
    with north.scope():
        pair, apple = make_pair(), make_product()
        pair.here.receive(apple, 10)
        order = pair.draft((apple, 1))
    with north.scope(role):
        with pytest.raises(PermissionRefused):
            pair.draft((apple, 1))
        for use in (release_transfer, cancel_transfer):
            with pytest.raises(PermissionRefused):
                use(transfer_order_id=order.pk)


# -- release --------------------------------------------------------------------------------------
def test_release_promises_the_first_expiring_lots_where_they_lie(pair: Pair) -> None:
    milk = make_product("MILK", lot_tracking="lot")
    late = make_lot(milk, "LATE", expires_on=date(2099, 1, 1))
    soon = make_lot(milk, "SOON", expires_on=date(2098, 1, 1))
    pair.here.receive(milk, 5, lot_id=late.pk)
    pair.here.receive(milk, 3, lot_id=soon.pk)
    order = pair.released((milk, 6))
    assert order.state == TransferState.RELEASED
    assert order.released_at is not None
    promises = Allocation.objects.order_by("id").values_list("lot__code", "quantity", "state")
    assert list(promises) == [("SOON", 3, "allocated"), ("LATE", 3, "allocated")]
    assert allocated(milk) == 6


def test_a_short_transfer_is_refused_with_the_numbers_of_every_short_line(pair: Pair) -> None:
    apple, pear, plum = make_product("APPLE"), make_product("PEAR"), make_product("PLUM")
    pair.here.receive(apple, 6)
    pair.here.receive(pear, 5)
    order = pair.draft((apple, 10), (pear, 5), (plum, 2))
    with pytest.raises(ShortTransfer, match="APPLE, 10 asked, 6 free") as refused:
        release_transfer(transfer_order_id=order.pk)
    told = [(line["sku"], line["asked"], line["free"], line["short"]) for line in
            refused.value.data["lines"]]  # fmt: skip
    assert told == [("APPLE", "10", "6", "4"), ("PLUM", "2", "0", "2")]
    assert fresh(order).state == TransferState.DRAFT
    assert allocated(apple) == allocated(pear) == 0


def test_with_what_is_there_it_is_released_when_the_caller_says_so(pair: Pair) -> None:
    apple, plum = make_product("APPLE"), make_product("PLUM")
    pair.here.receive(apple, 6)
    order = pair.draft((apple, 10), (plum, 2))
    release_transfer(transfer_order_id=order.pk, allow_short=True)
    assert fresh(order).state == TransferState.RELEASED
    assert (allocated(apple), allocated(plum)) == (6, 0)


def test_of_nothing_at_all_no_transfer_is_released(pair: Pair) -> None:
    order = pair.draft((make_product(), 2))
    with pytest.raises(ShortTransfer):
        release_transfer(transfer_order_id=order.pk, allow_short=True)
    empty = pair.draft()
    with pytest.raises(TransferHasNoLines, match="TO-000002 has no lines"):
        release_transfer(transfer_order_id=empty.pk)
    assert Allocation.objects.count() == 0


def test_held_and_expired_lots_and_other_places_are_not_promised(pair: Pair) -> None:
    milk = make_product("MILK", lot_tracking="lot")
    old, held = make_lot(milk, "OLD", expires_on=date(2020, 1, 1)), make_lot(milk, "HELD")
    good = make_lot(milk, "GOOD")
    for lot in (old, held, good):
        pair.here.receive(milk, 4, lot_id=lot.pk)
    set_lot_status(lot_id=held.pk, status="on_hold")
    order = pair.draft((milk, 5))
    with pytest.raises(ShortTransfer, match="5 asked, 4 free"):
        release_transfer(transfer_order_id=order.pk)


def test_what_is_kept_for_a_channel_stays(pair: Pair) -> None:
    apple = make_product()
    pair.here.receive(apple, 10)
    ChannelStock.objects.create(
        channel=make_channel(), product=apple, warehouse=pair.here.warehouse, ring_fenced=7
    )
    order = pair.draft((apple, 5))
    with pytest.raises(ShortTransfer, match="5 asked, 3 free"):
        release_transfer(transfer_order_id=order.pk)
    release_transfer(transfer_order_id=order.pk, allow_short=True)
    assert allocated(apple) == 3


def test_two_transfers_share_what_lies_free(pair: Pair) -> None:
    apple = make_product()
    pair.here.receive(apple, 10)
    pair.released((apple, 6))
    second = pair.draft((apple, 6))
    with pytest.raises(ShortTransfer, match="6 asked, 4 free"):
        release_transfer(transfer_order_id=second.pk)
    assert allocated(apple) == 6


def test_a_transfer_is_released_once(pair: Pair) -> None:
    apple = make_product()
    pair.here.receive(apple, 10)
    order = pair.released((apple, 3))
    with pytest.raises(WrongTransferState):
        release_transfer(transfer_order_id=order.pk)
    assert allocated(apple) == 3


def test_release_asks_the_same_number_of_questions_however_many_lines(
    pair: Pair, django_assert_num_queries
) -> None:
    def order_of(count: int, tag: str) -> TransferOrder:
        products = [make_product(f"{tag}-{number}") for number in range(count)]
        for product in products:
            pair.here.receive(product, 5)
        return pair.draft(*((product, 2) for product in products))

    for count, tag in ((1, "A"), (12, "B")):
        order = order_of(count, tag)
        with django_assert_num_queries(RELEASE_STATEMENTS):
            release_transfer(transfer_order_id=order.pk)


# savepoint, order, lines, two warehouses, channel rules, choice, savepoint of the ledger, balances
# locked and changed, end of it, promises, order, event, end of the savepoint
RELEASE_STATEMENTS = 15


# -- cancel ---------------------------------------------------------------------------------------
def test_a_cancelled_transfer_leaves_its_stock_free(pair: Pair) -> None:
    apple = make_product()
    pair.here.receive(apple, 10)
    order = pair.released((apple, 6))
    claim_work(kind=WorkKind.SEND_TRANSFER, subject_id=order.pk)
    cancel_transfer(transfer_order_id=order.pk, version=2, reason="no lorry")
    assert fresh(order).state == TransferState.CANCELLED
    assert allocated(apple) == 0
    ended = Allocation.objects.get()
    assert (ended.state, ended.quantity) == (AllocationState.RELEASED, 6)
    assert ended.ended_at is not None
    assert live_claims(WorkKind.SEND_TRANSFER, [order.pk]) == {}
    assert AuditEvent.objects.get(action="transfer.cancelled").data["reason"] == "no lorry"


def test_a_draft_is_cancelled_and_what_is_on_the_way_is_not(pair: Pair) -> None:
    apple = make_product()
    pair.here.receive(apple, 10)
    draft, sent = pair.draft((apple, 1)), pair.sent((apple, 6))
    assert cancel_transfer(transfer_order_id=draft.pk).state == TransferState.CANCELLED
    with pytest.raises(WrongTransferState, match="is In transit"):
        cancel_transfer(transfer_order_id=sent.pk)
    assert fresh(sent).state == TransferState.IN_TRANSIT
