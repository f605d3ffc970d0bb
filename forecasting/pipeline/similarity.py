"""How alike products are by what is known of them before they sell, one source at a time."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.pipeline.descriptions import Descriptions, text_rarity, text_vectors, unit_rows
from forecasting.pipeline.series import FloatArray, SeriesPanel

MOST_ATTRIBUTES = 8
NEAREST = 12
LEAST_LIKE = 0.1
"""Texts and embeddings less alike than this have nothing in common but chance."""
SEASON_DAYS = 42.0
"""Beginnings so many days apart are alike by a third: what is new in autumn sells as in autumn."""
PRICE_SPREAD = 0.35
"""The standard deviation, in logarithms, within which prices count as similar."""


@dataclass(frozen=True)
class Source:
    """likeness(rows): [R, L] from 0 to 1, how alike each donor is to each row of the panel."""

    name: str
    likeness: Callable[[NDArray[np.intp]], FloatArray]


def find_sources(panel: SeriesPanel, donors: NDArray[np.intp]) -> tuple[Source, ...]:
    """Return the sources of likeness a panel has; a source that tells nobody apart is left out."""
    known = panel.descriptions or Descriptions(text=("",) * panel.n_series)
    attributes = {**panel.categories, **known.attributes}
    sources = [Source("season", lambda rows: _season(panel, rows, donors))]
    sources += [
        _attribute_source(name, values, donors)
        for name, values in list(attributes.items())[:MOST_ATTRIBUTES]
        if _groups(values[donors])
    ]
    if known.price is not None and np.isfinite(np.log(_positive(known.price[donors]))).any():
        sources.append(_price_source(known.price, donors))
    if any(known.text):
        texts = [known.text[row] for row in donors]
        rarity = text_rarity(texts)
        vectors = text_vectors(texts, rarity)

        def of_text(rows: NDArray[np.intp]) -> FloatArray:
            own = text_vectors([known.text[row] for row in rows], rarity)
            return _nearest(own @ vectors.T)

        sources.append(Source("text", of_text))
    if known.embedding is not None and np.isfinite(known.embedding).any():
        unit = unit_rows(known.embedding)
        sources.append(Source("embedding", lambda rows: _nearest(unit[rows] @ unit[donors].T)))
    return tuple(sources)


def _season(panel: SeriesPanel, rows: NDArray[np.intp], donors: NDArray[np.intp]) -> FloatArray:
    begins = panel.begins.astype(np.float64)
    apart = np.abs(begins[rows][:, None] - begins[donors][None, :])
    return np.asarray(np.exp(-apart / SEASON_DAYS))


def _groups(values: NDArray[np.str_]) -> bool:
    """Tell whether an attribute puts donors into groups: neither all in one nor each alone."""
    filled = values[values != ""]
    return len(filled) > 0 and 1 < len(np.unique(values)) < len(filled)


def _attribute_source(name: str, values: NDArray[np.str_], donors: NDArray[np.intp]) -> Source:
    def likeness(rows: NDArray[np.intp]) -> FloatArray:
        own = values[rows]
        same = (own[:, None] == values[donors][None, :]) & (own != "")[:, None]
        return np.asarray(same, dtype=np.float64)

    return Source(name, likeness)


def _positive(price: FloatArray) -> FloatArray:
    values = np.asarray(price, dtype=np.float64)
    return np.where(np.isfinite(values) & (values > 0), values, np.nan)


def _price_source(price: FloatArray, donors: NDArray[np.intp]) -> Source:
    logs = np.log(_positive(price))

    def likeness(rows: NDArray[np.intp]) -> FloatArray:
        apart = (logs[rows][:, None] - logs[donors][None, :]) / PRICE_SPREAD
        return np.asarray(np.nan_to_num(np.exp(-0.5 * apart**2), nan=0.0))

    return Source("price", likeness)


def _nearest(cosine: NDArray[np.floating]) -> FloatArray:
    """Keep the nearest donors of each row, by the square of the cosine."""
    like = np.where(cosine > LEAST_LIKE, cosine, 0).astype(np.float64) ** 2
    if like.shape[1] > NEAREST:
        bar = np.partition(like, -NEAREST, axis=1)[:, -NEAREST, None]
        like = np.where(like >= bar, like, 0)
    return like
