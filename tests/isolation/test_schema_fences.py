"""The database itself keeps tenants apart, on every table, and a hole in any fence is noticed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tenancy.database import isolation_faults, tenant_tables
from tests import engines
from tests.isolation.schema_fences import TENANT_TABLES, schema_faults


@pytest.fixture
def admin(db: None) -> Iterator[psycopg.Connection[Any]]:
    """A superuser's connection whose changes are all taken back."""
    with psycopg.connect(engines.superuser_url(engines.database_name())) as connection:
        yield connection
        connection.rollback()


def test_every_tenant_table_is_fenced(admin: psycopg.Connection[Any]) -> None:
    assert schema_faults(admin) == []


def test_the_catalogue_and_the_models_agree_on_what_a_tenant_has(
    admin: psycopg.Connection[Any],
) -> None:
    in_database = {name for (name,) in admin.execute(TENANT_TABLES)}
    assert in_database == set(tenant_tables())
    assert len(in_database) > 30


def test_the_boot_check_agrees(db: None) -> None:
    assert isolation_faults() == []


T = "inventory_product"
FENCE = "tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint)"
MUTANTS = {
    "policy dropped": f"DROP POLICY tenant_fence ON {T}",
    "security switched off": f"ALTER TABLE {T} DISABLE ROW LEVEL SECURITY",
    "owner not bound": f"ALTER TABLE {T} NO FORCE ROW LEVEL SECURITY",
    "policy open to all": f"ALTER POLICY tenant_fence ON {T} USING (true)",
    "policy lets foreign rows in": f"ALTER POLICY tenant_fence ON {T} WITH CHECK (true)",
    "policy loosened": f"ALTER POLICY tenant_fence ON {T} USING ({FENCE} OR is_active)",
    "second policy beside the fence": f"CREATE POLICY open_door ON {T} USING (true)",
    "policy without a check of its own": (
        f"DROP POLICY tenant_fence ON {T}; CREATE POLICY tenant_fence ON {T} FOR SELECT USING ({FENCE})"
    ),
    "single-column primary key": (
        "ALTER TABLE inventory_stockbalance DROP CONSTRAINT inventory_stockbalance_pkey, "
        "ADD PRIMARY KEY (id)"
    ),
    "foreign key dropped": (
        "ALTER TABLE inventory_stockbalance DROP CONSTRAINT inventory_stockbalance_product_id_fence"
    ),
    "foreign key not validated": (
        "ALTER TABLE inventory_stockbalance DROP CONSTRAINT inventory_stockbalance_product_id_fence, "
        "ADD CONSTRAINT again FOREIGN KEY (tenant_id, product_id) "
        "REFERENCES inventory_product (tenant_id, id) NOT VALID"
    ),
    "unique over all tenants": f"CREATE UNIQUE INDEX everybody ON {T} (sku)",
    "tenant may be empty": (
        "CREATE TABLE inventory_loose (id bigint, tenant_id bigint, PRIMARY KEY (id))"
    ),
    "table of no tenant": "CREATE TABLE inventory_everybodys (id bigint)",
    "truncate granted": f"GRANT TRUNCATE ON {T} TO wms_app",
    "movements may be changed": "GRANT UPDATE ON inventory_stockmovement TO wms_app",
    "one column of movements may be changed": (
        "GRANT UPDATE (quantity) ON inventory_stockmovement TO wms_app"
    ),
    "audit events may be deleted": "GRANT DELETE ON tenancy_auditevent TO wms_app",
    "append-only trigger dropped": "DROP TRIGGER append_only ON inventory_stockmovement",
    "append-only trigger disabled": "ALTER TABLE tenancy_auditevent DISABLE TRIGGER append_only",
    "application owns a table": f"ALTER TABLE {T} OWNER TO wms_app",
    "application bypasses security": "ALTER ROLE wms_app BYPASSRLS",
    "application is in the owner's role": "GRANT wms_owner TO wms_app",
    "view that runs as its owner": f"CREATE VIEW everything AS SELECT * FROM {T}",
    "materialized view": f"CREATE MATERIALIZED VIEW everything AS SELECT * FROM {T}",
    "function that runs as its owner": (
        "CREATE FUNCTION everything() RETURNS bigint SECURITY DEFINER LANGUAGE sql "
        f"AS 'SELECT count(*) FROM {T}'"
    ),
    "owner's function with a path of the caller's": (
        "ALTER FUNCTION take_document_numbers(bigint, text, integer) RESET search_path"
    ),
    "owner's function for everybody": (
        "GRANT EXECUTE ON FUNCTION open_document_numbers(bigint, text) TO PUBLIC"
    ),
    "owner's function that is a superuser's": (
        "ALTER FUNCTION take_document_numbers(bigint, text, integer) OWNER TO postgres"
    ),
    "numbers past the function": (
        "CREATE SEQUENCE document_numbers.mine; GRANT USAGE ON document_numbers.mine TO wms_app"
    ),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_hole_is_noticed(admin: psycopg.Connection[Any], mutant: str) -> None:
    assert schema_faults(admin) == []
    for statement in MUTANTS[mutant].split("; "):
        admin.execute(statement)
    assert schema_faults(admin) != []


@pytest.mark.parametrize(
    "mutant",
    ["policy dropped", "security switched off", "owner not bound", "application bypasses security"],
)
def test_the_boot_check_notices_what_would_make_security_useless(
    transactional_db: None, mutant: str
) -> None:
    """The check reads with its own connection, so the hole is committed and closed again."""
    close = {
        "policy dropped": f"CREATE POLICY tenant_fence ON {T} USING ({FENCE}) WITH CHECK ({FENCE})",
        "security switched off": f"ALTER TABLE {T} ENABLE ROW LEVEL SECURITY",
        "owner not bound": f"ALTER TABLE {T} FORCE ROW LEVEL SECURITY",
        "application bypasses security": "ALTER ROLE wms_app NOBYPASSRLS",
    }[mutant]
    with psycopg.connect(engines.superuser_url(engines.database_name()), autocommit=True) as admin:
        admin.execute(MUTANTS[mutant])
        try:
            assert isolation_faults() != []
        finally:
            admin.execute(close)
    assert isolation_faults() == []
