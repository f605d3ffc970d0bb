"""What the catalogue of the database says about the fences: every fault, by name.

Read from PostgreSQL, not from the models: what counts is what the database enforces.
"""

from __future__ import annotations

from typing import Any

import psycopg

APPEND_ONLY = ("inventory_stockmovement", "inventory_valueentry", "tenancy_auditevent")
NOT_OF_A_TENANT = {
    "tenancy_tenant": "the tenants themselves",
    "tenancy_user": "people, who may be members of several tenants",
    "tenancy_user_groups": "rights in the platform's own admin",
    "tenancy_user_user_permissions": "rights in the platform's own admin",
    "tenancy_jobturn": "whose turn it is; a number and two times, read before a tenant is chosen",
}
"""Tables of ours that belong to no tenant, and why."""

TENANT_TABLES = """
    SELECT c.relname FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace ORDER BY 1
"""
ROW_SECURITY = """
    SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class
    WHERE relname = ANY(%s) AND relnamespace = 'public'::regnamespace
"""
POLICIES = """
    SELECT tablename, policyname, permissive, cmd, qual, with_check, roles::text[]
    FROM pg_policies WHERE schemaname = 'public'
"""
KEYS = """
    SELECT conrelid::regclass::text, conname, contype::text, confrelid::regclass::text,
        (SELECT array_agg(a.attname::text ORDER BY k.position) FROM unnest(conkey)
            WITH ORDINALITY AS k (number, position)
            JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = k.number),
        (SELECT array_agg(a.attname::text ORDER BY k.position) FROM unnest(confkey)
            WITH ORDINALITY AS k (number, position)
            JOIN pg_attribute a ON a.attrelid = confrelid AND a.attnum = k.number),
        convalidated
    FROM pg_constraint
    WHERE contype IN ('p', 'f') AND connamespace = 'public'::regnamespace
"""
UNIQUES = """
    SELECT i.indrelid::regclass::text, c.relname, (
        SELECT a.attname::text FROM pg_attribute a
        WHERE a.attrelid = i.indrelid AND a.attnum = i.indkey[0])
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace
"""
NULLABLE_TENANT = """
    SELECT c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE a.attname = 'tenant_id' AND NOT a.attnotnull AND NOT a.attisdropped AND c.relname = ANY(%s)
"""
RIGHTS = """
    SELECT c.relname,
        has_table_privilege('wms_app', c.oid, 'TRUNCATE'),
        has_table_privilege('wms_app', c.oid, 'UPDATE')
            OR has_any_column_privilege('wms_app', c.oid, 'UPDATE'),
        has_table_privilege('wms_app', c.oid, 'DELETE'),
        pg_has_role('wms_app', c.relowner, 'MEMBER')
    FROM pg_class c
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace ORDER BY 1
"""
ROLES = """
    SELECT rolname FROM pg_roles WHERE rolname = 'wms_app'
        AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)
"""
UNSAFE_VIEWS = """
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND (relkind = 'm'
        OR (relkind = 'v' AND NOT coalesce(reloptions::text[] @> '{security_invoker=true}', false)))
"""
OWNERS_FUNCTIONS = {
    "begin_document_numbers": "only the owner may set a sequence; never back, and of one's own tenant",
    "open_document_numbers": "sequences are the owner's to create; it serves the active tenant only",
    "take_document_numbers": "the application reaches no sequence of numbers but through it",
}
"""Functions that act as their owner, and why."""

# to act as its owner a function needs a fixed path, and may not be everybody's
UNSAFE_FUNCTIONS = """
    SELECT proname FROM pg_proc
    WHERE prosecdef AND pronamespace = 'public'::regnamespace AND NOT (
        proname = ANY(%s)
        AND proconfig IS NOT DISTINCT FROM ARRAY['search_path=pg_catalog, pg_temp']
        AND pg_get_userbyid(proowner) = 'wms_owner'
        AND NOT has_function_privilege('public', oid, 'EXECUTE')
    )
"""
REACHABLE_NUMBERS = """
    SELECT sequencename FROM pg_sequences WHERE schemaname = 'document_numbers'
        AND has_sequence_privilege('wms_app', format('%I.%I', schemaname, sequencename),
            'USAGE, SELECT, UPDATE')
"""
APPEND_ONLY_TRIGGERS = """
    SELECT tgrelid::regclass::text FROM pg_trigger
    WHERE tgname = 'append_only' AND tgenabled = 'O'
"""


def schema_faults(connection: psycopg.Connection[Any]) -> list[str]:
    """Return every hole in the fences of this database; an empty list means there is none."""
    tenant_tables = {name for (name,) in connection.execute(TENANT_TABLES)}
    return [
        *_row_security_faults(connection, tenant_tables),
        *_policy_faults(connection, tenant_tables),
        *_key_faults(connection, tenant_tables),
        *_unique_faults(connection, tenant_tables),
        *_right_faults(connection),
        *_other_faults(connection, tenant_tables),
    ]


def _row_security_faults(connection: psycopg.Connection[Any], tables: set[str]) -> list[str]:
    rows = connection.execute(ROW_SECURITY, [sorted(tables)]).fetchall()
    return [
        f"{name}: row level security is off" for name, enabled, _forced in rows if not enabled
    ] + [
        f"{name}: row level security does not bind its owner"
        for name, _on, forced in rows
        if not forced
    ]


def _policy_faults(connection: psycopg.Connection[Any], tables: set[str]) -> list[str]:
    faults = []
    fenced = set()
    for table, name, permissive, command, using, check, roles in connection.execute(POLICIES):
        if name == "own_rows" and command == "SELECT" and "app.user_id" in (using or ""):
            continue  # a user's own memberships, before a tenant is chosen
        tied = all(_is_the_fence(rule) for rule in (using, check))
        if (permissive, command, roles) != ("PERMISSIVE", "ALL", ["public"]) or not tied:
            faults.append(f"{table}: policy {name} is not the fence")
        else:
            fenced.add(table)
    return faults + [f"{table}: no policy ties rows to the tenant" for table in tables - fenced]


def _is_the_fence(rule: str | None) -> bool:
    """The rule compares the row's tenant with the setting, and nothing loosens it."""
    plain = (rule or "").lower()
    wanted = (
        "(tenant_id = ( select (nullif(current_setting('app.tenant_id'::text, true), ''::text))"
    )
    return plain.startswith(wanted) and " or " not in plain


def _key_faults(connection: psycopg.Connection[Any], tables: set[str]) -> list[str]:
    faults = []
    for table, name, kind, target, columns, target_columns, valid in connection.execute(KEYS):
        if table not in tables:
            if kind == "f" and target in tables:
                faults.append(f"{table}: key {name} points at a tenant's rows from outside")
            continue
        if kind == "p" and columns != ["tenant_id", "id"]:
            faults.append(f"{table}: primary key is {columns}")
        if kind == "f" and target in tables:
            inside = columns[0] == "tenant_id" and target_columns == ["tenant_id", "id"]
            if not (inside and len(columns) == 2 and valid):
                faults.append(f"{table}: foreign key {name} can leave the tenant")
    return faults + _loose_references(connection, tables)


def _loose_references(connection: psycopg.Connection[Any], tables: set[str]) -> list[str]:
    """Every column that a model points with at a tenant's row must have a composite key."""
    from django.apps import apps

    kept = {
        (table, columns[1])
        for table, _name, kind, target, columns, _to, _valid in connection.execute(KEYS)
        if kind == "f" and target in tables and len(columns) == 2
    }
    return [
        f"{model._meta.db_table}: {field.column} has no key that keeps it in the tenant"
        for model in apps.get_models()
        if model._meta.db_table in tables
        for field in model._meta.local_concrete_fields
        if field.is_relation
        and field.column != "tenant_id"
        and field.related_model._meta.db_table in tables
        and (model._meta.db_table, field.column) not in kept
    ]


def _unique_faults(connection: psycopg.Connection[Any], tables: set[str]) -> list[str]:
    return [
        f"{table}: unique {name} starts with {first}"
        for table, name, first in connection.execute(UNIQUES)
        if table in tables and first != "tenant_id"
    ]


def _right_faults(connection: psycopg.Connection[Any]) -> list[str]:
    faults = []
    for table, truncates, updates, deletes, owns in connection.execute(RIGHTS):
        if truncates:
            faults.append(f"{table}: the application may TRUNCATE")
        if owns:
            faults.append(f"{table}: the application owns it")
        if table in APPEND_ONLY and (updates or deletes):
            faults.append(f"{table}: the application may change what is append-only")
    faults += [f"{role}: has rights beyond its tables" for (role,) in connection.execute(ROLES)]
    guarded = {table for (table,) in connection.execute(APPEND_ONLY_TRIGGERS)}
    return faults + [f"{t}: no trigger keeps it append-only" for t in set(APPEND_ONLY) - guarded]


def _other_faults(connection: psycopg.Connection[Any], tables: set[str]) -> list[str]:
    nullable = connection.execute(NULLABLE_TENANT, [sorted(tables)])
    ours = connection.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        " AND relname ~ '^(tenancy|inventory|forecasting)_'"
    )
    return [
        *(f"{table}: tenant_id may be empty" for (table,) in nullable),
        *(
            f"{name}: belongs to no tenant"
            for (name,) in ours
            if name not in tables | NOT_OF_A_TENANT.keys()
        ),
        *(f"{name}: a view that runs as its owner" for (name,) in connection.execute(UNSAFE_VIEWS)),
        *(
            f"{name}: a function that runs as its owner"
            for (name,) in connection.execute(UNSAFE_FUNCTIONS, [list(OWNERS_FUNCTIONS)])
        ),
        *(
            f"{name}: numbers the application reaches past the function"
            for (name,) in connection.execute(REACHABLE_NUMBERS)
        ),
    ]
