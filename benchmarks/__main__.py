"""`python -m benchmarks`: measure and print; `--quick` for a look, `--rounds N` for more fresh processes and blocks."""

from __future__ import annotations

import argparse
import importlib.util
import platform
import sys
import time
from datetime import UTC, datetime

from benchmarks import measure, report
from benchmarks.prices import PRICES
from benchmarks.world import World

QUICK = measure.Rounds(cold=3, warm=3, block=20, batches=1)


def main() -> None:
    """Run all measurements."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="fresh processes and warm blocks (%(default)s)")
    parser.add_argument("--block", type=int, default=60, help="warm invoices in a block (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="few rounds: a look, not a measurement")
    arguments = parser.parse_args()
    rounds = QUICK if arguments.quick else measure.Rounds(arguments.rounds, arguments.rounds, arguments.block, 3)
    started = time.monotonic()
    print(f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {platform.machine()}, {rounds}")
    if importlib.util.find_spec("cffi"):
        print("NOTE: cffi is installed here and is not deployed; pycryptodome imports it, which slows all three.")
    with World() as world:
        measured = measure.handlers(world, rounds)
        print("\nSpeed and size; median ± half the interquartile range\n" + report.speed(measured))
        print("\nTraffic to AWS\n" + report.traffic(measured))
        print(f"\nWaiting: a centre that answers after {measure.LATE_S * 1000:.0f} ms")
        print(report.waiting(measure.batches(world, rounds)))
        print(f"\nCost, list prices of {PRICES.as_of}\n" + report.cost(measured))
    print(f"\n{time.monotonic() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
