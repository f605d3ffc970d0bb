"""Nothing of a transfer or a return is dated back into a closed period, and nothing half happens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from inventory.models import StockMovement
from inventory.queries.integrity import check_book
from inventory.services.ledger_errors import PeriodClosed
from inventory.services.periods import close_period
from inventory.services.returns import (
    BlindLine,
    ReturnedGoods,
    expect_blind_return,
    receive_return,
)
from inventory.services.supplier_returns import (
    ReturningLine,
    create_supplier_return,
    send_supplier_return,
)
from inventory.services.transfers import (
    LostGoods,
    ReceivedGoods,
    receive_transfer,
    send_transfer,
    state_transfer_loss,
)
from tests.cast import House
from tests.inventory.book import make_product
from tests.inventory.returns_world import supplied_by
from tests.inventory.shifting import make_pair, piece_of

LONG_AGO = timezone.now() - timedelta(days=20)


def prepared() -> dict[str, Callable[[], Any]]:
    """Return the works that are dated back, on documents that are ready for them."""
    pair, apple = make_pair(), make_product()
    pair.here.receive(apple, 90, effective_at=LONG_AGO - timedelta(days=9))
    ready, gone = pair.released((apple, 5)), pair.released((apple, 5))
    send_transfer(transfer_order_id=gone.pk, sent_at=LONG_AGO - timedelta(days=1))
    piece = piece_of(gone).pk
    back = expect_blind_return(
        warehouse_id=pair.here.warehouse.pk, lines=[BlindLine(apple.pk, Decimal(2))]
    )
    returning = create_supplier_return(
        supplier_id=supplied_by("SAM", apple).pk,
        warehouse_id=pair.here.warehouse.pk,
        lines=[ReturningLine(apple.pk, pair.here.at("storage"), Decimal(1))],
    )
    return {
        "send": lambda: send_transfer(transfer_order_id=ready.pk, sent_at=LONG_AGO),
        "receive": lambda: receive_transfer(
            transfer_order_id=gone.pk,
            goods=[ReceivedGoods(piece, Decimal(1))],
            received_at=LONG_AGO,
        ),
        "lose": lambda: state_transfer_loss(
            transfer_order_id=gone.pk,
            goods=[LostGoods(piece, Decimal(1))],
            note="stolen",
            effective_at=LONG_AGO,
        ),
        "take back": lambda: receive_return(
            customer_return_id=back.pk,
            goods=[ReturnedGoods(back.lines.get().pk, Decimal(1))],
            received_at=LONG_AGO,
        ),
        "return": lambda: send_supplier_return(supplier_return_id=returning.pk, sent_at=LONG_AGO),
    }


@pytest.mark.parametrize("work", ["send", "receive", "lose", "take back", "return"])
def test_what_is_dated_back_is_booked_until_the_period_is_closed(
    in_north: House, work: str
) -> None:
    works = prepared()
    before = StockMovement.objects.count()
    works[work]()
    assert StockMovement.objects.count() == before + 1
    close_period(through=LONG_AGO.date() + timedelta(days=2))
    for dated_back in prepared_again(works, work):
        with pytest.raises(PeriodClosed):
            dated_back()
    assert StockMovement.objects.count() == before + 1
    assert check_book() == []


def prepared_again(works: dict[str, Callable[[], Any]], done: str) -> list[Callable[[], Any]]:
    """Return the works that are still possible: all others, and partial ones once more."""
    once = {"send", "return"}
    return [work for name, work in works.items() if name != done or name not in once]
