"""The smallest schedule that still fails (縮小): fewer steps, fewer faults, the same seed."""

from __future__ import annotations

from dataclasses import dataclass

from tests.simulation.plan import draw
from tests.simulation.schedule import Result, run

Fault = tuple[str, int]
MAX_RUNS = 400


@dataclass(frozen=True)
class Smallest:
    """What is left: the steps by number, the faults taken away, and how it fails."""

    steps: frozenset[int]
    without: frozenset[Fault]
    result: Result


def shrunk(seed: int) -> Smallest:
    """The failing ``seed`` made small, greedily; ValueError if it does not fail."""
    whole = run(seed)
    if whole.violation is None:
        raise ValueError(f"seed {seed} does not fail")
    smallest = Smallest(frozenset(step.index for step in draw(seed).steps), frozenset(), whole)
    invariant, runs = whole.violation.invariant, 0

    def tried(steps: frozenset[int], without: frozenset[Fault]) -> bool:
        nonlocal smallest, runs
        if runs >= MAX_RUNS or not steps:
            return False
        runs += 1
        result = run(seed, steps=steps, without=without)
        if result.violation is None or result.violation.invariant != invariant:
            return False
        smallest = Smallest(steps, without, result)
        return True

    moved = True
    while moved:
        moved = False
        for step in sorted(smallest.steps, reverse=True):
            moved |= tried(smallest.steps - {step}, smallest.without)
        faults = {(name, number) for name, number, _ in smallest.result.faults}
        if faults and tried(smallest.steps, smallest.without | faults):
            moved = True
            continue
        for fault in sorted(faults):
            moved |= tried(smallest.steps, smallest.without | {fault})
    return smallest
