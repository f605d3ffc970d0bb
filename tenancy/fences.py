"""Migration operations that put a tenant's fences into the database.

For every tenant table: primary key ``(tenant_id, id)``, composite foreign keys, row level security
that is enabled and forced, and one policy. ``FenceTenantTables`` is idempotent: each migration that
adds a table or a foreign key ends with it.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import Model

TENANT_SETTING = "(SELECT nullif(current_setting('app.tenant_id', true), '')::bigint)"
USER_SETTING = "(SELECT nullif(current_setting('app.user_id', true), '')::bigint)"


def tenant_models(state_apps: Any, app_label: str) -> list[type[Model]]:
    """Return the app's models that carry a tenant."""
    found = state_apps.get_app_config(app_label).get_models()
    return [
        m for m in found if any(f.attname == "tenant_id" for f in m._meta.local_concrete_fields)
    ]


def _exists(cursor: Any, sql: str, params: list[Any]) -> bool:
    cursor.execute(sql, params)
    return cursor.fetchone() is not None


def _composite_key(cursor: Any, table: str) -> None:
    cursor.execute(
        "SELECT conname, array_length(conkey, 1) FROM pg_constraint "
        "WHERE conrelid = %s::regclass AND contype = 'p'",
        [table],
    )
    name, columns = cursor.fetchone()
    if columns == 1:
        cursor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')
        cursor.execute(f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" PRIMARY KEY (tenant_id, id)')


def _composite_foreign_keys(cursor: Any, model: type[Model]) -> None:
    table = model._meta.db_table
    for field in model._meta.local_concrete_fields:
        target = field.remote_field.model if field.is_relation and field.remote_field else None
        if target is None or field.attname == "tenant_id":
            continue
        if not any(f.attname == "tenant_id" for f in target._meta.local_concrete_fields):
            continue
        name = f"{table}_{field.column}_fence"[:63]
        found = "SELECT 1 FROM pg_constraint WHERE conrelid = %s::regclass AND conname = %s"
        if not _exists(cursor, found, [table, name]):
            cursor.execute(
                f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" '
                f'FOREIGN KEY (tenant_id, "{field.column}") '
                f'REFERENCES "{target._meta.db_table}" (tenant_id, id) '
                "DEFERRABLE INITIALLY DEFERRED"
            )
        index = f"{table}_{field.column}_tenant"[:63]
        if getattr(field, "tenant_index", True):
            cursor.execute(
                f'CREATE INDEX IF NOT EXISTS "{index}" ON "{table}" (tenant_id, "{field.column}")'
            )


def _row_level_security(cursor: Any, table: str) -> None:
    cursor.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
    cursor.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
    found = "SELECT 1 FROM pg_policy WHERE polrelid = %s::regclass AND polname = 'tenant_fence'"
    if not _exists(cursor, found, [table]):
        rule = f"tenant_id = {TENANT_SETTING}"
        cursor.execute(
            f'CREATE POLICY tenant_fence ON "{table}" USING ({rule}) WITH CHECK ({rule})'
        )


class _DatabaseOnly(Operation):
    reduces_to_sql = True
    reversible = True

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Change nothing in Django's state: the fences live in the database alone."""

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Leave the fences standing: they go with their tables."""


class FenceTenantTables(_DatabaseOnly):
    """Fence every tenant table of the app that is not fenced yet."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        _run_deferred(schema_editor)
        models = tenant_models(to_state.apps, app_label)
        with schema_editor.connection.cursor() as cursor:
            for model in models:
                _composite_key(cursor, model._meta.db_table)
            for model in models:
                _composite_foreign_keys(cursor, model)
                _row_level_security(cursor, model._meta.db_table)

    def describe(self) -> str:
        return "Fence the tenant tables: composite keys and row level security"


class AppendOnly(_DatabaseOnly):
    """Make a table append-only: rights taken from the application, a trigger for everybody."""

    def __init__(self, table: str) -> None:
        self.table = table

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__qualname__, [], {"table": self.table}

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        _run_deferred(schema_editor)
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(APPEND_ONLY_FUNCTION)
            cursor.execute(f'REVOKE UPDATE, DELETE, TRUNCATE ON "{self.table}" FROM wms_app')
            cursor.execute(
                f'CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON "{self.table}" '
                "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            )

    def describe(self) -> str:
        return f"Make {self.table} append-only"


class LetUsersSeeOwnRows(_DatabaseOnly):
    """Let a user read own rows of every tenant (memberships, before a tenant is chosen)."""

    def __init__(self, table: str) -> None:
        self.table = table

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__qualname__, [], {"table": self.table}

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(
                f'CREATE POLICY own_rows ON "{self.table}" '
                f"FOR SELECT USING (user_id = {USER_SETTING})"
            )

    def describe(self) -> str:
        return f"Let users read their own rows of {self.table}"


APPEND_ONLY_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: post a reversing row instead', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$
"""


def _run_deferred(schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Run the constraints Django keeps for the end: the fences alter the same tables."""
    for statement in schema_editor.deferred_sql:
        schema_editor.execute(statement)
    schema_editor.deferred_sql.clear()
