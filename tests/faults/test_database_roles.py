"""The roles on a server of one's own: prepared by an administrator who is no superuser."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from config import embedded

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def superuser_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server whose application database nobody has prepared."""
    folder = tmp_path_factory.mktemp("server")
    yield embedded.start(folder, durable=False).database_superuser_url
    embedded.stop(folder)


def run(url: str, statement: str) -> list[tuple]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def prepare(url: str, **passwords: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "config.database_roles", url],
        cwd=ROOT,
        env=os.environ | passwords,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def admin_url(superuser_url: str) -> str:
    """As hosted services hand it out: may create roles and databases, is no superuser."""
    run(superuser_url, "CREATE ROLE admin LOGIN CREATEROLE CREATEDB BYPASSRLS")
    run(superuser_url, "CREATE DATABASE mine OWNER admin")
    for role in ("wms_app", "wms_owner", "wms_backup"):
        run(superuser_url, f"DROP OWNED BY {role} CASCADE")
    run(superuser_url, "ALTER DATABASE stockcast OWNER TO postgres")
    for role in ("wms_app", "wms_owner", "wms_backup"):
        run(superuser_url, f"DROP ROLE {role}")
    return superuser_url.replace("postgres@/stockcast", "admin@/mine")


def test_an_administrator_without_superuser_prepares_everything_and_may_do_it_twice(
    admin_url: str,
) -> None:
    for _ in range(2):
        done = prepare(admin_url, WMS_APP_PASSWORD="it's; a secret", WMS_OWNER_PASSWORD="another")
        assert done.returncode == 0, done.stderr
        assert "No password was given for wms_backup" in done.stdout
        assert "secret" not in done.stdout + done.stderr

    app_url = admin_url.replace("admin@", "wms_app@")
    owner_url = admin_url.replace("admin@", "wms_owner@")
    run(owner_url, "CREATE TABLE IF NOT EXISTS stock (quantity int)")
    run(app_url, "INSERT INTO stock VALUES (1)")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        run(app_url, "TRUNCATE stock")
    assert run(app_url, "SELECT rolbypassrls FROM pg_roles WHERE rolname = current_user") == [
        (False,)
    ]


def test_an_administrator_who_may_not_create_roles_is_told_so(
    superuser_url: str, admin_url: str
) -> None:
    run(superuser_url, "CREATE ROLE nobody_special LOGIN")

    refused = prepare(admin_url.replace("admin@", "nobody_special@"))

    assert refused.returncode == 1
    assert "The roles could not be prepared" in refused.stderr
