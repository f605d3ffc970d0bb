"""Products that have hardly sold are forecast like similar ones, from what was known by then."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from forecasting.pipeline.cold_start import find_donors, forecast_cold
from forecasting.pipeline.descriptions import (
    TEXT_SIZE,
    Descriptions,
    text_rarity,
    text_vectors,
    unit_rows,
)
from forecasting.pipeline.engine import EngineConfig, fit
from forecasting.pipeline.series import QUANTILES, Reason, SeriesPanel
from tests.forecasting.pipeline.worlds import FIRST_DAY, day

DAYS = 160
KINDS = (("red mug", 20.0), ("garden spade", 2.0))


def launches(n: int = 40, seed: int = 1, begins_from: int = 40) -> SeriesPanel:
    """Mugs sell 20 a day, spades 2, all new at some time; the last two series have never sold."""
    rng = np.random.default_rng(seed)
    demand = np.full((n + 2, DAYS), np.nan, dtype=np.float32)
    texts = []
    for row in range(n):
        name, level = KINDS[row % 2]
        start = int(rng.integers(begins_from, DAYS - 40))
        demand[row, start:] = rng.poisson(level, DAYS - start)
        texts.append(f"{name} number {row}")
    texts += ["blue mug", "iron spade"]
    return SeriesPanel(
        tuple(f"S{row:02d}" for row in range(n + 2)),
        FIRST_DAY,
        demand,
        ~np.isnan(demand),
        descriptions=Descriptions(tuple(texts), is_new=np.arange(n + 2) >= n),
    )


def forecast_rows(panel: SeriesPanel, rows: list[int]):
    donors = find_donors(panel, np.ones(panel.n_series, dtype=bool))
    assert donors is not None
    return forecast_cold(panel, np.array(rows), donors)


def test_a_new_product_is_forecast_like_those_with_similar_words():
    panel = launches()
    found = forecast_rows(panel, [40, 41])
    mug, spade = found.mean.mean(axis=1)
    assert 15 < mug < 23
    assert 1 < spade < 7
    neighbours = [int(name[1:]) for name, _weight in found.basis[0].neighbours]
    assert neighbours
    assert all(row % 2 == 0 for row in neighbours)
    assert found.basis[0].from_beginnings
    assert found.basis[0].shares["text"] > 0.5
    assert sum(found.basis[0].shares.values()) == pytest.approx(1)


def test_words_that_tell_nothing_get_no_share():
    panel = launches()
    rng = np.random.default_rng(3)
    shuffled = tuple(rng.permutation(np.array(panel.descriptions.text)))
    found = forecast_rows(
        replace(panel, descriptions=replace(panel.descriptions, text=shuffled)), [40, 41]
    )
    assert found.basis[0].shares.get("text", 0) < 0.3
    assert found.mean[0].mean() == pytest.approx(found.mean[1].mean(), rel=0.35)


def test_an_embedding_is_used_like_the_words_are():
    panel = launches()
    vectors = np.array([[1.0, 0.1] if row % 2 == 0 else [0.1, 1.0] for row in range(42)])
    bare = Descriptions(("",) * 42, embedding=vectors, is_new=panel.descriptions.is_new)
    found = forecast_rows(replace(panel, descriptions=bare), [40, 41])
    assert found.mean[0].mean() > 3 * found.mean[1].mean()
    assert found.basis[0].shares["embedding"] > 0.5


def test_own_days_draw_the_forecast_to_themselves():
    panel = launches()
    means = []
    for known in (0, 4, 20):
        demand = panel.demand.copy()
        if known:
            demand[40, -known:] = 2.0
        one = replace(panel, demand=demand, observed=~np.isnan(demand))
        means.append(float(forecast_rows(one, [40]).mean.mean()))
    assert means[0] > means[1] > means[2]
    assert means[2] < 5


def test_nothing_after_the_origin_changes_a_forecast():
    panel = launches()
    spoiled = panel.demand.copy()
    spoiled[:, 121:] = 999
    other = replace(panel, demand=spoiled, observed=~np.isnan(spoiled))
    made = [forecast_rows(one.up_to(day(120)), [40, 41]) for one in (panel, other)]
    np.testing.assert_array_equal(made[0].mean, made[1].mean)
    np.testing.assert_array_equal(made[0].quantiles, made[1].quantiles)
    # the control: what comes before the origin does change it
    spoiled[:40, 100:] = 999
    changed = replace(panel, demand=spoiled, observed=~np.isnan(spoiled))
    assert not np.array_equal(forecast_rows(changed.up_to(day(120)), [40]).mean, made[0].mean[:1])


def test_the_engine_serves_new_products_and_says_how():
    panel = launches()
    fitted = fit(panel, day(DAYS - 1), EngineConfig(networks=()))
    forecast = fitted.forecast(panel, day(DAYS - 1))
    assert forecast.method[40:] == ("cold_start", "cold_start")
    assert forecast.reason[40:] == (Reason.NEW, Reason.NEW)
    assert set(forecast.basis) == {40, 41}
    assert forecast.mean[40].sum() > 300
    # a product that is not new has had its chance
    old = replace(panel.descriptions, is_new=np.zeros(42, dtype=bool))
    later = fitted.forecast(replace(panel, descriptions=old), day(DAYS - 1))
    assert later.reason[40] == Reason.EMPTY
    assert later.mean[40].sum() == 0


def test_a_product_expects_nothing_before_it_is_introduced():
    panel = launches()
    waits = np.zeros(42, dtype=int)
    waits[40] = 10
    one = replace(panel, descriptions=replace(panel.descriptions, starts_in=waits))
    found = forecast_rows(one, [40])
    assert found.mean[0, :10].sum() == 0
    assert found.quantiles[0, :10].sum() == 0
    assert (found.mean[0, 10:] > 0).all()


def test_a_tenant_in_its_first_weeks_is_told_by_the_weeks_of_others():
    panel = launches()
    first = replace(panel, demand=panel.demand[:, -20:], observed=panel.observed[:, -20:])
    found = forecast_rows(first, [40, 41])
    assert not found.basis[0].from_beginnings
    assert found.mean[0].mean() > 2 * found.mean[1].mean()


def test_too_few_to_compare_with_is_nobody():
    panel = launches(n=8)
    assert find_donors(panel, np.ones(10, dtype=bool)) is None


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.integers(12, 30), st.integers(0, 25))
def test_every_forecast_is_finite_ordered_and_not_negative(seed, n, own):
    rng = np.random.default_rng(seed)
    panel = launches(n=n, seed=seed)
    demand = panel.demand * rng.choice([0.0, 0.3, 1.0, 1e6], size=(n + 2, 1)).astype(np.float32)
    if own:
        demand[n, -own:] = rng.choice([0.0, 1.0, 1e7], size=own)
    one = replace(panel, demand=demand.astype(np.float32), observed=~np.isnan(demand))
    found = forecast_rows(one, [n, n + 1])
    for values in (found.mean, found.quantiles):
        assert np.isfinite(values).all()
        assert (values >= 0).all()
    assert (np.diff(found.quantiles, axis=-1) >= 0).all()
    assert found.quantiles.shape[-1] == len(QUANTILES)


def test_text_becomes_the_same_numbers_everywhere():
    rarity = np.ones(TEXT_SIZE)
    one, other, far, none = text_vectors(["Red MUG", "red mugs", "spade", "!?"], rarity)
    assert one @ other > 0.5 > one @ far
    assert not none.any()
    # crc32 modulo 2048 of "mug" and of its pieces "#<mug" and "#mug>"
    assert np.flatnonzero(text_vectors(["mug"], rarity)[0]).tolist() == [41, 1259, 1895]
    assert text_rarity(["mug", "mug"]).min() < text_rarity(["mug", "spade"]).max()


def test_embeddings_that_are_not_known_are_like_nothing():
    unit = unit_rows(np.array([[3.0, 4.0], [np.nan, 1.0], [0.0, 0.0]]))
    np.testing.assert_allclose(unit, [[0.6, 0.8], [0, 0], [0, 0]], rtol=1e-6)
