"""The migrated template database, kept between runs as a dump that is named after what made it.

Migrating from nothing takes many seconds, restoring its dump one. The name is a digest of every
migration and of what gives rights, so that a change of any makes a new dump. CI never uses it.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from config.embedded.programs import postgres_bin

ROOT = Path(__file__).resolve().parents[1]
MADE_BY = (
    "*/migrations/*.py", "config/database_roles.py", "tenancy/database.py", "tenancy/fences.py",
    "tenancy/management/commands/migrate.py", "requirements.txt",
)  # fmt: skip


def fill_template(url: str, migrate: Callable[[], None]) -> None:
    """Fill the empty database at ``url``: from the dump if there is one, else by migrating."""
    if os.environ.get("CI"):
        migrate()
        return
    dump = _dump_file()
    if dump.is_file():
        _run("psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", f"--file={dump}", url)
        return
    migrate()
    made = dump.with_name(f"{dump.name}.{os.getpid()}")
    _run("pg_dump", f"--file={made}", url)
    # the schema is there already when the dump is restored
    lines = made.read_text().splitlines(keepends=True)
    made.write_text("".join(line for line in lines if not line.startswith("CREATE SCHEMA public")))
    made.rename(dump)


def _dump_file() -> Path:
    digest = hashlib.sha256()
    for pattern in MADE_BY:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.name.encode() + path.read_bytes())
    folder = Path(tempfile.gettempdir()) / f"stockcast-templates-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / f"{digest.hexdigest()[:24]}.sql"


def _run(program: str, *arguments: str) -> None:
    command = [str(postgres_bin() / program), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{program} failed: {done.stderr.strip()}")
