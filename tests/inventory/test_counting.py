"""Cycle counts: asked for once per place."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from inventory.models import CountReason, CountState, CycleCount
from inventory.services.counting import request_count
from tenancy.errors import Invalid, NotFound
from tenancy.permissions import PermissionRefused
from tests.cast import House
from tests.inventory.book import Site, make_product, make_site


def test_a_count_is_requested_for_today_with_a_number(site: Site) -> None:
    count = request_count(location_id=site.at("storage"))
    assert (count.number, count.state, count.reason) == ("CC-000001", "requested", "manual")
    assert count.is_blind
    assert count.due_on is not None
    assert abs(count.due_on - timezone.now().date()) <= timedelta(days=1)


def test_a_place_has_one_open_count_and_the_earlier_day_wins(site: Site) -> None:
    apple = make_product()
    later = timezone.now().date() + timedelta(days=9)
    first = request_count(location_id=site.at("storage"), product_id=apple.pk, due_on=later)
    again = request_count(
        location_id=site.at("storage"), product_id=apple.pk, reason=CountReason.SHORT_PICK
    )
    assert again.pk == first.pk
    assert CycleCount.objects.get().due_on < later
    other = request_count(location_id=site.at("packing"), product_id=apple.pk)
    assert other.number == "CC-000002"  # the refused one used no number up


def test_a_count_of_the_whole_place_covers_a_product_until_it_is_begun(site: Site) -> None:
    apple = make_product()
    whole = request_count(location_id=site.at("storage"))
    assert request_count(location_id=site.at("storage"), product_id=apple.pk).pk == whole.pk
    CycleCount.objects.update(state=CountState.COUNTING)
    assert request_count(location_id=site.at("storage"), product_id=apple.pk).pk != whole.pk


def test_a_finished_count_does_not_stand_in_the_way(site: Site) -> None:
    first = request_count(location_id=site.at("storage"))
    CycleCount.objects.update(state=CountState.CANCELLED)
    assert request_count(location_id=site.at("storage")).pk != first.pk


@pytest.mark.parametrize("kind", ["supplier", "customer", "loss", "in_transit"])
def test_only_places_that_keep_stock_are_counted(site: Site, kind: str) -> None:
    with pytest.raises(Invalid) as refusal:
        request_count(location_id=site.at(kind))
    assert [(p.field, p.code) for p in refusal.value.problems] == [("location_id", "not_countable")]
    assert not CycleCount.objects.exists()


def test_foreign_places_and_products_answer_like_missing_ones(north: House, south: House) -> None:
    with south.scope():
        theirs, their_product = make_site("THEIRS").at("storage"), make_product().pk
    with north.scope():
        ours = make_site().at("storage")
        with pytest.raises(NotFound):
            request_count(location_id=theirs)
        with pytest.raises(NotFound):
            request_count(location_id=ours, product_id=their_product)
        with pytest.raises(Invalid):
            request_count(location_id=ours, note="x" * 201)
        assert not CycleCount.objects.exists()


def test_an_operator_asks_for_a_count_and_a_viewer_does_not(north: House) -> None:
    with north.scope():
        place = make_site().at("storage")
    with north.scope("operator"):
        request_count(location_id=place)
    with north.scope("viewer"), pytest.raises(PermissionRefused):
        request_count(location_id=place)
