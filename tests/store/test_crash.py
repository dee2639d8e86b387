"""The ledger on an engine that is killed in the middle of writing: what was acknowledged is there, and it is whole."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from einvoice.store.base import Head
from einvoice.store.dynamodb import DynamoStore
from local.processes import ROOT
from tests.aws import TABLE
from tests.store import writer
from tests.store.engines import Dynoxide, client, with_table

KILLS = 20
MIN_WRITES, MAX_WRITES = 3, 15  # between two kills; drawn, so that kills fall anywhere
PATIENCE_S = 20.0

Acknowledged = dict[int, tuple[int, str]]  # by order: the last version that was acknowledged, and its write id


@contextmanager
def writing(port: int, journal: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A writer in a process of its own, what it was told standing in ``journal``."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(journal.parent), "PYTHONPATH": f"{ROOT}:{ROOT / 'shared'}"}
    with journal.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.store.writer", str(port)], cwd=ROOT, env=environment, stdout=out
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def acknowledged(journal: Path) -> Acknowledged:
    """What the writer was told so far; a line without its end is still being written."""
    whole, _, _ = journal.read_text().rpartition("\n")
    lines = (line.split() for line in whole.splitlines())
    return {int(number): (int(ver), write_id) for number, ver, write_id in lines}


def faults(told: Acknowledged, heads: Mapping[int, Head | None], due: Iterable[str]) -> list[str]:
    """Everything wrong with what stands. One write more than was acknowledged is right: its answer died."""
    wrong = []
    listed = set(due)
    for number, (ver, write_id) in told.items():
        head = heads[number]
        if head is None or head.ver < ver:
            wrong.append(f"{number}: version {ver} was acknowledged, {head and head.ver} stands")
            continue
        if head.ver == ver and head.write_id != write_id:
            wrong.append(f"{number}: version {ver} is another write")
        logged = [entry["ver"] for entry in head.log]
        if logged != list(range(head.ver - len(logged) + 1, head.ver + 1)):
            wrong.append(f"{number}: version {head.ver} with the log of {logged}")
        if (head.state, head.due_at) != (writer.state_of(head.ver), head.ver):
            wrong.append(f"{number}: half of version {head.ver}")
        if head.key.order_id not in listed:
            wrong.append(f"{number}: not in the due index")
    return wrong


def standing(store: DynamoStore) -> tuple[dict[int, Head | None], list[str]]:
    """Every head, and what the due index lists."""
    heads = {number: store.read(writer.key_of(number)) for number in range(writer.ORDERS)}
    return heads, [key.order_id for key in store.due(10**9, 100)]


def wait_for_writes(process: subprocess.Popen[bytes], journal: Path, count: int) -> None:
    """Until so many more writes were acknowledged."""
    until, wanted = time.monotonic() + PATIENCE_S, len(journal.read_bytes().splitlines()) + count
    while len(journal.read_bytes().splitlines()) < wanted:
        assert process.poll() is None, "the writer has ended"
        assert time.monotonic() < until, "nothing is written any more"
        time.sleep(0.003)


def test_an_engine_killed_in_mid_write_loses_nothing_it_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed twenty times, the writer never stopping: what it was told stands, whole, and the due index agrees."""
    monkeypatch.setattr("einvoice.store.items.DUE_SHARDS", 1)  # as the writer has it
    draw = Random(20)
    journal = tmp_path / "acknowledged"
    with Dynoxide(tmp_path / "ledger.sqlite") as engine:
        store = DynamoStore(with_table(client(engine.port)), TABLE)
        with writing(engine.port, journal) as process:
            for _ in range(KILLS):
                wait_for_writes(process, journal, draw.randint(MIN_WRITES, MAX_WRITES))
                engine.kill()
                told = acknowledged(journal)
                engine.start()
                # it goes on meanwhile: heads may be further than what was told, never behind
                heads, due = standing(store)
                assert faults(told, heads, due) == []
            wait_for_writes(process, journal, MIN_WRITES)
        assert faults(acknowledged(journal), *standing(store)) == []


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ({"ver": 2}, "acknowledged"),
        ({"write_id": "other"}, "another write"),
        ({"log": [writer.entry(1), writer.entry(3)]}, "with the log"),
        ({"due_at": 2}, "half"),
    ],
)
def test_the_crash_test_sees_a_loss(make: Any, change: dict[str, Any], seen: str) -> None:
    """A lost, a swapped and a half write each have a name; so has an index that lost the order."""
    whole = make(ver=3, write_id="w", state=writer.state_of(3), due_at=3, log=[writer.entry(n) for n in (1, 2, 3)])
    order_id = whole.key.order_id
    assert faults({0: (3, "w")}, {0: whole}, [order_id]) == []
    assert [seen in fault for fault in faults({0: (3, "w")}, {0: replace(whole, **change)}, [order_id])] == [True]
    assert faults({0: (3, "w")}, {0: None}, [order_id])
    assert faults({0: (3, "w")}, {0: whole}, [])
