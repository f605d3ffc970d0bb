"""Many put away at once: never more than a place takes, never more than lies on the dock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from inventory.models import Location, StockBalance
from inventory.queries.integrity import check_book
from inventory.services import put_away as service
from inventory.services.ledger import InsufficientStock, post_movements
from inventory.services.put_away import DoesNotFit, put_away
from tests.inventory.book import make_product, on_hand
from tests.races.conftest import Arena
from tests.races.harness import race, won


def waiting(arena: Arena, count: int, quantity: int) -> list[StockBalance]:
    """Return as many pieces on the dock, each of a product of one litre."""
    with arena.house.scope():
        products = [make_product(f"P{n}", volume_l=Decimal(1)) for n in range(count)]
        lines = [arena.site.line(p, quantity, "supplier", "receiving") for p in products]
        post_movements(lines=lines)
        return [
            StockBalance.objects.get(product=product, location=arena.site.at("receiving"))
            for product in products
        ]


def shelf(arena: Arena, room: int) -> Location:
    with arena.house.scope():
        return Location.objects.create(
            warehouse=arena.site.warehouse, code="A-1", kind="storage", max_volume_l=Decimal(room)
        )


def putting(balance: StockBalance, place: Location, quantity: int) -> Callable[[], Any]:
    return lambda: put_away(
        stock_balance_id=balance.pk, to_location_id=place.pk, quantity=Decimal(quantity)
    )


def load(arena: Arena, place: Location) -> Decimal:
    with arena.house.scope():
        rows = StockBalance.objects.filter(location=place)
        return sum((row.on_hand for row in rows), Decimal(0))


def test_ten_who_fill_one_place_never_put_more_there_than_it_takes(arena: Arena) -> None:
    pieces, place = waiting(arena, 10, 2), shelf(arena, 7)
    results = race(arena.house, [putting(piece, place, 2) for piece in pieces])
    assert len(won(results)) == 3  # 2 + 2 + 2 = 6 of 7 litres; a fourth would make 8
    assert all(isinstance(r, DoesNotFit) for r in results if isinstance(r, Exception))
    assert load(arena, place) == 6
    with arena.house.scope():
        assert check_book() == []


def test_control_without_the_lock_a_place_is_overfilled(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces, place = waiting(arena, 5, 2), shelf(arena, 7)
    meeting, facts = threading.Barrier(5), service.place_facts

    def look_then_meet(*args: Any) -> Any:
        found = facts(*args)
        meeting.wait(60)  # everybody has seen an empty place
        return found

    monkeypatch.setattr(service, "_lock_place", lambda _dock, _place_id: place)
    monkeypatch.setattr(service, "place_facts", look_then_meet)
    results = race(arena.house, [putting(piece, place, 2) for piece in pieces])
    assert len(won(results)) == 5
    assert load(arena, place) == 10


def test_what_lies_on_the_dock_is_put_away_once(arena: Arena) -> None:
    [piece], place = waiting(arena, 1, 10), shelf(arena, 100)
    results = race(arena.house, [putting(piece, place, 6)] * 8)
    assert len(won(results)) == 1
    assert all(isinstance(r, InsufficientStock) for r in results if isinstance(r, Exception))
    with arena.house.scope():
        assert on_hand(piece.product, place.pk) == 6
        assert on_hand(piece.product) == 10
