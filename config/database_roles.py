"""The three database roles and what each may do, for embedded and external servers alike.

`wms_owner` owns the database and migrates it. `wms_app` runs the application: neither owner nor
superuser, so row level security binds it, and it cannot TRUNCATE. `wms_backup` reads everything
and writes nothing. Every function here may run twice without harm.

On a server of your own, once, as an administrator who can create roles:

    WMS_OWNER_PASSWORD=... WMS_APP_PASSWORD=... WMS_BACKUP_PASSWORD=... \\
        python -m config.database_roles postgres://admin@db.example/stockcast
"""

import os
import sys
from collections.abc import Mapping, Sequence

import psycopg
from psycopg import sql

OWNER = "wms_owner"
APP = "wms_app"
BACKUP = "wms_backup"

_ATTRIBUTES = {
    OWNER: "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS",
    APP: "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS",
    BACKUP: "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION BYPASSRLS",
}


def prepare_roles(
    connection: psycopg.Connection, passwords: Mapping[str, str] | None = None
) -> None:
    """Create the roles, with these passwords where given, and put their attributes right.

    The connection is a superuser's, or one with CREATEROLE (and BYPASSRLS, which only a role that
    has it may hand on). Roles belong to the whole server, so once per server is enough.
    """
    existing = {
        name: (is_super, bypasses)
        for name, is_super, bypasses in connection.execute(
            "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = ANY(%s)",
            [list(_ATTRIBUTES)],
        )
    }
    for role, attributes in _ATTRIBUTES.items():
        name = sql.Identifier(role)
        right_flags = (False, role == BACKUP)
        if role not in existing:
            connection.execute(sql.SQL("CREATE ROLE {} {}").format(name, sql.SQL(attributes)))
        elif existing[role] != right_flags:
            connection.execute(sql.SQL("ALTER ROLE {} {}").format(name, sql.SQL(attributes)))
        if passwords and role in passwords:
            connection.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(name, sql.Literal(passwords[role]))
            )


def prepare_database(connection: psycopg.Connection) -> None:
    """Give the connected database to `wms_owner` and set what its future tables grant.

    Needs `prepare_roles` first, and the same rights.
    """
    row = connection.execute(
        "SELECT current_database(), rolsuper FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    assert row is not None  # noqa: S101 - a connected role always has a row
    database_name, is_superuser = row
    if not is_superuser:
        # default privileges of another role may be set only by its members
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(OWNER)))
    names = {
        "database": sql.Identifier(database_name),
        "owner": sql.Identifier(OWNER),
        "app": sql.Identifier(APP),
        "backup": sql.Identifier(BACKUP),
    }
    for statement in _DATABASE_STATEMENTS:
        connection.execute(sql.SQL(statement).format(**names))


_DEFAULTS = "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public "
_DATABASE_STATEMENTS = (
    "ALTER DATABASE {database} OWNER TO {owner}",
    "ALTER SCHEMA public OWNER TO {owner}",
    "REVOKE ALL ON DATABASE {database} FROM PUBLIC",
    "GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {app}",
    "GRANT CONNECT ON DATABASE {database} TO {backup}",
    "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    "GRANT USAGE ON SCHEMA public TO {app}, {backup}",
    # deliberately without TRUNCATE: it would walk around row level security
    _DEFAULTS + "GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {app}",
    _DEFAULTS + "GRANT USAGE, SELECT ON SEQUENCES TO {app}",
    _DEFAULTS + "GRANT SELECT ON TABLES TO {backup}",
    _DEFAULTS + "GRANT SELECT ON SEQUENCES TO {backup}",
)


def main(arguments: Sequence[str]) -> int:
    """Prepare the server and the database of the address given on the command line."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m config.database_roles postgres://admin@host/database\n")
        return 2
    passwords = {
        role: os.environ[variable]
        for role in _ATTRIBUTES
        if (variable := f"{role.upper()}_PASSWORD") in os.environ
    }
    try:
        with psycopg.connect(arguments[0], autocommit=True) as connection:
            prepare_roles(connection, passwords)
            prepare_database(connection)
    except psycopg.Error as error:
        sys.stderr.write(f"The roles could not be prepared: {error}\n")
        return 1
    without = sorted(set(_ATTRIBUTES) - set(passwords))
    sys.stdout.write(f"{', '.join(_ATTRIBUTES)} are ready.\n")
    if without:
        sys.stdout.write(f"No password was given for {', '.join(without)}: left as it was.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
