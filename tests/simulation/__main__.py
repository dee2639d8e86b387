"""``python -m tests.simulation``: many seeds, one seed again, or the product with a safeguard taken out.

--seeds A:B [--processes N]                     run them; the first failing ones are printed small; exit 1 if any
--seed N [--trace] [--shrink] [--sabotage NAME] replay one
--sabotage NAME | all [--seeds A:B]             the first seed that notices the missing safeguard; exit 1 if none does
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from typing import Any

from tests.simulation.plan import draw
from tests.simulation.runs import Tally, first_caught, many
from tests.simulation.sabotage import SABOTAGES, sabotaged
from tests.simulation.schedule import run
from tests.simulation.shrink import shrunk

SHOWN = 5


def main(arguments: list[str] | None = None) -> int:
    """The command line; 1 where an invariant did not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", default="0:1000", metavar="A:B")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--sabotage", default="", choices=["", "all", *SABOTAGES])
    parser.add_argument("--seed", type=int)
    parser.add_argument("--trace", action="store_true")
    parser.add_argument("--shrink", action="store_true")
    given = parser.parse_args(arguments)
    if given.seed is not None:
        with sabotaged(given.sabotage):
            return _one(given.seed, trace=given.trace, shrink=given.shrink)
    first, _, last = given.seeds.partition(":")
    if given.sabotage:
        return _sabotage(list(SABOTAGES) if given.sabotage == "all" else [given.sabotage], int(last))
    began = time.perf_counter()
    tally = many(int(first), int(last), given.processes)
    _report(tally, time.perf_counter() - began)
    for seed, _ in tally.failing[:SHOWN]:
        _show_smallest(seed)
    return 1 if tally.failing else 0


def _sabotage(names: list[str], last: int) -> int:
    caught = True
    for name in names:
        for outcomes_only in (False, True):
            result = first_caught(name, last, outcomes_only=outcomes_only)
            caught &= outcomes_only or result is not None
            what = f"first seed {result.seed}: {result.violation}" if result else f"NOT CAUGHT in {last} seeds"
            _say(f"{name:18} {'by outcome' if outcomes_only else 'by any check':13} {what[:150]}")
    return 0 if caught else 1


def _report(tally: Tally, seconds: float) -> None:
    _say(
        f"{tally.schedules} schedules, {len(tally.failing)} violations; {seconds:.1f} s, "
        f"{tally.schedules / seconds:.0f} schedules/s, {tally.events} events, "
        f"{tally.virtual_s / 86400:.0f} virtual days"
    )
    _say("faults: " + _listed(tally.faults))
    _say("observed: " + _listed(tally.counts))
    _say(f"a person is asked: {sum(tally.attention.values())}  {_listed(tally.attention)}")
    by_kind: dict[str, list[int]] = {}
    for seed, sentence in tally.failing:
        by_kind.setdefault(f"{draw(seed).kind} {sentence[:70]}", []).append(seed)
    for kind, seeds in sorted(by_kind.items(), key=lambda item: -len(item[1])):
        _say(f"  {len(seeds):5} x {kind}  first seed {seeds[0]}")


def _one(seed: int, *, trace: bool, shrink: bool) -> int:
    if shrink:
        _show_smallest(seed)
        return 1
    result = run(seed, trace=_trace if trace else None)
    _say(f"seed {seed}: {result.violation or 'holds'}")
    return 1 if result.violation else 0


def _show_smallest(seed: int) -> None:
    smallest = shrunk(seed)
    _say(f"\nseed {seed} made small: steps {sorted(smallest.steps)}, {draw(seed).kind}")
    run(seed, steps=smallest.steps, without=smallest.without, trace=_trace)
    _say(f"  => {smallest.result.violation}")


def _trace(t: float, who: str, what: str, **_: Any) -> None:
    _say(f"{t:10.2f}  {who:<16} {what}")


def _listed(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counter.most_common())


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
