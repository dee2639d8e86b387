"""docs/rules.md tells of exactly the codes, rows, parameters and facts there are."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import date, datetime
from pathlib import Path

from einvoice.application.evidence import FACTS
from einvoice.model import ProviderProfile, TaxType
from einvoice.providers.ecpay.provider import ECPAY_PROFILE
from einvoice.rules.allocation import RefundCode
from einvoice.rules.allowance_tax import cumulative_tax
from einvoice.rules.codes import Code
from einvoice.rules.correction_allowance import ALLOWANCE_ROWS, AllowanceSituation
from einvoice.rules.correction_causes import Cause as CorrectionCause
from einvoice.rules.correction_change import ReissueSituation
from einvoice.rules.correction_refund import REFUND_ROWS, RefundSituation
from einvoice.rules.correction_reissue import REISSUE_ROWS
from einvoice.rules.correction_terms import Case, Change, Do
from einvoice.rules.period import TAIPEI
from einvoice.rules.reissue import Cause

PAGE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
ROW = re.compile(
    r"^\| `(?P<code>[A-Z0-9_]+)` \| (?:`(?P<reason>[A-Z_]+)` \| )?(?P<meaning>[^|]+) \| (?P<source>[^|]+) \|$"
)
SAID = re.compile(r"^\| `(?P<code>[A-Z0-9_]+)` \| `(?P<reason>[A-Z_]+)` \| (?P<meaning>[^|]+) \|$")
DECIDED = re.compile(r"^\| ([ACF]\d+) \| ([^|]+) \| ([^|]+) \| `([A-Z0-9_]+)` \| ([^|]+) \|$")
PARAMETER = re.compile(r"^\| `([a-z_]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$")
FACT = re.compile(r"^\| `([a-z_]+)` \| ([^|]+) \| ([^|]+) \|$")
SPLIT = re.compile(r"^\| (\d) \| ([\d,]+) \| (\d+) \+ (\d+) \|$")

DAY = date(2026, 2, 28)
NOON = datetime(2026, 2, 28, 12, tzinfo=TAIPEI)
CASE = Case("ISSUED", 1050, DAY, sold_period="11502")
CHANGE = Change(
    1050, 1050, business=False, tax_type=TaxType.TAXABLE, corrected=True, issued_at="2026-02-28T10:00:00+08:00"
)
ANY = ProviderProfile("any")
SITUATIONS = {
    "Refund or cancel": (REFUND_ROWS, RefundSituation(CASE, NOON, ANY, 300)),
    "Correct": (REISSUE_ROWS, ReissueSituation(CASE, NOON, ANY, CHANGE)),
    "Void an allowance": (ALLOWANCE_ROWS, AllowanceSituation(DAY, NOON, ANY)),
}
#: the part of the profile that decides about changes after issue, from its first field to its last
FIRST, LAST = "void_scope", "confirm_every_s"


def section(title):
    """The lines of one section."""
    return PAGE.split(f"\n## {title}", 1)[1].split("\n## ", 1)[0].splitlines()


def rows(title):
    """The table rows of one section, by code."""
    return {match["code"]: match for line in section(title) if (match := ROW.match(line))}


def groups(pattern, title):
    """The cells of the rows that look like this, in order."""
    return [match.groups() for line in section(title) if (match := pattern.match(line))]


def told_step(step):
    """A step as the page has it: what is done, for which purpose, or by which right."""
    aside = step.purpose or ("special" if step.special else "")
    return f"`{step.do.value}`" + (f" ({aside})" if aside else "")


def told_decision(row, situation):
    """What follows from a row: its verdict, or its plan's steps."""
    if isinstance(row.then, Do):
        return f"`{row.then.value}`"
    return ", ".join(told_step(step) for step in row.then(situation))


def told_value(value):
    """A parameter's value as the page has it."""
    if isinstance(value, frozenset):
        return ", ".join(f"`{one}`" for one in sorted(value)) or "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


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


def test_every_way_a_refund_breaks_a_rule_is_explained():
    """In the same words, with a source."""
    table = rows("Refunds")
    assert {code: row["meaning"] for code, row in table.items()} == {code.name: code.value for code in RefundCode}


def test_every_cause_of_a_correction_is_explained():
    """With its next step, in the same words."""
    told = {code: (reason, meaning) for code, reason, meaning in groups(SAID, "Causes of a correction")}
    assert told == {cause.name: (cause.reason.value, cause.sentence) for cause in CorrectionCause}


def test_the_decision_tables_are_the_codes_own():
    """Row by row in the same order: number, decision, cause and source."""
    for title, (table, situation) in SITUATIONS.items():
        told = [(row, decision, cause, source) for row, _, decision, cause, source in groups(DECIDED, title)]
        code = [(row.id, told_decision(row, situation), row.cause.name, row.source) for row in table]
        assert told == code, title


def test_no_row_number_is_left_out():
    """Also those that no table has, because they lie around one."""
    for letter, last in (("F", 18), ("C", 15), ("A", 6)):
        assert [n for n in range(1, last + 1) if not re.search(rf"\b{letter}{n}\b", PAGE)] == []


def test_every_parameter_is_told_with_its_default_and_ecpays_value():
    """All that a profile says of changes after issue, in the code's order."""
    names = [field.name for field in fields(ProviderProfile)]
    part = names[names.index(FIRST) : names.index(LAST) + 1]
    told = [(name, default, theirs) for name, default, theirs, _, _ in groups(PARAMETER, "Parameters")]
    assert told == [(n, told_value(getattr(ANY, n)), told_value(getattr(ECPAY_PROFILE, n))) for n in part]


def test_every_fact_a_person_can_record_is_explained():
    """What each means to the rules."""
    assert tuple(name for name, _, _ in groups(FACT, "Facts that people record")) == FACTS


def test_the_worked_example_is_what_the_code_does():
    """Three refunds of 350 of 1,050 close to the invoice's tax."""
    told = [(int(amount), int(sales), int(tax)) for _, amount, sales, tax in groups(SPLIT, "Splitting money")]
    earlier = 0
    for amount, sales, tax in told:
        assert (tax, sales) == (cumulative_tax(1050, earlier, amount), amount - tax)
        earlier += amount
    assert earlier == 1050
