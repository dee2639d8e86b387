"""Killed at any edge of any effect, an order comes to the one end it must come to. See ``story`` for the ways on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.torture.operations import OPERATIONS
from tests.torture.story import WAYS, edges_of, stories, tells
from tests.torture.world import World, world

pytestmark = pytest.mark.embedded


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """DynamoDB, KMS and the centre, outside of every process that is killed."""
    scratch: Path = tmp_path_factory.mktemp("torture")
    with world(scratch) as made:
        yield made


#: of operations that go on for days every story is long: ``make kill`` tells the others of them
TOLD_HERE = [
    (name, way)
    for name, operation in OPERATIONS.items()
    for way in WAYS
    if not operation.confirms or way == "recovery" or (name, way) == ("correct by allowance", "repeat")
]


@pytest.mark.parametrize(("operation", "way"), TOLD_HERE)
def test_a_kill_at_any_edge_loses_and_doubles_nothing(outside: World, operation: str, way: str) -> None:
    """After every kill the right invoices and allowances live, the ledger is what the centre holds, nobody was refused.

    The next invoice was made when the one before it lived no more, and after an allowance only a confirmed one.
    """
    chosen = OPERATIONS[operation]
    told = list(stories(outside, chosen, way, every=False, few=chosen.confirms))
    assert told
    assert [story for story in told if story.faults] == []


@pytest.mark.parametrize(
    ("operation", "writes"),
    [
        ("issue", ["centre.issue"]),
        ("void", ["centre.void"]),
        ("reissue", ["centre.void", "centre.issue"]),
        ("same number", ["centre.reissue_same_number"]),
    ],
)
def test_every_effect_of_an_operation_has_its_edges(outside: World, operation: str, writes: list[str]) -> None:
    """An undisturbed run changes the centre this often and no more, each change between an intent and a commit."""
    edges = edges_of(outside, OPERATIONS[operation])
    changes = [edge.removeprefix("after ") for edge in edges if edge.startswith("after ")]
    assert [change for change in changes if change in writes] == writes
    assert changes[0] in {"store.create", "store.begin"}
    assert changes[-1] == "store.replace"
    for write in writes:
        assert f"{write} on its way" in edges
        assert changes[changes.index(write) + 1] == "store.replace"


@pytest.mark.parametrize(
    ("operation", "steps"),
    [
        ("allowance", ["centre.allow", "confirm"]),
        ("asked allowance", ["store.remember", "centre.ask_allowance", "confirm"]),
        ("cancel, allowances first", ["centre.void_allowance", "confirm", "centre.void", "confirm"]),
        ("correct by void", ["centre.void", "centre.issue", "confirm"]),
        ("correct by allowance", ["centre.allow", "confirm", "centre.issue", "confirm"]),
    ],
)
def test_every_step_of_a_correction_has_its_edges(outside: World, operation: str, steps: list[str]) -> None:
    """Plan and first intent are one write; every step lies between an intent and a commit; then the ministry."""
    edges = edges_of(outside, OPERATIONS[operation])
    changes = [edge for edge in edges if tells(edge) and ": store.begin" not in edge]
    assert changes[0] in {"after store.replace", "after store.remember"}  # the name a buyer's click will come back by
    names = ["confirm" if edge.startswith("confirm: ") else edge.rpartition("after ")[2] for edge in changes]
    assert [name for name in names if name != "store.replace" and "on its way" not in name] == steps
    for step in (step for step in steps if step.startswith("centre.")):
        at = next(at for at, edge in enumerate(changes) if edge.endswith(f"after {step}"))
        assert changes[at - 1].endswith(f"{step} on its way")
        assert changes[at - 2].endswith("after store.replace")
        assert changes[at + 1].endswith("after store.replace")


@pytest.mark.parametrize(
    ("sabotage", "operation", "way", "seen"),
    [
        ("nothing is found", "issue", "recovery", "not at rest"),
        ("every attempt mints a number", "issue", "recovery", "2 living"),
        ("repeats are carried out", "same number, late repeat", "recovery", "buyer wanted"),
        ("no allowance is found", "allowance", "recovery", "allowed (300, 300)"),
        ("nobody waits for the ministry", "correct by allowance", "recovery", "before the ministry had the allowance"),
    ],
)
def test_the_torture_sees_a_broken_product(
    tmp_path: Path, sabotage: str, operation: str, way: str, seen: str
) -> None:
    """Each of these breaks the promise somewhere, and some kill shows it."""
    with world(tmp_path, sabotage) as broken:
        try:
            told = [fault for story in stories(broken, OPERATIONS[operation], way, few=True) for fault in story.faults]
        except AssertionError as undisturbed:  # even a run without a kill shows it
            told = [str(undisturbed)]
    assert any(seen in fault for fault in told)
