"""``python -m tests.torture.kill``: kill the process at every edge of every effect, and tell what became of the order.

For every one of ``operations``: issue, void, re-issue, allowances, corrections of several steps, and the same asked
for once more; see ``story`` for what follows. Second kills leave out the edges between which nothing changed, unless
``--every`` is given (an hour and more).
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from pathlib import Path

from local.table import table
from tests.torture.operations import OPERATIONS
from tests.torture.story import WAYS, Story, stories
from tests.torture.world import world

COLUMNS = ["killed at", "then killed at", "stood: ledger | centre", "left: ledger | centre", "living", "verdict"]


def main() -> int:
    """Print every table; exit status 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.kill", description=__doc__.partition("\n")[0])
    parser.add_argument("--every", action="store_true", help="second kills also where nothing changed in between")
    every = parser.parse_args().every
    runs = wrong = 0
    with tempfile.TemporaryDirectory() as scratch, world(Path(scratch)) as w:
        for operation, way in itertools.product(OPERATIONS.values(), WAYS):
            started = time.monotonic()
            told = list(stories(w, operation, way, every=every))
            bad = [story for story in told if story.faults]
            runs, wrong = runs + len(told), wrong + len(bad)
            seconds = time.monotonic() - started
            say(f"\n{operation.name} · {way} · {len(told)} runs, {len(bad)} wrong, {seconds:.1f} s")
            shown = summary(told) if way == "second kill" else told
            say(table(COLUMNS, [row(story) for story in shown]))
    say(f"\n{wrong} of {runs} wrong")
    return 1 if wrong else 0


def summary(told: list[Story]) -> list[Story]:
    """Of many second kills, one for every first edge and end."""
    ends: dict[tuple[str, str, int, str], Story] = {}
    for story in told:
        ends.setdefault((story.edge, story.left.partition(" | ")[0], story.living, story.verdict), story)
    return list(ends.values())


def row(story: Story) -> list[str]:
    """One row under ``COLUMNS``."""
    return [story.edge, story.second or "-", story.stood, story.left, str(story.living), story.verdict]


def say(text: str) -> None:
    """Tell the person at the terminal."""
    print(text, flush=True)  # noqa: T201 — a command's output


if __name__ == "__main__":
    sys.exit(main())
