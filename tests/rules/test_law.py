"""Law as dated data."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from einvoice.rules import law

HISTORIES = {
    name: value
    for name, value in vars(law).items()
    if isinstance(value, tuple) and value and isinstance(value[0], law.Law)
}


def test_there_are_histories():
    """The tests below look at something."""
    assert set(HISTORIES) == {
        "GENERAL_RATE",
        "UBN_DIVISOR",
        "ZERO_RATE_REASON_REQUIRED",
        "UPLOAD_WITHIN_CONSUMER",
        "UPLOAD_WITHIN_BUSINESS",
    }


@pytest.mark.parametrize("name", HISTORIES)
def test_every_history_is_in_order_and_says_where_it_comes_from(name):
    """The last entry before a day is the one in force, and each can be looked up."""
    history = HISTORIES[name]
    assert [entry.since for entry in history] == sorted({entry.since for entry in history})
    assert all(entry.article and entry.source.startswith("https://") for entry in history)


@pytest.mark.parametrize(
    ("history", "since"), [(law.UBN_DIVISOR, date(2023, 4, 1)), (law.ZERO_RATE_REASON_REQUIRED, date(2026, 1, 1))]
)
def test_a_change_of_law_begins_on_its_day(history, since):
    """The day before still has the old answer."""
    before, after = (law.in_force(history, day).value for day in (since - timedelta(days=1), since))
    assert (before, after) == (history[-2].value, history[-1].value)


def test_before_the_first_entry_there_is_no_answer():
    """A day nobody has a rule for is an error, not a guess."""
    with pytest.raises(LookupError):
        law.rate(date(1986, 3, 31))


def test_the_numbered_tables_are_whole():
    """Reasons 71 to 79 and special taxes 1 to 8, no more and no fewer."""
    assert list(law.ZERO_RATE_REASONS) == [str(number) for number in range(71, 80)]
    assert list(law.SPECIAL_TAXES) == list(range(1, 9))
