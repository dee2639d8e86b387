"""Nothing a local run starts outlives it."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.processes import ROOT, Child, LocalRunError, free_port
from local.table import table, width

# A command that starts a child of its own, and tells when both run.
FAMILY = (
    "import os, subprocess, sys, time;"
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "os.write(1, b'both run'); time.sleep(60)"
)
STARTER = (
    "import os, pathlib, sys, time; from local.processes import Child;"
    "Child('family', [sys.executable, '-c', sys.argv[1]], os.environ, pathlib.Path(sys.argv[2])); time.sleep(60)"
)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A pipe in place of the log: whoever was given it holds it open, so its end says that all of them are gone."""
    path = tmp_path / "log"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    yield path, reader
    os.close(reader)


def read(reader: int) -> bytes:
    """What comes next out of the pipe; b"" at its end."""
    ready, _, _ = select.select([reader], [], [], 10)
    assert ready, "nothing came, and it did not end either"
    return os.read(reader, 1000)


def test_close_ends_the_command_and_its_children(log):
    """After ``close`` neither the command nor what it started runs."""
    path, reader = log
    with Child("family", [sys.executable, "-c", FAMILY], os.environ, path) as child:
        assert read(reader) == b"both run"
        child.close()  # and once more at the end of the block
    assert read(reader) == b""


def test_children_end_with_a_starter_that_is_killed(log):
    """Even ``kill -9`` of the starter leaves nothing running."""
    path, reader = log
    started = subprocess.Popen([sys.executable, "-c", STARTER, FAMILY, str(path)], cwd=ROOT)
    try:
        assert read(reader) == b"both run"
    finally:
        started.kill()
        started.wait()
    assert read(reader) == b""


def test_a_command_that_ends_at_once_is_told_with_its_output(tmp_path):
    """Waiting for it fails immediately, with what it said."""
    command = [sys.executable, "-c", "raise SystemExit('no such thing')"]
    url = f"http://127.0.0.1:{free_port()}/"
    with (
        Child("broken", command, os.environ, tmp_path / "log") as child,
        pytest.raises(LocalRunError, match="no such thing"),
    ):
        child.wait_for(url, 20)


def test_tables_align_wide_characters():
    """A Chinese character takes two columns, a combining mark none."""
    assert [width("AB12"), width("發票"), width("e\u0301")] == [4, 4, 1]
    lines = table(["號碼", "n"], [["AB1", "1"], ["作廢了", "12"]], "").splitlines()
    assert lines == ["號碼    n", "──────  ──", "AB1     1", "作廢了  12"]
