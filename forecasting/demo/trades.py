"""The two simulated companies: what they sell, where, to whom, and who supplies them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Range:
    """A category of products. ``names`` are listed with the busiest seller first.

    ``units_a_day`` is the mean demand of the busiest product, ``season_peak`` the month (1-12) of
    highest demand, ``season_swing`` its share above the mean, ``size`` the mean units per line.
    """

    category: str
    names: tuple[str, ...]
    units_a_day: float
    price: float
    margin: float
    supplier: str
    season_peak: int
    season_swing: float
    shelf_life_days: int | None = None
    case: int = 6
    size: float = 1.0


@dataclass(frozen=True)
class SupplierSpec:
    """``late_share`` of deliveries take up to ``late_factor`` times the promised lead time."""

    code: str
    name: str
    lead_time_days: int
    late_share: float
    late_factor: float
    order_every_days: int
    minimum_order_value: float = 0.0
    transport_cost: float = 0.0
    transport_mode: str = "truck"
    country: str = ""


@dataclass(frozen=True)
class ChannelSpec:
    code: str
    name: str
    kind: str
    share: float
    share_growth: float


@dataclass(frozen=True)
class Trade:
    """A company: its weekday pattern starts on Monday, ``closed_weekdays`` sell nothing."""

    slug: str
    name: str
    time_zone: str
    country: str
    currency: str
    warehouses: tuple[tuple[str, str, float], ...]
    channels: tuple[ChannelSpec, ...]
    suppliers: tuple[SupplierSpec, ...]
    ranges: tuple[Range, ...]
    weekday: tuple[float, ...]
    holiday_factor: float
    intermittent: bool
    sku_prefix: str


GROCER = Trade(
    slug="greengrove",
    name="Greengrove Market (demo)",
    time_zone="Europe/Berlin",
    country="DE",
    currency="EUR",
    warehouses=(("BER", "Berlin market hall", 1.0),),
    channels=(
        ChannelSpec("store", "Store", "offline", 0.78, -0.08),
        ChannelSpec("web", "Web shop", "online", 0.22, 0.30),
    ),
    suppliers=(
        SupplierSpec("DAIRY", "Alpenmilch Molkerei", 2, 0.10, 2.0, 3, 80, 12),
        SupplierSpec("FARM", "Havelland Produce", 1, 0.15, 3.0, 3, 60, 15),
        SupplierSpec("BAKE", "Backstube Nord", 1, 0.05, 2.0, 3, 30, 8),
        SupplierSpec("DRINK", "Spree Beverages", 4, 0.12, 2.0, 7, 150, 35),
        SupplierSpec("DRY", "Hanse Dry Goods", 6, 0.18, 2.2, 7, 200, 40),
        SupplierSpec("HOME", "Rhein Household", 9, 0.20, 2.0, 7, 120, 30),
    ),
    ranges=(
        Range(
            "Dairy",
            (
                "Whole milk 1 l",
                "Butter 250 g",
                "Natural yoghurt 500 g",
                "Skimmed milk 1 l",
                "Gouda sliced 200 g",
                "Cream 200 ml",
                "Mozzarella 125 g",
                "Quark 250 g",
                "Oat drink 1 l",
                "Feta 200 g",
                "Parmesan 150 g",
                "Kefir 500 ml",
                "Goat cheese 150 g",
                "Lactose-free milk 1 l",
                "Crème fraîche 150 g",
                "Emmental block 300 g",
            ),
            46,
            1.79,
            0.28,
            "DAIRY",
            12,
            0.06,
            21,
            12,
        ),
        Range(
            "Produce",
            (
                "Bananas 1 kg",
                "Tomatoes 500 g",
                "Apples Elstar 1 kg",
                "Cucumber",
                "Potatoes 2 kg",
                "Carrots 1 kg",
                "Lemons 500 g",
                "Iceberg lettuce",
                "Bell pepper mix 500 g",
                "Onions 1 kg",
                "Grapes 500 g",
                "Avocado",
                "Strawberries 500 g",
                "Asparagus 500 g",
                "Pumpkin Hokkaido",
                "Mushrooms 250 g",
                "Spinach 200 g",
                "Ginger 100 g",
            ),
            40,
            2.19,
            0.34,
            "FARM",
            6,
            0.18,
            9,
            8,
        ),
        Range(
            "Bakery",
            (
                "Rye bread 750 g",
                "Toast wheat 500 g",
                "Rolls 6 pieces",
                "Wholegrain bread 500 g",
                "Croissant 4 pieces",
                "Pretzel 2 pieces",
                "Baguette",
                "Ciabatta",
                "Burger buns 4 pieces",
                "Spelt bread 500 g",
            ),
            34,
            2.49,
            0.42,
            "BAKE",
            11,
            0.05,
            6,
            6,
        ),
        Range(
            "Drinks",
            (
                "Mineral water 6 x 1.5 l",
                "Apple juice 1 l",
                "Cola 1.25 l",
                "Orange juice 1 l",
                "Sparkling water 6 x 1 l",
                "Lemonade 1 l",
                "Pilsner 6 x 0.5 l",
                "Iced tea peach 1.5 l",
                "Tonic water 1 l",
                "Ginger ale 1 l",
                "Red wine Merlot 0.75 l",
                "White wine Riesling 0.75 l",
                "Energy drink 250 ml",
                "Tomato juice 1 l",
                "Alcohol-free beer 6 x 0.33 l",
                "Mulled wine 1 l",
            ),
            30,
            3.29,
            0.30,
            "DRINK",
            7,
            0.38,
            None,
            6,
        ),
        Range(
            "Pantry",
            (
                "Spaghetti 500 g",
                "Sunflower oil 1 l",
                "Wheat flour 1 kg",
                "Basmati rice 1 kg",
                "Sugar 1 kg",
                "Ground coffee 500 g",
                "Chopped tomatoes 400 g",
                "Muesli 750 g",
                "Olive oil 0.5 l",
                "Honey 500 g",
                "Strawberry jam 450 g",
                "Peanut butter 350 g",
                "Dark chocolate 100 g",
                "Black tea 50 bags",
                "Red lentils 500 g",
                "Ketchup 500 ml",
                "Mustard 250 ml",
                "Sea salt 500 g",
                "Soy sauce 150 ml",
                "Coconut milk 400 ml",
                "Couscous 500 g",
                "Chickpeas 400 g",
                "Capers 100 g",
                "Polenta 500 g",
            ),
            17,
            2.59,
            0.33,
            "DRY",
            12,
            0.14,
            None,
            12,
        ),
        Range(
            "Seasonal",
            (
                "Gingerbread 300 g",
                "Chocolate Santa 100 g",
                "Chocolate eggs 200 g",
                "Charcoal 3 kg",
                "Barbecue sauce 300 ml",
                "Ice cream vanilla 1 l",
                "Stollen 500 g",
                "Sun cream SPF 30",
            ),
            15,
            4.49,
            0.40,
            "DRY",
            12,
            0.85,
            None,
            12,
        ),
        Range(
            "Household",
            (
                "Toilet paper 10 rolls",
                "Kitchen towels 4 rolls",
                "Dish soap 500 ml",
                "Laundry liquid 1.5 l",
                "Bin bags 20 pieces",
                "Sponges 5 pieces",
                "Baking paper 20 m",
                "Aluminium foil 20 m",
                "Glass cleaner 500 ml",
                "Candles 10 pieces",
                "Light bulb E27",
                "Batteries AA 8 pieces",
                "Clothes pegs 40 pieces",
                "Freezer bags 3 l",
                "Matches 10 boxes",
                "Shoe polish black",
                "Sewing kit",
                "Descaler 250 ml",
            ),
            11,
            3.99,
            0.38,
            "HOME",
            10,
            0.08,
            None,
            6,
        ),
    ),
    weekday=(0.92, 0.88, 0.95, 1.05, 1.32, 1.48, 0.40),
    holiday_factor=0.25,
    intermittent=False,
    sku_prefix="GG",
)

PARTS = Trade(
    slug="axlewood",
    name="Axlewood Parts (demo)",
    time_zone="America/Chicago",
    country="US",
    currency="USD",
    warehouses=(("CHI", "Chicago main", 0.68), ("DAL", "Dallas branch", 0.32)),
    channels=(
        ChannelSpec("workshop", "Workshops", "offline", 0.55, -0.04),
        ChannelSpec("counter", "Counter", "offline", 0.20, -0.10),
        ChannelSpec("web", "Web shop", "online", 0.25, 0.22),
    ),
    suppliers=(
        SupplierSpec("BRK", "Lakeside Friction", 9, 0.20, 1.8, 7, 300, 60),
        SupplierSpec("FLT", "Prairie Filters", 6, 0.10, 1.7, 7, 150, 30),
        SupplierSpec("ELC", "Shenzhen Autolec", 32, 0.30, 1.6, 14, 500, 220, "ocean", "CN"),
        SupplierSpec("SUS", "Monterrey Suspension", 16, 0.22, 1.7, 7, 400, 140, "truck", "MX"),
        SupplierSpec("GEN", "Gulf Fasteners", 5, 0.08, 2.0, 7, 100, 25),
    ),
    ranges=(
        Range(
            "Brakes",
            (
                "Brake pad set front, compact",
                "Brake pad set rear, compact",
                "Brake disc front 280 mm",
                "Brake pad set front, van",
                "Brake disc rear 260 mm",
                "Brake fluid DOT 4, 1 l",
                "Brake hose front",
                "Brake caliper left, van",
                "Brake caliper right, van",
                "Wheel cylinder",
                "Handbrake cable",
                "ABS sensor front",
                "Brake shoe set",
                "Master cylinder",
            ),
            1.9,
            42.0,
            0.36,
            "BRK",
            10,
            0.18,
            None,
            2,
            1.6,
        ),
        Range(
            "Filters",
            (
                "Oil filter M20",
                "Air filter panel",
                "Cabin filter carbon",
                "Fuel filter diesel",
                "Oil filter cartridge",
                "Air filter round",
                "Transmission filter",
                "Cabin filter standard",
                "Hydraulic filter",
                "Crankcase filter",
                "Fuel filter petrol",
                "Filter kit service A",
            ),
            3.2,
            12.5,
            0.45,
            "FLT",
            4,
            0.15,
            None,
            10,
            2.6,
        ),
        Range(
            "Electrics",
            (
                "Battery 60 Ah",
                "Spark plug iridium",
                "Headlight bulb H7",
                "Alternator 90 A",
                "Starter motor 1.4 kW",
                "Ignition coil",
                "Lambda sensor",
                "Battery 74 Ah",
                "Glow plug",
                "Wiper motor",
                "Fuse set 120 pieces",
                "Relay 12 V 40 A",
                "Window regulator left",
                "Window regulator right",
                "Door lock actuator",
                "Crankshaft sensor",
                "Camshaft sensor",
                "Horn 12 V",
            ),
            1.4,
            58.0,
            0.38,
            "ELC",
            1,
            0.32,
            None,
            4,
            1.3,
        ),
        Range(
            "Suspension",
            (
                "Shock absorber front",
                "Shock absorber rear",
                "Control arm left",
                "Control arm right",
                "Stabiliser link",
                "Ball joint",
                "Coil spring front",
                "Tie rod end",
                "Wheel bearing front",
                "Wheel bearing rear",
                "Strut mount",
                "Bushing kit",
                "Steering rack",
                "Air spring, van",
                "Leaf spring, van",
                "Axle shaft left",
                "Axle shaft right",
                "CV boot kit",
            ),
            0.7,
            76.0,
            0.35,
            "SUS",
            3,
            0.14,
            None,
            2,
            1.3,
        ),
        Range(
            "Small parts",
            (
                "Wheel bolt M14",
                "Hose clamp 16-27",
                "Cable tie 200 mm, 100 pieces",
                "Drain plug M14",
                "Copper washer set",
                "Blade fuse 10 A",
                "Lock nut M10",
                "Trim clip set",
                "Grease 400 g",
                "Thread lock 50 ml",
                "Valve cap set",
                "Split pin set",
                "O-ring kit",
                "Hex bolt M8 x 40",
                "Washer M8, 100 pieces",
                "Rivet set",
                "Spring clip",
                "Exhaust mount rubber",
            ),
            2.6,
            4.2,
            0.52,
            "GEN",
            5,
            0.10,
            None,
            50,
            7.0,
        ),
    ),
    weekday=(1.25, 1.15, 1.10, 1.10, 1.15, 0.55, 0.0),
    holiday_factor=0.0,
    intermittent=True,
    sku_prefix="AX",
)

TRADES = (GROCER, PARTS)
