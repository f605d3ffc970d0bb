"""What waits to be put away, and where each of it belongs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from django.db.models import (
    BooleanField,
    Case,
    DateTimeField,
    DecimalField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from inventory.models import (
    Category,
    Location,
    LocationKind,
    PutAwayRule,
    SalesOrderLine,
    SalesOrderState,
    StockBalance,
    StockMovement,
    WorkKind,
    Zone,
)
from inventory.queries.access import in_allowed
from inventory.queries.put_away_places import candidate_places
from inventory.queries.worklists import of_assignee
from inventory.rules.put_away import Goods, Place, Rule, Suggestion, Why, rules_for, suggest
from tenancy.errors import NotFound

FROM_KINDS = frozenset({LocationKind.RECEIVING, LocationKind.PACKING})
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
NOTHING = Decimal(0)
QUANTITY: DecimalField[Decimal, Decimal] = DecimalField(max_digits=18, decimal_places=6)
WORK_ORDER = ("waits", "arrived_at", "id")


@dataclass(frozen=True, slots=True)
class SuggestedPlace:
    """A place for so many base units, and why it is this one."""

    location: Location
    quantity: Decimal
    why: Why


def put_away_work(
    *,
    text: str = "",
    warehouse_id: int | None = None,
    zone_id: int | None = None,
    assignee: str = "",
) -> QuerySet[StockBalance]:
    """Return what lies at a dock, and free goods at packing that belong to no order.

    Each has ``free``, ``arrived_at`` (when the last of it came there) and ``is_wanted`` (an order
    waits for the product in this warehouse); ``WORK_ORDER`` puts what is wanted first, then the
    oldest. ``zone_id`` is the zone it lies in; ``assignee`` as in ``of_assignee``.
    """
    rows = in_allowed(_waiting(), "location__warehouse_id")
    if text:
        rows = rows.filter(
            Q(product__sku__istartswith=text)
            | Q(product__name__icontains=text)
            | Q(lot__code__istartswith=text)
            | Q(location__code__istartswith=text)
        )
    if warehouse_id is not None:
        rows = rows.filter(location__warehouse_id=warehouse_id)
    if zone_id is not None:
        rows = rows.filter(location__zone_id=zone_id)
    return of_assignee(rows, WorkKind.PUT_AWAY, assignee)


def get_put_away_work(stock_balance_id: int) -> StockBalance:
    """Return one piece of the work list; raise ``NotFound`` for what does not wait there."""
    found = put_away_work().filter(pk=stock_balance_id).first()
    if found is None:
        raise NotFound("stock balance", stock_balance_id)
    return found


def _waiting() -> QuerySet[StockBalance]:
    # what is tracked by lot never moves without one
    arrivals = StockMovement.objects.filter(
        Q(lot=OuterRef("lot_id")) | Q(lot__isnull=True),
        product=OuterRef("product_id"),
        to_location=OuterRef("location_id"),
    ).order_by("-id")
    owed = SalesOrderLine.objects.filter(
        product=OuterRef("product_id"),
        order__warehouse=OuterRef("location__warehouse_id"),
        order__state__in=SalesOrderState.owing(),
        quantity__gt=F("quantity_allocated") + F("quantity_picked") + F("quantity_shipped"),
    )
    arrived_at = Coalesce(
        Subquery(arrivals.values("effective_at")[:1]),
        Value(LONG_AGO),
        output_field=DateTimeField(),
    )
    return (
        StockBalance.objects.filter(location__kind__in=FROM_KINDS, on_hand__gt=F("allocated"))
        .select_related("product", "location__warehouse", "location__zone", "lot")
        .annotate(
            free=ExpressionWrapper(F("on_hand") - F("allocated"), output_field=QUANTITY),
            arrived_at=arrived_at,
            is_wanted=Exists(owed),
        )
        .annotate(
            waits=Case(
                When(is_wanted=True, then=Value(value=False)),
                default=Value(value=True),
                output_field=BooleanField(),
            )
        )
        .order_by(*WORK_ORDER)
    )


def suggestions(waiting: Sequence[StockBalance]) -> dict[int, list[SuggestedPlace]]:
    """Return, by balance, where its free goods belong: the same few statements for a whole page.

    Each is looked at by itself: what is suggested for one does not count as taken for the next.
    """
    if not waiting:
        return {}
    warehouse_ids = {balance.location.warehouse_id for balance in waiting}
    rules = _rules(warehouse_ids)
    parents = dict(
        Zone.objects.filter(warehouse_id__in=warehouse_ids).values_list("id", "parent_id")
    )
    paths = _category_paths(waiting, rules)
    places = candidate_places(
        warehouse_ids=warehouse_ids,
        product_ids={balance.product_id for balance in waiting},
        rules=[rule for of_one in rules.values() for rule in of_one],
        parents=parents,
    )
    chosen: dict[int, list[Suggestion]] = {}
    for balance in waiting:
        warehouse_id, product = balance.location.warehouse_id, balance.product
        mine = rules_for(
            rules.get(warehouse_id, []), product.pk, paths.get(product.category_id or 0, ())
        )
        goods = goods_of(balance, balance.on_hand - balance.allocated)
        chosen[balance.pk] = suggest(goods, places.get(warehouse_id, []), mine, parents)
    return _named(chosen)


def goods_of(balance: StockBalance, quantity: Decimal) -> Goods:
    """Return what the rules want to know of so much of a balance."""
    product = balance.product
    return Goods(
        product_id=product.pk,
        lot_id=balance.lot_id,
        quantity=quantity,
        whole_units=product.whole_units,
        unit_volume_l=product.volume_l or NOTHING,
        unit_weight_kg=product.weight_kg or NOTHING,
    )


def place_facts(location: Location, product_id: int) -> Place:
    """Return what the rules want to know of one place, as it is now."""
    found = candidate_places(
        warehouse_ids={location.warehouse_id},
        product_ids={product_id},
        only_location_id=location.pk,
    )
    [place] = found[location.warehouse_id]
    return place


def put_away_rules(warehouse_id: int | None = None) -> QuerySet[PutAwayRule]:
    """Return the rules with what they name, in the order in which they are tried."""
    rows = PutAwayRule.objects.select_related("product", "category", "location", "zone")
    if warehouse_id is not None:
        rows = rows.filter(warehouse_id=warehouse_id)
    return in_allowed(rows, "warehouse_id").order_by("warehouse_id", "priority", "id")


def get_put_away_rule(put_away_rule_id: int) -> PutAwayRule:
    """Return the rule; raise ``NotFound``."""
    found = put_away_rules().filter(pk=put_away_rule_id).first()
    if found is None:
        raise NotFound("put-away rule", put_away_rule_id)
    return found


def _rules(warehouse_ids: Collection[int]) -> dict[int, list[Rule]]:
    found: dict[int, list[Rule]] = {}
    for row in PutAwayRule.objects.filter(warehouse_id__in=warehouse_ids):
        rule = Rule(
            rule_id=row.pk,
            priority=row.priority,
            product_id=row.product_id,
            category_id=row.category_id,
            location_id=row.location_id,
            zone_id=row.zone_id,
        )
        found.setdefault(row.warehouse_id, []).append(rule)
    return found


def _category_paths(
    waiting: Iterable[StockBalance], rules: dict[int, list[Rule]]
) -> dict[int, tuple[int, ...]]:
    """Return each product's category and those above it, if any rule asks for categories."""
    wanted = {balance.product.category_id for balance in waiting} - {None}
    asks = any(rule.category_id is not None for of_one in rules.values() for rule in of_one)
    if not wanted or not asks:
        return {}
    parents = dict(Category.objects.values_list("id", "parent_id"))
    paths: dict[int, tuple[int, ...]] = {}
    for category_id in wanted:
        path: list[int] = []
        above: int | None = category_id
        while above is not None and above not in path:
            path.append(above)
            above = parents.get(above)
        paths[category_id] = tuple(path)
    return paths


def _named(chosen: dict[int, list[Suggestion]]) -> dict[int, list[SuggestedPlace]]:
    ids = {suggestion.location_id for some in chosen.values() for suggestion in some}
    known = Location.objects.select_related("zone").in_bulk(list(ids))
    return {
        balance_id: [SuggestedPlace(known[s.location_id], s.quantity, s.why) for s in some]
        for balance_id, some in chosen.items()
    }
