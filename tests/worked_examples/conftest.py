from tests.inventory.conftest import site

__all__ = ["site"]
