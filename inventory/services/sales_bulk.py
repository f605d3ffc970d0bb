"""Sales orders by the hundred: all or nothing, or each with its own answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from inventory.services.sales import confirm_sales_orders
from inventory.services.sales_entry import EntryOutcome, NewSalesOrder, create_sales_orders
from tenancy.errors import Invalid, Problem, Refused
from tenancy.permissions import Permission, require


def take_sales_orders(
    *, orders: Sequence[NewSalesOrder], confirm: bool = False, all_or_nothing: bool = False
) -> list[EntryOutcome]:
    """Take several orders at once, confirmed if asked, and say of each what became of it.

    As many statements for hundreds as for one. ``all_or_nothing``: raises ``Invalid`` that names
    every order that cannot be taken (as ``line``), and takes none.
    """
    require(Permission.SELL)
    with transaction.atomic():
        # what is confirmed at once needs lines; a draft may get them later
        taken = [order for order in orders if order.lines or not confirm]
        answers = iter(create_sales_orders(orders=taken))
        outcomes = [
            next(answers) if order.lines or not confirm else EntryOutcome(refusal=_without_lines())
            for order in orders
        ]
        refused = [(n, one.refusal) for n, one in enumerate(outcomes) if one.refusal is not None]
        if refused and all_or_nothing:
            raise Invalid([problem for n, refusal in refused for problem in _told(n, refusal)])
        made = [one.order.pk for one in outcomes if one.order is not None]
        if confirm and made:
            confirm_sales_orders(sales_order_ids=made)
    return outcomes


def _without_lines() -> Refused:
    message = _("An order that is confirmed at once needs lines.")
    return Invalid.field("lines", "empty", message)


def _told(number: int, refusal: Refused) -> list[Problem]:
    if isinstance(refusal, Invalid):
        return [replace(problem, line=number) for problem in refusal.problems]
    return [Problem("", refusal.code, refusal.message, number)]
