"""The backup that docs/operations.md describes, taken and restored with PostgreSQL's own tools."""

import subprocess
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from config.database_roles import prepare_database
from config.embedded.programs import postgres_bin
from inventory.services.numbers import take_numbers
from tests import engines
from tests.cast import make_house

RESTORED = "restored"


def run_tool(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(postgres_bin() / program), *arguments], capture_output=True, text=True, check=False
    )


def as_role(role: str, database: str) -> str:
    return engines.superuser_url(database).replace("postgres@", f"{role}@", 1)


def counts(database: str) -> dict[str, int]:
    with psycopg.connect(engines.superuser_url(database)) as connection:
        tables = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace = 'public'::regnamespace"
        ).fetchall()
        count = sql.SQL("SELECT count(*) FROM {}")
        return {
            name: connection.execute(count.format(sql.Identifier(name))).fetchone()[0]
            for (name,) in tables
        }


@pytest.mark.django_db(transaction=True)
def test_a_dump_by_the_backup_role_restores_every_row_and_every_fence(tmp_path: Path) -> None:
    north = make_house("north")
    make_house("south")
    with north.scope():
        assert take_numbers("PO", 3)[-1] == "PO-000003"
    database = engines.database_name()
    dump = str(tmp_path / "stockcast.dump")

    taken = run_tool(
        "pg_dump",
        "--format=custom",
        f"--dbname={as_role('wms_backup', database)}",
        f"--file={dump}",
    )
    assert taken.returncode == 0, taken.stderr

    with psycopg.connect(engines.superuser_url("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {RESTORED}")
        connection.execute(f"CREATE DATABASE {RESTORED} OWNER wms_owner")
    try:
        with psycopg.connect(engines.superuser_url(RESTORED), autocommit=True) as connection:
            prepare_database(connection)
        restored = run_tool("pg_restore", f"--dbname={as_role('wms_owner', RESTORED)}", dump)
        assert restored.returncode == 0, restored.stderr

        assert counts(RESTORED) == counts(database)
        assert counts(RESTORED)["tenancy_membership"] > 0
        with psycopg.connect(as_role("wms_app", RESTORED)) as connection:
            seen = connection.execute("SELECT count(*) FROM tenancy_membership").fetchone()
            assert seen == (0,), "row level security is not back"
            connection.execute(
                "SELECT set_config('app.tenant_id', %s, true)", [str(north.tenant.pk)]
            )
            take = "SELECT take_document_numbers(%s, 'PO', 1)"
            [numbers] = connection.execute(take, [north.tenant.pk]).fetchone()
            assert numbers == [4], "document numbers begin again"
    finally:
        with psycopg.connect(engines.superuser_url("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {RESTORED}")


@pytest.mark.django_db(transaction=True)
def test_a_dump_by_the_application_is_refused_instead_of_being_empty(tmp_path: Path) -> None:
    """The control: the same dump by a role that row level security binds."""
    make_house("north")
    url = as_role("wms_app", engines.database_name())

    # of the tables alone: the sequences of document numbers are closed to it as well
    taken = run_tool(
        "pg_dump", "--schema=public", f"--dbname={url}", f"--file={tmp_path / 'stockcast.sql'}"
    )

    assert taken.returncode != 0
    assert "row-level security" in taken.stderr or "row security" in taken.stderr
