"""Where the engines of one data folder keep their files, logs and sockets, and their addresses."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from config.database_roles import APP, OWNER

DATABASE_NAME = "stockcast"
SUPERUSER = "postgres"
START_SECONDS = 30.0


@dataclass(frozen=True)
class Engines:
    """How to reach the running engines."""

    database_url: str
    """As `wms_app`: what the application runs as."""
    database_owner_url: str
    """As `wms_owner`: what migrates."""
    database_superuser_url: str
    """As the superuser: only embedded servers hand this out."""
    redis_url: str
    """For redis-py; `celery_url` turns it into Celery's spelling."""


@dataclass(frozen=True)
class Places:
    """Every place one data folder uses."""

    data_dir: Path

    @property
    def postgres_data(self) -> Path:
        return self.data_dir / "postgres"

    @property
    def valkey_data(self) -> Path:
        return self.data_dir / "valkey"

    @property
    def postgres_log(self) -> Path:
        return self.data_dir / "log" / "postgres.log"

    @property
    def valkey_log(self) -> Path:
        return self.data_dir / "log" / "valkey.log"

    @property
    def sockets(self) -> Path:
        """A short folder: a unix socket's path has room for 107 bytes."""
        digest = hashlib.sha256(str(self.data_dir).encode()).hexdigest()[:12]
        runtime = os.environ.get("XDG_RUNTIME_DIR", "")
        # root's runtime folder is closed to the user PostgreSQL runs as
        usable = runtime and os.geteuid() != 0 and len(runtime) < 60 and Path(runtime).is_dir()
        base = Path(runtime) if usable else Path("/tmp")  # noqa: S108 - checked before use
        return base / f"stockcast-{os.geteuid()}-{digest}"

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"

    def engines(self) -> Engines:
        return Engines(
            database_url=self.database_url(APP),
            database_owner_url=self.database_url(OWNER),
            database_superuser_url=self.database_url(SUPERUSER),
            redis_url=f"unix://{self.valkey_socket}?db=0",
        )

    def database_url(self, role: str, database: str = DATABASE_NAME) -> str:
        return f"postgres://{role}@/{database}?host={quote(str(self.sockets), safe='/')}"


def celery_url(redis_url: str) -> str:
    """Spell a redis-py address the way Celery's broker wants it."""
    if not redis_url.startswith("unix://"):
        return redis_url
    path, _, query = redis_url.removeprefix("unix://").partition("?")
    number = query.removeprefix("db=") if query.startswith("db=") else "0"
    return f"redis+socket://{path}?virtual_host={number}"
