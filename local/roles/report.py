"""What came of a trial, for a terminal and for ``docs/roles.md``."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from local.roles.grants import Grant
from local.roles.trial import Robbed, Trial

HEADINGS = ["function", "action", "on", "without it, this", "ends with"]
DOCUMENT = """# What each function may do, and who needs it

Written by `make roles WRITE=1`. `make roles` proves it: it deploys the template to the embedded AWS with its roles
enforced and plays {scenarios} scenarios (`local/roles/scenarios.py`), while a proxy before every function notes each of
its calls to AWS.

*Enough*: no call is refused, and no call breaks a condition of the template (whose partition keys, which encryption
context), which the proxy decides because the embedded AWS cannot. *No more*: every right that a function's code uses is
then taken away, alone, and a scenario that used it played again: exactly that call is refused. The other rights are
asked for by AWS itself in the function's name; no local run can look there.

| Function | Rights allowed | used by its code | used by AWS for it | spare |
|---|---|---|---|---|
{counts}
"""


def document(trial: Trial, scenarios: int) -> str:
    """The page: per function, what is allowed and who needs it."""
    numbers = "\n".join(f"| {' | '.join(row)} |" for row in counts(trial))
    parts = [DOCUMENT.format(scenarios=scenarios, counts=numbers)]
    for function, entries in groupby(enumerate(trial.grants), key=lambda entry: entry[1].function):
        rows = [(_need(grant, trial.used.get(position, [])), grant) for position, grant in entries]
        parts.append(f"## {function.removesuffix('Function')}\n\n| May | On | Who needs it |\n|---|---|---|")
        alike = groupby(rows, key=lambda row: (row[0], row[1].sid))
        parts.append("\n".join(_line(need, [grant for _, grant in same]) for (need, _), same in alike) + "\n")
    return "\n".join(parts)


def _need(grant: Grant, used: Sequence[str]) -> str:
    return grant.for_others or (f"its code, in *{used[0]}*" if used else "**nobody**")


def _line(need: str, alike: Sequence[Grant]) -> str:
    on = alike[0].resource if alike[0].resource != "*" else "anything (X-Ray knows no resource)"
    return f"| {', '.join(f'`{grant.action}`' for grant in alike)} | {on} | {need} |"


def counts(trial: Trial) -> list[list[str]]:
    """Per function: rights allowed, used by its code, used by AWS in its name, spare."""
    rows = []
    for function, entries in groupby(enumerate(trial.grants), key=lambda entry: entry[1].function):
        mine = list(entries)
        others = sum(bool(grant.for_others) for _, grant in mine)
        used = sum(position in trial.used for position, _ in mine)
        rows.append(
            [function.removesuffix("Function"), str(len(mine)), str(used), str(others), str(len(mine) - others - used)]
        )
    return rows


def robbed(rows: Sequence[Robbed]) -> list[list[str]]:
    """Per right that was taken away, what came of it."""
    return [[r.grant.function, r.grant.action, r.grant.resource, r.scenario, r.ended[:60]] for r in rows]
