"""Nothing a local run starts outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local.processes import ROOT, Child, LocalRunError, free_port
from local.table import table, width

# A command that starts a child of its own and tells both process ids.
FAMILY = (
    "import os, subprocess, sys, time;"
    "grandchild = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "print(os.getpid(), grandchild.pid, flush=True); time.sleep(60)"
)


def pids_in(log: Path) -> list[int]:
    """The process ids the family wrote."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if log.exists() and len(found := log.read_text().split()) == 2:
            return [int(pid) for pid in found]
        time.sleep(0.02)
    raise AssertionError("the family did not start")


def gone(pids: list[int]) -> bool:
    """Whether none of them runs any more, now or within seconds."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if not any(alive(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


def alive(pid: int) -> bool:
    """Whether the process runs; one that nobody reaped yet does not."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


def test_close_ends_the_command_and_its_children(tmp_path):
    """After ``close`` neither the command nor what it started runs."""
    child = Child("family", [sys.executable, "-c", FAMILY], dict(os.environ), tmp_path / "log")
    pids = pids_in(tmp_path / "log")
    assert all(alive(pid) for pid in pids)
    child.close()
    child.close()
    assert gone(pids)


def test_children_end_with_a_starter_that_is_killed(tmp_path):
    """Even ``kill -9`` of the starter leaves nothing running."""
    starter = (
        "import os, pathlib, sys, time; from local.processes import Child;"
        f"Child('family', [sys.executable, '-c', {FAMILY!r}], dict(os.environ), pathlib.Path({str(tmp_path)!r}) / 'log');"
        "time.sleep(60)"
    )
    started = subprocess.Popen([sys.executable, "-c", starter], cwd=ROOT)
    pids = pids_in(tmp_path / "log")
    started.send_signal(signal.SIGKILL)
    started.wait()
    assert gone(pids)


def test_a_command_that_ends_at_once_is_told_with_its_output(tmp_path):
    """Waiting for it fails immediately, with what it said."""
    command = [sys.executable, "-c", "raise SystemExit('no such thing')"]
    url = f"http://127.0.0.1:{free_port()}/"
    with Child("broken", command, dict(os.environ), tmp_path / "log") as child:
        with pytest.raises(LocalRunError, match="no such thing"):
            child.wait_for(url, 20)


def test_tables_align_wide_characters():
    """A Chinese character takes two columns, a combining mark none."""
    assert [width("AB12"), width("發票"), width("e\u0301")] == [4, 4, 1]
    lines = table(["號碼", "n"], [["AB1", "1"], ["作廢了", "12"]], "").splitlines()
    assert lines == ["號碼    n", "──────  ──", "AB1     1", "作廢了  12"]
