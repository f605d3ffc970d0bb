"""Artefacts: what went in comes out, and nothing damaged, cut, foreign or swapped is believed."""

import pickle

import pytest
import torch

from forecasting.pipeline.artifact import (
    ArtifactError,
    checkpoint_from_bytes,
    seal,
    unseal,
    write_atomically,
)
from forecasting.pipeline.engine import FittedForecaster

SOUND = seal({"w": torch.arange(6.0).reshape(2, 3)}, {"kind": "test", "name": "north"})


def test_tensors_and_header_come_back_as_they_were():
    tensors, header = unseal(SOUND)
    assert torch.equal(tensors["w"], torch.arange(6.0).reshape(2, 3))
    assert header["name"] == "north"


def test_any_changed_byte_is_noticed():
    for position in range(8, len(SOUND), 7):
        damaged = bytearray(SOUND)
        damaged[position] ^= 1
        with pytest.raises(ArtifactError, match="corrupt"):
            unseal(bytes(damaged))


@pytest.mark.parametrize("kept", [8, 20, 40])
def test_an_artefact_cut_short_is_refused(kept):
    with pytest.raises(ArtifactError, match="truncated"):
        unseal(SOUND[:kept])


def test_an_artefact_cut_in_its_body_is_refused():
    with pytest.raises(ArtifactError, match="corrupt"):
        unseal(SOUND[:-1])


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", pickle.dumps({"w": 1})])
def test_foreign_bytes_are_refused_before_anything_is_read(data):
    with pytest.raises(ArtifactError, match="foreign"):
        unseal(data)


def test_a_sound_artefact_of_another_kind_is_refused():
    with pytest.raises(ArtifactError, match="unfit"):
        FittedForecaster.from_bytes(SOUND)
    with pytest.raises(ArtifactError, match="unfit"):
        checkpoint_from_bytes(SOUND)


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "network"
    write_atomically(path, b"old")
    with pytest.raises(TypeError):
        write_atomically(path, "not bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["network"]
