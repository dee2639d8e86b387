"""Many schedules (多排程), on one core or several, and what they came to together."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from dataclasses import dataclass, field

from tests.simulation.sabotage import sabotaged
from tests.simulation.schedule import Result, run

CHUNK = 50


@dataclass
class Tally:
    """What many schedules came to."""

    schedules: int = 0
    events: int = 0
    virtual_s: float = 0.0
    failing: list[tuple[int, str]] = field(default_factory=list)
    attention: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, result: Result) -> None:
        """One more."""
        self.schedules += 1
        self.events += result.events
        self.virtual_s += result.virtual_s
        self.attention.update(result.attention)
        self.faults.update(kind for _, _, kind in result.faults)
        self.counts.update(result.counts)
        if result.violation is not None:
            self.failing.append((result.seed, str(result.violation)))

    def merge(self, other: Tally) -> None:
        """Those of another process."""
        self.schedules += other.schedules
        self.events += other.events
        self.virtual_s += other.virtual_s
        self.failing += other.failing
        self.attention.update(other.attention)
        self.faults.update(other.faults)
        self.counts.update(other.counts)


def many(first: int, last: int, processes: int = 1) -> Tally:
    """The seeds from ``first`` to before ``last``."""
    tally = Tally()
    chunks = [(begin, min(begin + CHUNK, last)) for begin in range(first, last, CHUNK)]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for done in pool.imap(_chunk, chunks):
            tally.merge(done)
    return tally


def _chunk(seeds: tuple[int, int]) -> Tally:
    tally = Tally()
    for seed in range(*seeds):
        tally.add(run(seed))
    return tally


def first_caught(sabotage: str, last: int, first: int = 0, *, outcomes_only: bool = False) -> Result | None:
    """The first seed from ``first`` to before ``last`` that fails with this safeguard taken out."""
    with sabotaged(sabotage):
        results = (run(seed, outcomes_only=outcomes_only) for seed in range(first, last))
        return next((result for result in results if result.violation is not None), None)
