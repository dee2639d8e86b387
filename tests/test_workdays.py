"""When Taiwan's government offices work."""

from __future__ import annotations

import doctest
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from einvoice import workdays
from einvoice.model import ProviderProfile
from einvoice.rules.deadlines import filing_deadline

SHARED = Path(__file__).parents[1] / "shared"

# What the yearly work calendars of the 行政院人事行政總處 say of days that a weekday alone does not tell.
OFF = [
    "2026-01-01",
    "2026-02-15",  # 小年夜, a holiday since 2026, on a Sunday
    "2026-02-20",  # in lieu of it
    "2026-02-27",  # in lieu of Saturday 02-28
    "2026-04-03",  # in lieu of Saturday 04-04
    "2026-04-06",  # in lieu of Sunday 04-05
    "2026-05-01",  # everybody's holiday since 2026
    "2026-09-28",
    "2026-10-09",  # in lieu of Saturday 10-10
    "2026-10-26",  # in lieu of Sunday 10-25
    "2026-12-25",
    "2025-01-27",  # bridge day, worked on 02-08
    "2025-09-29",  # in lieu of Sunday 09-28, by the amended calendar
    "2025-10-24",  # in lieu of Saturday 10-25, by the amended calendar
    "2024-02-08",  # bridge day, worked on 02-17
]
WORKED = [
    "2025-05-01",  # the labourers' holiday only
    "2025-02-08",  # Saturdays, worked for a bridge day
    "2024-02-17",
    "2023-09-23",
    "2020-02-15",
    "2014-12-27",  # for 2015-01-02: a Saturday of the year before
    "2026-02-23",
    "2026-03-16",
]


@pytest.mark.parametrize("day", OFF)
def test_a_day_off_of_the_offices_is_no_working_day(day):
    """Holidays, days in lieu and bridge days."""
    assert not workdays.is_working_day(date.fromisoformat(day))


@pytest.mark.parametrize("day", WORKED)
def test_a_day_the_offices_work_is_a_working_day(day):
    """Also a Saturday worked for another day."""
    assert workdays.is_working_day(date.fromisoformat(day))


@pytest.mark.parametrize(
    ("made_on", "filing", "day"),
    [
        ("2026-01-31", "bimonthly", "2026-03-16"),
        ("2026-01-31", "monthly", "2026-02-23"),  # as the Ministry of Finance announced on 2026-01-07
        ("2007-08-31", "bimonthly", "2007-09-17"),  # as the tax office of Kaohsiung announced for Saturday 09-15
        ("2026-04-10", "bimonthly", "2026-05-15"),
        ("2025-11-10", "bimonthly", "2026-01-15"),
        ("2020-01-20", "monthly", "2020-02-15"),  # a worked Saturday stays
    ],
)
def test_the_filing_day_moves_as_was_announced(made_on, filing, day):
    """The rule and the calendar together."""
    at = filing_deadline(date.fromisoformat(made_on), ProviderProfile("any", filing=filing), workdays.next_working_day)
    assert at.isoformat() == f"{day}T23:59:59+08:00"


def test_the_examples_are_true():
    """The docstrings can be believed, because they run."""
    result = doctest.testmod(workdays)
    assert (result.failed, result.attempted > 0) == (0, True)


def test_the_next_working_day_may_be_in_the_next_year():
    """2027-12-31 stands in lieu of New Year's Day 2028, a Saturday."""
    assert workdays.next_working_day(date(2027, 12, 31)) == date(2028, 1, 3)


def test_the_next_working_day_is_the_first_one_from_the_day_itself():
    """Day by day over ten years: nothing worked is passed over, and no break lasts longer than two weeks."""
    for days in range(3653):
        day = date(2020, 1, 1) + timedelta(days=days)
        following = workdays.next_working_day(day)
        assert workdays.is_working_day(following)
        assert timedelta(0) <= following - day <= timedelta(days=14)
        assert not any(workdays.is_working_day(day + timedelta(days=n)) for n in range((following - day).days))


def test_the_language_of_the_machine_changes_no_day(monkeypatch):
    """The library names holidays in the machine's language; only dates are taken from it."""
    expected = [workdays.is_working_day(date(2026, 1, 1) + timedelta(days=n)) for n in range(365)]
    monkeypatch.setenv("LANGUAGE", "en_US")
    workdays._calendar.cache_clear()
    assert [workdays.is_working_day(date(2026, 1, 1) + timedelta(days=n)) for n in range(365)] == expected


@pytest.mark.parametrize("year", [1997, 2100, 2101])
def test_a_year_the_library_does_not_know_is_an_error(year):
    """Weekends alone would be a guess."""
    with pytest.raises(ValueError, match=str(year)):
        workdays.is_working_day(date(year, 6, 15))
    with pytest.raises(ValueError, match=str(year)):
        workdays.next_working_day(date(year, 6, 15))


def test_only_the_first_question_pays_for_the_library():
    """A function that imports this module and asks nothing starts without the library."""
    program = (
        "import sys; from datetime import date; from einvoice import workdays; print('holidays' in sys.modules); "
        "workdays.is_working_day(date(2026, 3, 16)); print('holidays' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(SHARED)}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "True"]
