"""Simulated tenants for trying Stockcast out: a grocer and a spare-parts dealer.

Everything here is simulation and says so. ``trades`` describes the two companies, ``world`` draws
their demand, ``year`` lets them trade day by day through the real services.
"""
