"""Numeric forecasting: arrays in, arrays out. No Django, no clock, no database.

Read in this order: series, closures, cleaning, known, features, scaling, windows, networks,
losses, training, artifact, predict, baselines, metrics, backtest, contest, budgets, settings,
anchor, forecaster, engine.
How files become a panel: tables, histories, frames. Where it computes: compute, arrays.
"""
