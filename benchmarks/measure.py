"""The measurements: every handler in turn within each round, so that the machine's moods meet all of them alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from benchmarks.events import MERCHANTS
from benchmarks.world import World

HANDLERS = ("floor", "naive", "ours")
LATE_S = 0.8  # how late the centre answers in the batches

Samples = dict[str, list[float]]


@dataclass(frozen=True, slots=True)
class Rounds:
    """How much is measured: fresh processes, blocks of warm calls, calls in a block, batches of each shape."""

    cold: int
    warm: int
    block: int
    batches: int


@dataclass(slots=True)
class Handler:
    """All samples of one handler, and what it asked of AWS (service, operation, write units, item bytes)."""

    samples: Samples = field(default_factory=dict)
    create: list[Any] = field(default_factory=list)
    replay: list[Any] = field(default_factory=list)
    first: list[Any] = field(default_factory=list)

    def add(self, prefix: str, values: dict[str, Any]) -> None:
        """Keep every number of one answer."""
        for name, value in values.items():
            self.samples.setdefault(f"{prefix}.{name}", []).append(float(value))

    def median(self, name: str) -> float:
        """The middle of one quantity's samples."""
        return median(self.samples[name])


@dataclass(frozen=True, slots=True)
class Batch:
    """One way of working through a queue with a slow centre; milliseconds."""

    name: str
    invoices: int
    wall_ms: list[float]
    cpu_ms: list[float]


def handlers(world: World, rounds: Rounds) -> dict[str, Handler]:
    """Import, first call, warm calls and traffic of every handler."""
    measured = {name: Handler() for name in HANDLERS}
    for name in HANDLERS:  # once unmeasured: writes the bytecode that a deployed build ships
        world.probe(name).close()
    for _ in range(rounds.cold):
        for name in HANDLERS:
            with world.probe(name) as probe:
                measured[name].add("import", probe.imported)
                measured[name].add("first", probe.ask("call"))
    with ExitStack() as stack:
        probes = [stack.enter_context(world.probe(name)) for name in HANDLERS]
        for turn in range(rounds.warm):
            for probe in _rotated(probes, turn):
                probe.ask(f"block {MERCHANTS}")  # every merchant once: caches as warm as in a busy container
                measured[probe.name].add("warm", probe.ask(f"block {rounds.block}"))
    for name in HANDLERS:
        with world.probe(name) as probe:  # of its own: watching takes memory
            measured[name].first = probe.ask("count_cold")["create"]
            probe.ask(f"block {MERCHANTS}")
            asked = probe.ask("count")
            measured[name].create, measured[name].replay = asked["create"], asked["replay"]
    return measured


def batches(world: World, rounds: Rounds) -> list[Batch]:
    """A late centre: five in a row as usual, then ours with one record, with ten, and with ten of one merchant."""
    shapes = {
        "naive, 5 records in a row": ("naive", "block 5", 5),
        "ours, 1 record": ("ours", "batch 1 1", 1),
        "ours, 10 records of 10 merchants": ("ours", "batch 10 10", 10),
        "ours, 10 records of 1 merchant": ("ours", "batch 10 1", 10),
    }
    samples: dict[str, list[dict[str, Any]]] = {shape: [] for shape in shapes}
    with world.probe("naive") as naive, world.probe("ours") as ours:
        probes = {"naive": naive, "ours": ours}
        for probe in probes.values():
            probe.ask(f"block {MERCHANTS}")
        world.delay_centre(LATE_S)
        for _ in range(rounds.batches):
            for shape, (name, command, _) in shapes.items():
                samples[shape].append(probes[name].ask(command))
        world.delay_centre(0)
    return [
        Batch(
            shape,
            invoices,
            # a block answers the mean of one invoice, a batch the whole
            [one["wall_ms"] * (invoices if command.startswith("block") else 1) for one in samples[shape]],
            [one["cpu_ms"] / (1 if command.startswith("block") else invoices) for one in samples[shape]],
        )
        for shape, (_, command, invoices) in shapes.items()
    ]


def _rotated(probes: list[Any], turn: int) -> Iterator[Any]:
    """Another one goes first every time."""
    start = turn % len(probes)
    yield from probes[start:]
    yield from probes[:start]
