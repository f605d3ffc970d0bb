from __future__ import annotations

from decimal import Decimal

import pytest

from inventory.models import InventorySettings
from tests.cast import House
from tests.inventory.book import Site, Stocked, make_site, make_stocked
from tests.inventory.counts import EXPECTED
from tests.inventory.outbound_world import Floor, make_floor
from tests.inventory.refusing import Desk, make_desk
from tests.inventory.shifting import Pair, make_pair


@pytest.fixture
def site(in_north: House) -> Site:
    """A warehouse of *north* in Berlin, in the scope of its owner."""
    return make_site()


@pytest.fixture
def floor(in_north: House) -> Floor:
    """A floor of *north* to pick, pack and ship from."""
    return make_floor()


@pytest.fixture
def pair(in_north: House) -> Pair:
    """Two warehouses of *north*."""
    return make_pair()


@pytest.fixture
def adjustable(north: House) -> Stocked:
    """Ten apples at 2.00; adjustments up to 6.00 need no manager."""
    with north.scope():
        InventorySettings.objects.create(adjustment_limit=Decimal(6))
        return north, *make_stocked(10)


@pytest.fixture
def countable(north: House) -> Stocked:
    """As many apples at 2.00 as look like no other number in an answer."""
    with north.scope():
        return north, *make_stocked(int(EXPECTED))


@pytest.fixture
def desk(in_north: House) -> Desk:
    """What every attempt that is refused is made on."""
    return make_desk()
