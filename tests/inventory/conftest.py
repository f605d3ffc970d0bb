from __future__ import annotations

import pytest

from tests.cast import House
from tests.inventory.book import Site, make_site


@pytest.fixture
def site(in_north: House) -> Site:
    """A warehouse of *north* in Berlin, in the scope of its owner."""
    return make_site()
