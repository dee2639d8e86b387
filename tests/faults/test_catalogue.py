"""The catalogue of faults names tests that run, all of them, and nothing else."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.docs.reading import ROOT, section

PAGE = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (F?\d+) \|.*\|([^|]*)\|$", re.MULTILINE)
NODE = re.compile(r"`([\w/]+\.py::test_\w+)`")
FAULTS = [f"F{number:02}" for number in range(1, 64)]
LAWS = ["3", "4", "5", "6", "7", "8", "9", "14"]
COLLECT_S = 120


def rows(heading: str) -> dict[str, set[str]]:
    """The tests each row of a table names."""
    return {key: set(NODE.findall(cell)) for key, cell in ROW.findall(section(PAGE, heading))}


FAULT_ROWS = rows("## Faults")
LAW_ROWS = rows("## Laws, and what may happen in between")


def numbered(pattern: str) -> Iterator[tuple[str, str]]:
    """Every test of the tree whose name carries a number of that kind: number and node id."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for number in re.findall(pattern, node.name):
                    yield number, f"{path.relative_to(ROOT).as_posix()}::{node.name}"


def test_every_fault_and_every_law_has_its_row_and_its_tests() -> None:
    """All 63, in order, and the laws whose interleavings matter; none without a test."""
    assert list(FAULT_ROWS) == FAULTS
    assert list(LAW_ROWS) == LAWS
    assert [key for key, nodes in (FAULT_ROWS | LAW_ROWS).items() if not nodes] == []


def test_every_test_that_carries_a_faults_number_stands_in_its_row() -> None:
    """``test_f05_…`` is found under F05, wherever it lies."""
    found = list(numbered(r"(?:(?<=test_)|(?<=\d_))f(\d\d)(?=_)"))
    assert [node for number, node in found if node not in FAULT_ROWS[f"F{number}"]] == []
    assert {f"F{number}" for number, _ in found} <= set(FAULTS)


def test_every_test_that_carries_a_laws_number_stands_in_its_row() -> None:
    """``test_law_14_…`` and the ``test_03_…`` of the laws' own files."""
    found = [(number.lstrip("0"), node) for number, node in numbered(r"(?<=test_)(?:law_)?(\d\d)(?=_)")]
    assert found
    assert [node for number, node in found if number in LAW_ROWS and node not in LAW_ROWS[number]] == []


def test_every_test_named_is_collected() -> None:
    """Each is found by pytest itself, so that none was renamed, moved or left out of the run."""
    named = sorted(set().union(*FAULT_ROWS.values(), *LAW_ROWS.values()))
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *named]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=COLLECT_S, check=False)
    collected = {line.partition("[")[0] for line in done.stdout.splitlines() if "::" in line}
    assert (sorted(collected), done.returncode) == (named, 0), done.stdout[-2000:] + done.stderr[-2000:]


@pytest.mark.parametrize("kind", ["FAULTS", "LAWS"])
def test_the_catalogue_is_read_as_it_is_written(kind: str) -> None:
    """A row the reader does not understand would be a row nobody checks."""
    table = section(PAGE, "## Faults" if kind == "FAULTS" else "## Laws, and what may happen in between")
    understood = FAULT_ROWS if kind == "FAULTS" else LAW_ROWS
    lines = [line for line in table.splitlines() if line.startswith("| ") and not line.startswith("| |")]
    assert len(lines) == len(understood)
    assert [line.count("::test_") for line in lines] == [len(nodes) for nodes in understood.values()]
