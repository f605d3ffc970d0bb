"""The platform's admin of inventory: tables to look at, and the few that may be edited."""

from inventory.admin import documents, policies, stock

__all__ = ["documents", "policies", "stock"]
