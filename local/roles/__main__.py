"""``python -m local.roles``: every role is enough, and nothing in it is spare. Ends with status 1 if that is not so.

``--write`` writes ``docs/roles.md``; without it the page must say what is found.
"""

from __future__ import annotations

import argparse
import sys
import time

from local.processes import ROOT, LocalRunError
from local.roles import report
from local.roles.scenarios import SCENARIOS
from local.roles.trial import Trial, trial
from local.table import table

PAGE = ROOT / "docs" / "roles.md"


def main() -> int:
    """Exit status: 0 if every right is needed, every need is met, and the page says so."""
    parser = argparse.ArgumentParser(prog="python -m local.roles", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    write = parser.parse_args().write
    started = time.monotonic()
    try:
        with trial() as running:
            _run(running)
    except LocalRunError as error:
        print(f"✗ {error}", file=sys.stderr)
        return 1
    page = report.document(running, len(SCENARIOS))
    if write:
        PAGE.write_text(page, "utf-8")
    elif not PAGE.exists() or PAGE.read_text("utf-8") != page:
        running.wrong.append(f"{PAGE.relative_to(ROOT)} says something else: make roles WRITE=1")
    print(table(["function", "allowed", "used", "used by AWS", "spare"], report.counts(running)))
    for wrong in running.wrong:
        print(f"✗ {wrong}", file=sys.stderr)
    print(f"{'✗' if running.wrong else '✓'} {time.monotonic() - started:.0f} s")
    return 1 if running.wrong else 0


def _run(running: Trial) -> None:
    for name in SCENARIOS:
        running.watch(name)
    running.wrong += [f"{grant.role} need not have {grant.action} on {grant.resource}" for grant in running.spare()]
    rows = [running.rob(position) for position in sorted(running.used)]
    print(table(report.HEADINGS, report.robbed(rows)))


if __name__ == "__main__":
    sys.exit(main())
