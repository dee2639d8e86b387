"""What came of a trial, for a terminal and for ``docs/roles.md``."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from local.roles.grants import Grant
from local.roles.trial import Robbed, Trial

HEADINGS = ["function", "action", "on", "without it, this", "ends with"]
DOCUMENT = """# What each function may do, and what for

Written by `make roles`, which also checks every line: it runs the template on the embedded AWS with its roles enforced, plays
{scenarios} scenarios while a proxy before every function notes each call to AWS, and then takes every right away once, alone, and plays a
scenario that used it. A right that is *needed* was used by the function's own code, and without it exactly that call is refused. One that
is used *by* somebody else is asked for by AWS itself, where no local run can look. There is no third kind.

The proxy also holds every call against the conditions in the template (whose partition keys, which encryption context), because the
embedded AWS cannot: on AWS none of them would have been refused either.
"""


def document(trial: Trial, scenarios: int) -> str:
    """The page: per function, what is allowed and who needs it."""
    parts = [DOCUMENT.format(scenarios=scenarios)]
    for function, rows in groupby(enumerate(trial.grants), key=lambda entry: entry[1].function):
        parts.append(f"## {function.removesuffix('Function')}\n\n| Action | On | Who needs it |\n|---|---|---|")
        parts.append("\n".join(_line(grant, trial.used.get(position, [])) for position, grant in rows) + "\n")
    return "\n".join(parts)


def _line(grant: Grant, used: Sequence[str]) -> str:
    need = f"by: {grant.for_others}" if grant.for_others else f"needed: *{used[0]}*" if used else "**NOBODY**"
    on = grant.resource if grant.resource != "*" else "any (it knows no resource)"
    return f"| `{grant.action}` | {on} | {need} |"


def counts(trial: Trial) -> list[list[str]]:
    """Per function: rights allowed, used by its code, used by AWS in its name, spare."""
    rows = []
    for function, entries in groupby(enumerate(trial.grants), key=lambda entry: entry[1].function):
        mine = list(entries)
        others = sum(bool(grant.for_others) for _, grant in mine)
        used = sum(position in trial.used for position, _ in mine)
        rows.append([function, str(len(mine)), str(used), str(others), str(len(mine) - others - used)])
    return rows


def robbed(rows: Sequence[Robbed]) -> list[list[str]]:
    """Per right that was taken away, what came of it."""
    return [[r.grant.function, r.grant.action, r.grant.resource, r.scenario, r.ended[:60]] for r in rows]
