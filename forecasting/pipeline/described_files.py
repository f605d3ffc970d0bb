"""What a file of series says of products that have hardly sold: words, attributes, an embedding."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from forecasting.pipeline.descriptions import Descriptions
from forecasting.pipeline.series import FloatArray

EMBEDDING = "embedding_"
"""Number columns of this beginning are the places of an embedding."""


def new_series(series: pd.DataFrame | None, ids: Sequence[str]) -> list[str]:
    """Return the series a file describes although it holds no history of them, in its order."""
    if series is None or "series_id" not in series.columns:
        return []
    known = set(ids)
    named = series["series_id"].dropna().astype(str).str.strip()
    return [one for one in dict.fromkeys(named) if one and one not in known]


def describe(
    series: pd.DataFrame | None,
    ids: Sequence[str],
    attributes: Mapping[str, np.ndarray],
    grouping: Mapping[str, np.ndarray],
    n_new: int,
) -> Descriptions:
    """Return what is known of each series; the last `n_new` have no history.

    Attributes that group series are compared as they are, the others by their words.
    """
    words = [values for name, values in attributes.items() if name not in grouping]
    return Descriptions(
        text=tuple(" ".join(parts) for parts in zip(*words, strict=True))
        if words
        else ("",) * len(ids),
        attributes=dict(grouping),
        embedding=_read_embedding(series, ids),
        is_new=np.arange(len(ids)) >= len(ids) - n_new,
    )


def _read_embedding(series: pd.DataFrame | None, ids: Sequence[str]) -> FloatArray | None:
    if series is None:
        return None
    columns = [column for column in series.columns if str(column).startswith(EMBEDDING)]
    if not columns:
        return None
    table = series.assign(series_id=series["series_id"].astype(str).str.strip())
    table = table.drop_duplicates("series_id").set_index("series_id").reindex(list(ids))
    numbers = table[columns].apply(pd.to_numeric, errors="coerce").to_numpy(np.float64)
    whole = np.isfinite(numbers).all(axis=1)
    return np.where(whole[:, None], numbers, np.nan)
