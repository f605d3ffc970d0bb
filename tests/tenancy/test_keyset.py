"""Pages by key: complete, in order, and closed to foreign cursors."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest
from django.db.models import F

from inventory.models import Product
from tenancy.errors import Invalid
from tenancy.queries.keyset import LARGEST_PAGE, keyset_page
from tests.cast import House


@pytest.fixture
def products(in_north: House) -> None:
    """Seven products, two of them with the same name."""
    for sku, name in zip(
        "ABCDEFG", ["one", "two", "two", "four", "five", "six", "seven"], strict=True
    ):
        Product.objects.create(sku=sku, name=name)


def walk(order: tuple[str, ...], size: int) -> list[str]:
    found: list[str] = []
    cursor = ""
    while True:
        page = keyset_page(Product.objects.all(), order=order, cursor=cursor, size=size)
        found += [product.sku for product in page.items]
        if not page.next_cursor:
            return found
        cursor = page.next_cursor


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
@pytest.mark.parametrize(
    "order",
    [("sku", "id"), ("-sku", "-id"), ("name", "-id"), ("-name", "id"), ("created_at", "id")],
)
def test_every_row_comes_once_in_order_whatever_the_page_size(
    products: None, order: tuple[str, ...], size: int
) -> None:
    expected = list(Product.objects.order_by(*order).values_list("sku", flat=True))
    assert walk(order, size) == expected


def test_a_cursor_of_another_order_or_of_nonsense_is_refused(products: None) -> None:
    other = keyset_page(Product.objects.all(), order=("name", "id"), size=2).next_cursor
    for cursor in (other, "nonsense", "%%%", "W10", "é"):
        with pytest.raises(Invalid):
            keyset_page(Product.objects.all(), order=("sku", "id"), cursor=cursor)


def test_moments_of_an_annotation_are_exact_and_checked(products: None) -> None:
    made = Product.objects.annotate(made_at=F("created_at"))
    order = ("made_at", "id")
    first = keyset_page(made, order=order, size=1)
    second = keyset_page(made, order=order, size=1, cursor=first.next_cursor)
    assert [first.items[0].sku, second.items[0].sku] == ["A", "B"]
    forged = b64encode(json.dumps([list(order), ["yesterday", 1]]).encode()).decode()
    with pytest.raises(Invalid):
        keyset_page(made, order=order, cursor=forged)


def test_a_page_is_never_larger_than_the_cap(in_north: House) -> None:
    Product.objects.bulk_create(
        [Product(sku=f"P{n:04d}", name="x") for n in range(LARGEST_PAGE + 5)]
    )
    page = keyset_page(Product.objects.all(), order=("sku", "id"), size=10_000)
    assert len(page.items) == LARGEST_PAGE
    assert page.next_cursor
