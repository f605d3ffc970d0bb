"""Document numbers: per tenant and kind, from where the tenant wants them."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from inventory.models import DocumentKind, DocumentNumber
from inventory.services.numbers import NumberGiven, begin_numbers, take_numbers
from tenancy.errors import Invalid
from tenancy.models import Tenant
from tenancy.permissions import PermissionRefused
from tenancy.scope import Actor, tenant_scope
from tenancy.services.tenants import TenantFields, create_tenant
from tests.cast import House

TAKE = "SELECT take_document_numbers(%s, %s, %s)"
PREPARED = """
    SELECT split_part(sequencename, '_', 2) FROM pg_sequences
    WHERE schemaname = 'document_numbers' AND split_part(sequencename, '_', 1) = %s
"""


def ask(sql: str, *arguments: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        return cursor.fetchall()


def prepared(tenant: Tenant) -> set[str]:
    return {kind for (kind,) in ask(PREPARED, str(tenant.pk))}


def test_numbers_ascend_by_kind(in_north: House) -> None:
    assert take_numbers("PO") == ["PO-000001"]
    assert take_numbers(DocumentKind.PURCHASE_ORDER, 3) == ["PO-000002", "PO-000003", "PO-000004"]
    assert take_numbers("TO") == ["TO-000001"]


@pytest.mark.parametrize("kind", DocumentKind.values)
def test_the_database_knows_every_kind(in_north: House, kind: str) -> None:
    assert take_numbers(kind) == [f"{kind}-000001"]


def test_each_tenant_counts_for_itself(north: House, south: House) -> None:
    for house in (north, south):
        with house.scope():
            assert take_numbers("PO", 2) == ["PO-000001", "PO-000002"]


def test_a_tenant_that_numbered_before_goes_on_from_there(in_north: House) -> None:
    DocumentNumber.objects.create(kind="SO", last_number=4711)
    assert take_numbers("SO", 2) == ["SO-004712", "SO-004713"]
    assert take_numbers("PO") == ["PO-000001"]


def test_what_is_taken_back_leaves_a_gap(in_north: House) -> None:
    take_numbers("PO")
    with transaction.atomic():
        take_numbers("PO")
        transaction.set_rollback(True)
    assert take_numbers("PO") == ["PO-000003"]


def test_a_new_tenant_has_the_numbers_of_every_kind_prepared(db: None) -> None:
    tenant = create_tenant(fields=TenantFields(slug="east", name="East"))
    assert prepared(tenant) == set(DocumentKind.values)
    with tenant_scope(tenant, actor=Actor.system("test")):
        assert take_numbers("PO") == ["PO-000001"]


def test_an_owner_chooses_where_numbers_begin_but_never_backwards(north: House) -> None:
    with north.scope():
        take_numbers("PO", 3)
        begin_numbers(kind=DocumentKind.PURCHASE_ORDER, next_number=5000)
        begin_numbers(kind=DocumentKind.TRANSFER, next_number=7)
        assert take_numbers("PO") == ["PO-005000"]
        assert take_numbers("TO") == ["TO-000007"]
        for number in (1, 5000):
            with pytest.raises(NumberGiven, match="PO-005000 has been given already"):
                begin_numbers(kind=DocumentKind.PURCHASE_ORDER, next_number=number)
        for number in (0, -1, 10**12):
            with pytest.raises(Invalid, match="between 1 and"):
                begin_numbers(kind=DocumentKind.SALES_ORDER, next_number=number)
        assert take_numbers("PO") == ["PO-005001"]
        assert DocumentNumber.objects.get(kind="PO").last_number == 4999
    with north.scope("manager"), pytest.raises(PermissionRefused):
        begin_numbers(kind=DocumentKind.PURCHASE_ORDER, next_number=9000)


def test_a_beginning_that_is_taken_back_leaves_the_numbers_as_they_were(in_north: House) -> None:
    take_numbers("PO", 3)
    with transaction.atomic():
        begin_numbers(kind=DocumentKind.PURCHASE_ORDER, next_number=5000)
        transaction.set_rollback(True)
    assert take_numbers("PO") == ["PO-000004"]


@pytest.mark.parametrize("kind", ["XX", "", "po", "PO'; DROP SCHEMA document_numbers"])
def test_other_kinds_have_no_numbers(in_north: House, kind: str) -> None:
    with pytest.raises(ValueError, match="is not a valid DocumentKind"):
        take_numbers(kind)
    with pytest.raises(DatabaseError, match="are numbered"), transaction.atomic():
        ask(TAKE, in_north.tenant.pk, kind, 1)
    assert prepared(in_north.tenant) == set()


@pytest.mark.parametrize("count", [0, -1, 100_001, None])
def test_no_other_number_of_numbers_is_taken(in_north: House, count: int | None) -> None:
    with pytest.raises(DatabaseError, match="between 1 and 100000"), transaction.atomic():
        ask(TAKE, in_north.tenant.pk, "PO", count)
    assert prepared(in_north.tenant) == set()


def test_the_database_gives_no_number_of_another_tenant(north: House, south: House) -> None:
    with south.scope():
        take_numbers("PO")
    with north.scope():
        for statement in (
            TAKE,
            "SELECT open_document_numbers(%s, %s) WHERE %s > 0",
            "SELECT begin_document_numbers(%s, %s, %s)",
        ):
            for tenant_id in (south.tenant.pk, None):
                with pytest.raises(DatabaseError, match="another tenant"), transaction.atomic():
                    ask(statement, tenant_id, "PO", 1)
    with south.scope():
        assert take_numbers("PO") == ["PO-000002"]


def test_outside_a_scope_the_database_gives_no_number(north: House) -> None:
    with pytest.raises(DatabaseError, match="another tenant"), transaction.atomic():
        ask(TAKE, north.tenant.pk, "PO", 1)


def test_the_application_reaches_no_sequence_past_the_function(in_north: House) -> None:
    take_numbers("PO")
    name = f'document_numbers."{in_north.tenant.pk}_PO"'
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        ask("SELECT setval(%s, 1)", name)
    assert take_numbers("PO") == ["PO-000002"]
