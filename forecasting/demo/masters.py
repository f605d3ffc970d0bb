"""Set up a simulated company through the real services: places, products, suppliers, promotions."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from forecasting.demo.specs import Range, Trade
from forecasting.demo.trading import tracks_lots
from forecasting.demo.world import SimulatedProduct, World
from forecasting.models import ExternalSignal, SignalKind, SignalValue
from inventory.models import (
    Channel,
    Location,
    LocationKind,
    LotTracking,
    Product,
    StockPolicy,
    Supplier,
    Warehouse,
)
from inventory.services.catalog import ProductFields, create_category, create_product
from inventory.services.places import (
    ManyLocations,
    create_locations,
    create_warehouse,
    create_zone,
)
from inventory.services.suppliers import Offer, SupplierFields, create_supplier, set_offer

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Masters:
    """Database ids by position in the simulated world."""

    products: list[int]
    warehouses: list[int]
    channels: list[int]
    suppliers: dict[str, int]
    shelves: dict[tuple[int, int], int]
    """Storage location of a product in a warehouse."""
    virtual: dict[tuple[int, str], int]
    """Location of a warehouse by kind, of those that exist once."""


def money(amount: float) -> Decimal:
    """Return an exact amount of cents."""
    return Decimal(repr(amount)).quantize(CENT)


def set_up(world: World) -> Masters:
    """Create the company's master data in the active tenant, or find what is there already."""
    if not Warehouse.objects.exists():
        _create(world)
    return _find(world)


def _create(world: World) -> None:
    trade = world.trade
    for channel in trade.channels:
        Channel.objects.create(code=channel.code, name=channel.name, kind=channel.kind)
    StockPolicy.objects.create(
        cycle_service_level=Decimal("0.95"), review_period_days=3 if not trade.intermittent else 7
    )
    categories = {r.category: create_category(name=r.category).pk for r in trade.ranges}
    products = [_create_product(world, p, categories) for p in world.products]
    _create_places(trade, world.products)
    _create_suppliers(trade, world.products, products)
    _create_promotions(world, products)


def _create_product(world: World, product: SimulatedProduct, categories: dict[str, int]) -> int:
    launch = product.launch
    introduced = world.first_day + dt.timedelta(days=launch) if launch is not None else None
    lots = LotTracking.LOT if tracks_lots(product) else LotTracking.NONE
    fields = ProductFields(
        sku=product.sku,
        name=product.name,
        category_id=categories[product.range.category],
        lot_tracking=lots,
        shelf_life_days=product.range.shelf_life_days,
        unit_cost=money(product.cost),
        unit_price=money(product.price),
        weight_kg=weight_of(product),
        introduced_on=introduced,
    )
    return int(create_product(fields=fields).pk)


def weight_of(product: SimulatedProduct) -> Decimal:
    """Return what a unit weighs: what costs more is heavier, by and large."""
    return Decimal(repr(round(0.3 + product.price**0.8 * 0.15, 2)))


def _shelf_code(trade: Trade, product: SimulatedProduct) -> str:
    return f"{_zone_code(trade, product.range)}-{product.rank + 1:02d}"


def _zone_code(trade: Trade, family: Range) -> str:
    return chr(ord("A") + trade.ranges.index(family))


def _create_places(trade: Trade, products: tuple[SimulatedProduct, ...]) -> None:
    for code, name, _share in trade.warehouses:
        warehouse = create_warehouse(
            code=code, name=name, time_zone=trade.time_zone, country=trade.country
        )
        zones = {
            family.category: create_zone(
                warehouse_id=warehouse.pk, code=_zone_code(trade, family), name=family.category
            ).pk
            for family in trade.ranges
        }
        first = 100
        for family in trade.ranges:
            shelves = sum(product.range is family for product in products)
            fields = ManyLocations(zone_id=zones[family.category], first_walking_order=first)
            pattern = f"{_zone_code(trade, family)}-[01-{shelves:02d}]"
            create_locations(warehouse_id=warehouse.pk, pattern=pattern, fields=fields)
            first += shelves


def _create_suppliers(
    trade: Trade, products: tuple[SimulatedProduct, ...], product_ids: list[int]
) -> None:
    suppliers = {}
    modes = {spec.code: spec.transport_mode for spec in trade.suppliers}
    for spec in trade.suppliers:
        fields = SupplierFields(
            code=spec.code,
            name=spec.name,
            lead_time_days=spec.lead_time_days,
            minimum_order_value=money(spec.minimum_order_value),
            transport_cost=money(spec.transport_cost),
            country=spec.country or trade.country,
        )
        suppliers[spec.code] = create_supplier(fields=fields).pk
    for product, product_id in zip(products, product_ids, strict=True):
        case = Decimal(product.range.case)
        rebate = {case * 12: money(product.cost * 0.96)} if product.rank % 3 == 0 else {}
        offer = Offer(
            price=money(product.cost),
            supplier_sku=f"{product.range.supplier}-{product.sku[-4:]}",
            minimum_order_quantity=case,
            order_multiple=case,
            is_preferred=True,
            transport_mode=modes[product.range.supplier],
        )
        set_offer(
            supplier_id=suppliers[product.range.supplier],
            product_id=product_id,
            offer=offer,
            price_breaks=rebate,
        )


def _create_promotions(world: World, product_ids: list[int]) -> None:
    """Record every promotion, the planned ones of the coming weeks included."""
    signals = ExternalSignal.objects.bulk_create(
        [
            ExternalSignal(
                name="Promotion",
                kind=SignalKind.PROMOTION,
                is_known_ahead=True,
                product_id=product_id,
            )
            for product_id in product_ids
        ]
    )
    SignalValue.objects.bulk_create(
        [
            SignalValue(signal=signal, day=world.first_day + dt.timedelta(days=day), value=1.0)
            for signal, row in zip(signals, world.promoted, strict=True)
            for day in row.nonzero()[0].tolist()
        ],
        batch_size=2000,
    )


def _find(world: World) -> Masters:
    trade = world.trade
    products = dict(Product.objects.values_list("sku", "pk"))
    warehouses = dict(Warehouse.objects.values_list("code", "pk"))
    channels = dict(Channel.objects.values_list("code", "pk"))
    places = {
        (warehouse_id, code): (pk, kind)
        for pk, warehouse_id, code, kind in Location.objects.values_list(
            "pk", "warehouse_id", "code", "kind"
        )
    }
    warehouse_ids = [warehouses[code] for code, _, _ in trade.warehouses]
    return Masters(
        products=[products[p.sku] for p in world.products],
        warehouses=warehouse_ids,
        channels=[channels[c.code] for c in trade.channels],
        suppliers=dict(Supplier.objects.values_list("code", "pk")),
        shelves={
            (p, w): places[warehouse_id, _shelf_code(trade, product)][0]
            for w, warehouse_id in enumerate(warehouse_ids)
            for p, product in enumerate(world.products)
        },
        virtual={
            (warehouse_ids.index(warehouse_id), kind): pk
            for (warehouse_id, _code), (pk, kind) in places.items()
            if kind != LocationKind.STORAGE
        },
    )
