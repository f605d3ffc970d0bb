"""A scanner in the hand of a member, and the floor it is used on."""

from __future__ import annotations

import re

from django.http import HttpResponse
from django.test import Client

from inventory.models import SalesOrder
from tests.cast import House
from tests.inventory.outbound_world import Floor, make_floor, make_product

HTMX = {"HTTP_HX_REQUEST": "true"}


class Handheld:
    """A member with a scanner: what the page rendered goes back with the next scan."""

    def __init__(self, house: House, rest: str, role: str = "operator", query: str = "") -> None:
        self.client: Client = house.client(role)
        self.path = house.path(rest)
        self.answer: HttpResponse = self.client.get(self.path + query)
        assert self.answer.status_code == 200

    @property
    def text(self) -> str:
        return self.answer.content.decode()

    @property
    def result(self) -> str:
        return re.search(r'data-scan-result="(\w*)"', self.text).group(1)

    @property
    def step(self) -> str:
        return re.search(r'data-scan-step="(\w+)"', self.text).group(1)

    def fields(self) -> dict[str, str]:
        form = self.text[self.text.index("data-scan-form") :]
        found = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)
        return {name: value for name, value in found if name != "csrfmiddlewaretoken"}

    def scan(self, code: str, **more: str) -> Handheld:
        return self.send(self.fields() | {"scan": code} | more)

    def press(self, action: str) -> Handheld:
        return self.send(self.fields() | {"scan": "", "action": action})

    def send(self, fields: dict[str, str]) -> Handheld:
        self.answer = self.client.post(self.path, fields, **HTMX)
        return self


def floor_of(house: House) -> Floor:
    with house.scope():
        return make_floor()


def picked(house: House, *lines: tuple[str, int]) -> tuple[Floor, SalesOrder]:
    """Return a floor and an order of its own that is picked, of these quantities."""
    floor = floor_of(house)
    with house.scope():
        products = {sku: make_product(sku) for sku, _quantity in lines}
        order = floor.order(*((products[sku], quantity) for sku, quantity in lines))
        for number, (sku, quantity) in enumerate(lines):
            floor.stock(products[sku], quantity, f"A-{number}")
            floor.promise(order, products[sku], quantity, f"A-{number}")
        floor.picked(order)
    return floor, order
