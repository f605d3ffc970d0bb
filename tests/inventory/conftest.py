from __future__ import annotations

import pytest

from tests.cast import House
from tests.inventory.book import Site, make_site
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
def desk(in_north: House) -> Desk:
    """What every attempt that is refused is made on."""
    return make_desk()
