"""Movements taken back: once, and only while the goods are there."""

from __future__ import annotations

from decimal import Decimal

import pytest

from inventory.models import StockMovement
from inventory.queries.integrity import check_book
from inventory.services.ledger import AlreadyReversed, InsufficientStock, reverse_movement
from tenancy.errors import NotFound
from tests.cast import House
from tests.inventory.book import Site, make_product, make_site, on_hand


def test_a_movement_is_reversed_once_and_the_reversal_points_at_it(site: Site) -> None:
    apple = make_product()
    [receipt] = site.receive(apple, 10, unit_cost=Decimal("1.25"))
    reversal = reverse_movement(movement_id=receipt, note="wrong product")
    assert (reversal.reverses_id, reversal.quantity) == (receipt, 10)
    assert (reversal.from_location_id, reversal.to_location_id) == (
        site.at("storage"),
        site.at("supplier"),
    )
    assert on_hand(apple) == 0
    site.receive(apple, 10)
    with pytest.raises(AlreadyReversed):
        reverse_movement(movement_id=receipt)
    assert on_hand(apple) == 10
    assert check_book() == []


def test_what_has_moved_on_cannot_be_reversed(site: Site) -> None:
    apple = make_product()
    [receipt] = site.receive(apple, 10)
    site.ship(apple, 1)
    with pytest.raises(InsufficientStock) as refusal:
        reverse_movement(movement_id=receipt)
    assert refusal.value.lines[0].short == 1
    assert not StockMovement.objects.filter(reverses=receipt).exists()


def test_a_shipment_is_taken_back_even_to_a_place_no_longer_in_use(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 3)
    [shipment] = site.ship(apple, 3)
    storage = site.places["storage"]
    storage.is_active = False
    storage.save()
    reverse_movement(movement_id=shipment)
    assert on_hand(apple, storage.pk) == 3


def test_a_foreign_movement_cannot_be_reversed(north: House, south: House) -> None:
    with south.scope():
        [theirs] = make_site().receive(make_product(), 1)
    with north.scope():
        for movement_id in (theirs, 987654321):
            with pytest.raises(NotFound):
                reverse_movement(movement_id=movement_id)
