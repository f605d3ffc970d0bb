"""The tests' own PostgreSQL and Valkey: real engines, thrown away after the session.

One pair of engines serves a whole session, owned by the process that was started (with xdist the
controller), so an aborted run leaves nothing. Each xdist worker has a database of its own, cloned
from a template that is migrated once, and a Valkey database of its own.

The addresses are known before the engines run: settings can be imported, and tests that need no
database never start one.
"""

import fcntl
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql

from config import embedded
from config.database_roles import OWNER, prepare_database
from tests.template_cache import fill_template

TEMPLATE = "stockcast_template"
DRAFT = "stockcast_template_draft"
_SESSION_DIR = "STOCKCAST_TEST_SESSION_DIR"


def worker_name() -> str:
    """Return the xdist worker's name, or `main` without xdist."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


def is_session_owner() -> bool:
    """Tell whether this process owns the session's engines."""
    return worker_name() == "main"


def session_dir() -> Path:
    """Return this session's folder under the system's temporary folder."""
    return Path(os.environ[_SESSION_DIR])


def point_environment_here() -> None:
    """Point every setting at this session's engines, whatever the caller's environment says."""
    if is_session_owner():
        os.environ[_SESSION_DIR] = tempfile.mkdtemp(prefix="stockcast-tests-")
    found = embedded.addresses(_engines_dir())
    number = int("".join(filter(str.isdigit, worker_name())) or 0)
    os.environ |= {
        "STOCKCAST_ENV": "test",
        "STOCKCAST_DATA_DIR": str(session_dir() / f"data-{worker_name()}"),
        "DATABASE_URL": with_database(found.database_url, database_name()),
        "DATABASE_OWNER_URL": with_database(found.database_owner_url, database_name()),
        "REDIS_URL": found.redis_url.replace("db=0", f"db={number}"),
        "OMP_NUM_THREADS": "1",
    }
    # the folder of collected static files; the web server warns when it is missing
    Path(os.environ["STOCKCAST_DATA_DIR"], "static").mkdir(parents=True, exist_ok=True)


def load_settings() -> None:
    """Load Django's settings from the environment just prepared."""
    from django.conf import settings

    if settings.configured:
        raise RuntimeError("unset DJANGO_SETTINGS_MODULE: the tests load their settings themselves")
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    assert settings.DATABASES["default"]["NAME"] == database_name()
    # xdist's workers inherit the environment and would load the settings of this process
    del os.environ["DJANGO_SETTINGS_MODULE"]


def database_name() -> str:
    """Return the name of this worker's own database."""
    return f"test_{worker_name()}"


def superuser_url(database: str) -> str:
    """Return the superuser's address of a database of the session's server."""
    return with_database(embedded.addresses(_engines_dir()).database_superuser_url, database)


def with_database(url: str, database: str) -> str:
    """Return the same address with another database name."""
    before, _, query = url.partition("?")
    return f"{before.rpartition('/')[0]}/{database}?{query}"


def start() -> None:
    """Start the session's engines if this process owns them."""
    if is_session_owner():
        embedded.start(_engines_dir(), durable=False)


def finish() -> None:
    """Stop the session's engines and remove its folder."""
    if is_session_owner():
        embedded.stop(_engines_dir())
        shutil.rmtree(session_dir(), ignore_errors=True)


def create_template_meanwhile() -> None:
    """Migrate the template while the workers still collect; whoever needs it first waits for it.

    Should it fail here, the first worker fails in the same way and says so.
    """

    def work() -> None:
        with suppress(Exception):
            _template()

    threading.Thread(target=work, name="template", daemon=True).start()


def create_database() -> None:
    """Create this worker's database as a clone of the migrated template."""
    _template()
    with _one_worker_at_a_time(), psycopg.connect(superuser_url("postgres"), autocommit=True) as c:
        c.execute(_create(database_name(), TEMPLATE))


def _template() -> None:
    with _one_worker_at_a_time(), psycopg.connect(superuser_url("postgres"), autocommit=True) as c:
        if c.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone():
            return
        # it gets its name when it is whole
        c.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(DRAFT)))
        c.execute(_create(DRAFT, "template0"))
        with psycopg.connect(superuser_url(DRAFT), autocommit=True) as draft:
            prepare_database(draft)
        fill_template(superuser_url(DRAFT), _migrate_draft)
        c.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                sql.Identifier(DRAFT), sql.Identifier(TEMPLATE)
            )
        )


def empty_tables() -> None:
    """Delete every row that migrations did not put there, past triggers and row level security."""
    with psycopg.connect(superuser_url(database_name()), autocommit=True) as connection:
        connection.execute("SET lock_timeout = '15s'")
        connection.execute("SET session_replication_role = replica")
        for table in _tables_with_rows(connection):
            if table not in _filled_by_migrations():
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))


def _engines_dir() -> Path:
    return session_dir() / "engines"


def _create(name: str, template: str) -> sql.Composed:
    return sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
        *(sql.Identifier(word) for word in (name, template, OWNER))
    )


@contextmanager
def _one_worker_at_a_time() -> Iterator[None]:
    with (session_dir() / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _migrate_draft() -> None:
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    connection.close()
    names = connection.settings_dict["NAME"], settings.OWNER_DATABASE["NAME"]
    connection.settings_dict["NAME"] = settings.OWNER_DATABASE["NAME"] = DRAFT
    try:
        call_command("migrate", verbosity=0, interactive=False)
    finally:
        connection.close()
        connection.settings_dict["NAME"], settings.OWNER_DATABASE["NAME"] = names


_seeded: frozenset[str] | None = None


def _filled_by_migrations() -> frozenset[str]:
    global _seeded  # noqa: PLW0603 - the template never changes within a session
    if _seeded is None:
        with psycopg.connect(superuser_url(TEMPLATE), autocommit=True) as connection:
            _seeded = frozenset(_tables_with_rows(connection))
    return _seeded


def _tables_with_rows(connection: psycopg.Connection) -> list[str]:
    tables = [
        name
        for (name,) in connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace = 'public'::regnamespace ORDER BY relname"
        )
    ]
    if not tables:
        return []
    probe = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(
            sql.Literal(table), sql.Identifier(table)
        )
        for table in tables
    )
    return [name for (name,) in connection.execute(probe)]
