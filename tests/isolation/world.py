"""A victim: a tenant with at least one row in every tenant table, each text a planted sentinel.

Rows are made by looking at the models, so a new model is covered the day it appears. A model whose
constraints refuse the made-up row needs a line in ``SPECIAL``.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from psycopg import sql

from inventory.models import Location, Warehouse
from inventory.services.places import create_warehouse
from tenancy.database import tenant_tables
from tenancy.models import Membership, TenantOwned
from tests import engines
from tests.cast import House

NOW = dt.datetime(2026, 11, 2, 9, tzinfo=dt.UTC)
LARGE_ID = 123_456_000
# a row is filled from the outside in; these break ties and cycles, or satisfy a check constraint
SPECIAL: dict[str, dict[str, Any]] = {
    "StockMovement": {"to_location": "another Location", "reverses": None},
    "StockBalance": {"allocated": Decimal(0)},
    "Category": {"parent": None},
    "PurchaseOrderLine": {"quantity_received": Decimal(0)},
    "Zone": {"parent": None},
    "PutAwayRule": {"category": None, "zone": None},
    "ReceiptLine": {"damaged": Decimal(0)},
    "SalesOrderLine": {"quantity_picked": Decimal(0), "quantity_shipped": Decimal(0)},
    "TransferOrder": {"to_warehouse": "another Warehouse"},
    "TransferLine": {"quantity_lost": Decimal(0)},
    "TransferPiece": {"quantity_lost": Decimal(0)},
    "Allocation": {"transfer_line": None},
    "CustomerReturnLine": {
        "quantity_quarantined": Decimal(0),
        "quantity_scrapped": Decimal(0),
        "quantity_to_supplier": Decimal(0),
    },
    "Job": {"state": "queued", "kind": "test.sentinel", "schedule_key": None},
    "ImportedSale": {"line_key": b"0123456789abcdef"},
    "ReorderSuggestion": {
        "inputs": {"steps": []},
        "source": "buy",
        "from_warehouse": None,
        "transfer_quantity": None,
        "transfer_line": None,
    },
    "BufferSuggestion": {
        "inputs": {
            "channels": [],
            "protections": [],
            "days": 1.0,
            "stock": 1.0,
            "holding": 0.1,
            "lost_after": 1.0,
        },
        "state": "new",
    },
    "BlockedNeed": {"reason": "no_supplier", "steps": []},
    "StockPolicy": {
        "cycle_service_level": Decimal("0.9"),
        "abc_class": "",
        "xyz_class": "",
        "target": "service_level",
    },
    "TrainedNetwork": {"epochs": [], "importance": []},
    "GroupForecast": {"category": None},
    "ForecastSettings": {
        "cpu_minutes_per_month": 60,
        "training_seconds": 60,
        "tuned": {},
        "networks": ["mlp"],
        "outlier_threshold": 8.0,
    },
    "ForecastOverride": {"state": "active", "kind": "percent", "value": Decimal(10)},
    "ForecastExplanation": {
        "channel": None,
        "segment": None,
        "content": {
            "origin": "2026-11-01",
            "method": "theta",
            "reason": "contest",
            "demand_class": "smooth",
            "last_month": 1.0,
            "prediction": [2.0],
            "features": ["level"],
            "parts": [[1.0]],
            "events": [],
            "rules": [],
            "similar": [],
            "looked_back_from": None,
            "looked_back": [],
            "gap": 0.0,
            "differs": False,
        },
    },
}


@dataclass(frozen=True)
class World:
    """One tenant's rows: the first of each model, and the text that must never leave it."""

    house: House
    sentinel: str
    rows: dict[str, TenantOwned]

    def row_id(self, model_name: str) -> int:
        """Return the id of the tenant's row of that model."""
        return int(self.rows[model_name].pk)


def build_world(house: House, sentinel: str) -> World:
    """Put a row into every tenant table of the house."""
    rows: dict[str, TenantOwned] = {}
    waiting = sorted(tenant_tables().values(), key=lambda model: model.__name__)
    with house.scope():
        membership = Membership.objects.order_by("id").first()
        assert membership is not None
        rows["Membership"] = membership
        waiting.remove(Membership)
        while waiting:
            ready = [model for model in waiting if _needed(model) <= rows.keys()]
            assert ready, f"no row can be made for {waiting}: add to SPECIAL"
            for model in ready:
                rows[model.__name__] = _make(model, house, sentinel, rows)
                waiting.remove(model)
    return World(house=house, sentinel=sentinel, rows=rows)


def use_large_ids() -> None:
    """Go on counting from a number that looks like no other in an answer."""
    with psycopg.connect(engines.superuser_url(engines.database_name()), autocommit=True) as c:
        for table in tenant_tables():
            sequence = f"pg_get_serial_sequence('{table}', 'id')::regclass"
            c.execute(f"SELECT setval({sequence}, greatest(nextval({sequence}), {LARGE_ID}))")


def _needed(model: type[TenantOwned]) -> set[str]:
    special = SPECIAL.get(model.__name__, {})
    return {
        field.related_model.__name__
        for field in model._meta.local_concrete_fields
        if _is_tenant_key(field) and special.get(field.name, field) is not None
    } - {model.__name__}


def _is_tenant_key(field: Any) -> bool:
    return bool(
        field.is_relation
        and field.name != "tenant"
        and field.related_model.__name__ in {m.__name__ for m in tenant_tables().values()}
    )


def _make(
    model: type[TenantOwned], house: House, sentinel: str, rows: dict[str, TenantOwned]
) -> TenantOwned:
    if model is Warehouse:
        # with its standard locations, which floor work looks up
        return create_warehouse(code=sentinel, name=sentinel)
    special = SPECIAL.get(model.__name__, {})
    values: dict[str, Any] = {}
    for field in model._meta.local_concrete_fields:
        if field.name in {"id", "tenant"}:
            continue
        if field.name in special:
            value = special[field.name]
            if value == "another Location":
                value = _another_location(house, sentinel, rows)
            elif value == "another Warehouse":
                value = create_warehouse(code=f"{sentinel}-2"[:32], name=f"{sentinel}-2")
            values[field.name] = value
        elif _is_tenant_key(field):
            name = field.related_model.__name__
            values[field.name] = rows.get(name)
        else:
            values[field.name] = _value(field, house, sentinel)
    with transaction.atomic():
        return model.objects.create(**values)


def _another_location(house: House, sentinel: str, rows: dict[str, TenantOwned]) -> TenantOwned:
    first = rows["Location"]
    assert isinstance(first, Location)
    return Location.objects.create(
        warehouse=first.warehouse, code=f"{sentinel}-2"[:48], kind="storage"
    )


def _value(field: Any, house: House, sentinel: str) -> Any:
    """Return a value for a column by its kind; texts are the sentinel wherever they can be."""
    if field.is_relation:
        return house.members["owner"] if field.related_model.__name__ == "User" else None
    if field.choices:
        return field.choices[0][0]
    if isinstance(field, ArrayField):
        return [_value(field.base_field, house, sentinel)]
    makers: list[tuple[type, Any]] = [
        (models.EmailField, f"{sentinel.lower()}@example.com"),
        (models.BooleanField, True),
        (models.DateTimeField, NOW),
        (models.DateField, NOW.date()),
        (models.DurationField, dt.timedelta(days=1)),
        (models.DecimalField, Decimal(1)),
        (models.FloatField, 0.5),
        (models.JSONField, {"note": sentinel}),
        (models.BinaryField, b"\x01" * 16),
        (models.IntegerField, 1),
        (models.UUIDField, "00000000-0000-4000-8000-000000000000"),
    ]
    for kind, value in makers:
        if isinstance(field, kind):
            return value
    longest = field.max_length or 200
    if field.name.endswith(("sha256", "hash")):
        return hashlib.sha256(sentinel.encode()).hexdigest()[:longest]
    # short codes (currency, country) cannot carry the sentinel
    return sentinel[:longest] if longest >= len(sentinel) else "XX"[:longest]


# -- before and after -----------------------------------------------------------------------------
def snapshot(house: House) -> dict[str, str]:
    """Return a digest of all rows of the tenant by table, read past every fence."""
    parts = [
        sql.SQL(
            "SELECT {name}, count(*), md5(coalesce(string_agg(t::text, '|' ORDER BY t.id), ''))"
            " FROM {table} t WHERE tenant_id = {tenant}"
        ).format(
            name=sql.Literal(table),
            table=sql.Identifier(table),
            tenant=sql.Literal(house.tenant.pk),
        )
        for table in sorted(tenant_tables())
    ]
    with psycopg.connect(engines.superuser_url(engines.database_name()), autocommit=True) as c:
        found = c.execute(sql.SQL(" UNION ALL ").join(parts)).fetchall()
    return {table: f"{count}:{digest}" for table, count, digest in found}
