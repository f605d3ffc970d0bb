"""What is known of a product before it sells: words, attributes, a price, an embedding.

Words become vectors by hashing: the same text gives the same numbers on every machine and in every
run, no vocabulary is kept, and a word never seen before has its place too.
"""

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

TEXT_SIZE = 2048
GRAM = 4
GRAM_WEIGHT = 0.5
"""A piece of a word counts half as much as a whole one."""
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Descriptions:
    """What is known of each series' product, in the order of the panel's series.

    text: name and description. attributes: attribute -> text [S], "" not known. price: [S], NaN not
    known. embedding: [S, E], rows of NaN where the tenant gave none. is_new: [S]; a series without
    any demand is forecast like its neighbours only when it is new, else it has had its chance.
    starts_in: [S], the days ahead on which it is not sold yet.
    """

    text: tuple[str, ...]
    attributes: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)
    price: NDArray[np.floating] | None = None
    embedding: NDArray[np.floating] | None = None
    is_new: NDArray[np.bool_] | None = None
    starts_in: NDArray[np.int_] | None = None

    def select(self, rows: NDArray[np.intp]) -> "Descriptions":
        """Return the descriptions of some series, in the order given."""
        return Descriptions(
            text=tuple(self.text[row] for row in rows),
            attributes={name: values[rows] for name, values in self.attributes.items()},
            price=None if self.price is None else self.price[rows],
            embedding=None if self.embedding is None else self.embedding[rows],
            is_new=None if self.is_new is None else self.is_new[rows],
            starts_in=None if self.starts_in is None else self.starts_in[rows],
        )


def text_vectors(texts: Sequence[str], rarity: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return one vector of length 1 per text: [N, TEXT_SIZE]; zeros for a text without words.

    rarity: [TEXT_SIZE], how much each place counts, from `text_rarity`.
    """
    counts = _counts(texts)
    vectors = np.log1p(counts) * rarity.astype(np.float32)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1), dtype=np.float32)


def text_rarity(texts: Sequence[str]) -> NDArray[np.floating]:
    """Return the inverse document frequency of every place: [TEXT_SIZE]."""
    held = (_counts(texts) > 0).sum(axis=0)
    return np.asarray(np.log((1 + len(texts)) / (1 + held)) + 1)


def _counts(texts: Sequence[str]) -> NDArray[np.float32]:
    counts = np.zeros((len(texts), TEXT_SIZE), dtype=np.float32)
    known: dict[str, tuple[int, float]] = {}
    for row, text in enumerate(texts):
        for piece in _pieces(text):
            place = known.get(piece)
            if place is None:
                weight = GRAM_WEIGHT if piece.startswith("#") else 1.0
                place = known[piece] = (zlib.crc32(piece.encode()) % TEXT_SIZE, weight)
            counts[row, place[0]] += place[1]
    return counts


def _pieces(text: str) -> list[str]:
    """Return the words of a text, and the pieces of GRAM letters of each word with its ends."""
    pieces: list[str] = []
    for word in _WORD.findall(text.casefold()):
        pieces.append(word)
        ends = f"<{word}>"
        pieces += [f"#{ends[k : k + GRAM]}" for k in range(max(len(ends) - GRAM + 1, 1))]
    return pieces


def unit_rows(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return embeddings as vectors of length 1, zeros where one is not known: [N, E] -> [N, E]."""
    known = np.isfinite(values).all(axis=1)
    clean = np.where(known[:, None], values, 0).astype(np.float64)
    length = np.linalg.norm(clean, axis=1, keepdims=True)
    return np.asarray(clean / np.where(length > 0, length, 1), dtype=np.float32)
