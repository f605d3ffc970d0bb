"""The database roles: migrate as the owner, run as the application, and prove which one we are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, connection

from tenancy.models import TenantOwned


@contextmanager
def as_owner() -> Iterator[None]:
    """Use the owner's connection for schema work, then the application's again."""
    application = connection.settings_dict
    connection.close()
    connection.settings_dict = {**application, **settings.OWNER_DATABASE}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = application


JOIN_BY_HASHING = "SET LOCAL enable_nestloop = off"
JOIN_AS_PLANNED = "SET LOCAL enable_nestloop = on"


@contextmanager
def joining_by_hashing() -> Iterator[None]:
    """Have statements inside a transaction join without looping over rows.

    Rows written a moment ago have no statistics: the planner takes them for a handful and would
    loop over them (100,000 imported lines took minutes instead of half a second, the scores of
    1,000 series 77 s instead of 0.8 s).
    """
    with connection.cursor() as cursor:
        cursor.execute(JOIN_BY_HASHING)
        yield
        cursor.execute(JOIN_AS_PLANNED)


WATCH_SMALL_TABLES = """
DO $$
DECLARE small regclass;
BEGIN
    FOR small IN
        SELECT oid FROM pg_class
        WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
            AND relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)
            AND NOT coalesce(reloptions, '{}') @> '{autovacuum_analyze_threshold=0}'
    LOOP
        EXECUTE format('ALTER TABLE %s SET (autovacuum_analyze_threshold = 0)', small);
    END LOOP;
END $$
"""


def watch_small_tables() -> None:
    """Have PostgreSQL count small tables after any change, too, as the tables' owner.

    By itself it counts a table once fifty rows have changed: of three warehouses it never knows how
    many there are, guesses, and has read every movement of a tenant once per pair of places to show
    the latest six (17 s instead of 9 ms). Large tables are counted as before, after a tenth of
    their rows has changed.
    """
    with connection.cursor() as cursor:
        cursor.execute(WATCH_SMALL_TABLES)


def tenant_tables() -> dict[str, type[TenantOwned]]:
    """Return every tenant model by its table."""
    return {m._meta.db_table: m for m in apps.get_models() if issubclass(m, TenantOwned)}


class FencesDown(RuntimeError):
    """The database would not keep tenants apart; ``faults`` says why and nothing is served."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("Refusing to serve: " + "; ".join(faults))


def refuse_without_fences() -> None:
    """Raise ``FencesDown`` unless roles and row level security stand: web and workers boot by this.

    A database that does not answer yet is no fault: the processes may start in any order, and
    ``/readyz`` tells when it is there.
    """
    try:
        faults = isolation_faults()
    except DatabaseError as error:
        structlog.get_logger().warning("database_silent_at_boot", error=str(error))
        return
    finally:
        connection.close()
    if faults:
        raise FencesDown(faults)


def isolation_faults() -> list[str]:
    """Return what is wrong with roles and row level security; an empty list means the fences stand.

    Run at boot and by ``/readyz``: a superuser, an owner, or a tenant table that lacks FORCE or a
    policy would make row level security silently useless.
    """
    with connection.cursor() as cursor:
        faults = _role_faults(cursor)
        cursor.execute(
            "SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity, "
            "pg_has_role(current_user, c.relowner, 'MEMBER'), "
            "EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid) "
            "FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace "
            "AND c.relname = ANY(%s)",
            [list(tenant_tables())],
        )
        rows = cursor.fetchall()
    missing = set(tenant_tables()) - {row[0] for row in rows}
    faults += [f"table {name} is missing: run migrate" for name in sorted(missing)]
    for name, enabled, forced, owned, has_policy in rows:
        if not (enabled and forced and has_policy):
            faults.append(f"table {name} lacks row level security, FORCE or a policy")
        if owned:
            faults.append(f"table {name} is owned by the application role")
    return faults


def _role_faults(cursor: Any) -> list[str]:
    cursor.execute(
        "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles "
        "WHERE rolname IN (current_user, session_user)"
    )
    faults = []
    for name, superuser, bypass in cursor.fetchall():
        if (superuser or bypass) and (name == "wms_app" or not settings.ALLOW_SUPERUSER_LOGIN):
            faults.append(f"role {name} is a superuser or bypasses row level security")
    cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
    if cursor.fetchone()[0]:
        faults.append(
            "the application runs as a superuser or a role that bypasses row level security"
        )
    return faults
