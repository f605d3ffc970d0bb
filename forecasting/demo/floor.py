"""The floor of a simulated company on the morning after its history: orders in every state.

Told once, to the services the pages use, so that every work list has something to do.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

import numpy as np

from forecasting.demo.inside import work_inside
from inventory.models import Channel, PickTask, Product, SalesOrder, Warehouse, Wave
from inventory.queries.promisable import promisable
from inventory.queries.waves import WaveRequest
from inventory.rules.business_day import business_day
from inventory.rules.wave_plan import PlanKind
from inventory.services.customers import CustomerFields, create_customer
from inventory.services.packing import PackageMeasures, close_package, open_package, pack_rest
from inventory.services.picking import Pick, pick
from inventory.services.sales import confirm_sales_order
from inventory.services.sales_entry import SalesOrderFields, create_sales_order
from inventory.services.sales_lines import SalesLine
from inventory.services.shipping import ShipmentFields, ship_order
from inventory.services.waves import release_waves
from tenancy.models import Tenant
from tenancy.scope import Actor, active_scope, run_in_scope

SEED = 4_711
CUSTOMERS = (
    ("Café Morgenrot", "12 Lindenstraße, 10969 Berlin"),
    ("Kita Regenbogen", "4 Gartenweg, 13187 Berlin"),
    ("Hotel Am Kanal", "77 Uferstraße, 10999 Berlin"),
    ("Kantine Stadtwerke", "1 Werkstraße, 12435 Berlin"),
    ("Bistro Nordlicht", "23 Hafenplatz, 20457 Hamburg"),
    ("Werkstatt Krüger", "8 Industriering, 04229 Leipzig"),
)
DRAFTS, BACKORDERS, WAITING, PICKING, PACKED, SHIPPED = 2, 2, 8, 5, 3, 4
WELL_STOCKED, SCARCE = 8, 3
CARRIERS = ("Parcel service", "Own van")


@dataclass(frozen=True)
class Floor:
    """What orders are made of: products that lie there in numbers, and those nearly sold out."""

    warehouse: Warehouse
    products: Sequence[Product]
    scarce: Sequence[tuple[Product, Decimal]]
    channels: Sequence[Channel]
    customers: Sequence[int]
    today: dt.date
    rng: np.random.Generator


def open_floor(tenant: Tenant, actor: Actor, now: dt.datetime) -> bool:
    """Take and work on a day's orders in each warehouse; False when that was done before."""
    return run_in_scope(tenant, actor, partial(_open, now))


def _open(now: dt.datetime) -> bool:
    if SalesOrder.objects.exists():
        return False
    rng = np.random.default_rng(SEED)
    customers = [
        create_customer(fields=CustomerFields(code=f"C{n:03d}", name=name)).pk
        for n, (name, _address) in enumerate(CUSTOMERS, 1)
    ]
    channels = list(Channel.objects.order_by("id"))
    warehouses = list(Warehouse.objects.order_by("id"))
    for warehouse in warehouses:
        today = business_day(now, warehouse.time_zone)
        stock = _stock(warehouse, today)
        plenty = [product for product, units in stock if units >= WELL_STOCKED][:60]
        scarce = [entry for entry in reversed(stock) if entry[1] <= SCARCE]
        _work(Floor(warehouse, plenty, scarce, channels, customers, today, rng))
    work_inside(warehouses, business_day(now, active_scope().tenant.time_zone))
    return True


def _stock(warehouse: Warehouse, today: dt.date) -> list[tuple[Product, Decimal]]:
    """Return what lies in storage and may be promised, the most first."""
    rows = promisable(today).filter(location__warehouse=warehouse, location__kind="storage")
    units: dict[Product, Decimal] = {}
    for row in rows.select_related("product").order_by("id"):
        units[row.product] = units.get(row.product, Decimal(0)) + row.on_hand
    return sorted(units.items(), key=lambda entry: (-entry[1], entry[0].pk))


def _work(floor: Floor) -> None:
    if len(floor.products) < 8:
        return
    shipped = [_order(floor, late_days=1) for _ in range(SHIPPED)]
    packed = [_order(floor) for _ in range(PACKED)]
    picking = [_order(floor) for _ in range(PICKING)]
    done = [order.pk for order in (*shipped, *packed)]
    for wave in _waves(floor, done):
        _pick(wave)
    for number, order in enumerate((*shipped, *packed)):
        _pack(order.pk, weight_kg=Decimal(2 + number))
    for order in shipped:
        _ship(floor, order)
    for wave in _waves(floor, [order.pk for order in picking]):
        _pick(wave, share=2)
    for _ in range(WAITING):
        _order(floor)
    for product, units in floor.scarce[:BACKORDERS]:
        _place(floor, [SalesLine(product.pk, units + 2, product.unit_price)])
    for _ in range(DRAFTS):
        _order(floor, firm=False)


def _order(floor: Floor, *, late_days: int = 0, firm: bool = True) -> SalesOrder:
    """Take an order of one to four products, one to three of each."""
    count = int(floor.rng.integers(1, 5))
    chosen = sorted(floor.rng.choice(len(floor.products), size=count, replace=False).tolist())
    lines = [
        SalesLine(
            floor.products[place].pk,
            Decimal(int(floor.rng.integers(1, 4))),
            floor.products[place].unit_price,
        )
        for place in chosen
    ]
    return _place(floor, lines, late_days=late_days, firm=firm)


def _place(
    floor: Floor, lines: Sequence[SalesLine], *, late_days: int = 0, firm: bool = True
) -> SalesOrder:
    buyer = int(floor.rng.integers(len(floor.customers)))
    name, address = CUSTOMERS[buyer]
    fields = SalesOrderFields(
        warehouse_id=floor.warehouse.pk,
        channel_id=floor.channels[int(floor.rng.integers(len(floor.channels)))].pk,
        customer_id=floor.customers[buyer],
        priority=int(floor.rng.choice([3, 5, 5, 5, 7])),
        promised_on=floor.today + dt.timedelta(days=int(floor.rng.integers(0, 4)) - late_days),
        ship_to_name=name,
        ship_to_address=address,
    )
    order = create_sales_order(fields=fields, lines=lines)
    return confirm_sales_order(sales_order_id=order.pk) if firm else order


def _waves(floor: Floor, order_ids: Sequence[int]) -> list[Wave]:
    request = WaveRequest(floor.warehouse.pk, kind=PlanKind.BATCH, order_ids=tuple(order_ids))
    return release_waves(request=request)


def _pick(wave: Wave, share: int = 1) -> None:
    """Pick every task, or one in ``share``."""
    tasks = list(PickTask.objects.filter(wave=wave).order_by("sequence"))
    found = tasks[: max(1, len(tasks) // share)]
    picks = [Pick(task.pk, task.location_id, task.product_id, task.lot_id) for task in found]
    pick(wave_id=wave.pk, picks=picks)


def _pack(order_id: int, weight_kg: Decimal) -> None:
    package = open_package(sales_order_id=order_id)
    pack_rest(package_id=package.pk)
    close_package(package_id=package.pk, measures=PackageMeasures(weight_kg=weight_kg))


def _ship(floor: Floor, order: SalesOrder) -> None:
    carrier = CARRIERS[int(floor.rng.integers(len(CARRIERS)))]
    ship_order(
        sales_order_id=order.pk,
        shipment=ShipmentFields(carrier=carrier, transport_cost=Decimal("4.90")),
    )
