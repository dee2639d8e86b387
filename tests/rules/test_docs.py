"""docs/rules.md tells of exactly the codes there are."""

from __future__ import annotations

import re
from pathlib import Path

from einvoice.rules.codes import Code
from einvoice.rules.reissue import Cause

PAGE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
ROW = re.compile(
    r"^\| `(?P<code>[A-Z0-9_]+)` \| (?:`(?P<reason>[A-Z_]+)` \| )?(?P<meaning>[^|]+) \| (?P<source>[^|]+) \|$"
)


def rows(title):
    """The table rows of one section, by code."""
    section = PAGE.split(f"\n## {title}", 1)[1].split("\n## ", 1)[0]
    return {match["code"]: match for line in section.splitlines() if (match := ROW.match(line))}


def test_every_code_is_explained_as_it_is_told():
    """Code by code, in the same words, with a source."""
    table = rows("Issue")
    assert {code: row["meaning"] for code, row in table.items()} == {code.name: code.value for code in Code}


def test_every_cause_of_a_refused_reissue_is_explained():
    """With its next step."""
    table = rows("Re-issue")
    assert {code: (row["reason"], row["meaning"]) for code, row in table.items()} == {
        cause.name: (cause.reason.value, cause.sentence) for cause in Cause
    }
