"""Killed at any edge of any effect, an order comes to the one end it must come to. See ``story`` for the ways on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.torture.story import OPERATIONS, WAYS, edges_of, stories
from tests.torture.world import World, world

pytestmark = pytest.mark.embedded


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """DynamoDB, KMS and the centre, outside of every process that is killed."""
    scratch: Path = tmp_path_factory.mktemp("torture")
    with world(scratch) as made:
        yield made


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_kill_at_any_edge_loses_and_doubles_nothing(outside: World, operation: str, way: str) -> None:
    """After every kill the right number of invoices lives, the ledger is what the centre holds, nobody was refused."""
    told = list(stories(outside, OPERATIONS[operation], way, every=False))
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
    ("sabotage", "operation", "way", "seen"),
    [
        ("nothing is found", "issue", "recovery", "not at rest"),
        ("every attempt mints a number", "issue", "recovery", "2 living"),
        ("repeats are carried out", "same number, late repeat", "recovery", "buyer wanted"),
    ],
)
def test_the_torture_sees_a_broken_product(
    tmp_path: Path, sabotage: str, operation: str, way: str, seen: str
) -> None:
    """Each of these breaks the promise somewhere, and some kill shows it."""
    with world(tmp_path, sabotage) as broken:
        told = list(stories(broken, OPERATIONS[operation], way))
    assert any(seen in fault for story in told for fault in story.faults)
