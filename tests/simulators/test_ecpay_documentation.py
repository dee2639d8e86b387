"""docs/simulator.md says what the simulator does: its tables name everything there is, and its commands work."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

from simulators.ecpay import Settings, Simulator, codes
from simulators.ecpay.control import ROUTES
from simulators.ecpay.faults import FAULTS
from simulators.ecpay.operations import OPERATIONS

BASH = shutil.which("bash")
TEXT = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")


def test_invented_codes_are_marked_and_documented() -> None:
    """59xxxxx is invented and nothing else is; the table has exactly these, with their words."""
    for code in codes.ALL.values():
        assert (code.evidence == "invented") == (5_900_000 <= code.number < 6_000_000)
    invented = {(str(code.number), code.message) for code in codes.ALL.values() if code.evidence == "invented"}
    assert set(re.findall(r"^\| (59\d{5}) \| ([^|]*) \|", TEXT, re.MULTILINE)) == invented
    assert set(re.findall(r"\b59\d{5}\b", TEXT)) == {number for number, _ in invented}


def test_every_code_named_in_the_text_can_be_answered() -> None:
    """A code of seven digits in the documentation stands in the table of codes, or is a success of TriggerIssue."""
    known = {str(number) for number in codes.ALL} | {"4000003", "4000004", "2000132", "3000001", "2592000"}
    assert set(re.findall(r"\b\d{7}\b", TEXT)) <= known


def test_every_operation_fault_route_and_switch_is_documented() -> None:
    """By its name, in the reader's spelling."""
    names = [*FAULTS, *(operation.name for operation in OPERATIONS.values()), *(one.name for one in fields(Settings))]
    missing = [name for name in names if f"`{name}`" not in TEXT]
    routes = {(method, f"{first}{'/<' if rest else ''}") for method, first, rest in ROUTES}
    rows = "\n".join(re.findall(r"^\| (?:GET|POST|DELETE).*", TEXT, re.MULTILINE))
    for method, path in sorted(routes):
        if not re.search(rf"^\| (\w+, )?{method}(, \w+)? `{path}[^`]*`", rows, re.MULTILINE):
            missing.append(f"{method} {path}")
    assert missing == []


@pytest.mark.skipif(not (BASH and shutil.which("curl") and shutil.which("openssl")), reason="the commands need them")
def test_documented_commands_work(sim: Simulator) -> None:
    """Run in order and in one shell against a running simulator, each succeeds."""
    blocks = re.findall(r"^```bash\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    client, control = (f"set -euo pipefail\nSIM={sim.url}\n{block}" for block in blocks)
    run = subprocess.run([str(BASH), "-c", client], capture_output=True, text=True, timeout=20, check=True)
    issued, found = run.stdout.splitlines()
    assert '"RtnCode":1' in issued
    assert str(sim.invoices(relate="ORDER-1")[0]["number"]) in found
    run = subprocess.run([str(BASH), "-c", control], capture_output=True, text=True, timeout=20, check=True)
    assert "error" not in run.stdout
    assert '"relate":"ORDER-2"' in run.stdout
    assert sim.invoices() == []  # the last command was the reset
