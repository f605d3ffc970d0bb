"""The two simulated companies."""

from forecasting.demo.grocer import GROCER
from forecasting.demo.parts_dealer import PARTS

TRADES = (GROCER, PARTS)
