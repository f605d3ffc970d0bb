"""Everything the floor does, in any order: whatever happens, the book stays in order.

Short by default; ``STOCKCAST_LONG=1`` takes at least 10,000 steps and prints its seed and what
happened. ``STOCKCAST_SEED`` repeats a run.
"""

from __future__ import annotations

import os
import random

from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.cast import House
from tests.properties.floor_machine import FloorMachine

LONG = os.environ.get("STOCKCAST_LONG") == "1"
EXAMPLES, STEPS = (200, 50) if LONG else (6, 25)
SEED = int(os.environ.get("STOCKCAST_SEED") or (random.randrange(2**32) if LONG else 7))

PROFILE = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def run(machine: type[FloorMachine], profile: settings) -> None:
    """Search with the seed of this run."""
    machine.happened.clear()
    machine.refused.clear()
    run_state_machine_as_test(seed(SEED)(machine), settings=profile)


def test_whatever_happens_on_the_floor_the_book_stays_in_order(in_north: House) -> None:
    run(FloorMachine, PROFILE)
    print(
        f"\nseed {SEED}: {sum(FloorMachine.happened.values())} done, "
        f"{sum(FloorMachine.refused.values())} refused"
    )
    for what, count in sorted(FloorMachine.happened.items()):
        print(f"  {what}: {count}")
    for what, count in sorted(FloorMachine.refused.items()):
        print(f"  refused {what}: {count}")
