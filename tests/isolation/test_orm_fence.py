"""The ORM's own fence: no scope, no data; another tenant's scope, no data either.

Row level security stands behind it, so each test of the ORM fence checks that it is the ORM that
refuses (a named error), and the last tests show that each fence holds with the other one gone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, models, transaction
from django.db.models import Count, Prefetch, Sum

from inventory.models import (
    Barcode,
    Category,
    Packaging,
    Product,
    StockBalance,
    StockMovement,
    Warehouse,
)
from tenancy.managers import TenantQuerySet
from tenancy.models import AuditEvent
from tenancy.scope import Actor, NoTenantScope, WrongTenant, active_tenant_id, tenant_scope
from tests.cast import House
from tests.inventory.book import make_product, make_site

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Loot:
    """A victim's rows, loaded in its own scope and kept in memory."""

    product: Product
    category: Category
    barcode: Barcode
    queryset: models.QuerySet[Product]
    leaves: models.QuerySet[Barcode]


@pytest.fixture
def loot(north: House) -> Loot:
    with north.scope():
        category = Category.objects.create(name="Fruit")
        product = make_product(category=category)
        barcode = Barcode.objects.create(code="123", product=product)
        return Loot(
            Product.objects.get(pk=product.pk),
            category,
            Barcode.objects.get(pk=barcode.pk),
            Product.objects.filter(sku="APPLE"),
            Barcode.objects.filter(code="123"),
        )


# Every way from a model class into the database.
OPERATIONS: dict[str, Callable[[Loot], Any]] = {
    "list": lambda loot: list(Product.objects.all()),
    "get": lambda loot: Product.objects.get(pk=loot.product.pk),
    "first": lambda loot: Product.objects.first(),
    "exists": lambda loot: Product.objects.exists(),
    "count": lambda loot: Product.objects.count(),
    "contains": lambda loot: Product.objects.contains(loot.product),
    "aggregate": lambda loot: StockBalance.objects.aggregate(Sum("on_hand")),
    "annotate": lambda loot: list(Product.objects.annotate(Count("barcodes"))),
    "values": lambda loot: list(Product.objects.values("sku")),
    "iterator": lambda loot: list(Product.objects.iterator()),
    "in_bulk": lambda loot: Product.objects.in_bulk([loot.product.pk]),
    "dates": lambda loot: list(StockMovement.objects.dates("business_day", "month")),
    "raw": lambda loot: list(Product.objects.raw("SELECT * FROM inventory_product")),
    "union": lambda loot: list(Product.objects.all().union(Product.objects.all())),
    "explain": lambda loot: Product.objects.all().explain(),
    "select_related": lambda loot: list(Barcode.objects.select_related("product")),
    "prefetch_related": lambda loot: list(Product.objects.prefetch_related("barcodes")),
    "select_for_update": lambda loot: list(Product.objects.select_for_update()),
    "base manager": lambda loot: list(Product._base_manager.all()),
    "default manager": lambda loot: list(Product._default_manager.all()),
    "create": lambda loot: Product.objects.create(sku="X", name="X"),
    "get_or_create": lambda loot: Product.objects.get_or_create(sku="X", defaults={"name": "X"}),
    "update_or_create": lambda loot: Product.objects.update_or_create(sku="X"),
    "bulk_create": lambda loot: Product.objects.bulk_create([Product(sku="X", name="X")]),
    "bulk_update": lambda loot: Product.objects.bulk_update([loot.product], ["name"]),
    "update": lambda loot: Product.objects.update(name="X"),
    "delete": lambda loot: Product.objects.all().delete(),
    "save new": lambda loot: Product(sku="X", name="X").save(),
}

# Every way from a row or queryset that was loaded while its tenant was active.
LEFTOVERS: dict[str, Callable[[Loot], Any]] = {
    "save": lambda loot: loot.product.save(),
    "delete": lambda loot: loot.product.delete(),
    "refresh_from_db": lambda loot: loot.product.refresh_from_db(),
    "forward foreign key": lambda loot: loot.barcode.product,
    "reverse relation": lambda loot: list(loot.product.barcodes.all()),
    "reverse create": lambda loot: loot.product.barcodes.create(code="9"),
    "reverse add": lambda loot: loot.category.products.add(loot.product),
    "deferred field": lambda loot: loot.queryset.defer("name").get().name,
    "kept queryset": lambda loot: list(loot.queryset),
    "kept queryset, narrowed": lambda loot: list(loot.queryset.filter(is_active=True)),
    "kept queryset, counted": lambda loot: loot.queryset.count(),
    "kept queryset, exists": lambda loot: loot.queryset.exists(),
    "kept queryset, updated": lambda loot: loot.queryset.update(name="X"),
    "kept queryset, deleted": lambda loot: loot.queryset.delete(),
    "kept queryset, aggregated": lambda loot: loot.queryset.aggregate(Count("id")),
    "kept queryset of a leaf, deleted": lambda loot: loot.leaves.delete(),
    "prefetch of objects": lambda loot: models.prefetch_related_objects(
        [loot.category], Prefetch("products", loot.queryset)
    ),
}
REFUSALS = (NoTenantScope, WrongTenant)


def no_query_ran(work: Callable[[], Any]) -> None:
    """Run ``work``, which must be refused by the ORM before the database hears of it."""

    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "inventory_" in sql:
            raise AssertionError(f"the ORM let this through: {sql}")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse), pytest.raises(REFUSALS):
        work()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_without_a_tenant_every_operation_is_refused(loot: Loot, operation: str) -> None:
    no_query_ran(lambda: OPERATIONS[operation](loot))


@pytest.mark.parametrize("operation", LEFTOVERS)
def test_what_was_loaded_before_is_of_no_use_without_a_tenant(loot: Loot, operation: str) -> None:
    no_query_ran(lambda: LEFTOVERS[operation](loot))


CREATES = ("create", "get_or_create", "update_or_create", "bulk_create", "save new")
READS = [name for name in OPERATIONS if name not in CREATES]


@pytest.mark.parametrize("operation", READS)
def test_in_another_tenant_every_operation_finds_nothing(
    loot: Loot, north: House, south: House, operation: str
) -> None:
    with south.scope():
        try:
            with transaction.atomic():
                found = OPERATIONS[operation](loot)
        except (WrongTenant, Product.DoesNotExist, IntegrityError):
            found = None
    assert not mentions(found, loot)
    with north.scope():
        assert Product.objects.get().name == "Apple"


@pytest.mark.parametrize("operation", LEFTOVERS)
def test_what_was_loaded_before_is_of_no_use_in_another_tenant(
    loot: Loot, north: House, south: House, operation: str
) -> None:
    with south.scope():
        try:
            with transaction.atomic():
                found = LEFTOVERS[operation](loot)
        except (WrongTenant, Product.DoesNotExist):
            found = None
    assert not mentions(found, loot)
    with north.scope():
        assert Product.objects.get().name == "Apple"
        assert Barcode.objects.count() == 1


def mentions(found: Any, loot: Loot) -> bool:
    """Tell whether an answer has anything of the victim's in it."""
    if isinstance(found, models.Model):
        return found.tenant_id == loot.product.tenant_id  # type: ignore[attr-defined]
    if isinstance(found, dict):
        return any(mentions(value, loot) for value in found.values())
    if isinstance(found, list | tuple | set):
        return any(mentions(value, loot) for value in found)
    return found is True or (isinstance(found, int) and found > 0) or found == "Apple"


def test_a_row_of_another_tenant_cannot_be_written(loot: Loot, south: House) -> None:
    victim = loot.product.tenant
    with south.scope():
        for write in (
            lambda: Product.objects.create(tenant=victim, sku="X", name="X"),
            lambda: Product.objects.bulk_create([Product(tenant=victim, sku="X", name="X")]),
            lambda: Product(tenant_id=victim.pk, sku="X", name="X").save(),
            lambda: Product.objects.update(tenant=victim),
            lambda: Product.objects.update(tenant_id=victim.pk),
        ):
            with pytest.raises(WrongTenant):
                write()


def test_a_scope_does_not_nest_in_another_tenants(north: House, south: House) -> None:
    with north.scope(), pytest.raises(WrongTenant), south.scope():
        pass
    with north.scope(), north.scope():
        assert active_tenant_id() == north.tenant.pk


def test_a_thread_inherits_no_tenant(north: House) -> None:
    errors: list[BaseException] = []

    def look() -> None:
        try:
            active_tenant_id()
        except NoTenantScope as error:
            errors.append(error)

    with north.scope():
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert len(errors) == 1


@pytest.mark.django_db(transaction=True)
def test_the_next_user_of_the_connection_inherits_no_tenant(north: House) -> None:
    with north.scope():
        make_product()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('app.tenant_id', true), count(*) FROM inventory_product"
        )
        assert cursor.fetchone() in [("", 0), (None, 0)]


def unfenced(model: type[models.Model]) -> models.QuerySet[Any]:
    """A plain queryset, as if the ORM fence did not exist."""
    return models.QuerySet(model)


def test_without_the_orm_fence_row_level_security_still_stands(loot: Loot, south: House) -> None:
    """Control for the ORM fence: plain querysets, SQL by hand, foreign ids: nothing comes or goes."""
    assert unfenced(Product).count() == 0
    with south.scope():
        assert unfenced(Product).count() == 0
        assert unfenced(Product).filter(pk=loot.product.pk).update(name="Stolen") == 0
        assert unfenced(Product).filter(pk=loot.product.pk).delete()[0] == 0
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM inventory_product")
            assert cursor.fetchone() == (0,)
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            unfenced(Product).bulk_create(
                [Product(tenant_id=loot.product.tenant_id, sku="X", name="X")]
            )


def test_without_row_level_security_the_orm_fence_still_stands(
    loot: Loot, north: House, south: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control for row level security: the setting names the victim, the scope names the thief."""
    with south.scope():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.tenant_id', %s, true)", [str(north.tenant.pk)])
        assert unfenced(Product).count() == 1  # the database would show it now
        assert Product.objects.count() == 0
        assert list(Barcode.objects.select_related("product")) == []
        assert not Product.objects.filter(pk=loot.product.pk).exists()


def test_control_without_the_filter_of_the_manager_rows_would_show(
    loot: Loot, north: House, south: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test before is red when the manager forgets to filter."""
    monkeypatch.setattr(
        "tenancy.managers.TenantManager.get_queryset", lambda self: TenantQuerySet(self.model)
    )
    with south.scope():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.tenant_id', %s, true)", [str(north.tenant.pk)])
        assert Product.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_row_cannot_point_at_another_tenants_row(north: House, south: House) -> None:
    """The third fence: composite keys, with the ORM fence and row level security both aside."""
    with north.scope():
        theirs = make_product()
    with pytest.raises(IntegrityError), south.scope():
        unfenced(Packaging).bulk_create(
            [Packaging(tenant=south.tenant, product_id=theirs.pk, name="Case", units=12)]
        )
    with south.scope():
        storage = make_site().at("storage")
    with pytest.raises(IntegrityError), south.scope():
        StockBalance.objects.create(product_id=theirs.pk, location_id=storage)


def test_the_audit_trail_cannot_be_edited(north: House) -> None:
    with north.scope():
        Warehouse.objects.create(code="A", name="A", time_zone="UTC")
        event = AuditEvent.objects.create(
            action="a.b", actor_kind="user", actor_label="x", subject_kind="Warehouse"
        )
        event.action = "c.d"
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            event.save()
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            event.delete()


def test_an_actor_without_a_role_may_nothing_but_sees_only_its_tenant(north: House) -> None:
    with tenant_scope(north.tenant, actor=Actor.anonymous()):
        assert Product.objects.count() == 0
