"""The way through the warehouse: aisle by aisle, up one and down the next."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

PARTS = re.compile(r"\d+|[^\W\d_]+")
K = TypeVar("K", bound=Hashable)

CodeKey = tuple[tuple[int, int, str], ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody walks to. A lower ``walking_order`` comes first; the code breaks ties."""

    location_id: int
    code: str
    walking_order: int = 0


def code_key(code: str) -> CodeKey:
    """Return a key that sorts codes as people do: A-2 before A-10, letters in any case."""
    parts = PARTS.findall(code)
    return tuple(
        (0, int(part), "") if part.isdecimal() else (1, 0, part.casefold()) for part in parts
    )


def walking_path(places: Iterable[Place]) -> list[int]:
    """Return the ids of the places in walking order, each once.

    The walking order decides. Places that share one are walked serpentine: the aisle is the first
    part of a code such as ``A-03-2``, and every other visited aisle is walked backwards. Neighbours
    with codes of one part are an aisle together.
    """
    once = {place.location_id: place for place in places}
    ordered = sorted(once.values(), key=lambda p: (p.walking_order, code_key(p.code), p.code))
    path: list[int] = []
    for _order, group in groupby(ordered, key=lambda place: place.walking_order):
        path += [place.location_id for place in _serpentine(list(group))]
    return path


def _serpentine(places: list[Place]) -> list[Place]:
    walked: list[Place] = []
    for number, (_code, bays) in enumerate(groupby(places, key=_aisle)):
        aisle = list(bays)
        walked += reversed(aisle) if number % 2 else aisle
    return walked


def _aisle(place: Place) -> CodeKey:
    """Return the first part of the code, or nothing for a code that has only one."""
    key = code_key(place.code)
    return key[:1] if len(key) > 1 else ()
