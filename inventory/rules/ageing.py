"""Age bands of stock: how long units have lain in a warehouse."""

from __future__ import annotations

AGE_BANDS = (
    ("d0_30", 0),
    ("d31_60", 31),
    ("d61_90", 61),
    ("d91_180", 91),
    ("d181_365", 181),
    ("d366", 366),
)
"""Each band by its name, and the age in days at which it begins; the last has no end."""

BAND_NAMES = tuple(name for name, _start in AGE_BANDS)
