"""What can go wrong with the embedded engines, each with its remedy."""

from collections.abc import Sequence
from pathlib import Path

from config.processes import log_tail


class EngineDidNotStart(RuntimeError):
    """Raised when an engine ends or stays silent instead of accepting connections."""

    def __init__(self, engine: str, log_path: Path) -> None:
        self.engine = engine
        self.log_path = log_path
        super().__init__(
            f"{engine} did not start. The last lines of {log_path}:\n{log_tail(log_path)}"
        )


class EnginesBusy(RuntimeError):
    """Raised when another process holds the engines of this data folder."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        super().__init__(
            f"another process is starting, running or stopping the engines of {data_dir}: "
            "stop it, or choose another folder with STOCKCAST_DATA_DIR"
        )


class EnginesNotForProduction(RuntimeError):
    """Raised when production settings name no servers."""

    def __init__(self, missing: Sequence[str]) -> None:
        self.missing = tuple(missing)
        super().__init__(
            f"STOCKCAST_ENV=production needs {' and '.join(missing)}: the embedded engines are for "
            "trying Stockcast out"
        )


class UnsafeSocketFolder(RuntimeError):
    """Raised when the folder for the sockets belongs to somebody else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(
            f"{folder} exists and is not a private folder of the engines' user: remove it"
        )
