"""Trained networks and checkpoints as bytes: safetensors and JSON, sealed by a SHA-256.

Layout: MAGIC, 32 bytes SHA-256 of the rest, then a safetensors body whose metadata holds one JSON
text. Nothing in it is executable, and nothing is believed before the fingerprint agrees.
"""

import hashlib
import json
import math
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors, save as save_tensors
from torch import Tensor

from forecasting.pipeline.training import Checkpoint, EpochReport

MAGIC = b"STOCKNET"
DIGEST_BYTES = 32
HEADER_BYTES = len(MAGIC) + DIGEST_BYTES
FORMAT = 2

Problem = Literal["foreign", "truncated", "corrupt", "version", "unfit"]


class ArtifactError(ValueError):
    """Bytes that are not a sound artefact. `problem` says how."""

    def __init__(self, problem: Problem, detail: str) -> None:
        self.problem: Problem = problem
        super().__init__(f"The trained network cannot be used ({problem}): {detail}")


def seal(tensors: Mapping[str, Tensor], header: Mapping[str, Any]) -> bytes:
    """Return tensors and a JSON-like header as one sealed artefact."""
    text = json.dumps({"format": FORMAT, **header}, sort_keys=True, allow_nan=False)
    flat = {name: value.detach().contiguous() for name, value in tensors.items()}
    body = save_tensors(flat or {"empty": torch.zeros(1)}, metadata={"header": text})
    return MAGIC + hashlib.sha256(body).digest() + body


def unseal(data: bytes) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return tensors and header of a sealed artefact. Raises ArtifactError."""
    if not data.startswith(MAGIC):
        raise ArtifactError("foreign", "it was not written by Stockcast.")
    if len(data) <= HEADER_BYTES:
        raise ArtifactError("truncated", f"it ends after {len(data)} bytes.")
    body = data[HEADER_BYTES:]
    if hashlib.sha256(body).digest() != data[len(MAGIC) : HEADER_BYTES]:
        raise ArtifactError("corrupt", "its content does not match its fingerprint.")
    try:
        tensors = load_tensors(body)
        header = _read_header(body)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError("corrupt", str(error)) from error
    if header.get("format") != FORMAT:
        raise ArtifactError("version", f"format {header.get('format')}, expected {FORMAT}.")
    return tensors, header


def _read_header(body: bytes) -> dict[str, Any]:
    """Read the JSON text from the safetensors header: 8 bytes of length, then JSON."""
    size = int.from_bytes(body[:8], "little")
    metadata = json.loads(body[8 : 8 + size])["__metadata__"]
    header = json.loads(metadata["header"])
    if not isinstance(header, dict):
        raise TypeError("the header is not an object")
    return header


def checkpoint_to_bytes(checkpoint: Checkpoint) -> bytes:
    """Return a checkpoint as a sealed artefact."""
    groups = {
        "weights": checkpoint.weights,
        "average": checkpoint.average,
        "best": checkpoint.best,
        "moments": checkpoint.moments,
    }
    tensors = {f"{group}/{key}": v for group, part in groups.items() for key, v in part.items()}
    header = {
        "kind": "checkpoint",
        "config_digest": checkpoint.config_digest,
        "epoch": checkpoint.epoch,
        "history": [report_to_json(report) for report in checkpoint.history],
    }
    return seal(tensors, header)


def checkpoint_from_bytes(data: bytes) -> Checkpoint:
    """Return the checkpoint of a sealed artefact. Raises ArtifactError."""
    tensors, header = unseal(data)
    if header.get("kind") != "checkpoint":
        raise ArtifactError("unfit", "it is not a checkpoint.")
    groups: dict[str, dict[str, Tensor]] = {
        "weights": {}, "average": {}, "best": {}, "moments": {}
    }  # fmt: skip
    for name, value in tensors.items():
        group, _, key = name.partition("/")
        groups[group][key] = value
    return Checkpoint(
        config_digest=str(header["config_digest"]),
        epoch=int(header["epoch"]),
        history=tuple(report_from_json(one) for one in header["history"]),
        **groups,
    )


def report_to_json(report: EpochReport) -> dict[str, Any]:
    """Return an epoch report as JSON; a loss that was not measured is null."""
    data = asdict(report)
    if math.isnan(report.validation_loss):
        data["validation_loss"] = None
    return data


def report_from_json(data: dict[str, Any]) -> EpochReport:
    """Return the epoch report of its JSON."""
    loss = data["validation_loss"]
    return EpochReport(**{**data, "validation_loss": float("nan") if loss is None else loss})


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that after a crash either the old or the new content is there, whole."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class CheckpointFolder:
    """Keeps one checkpoint per name in a folder; a damaged one counts as none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def save(self, name: str, checkpoint: Checkpoint) -> None:
        """Put a checkpoint in the place of the last one of that name, whole or not at all."""
        write_atomically(self.folder / f"{name}.ckpt", checkpoint_to_bytes(checkpoint))

    def load(self, name: str) -> Checkpoint | None:
        """Return the checkpoint of that name; None where there is none, or it is damaged."""
        try:
            return checkpoint_from_bytes((self.folder / f"{name}.ckpt").read_bytes())
        except (FileNotFoundError, ArtifactError):
            return None
