"""The last second of every deadline, for those who file every two months and every month."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from einvoice.model import ProviderProfile, TaxType
from einvoice.rules import correction, void
from einvoice.rules.correction import Case, Change, Do
from einvoice.rules.period import Period

BIMONTHLY = ProviderProfile("bimonthly")
MONTHLY = ProviderProfile("monthly", filing="monthly")
BIMONTHLY_LATE, MONTHLY_LATE = (replace(given, reissue_scope="until_cutoff") for given in (BIMONTHLY, MONTHLY))
OWN = "issue_period_only"
CHANGE = Change(100, 100, business=False, tax_type=TaxType.TAXABLE, corrected=True)

DEADLINES = [
    (BIMONTHLY, "2026-01-01", "2026-03-13T23:59:59"),
    (BIMONTHLY, "2026-02-28", "2026-03-13T23:59:59"),
    (BIMONTHLY, "2026-12-31", "2027-01-13T23:59:59"),
    (replace(BIMONTHLY, void_cutoff_day=10), "2026-02-28", "2026-03-10T23:59:59"),
    (replace(BIMONTHLY, void_scope=OWN), "2026-01-31", "2026-02-28T23:59:59"),
    (MONTHLY, "2026-01-31", "2026-02-13T23:59:59"),
    (MONTHLY, "2026-02-01", "2026-03-13T23:59:59"),
    (MONTHLY, "2026-12-31", "2027-01-13T23:59:59"),
    (replace(MONTHLY, void_cutoff_day=10), "2026-01-31", "2026-02-10T23:59:59"),
    (replace(MONTHLY, void_scope=OWN), "2026-01-31", "2026-01-31T23:59:59"),
    (replace(MONTHLY, void_scope=OWN), "2024-02-29", "2024-02-29T23:59:59"),
    (replace(MONTHLY, void_scope=OWN), "2026-12-01", "2026-12-31T23:59:59"),
]


def issued(day, **more):
    """A living invoice of this day."""
    return Case("ISSUED", total_twd=100, issued_on=date.fromisoformat(day), invoice_confirmed=True, **more)


def at(text):
    """A Taipei time."""
    return datetime.fromisoformat(text + "+08:00")


@pytest.mark.parametrize(("profile", "day", "deadline"), DEADLINES)
def test_a_void_is_possible_to_the_last_moment_of_its_deadline(profile, day, deadline):
    """The whole last second counts, in whatever zone the clock speaks; the next instant is an allowance's."""
    last = at(deadline)
    assert correction.void_deadline_of(date.fromisoformat(day), profile) == last
    for now in (last, last + timedelta(microseconds=999_999), last.astimezone(UTC)):
        assert correction.void_open(issued(day), now=now, profile=profile)
        decision = correction.refund(issued(day), 100, now=now, profile=profile)
        assert (decision.do, decision.deadline) == (Do.VOID, last)
    after = last + timedelta(seconds=1)
    assert not correction.void_open(issued(day), now=after, profile=profile)
    decision = correction.refund(issued(day), 100, now=after, profile=profile)
    assert (decision.do, decision.cause, decision.deadline) == (Do.ALLOW, "VOID_CLOSED", None)


@pytest.mark.parametrize(("profile", "day", "deadline"), DEADLINES)
def test_an_allowance_is_void_by_its_own_day(profile, day, deadline):
    """To the same last second as an invoice of that day, and not once it is filed."""
    said = {"live": True, "confirmed": True, "later_generation": False, "government": False, "profile": profile}
    allowed_on = date.fromisoformat(day)
    last = at(deadline)
    in_time = correction.void_allowance(allowed_on=allowed_on, filed=False, now=last, **said)
    assert (in_time.do, in_time.deadline) == (Do.VOID_ALLOWANCES, last)
    for filed, now in ((True, last), (False, last + timedelta(seconds=1))):
        late = correction.void_allowance(allowed_on=allowed_on, filed=filed, now=now, **said)
        assert (late.do, late.cause) == (Do.REFUSE, "ALLOWANCE_VOID_CLOSED")


@pytest.mark.parametrize("scope", [void.UNTIL_CUTOFF, void.ISSUE_PERIOD_ONLY])
@pytest.mark.parametrize("day", ["2026-01-01", "2026-02-28", "2026-12-31"])
def test_who_files_every_two_months_has_the_deadline_of_the_period(scope, day):
    """The same answer as the void itself gives."""
    profile = replace(BIMONTHLY, void_scope=scope)
    day = date.fromisoformat(day)
    assert correction.void_deadline_of(day, profile) == void.void_deadline(Period.of_day(day).key, profile)


@pytest.mark.parametrize("profile", [BIMONTHLY, MONTHLY])
def test_filing_closes_the_void_at_once(profile):
    """Even inside the deadline (統一發票使用辦法 art. 20)."""
    filed = issued("2026-02-28", filed=True)
    now = at("2026-03-05T10:00:00")
    assert not correction.void_open(filed, now=now, profile=profile)
    assert correction.refund(filed, 100, now=now, profile=profile).do is Do.ALLOW


def test_without_an_invoice_nothing_is_open():
    """An order never invoiced has nothing to void."""
    assert not correction.void_open(Case("WANTED"), now=at("2026-03-05T10:00:00"), profile=BIMONTHLY)


@pytest.mark.parametrize(
    ("profile", "day", "now", "do", "cause"),
    [
        (BIMONTHLY, "2026-01-31", "2026-02-28T23:44:59", Do.VOID, "CORRECTABLE"),
        (BIMONTHLY, "2026-01-31", "2026-02-28T23:45:00", Do.WAIT, "PERIOD_ENDING"),
        (BIMONTHLY, "2026-01-31", "2026-02-28T23:59:59", Do.WAIT, "PERIOD_ENDING"),
        (BIMONTHLY, "2026-01-31", "2026-03-01T00:00:00", Do.ALLOW, "CROSS_PERIOD"),
        (MONTHLY, "2026-01-31", "2026-01-31T23:44:59", Do.VOID, "CORRECTABLE"),
        (MONTHLY, "2026-01-31", "2026-01-31T23:45:00", Do.WAIT, "PERIOD_ENDING"),
        # the void is open to the 13th, but the sale would move from January's filing to February's
        (MONTHLY, "2026-01-31", "2026-02-01T00:00:00", Do.ALLOW, "CROSS_PERIOD"),
        (MONTHLY_LATE, "2026-01-31", "2026-02-13T23:59:59", Do.VOID, "CORRECTABLE"),
        (MONTHLY_LATE, "2026-01-31", "2026-02-14T00:00:00", Do.ALLOW, "CROSS_PERIOD"),
        (BIMONTHLY_LATE, "2026-02-28", "2026-03-13T23:59:59", Do.VOID, "CORRECTABLE"),
        (
            BIMONTHLY_LATE,
            "2026-02-28",
            "2026-03-14T00:00:00",
            Do.ALLOW,
            "CROSS_PERIOD",
        ),
    ],
)
def test_until_when_a_correction_voids(profile, day, now, do, cause):
    """Within its scope and not so late that the new invoice could fall into the next period."""
    decision = correction.correct(issued(day), CHANGE, now=at(now), profile=profile)
    assert (decision.do, decision.cause) == (do, cause)


@pytest.mark.parametrize("profile", [BIMONTHLY, MONTHLY, BIMONTHLY_LATE])
def test_a_corrections_deadline_is_the_last_second_in_which_it_still_voids(profile):
    """At the deadline the plan is still the same; a second later it is not."""
    case = issued("2026-01-20")
    deadline = correction.correct(case, CHANGE, now=at("2026-01-21T10:00:00"), profile=profile).deadline
    assert correction.correct(case, CHANGE, now=deadline, profile=profile).do is Do.VOID
    assert correction.correct(case, CHANGE, now=deadline + timedelta(seconds=1), profile=profile).do is not Do.VOID


def test_the_wait_at_a_periods_end_says_when_it_ends():
    """The caller learns when to ask again."""
    decision = correction.correct(issued("2026-02-20"), CHANGE, now=at("2026-02-28T23:50:00"), profile=BIMONTHLY)
    assert decision.parameters["period_end"] == "2026-02-28T23:59:59+08:00"


def test_the_same_number_is_kept_to_the_last_second_of_its_window():
    """The window's own end, or the period's where that comes first."""
    profile = replace(BIMONTHLY, same_number_reissue=True)
    keep = replace(CHANGE, same_number=True, same_buyer_and_amount=True)
    for issued_at, last in (
        ("2026-02-19T10:00:00+08:00", "2026-02-21T10:00:00"),
        ("2026-02-28T10:00:00+08:00", "2026-02-28T23:59:59"),
    ):
        asked, case = replace(keep, issued_at=issued_at), issued(issued_at[:10])
        decision = correction.correct(case, asked, now=at(last), profile=profile)
        assert (decision.do, decision.deadline) == (Do.SAME_NUMBER, at(last))
        late = correction.correct(case, asked, now=at(last) + timedelta(seconds=1), profile=profile)
        assert (late.do, late.cause) == (Do.REFUSE, "SAME_NUMBER_WINDOW_OVER")


def test_a_hold_says_until_when_it_can_become_a_void():
    """The paper and the consent have a day; the consent for a partial refund has none."""
    now, last = at("2026-02-20T10:00:00"), at("2026-03-13T23:59:59")
    paper = issued("2026-01-15", printed=True)
    consent = issued("2026-01-15", business=True)
    assert correction.refund(paper, 100, now=now, profile=BIMONTHLY).deadline == last
    assert correction.refund(consent, 100, now=now, profile=BIMONTHLY).deadline == last
    assert correction.refund(consent, 50, now=now, profile=BIMONTHLY).deadline is None
    assert correction.correct(paper, CHANGE, now=now, profile=BIMONTHLY).deadline == at("2026-02-28T23:44:59")
