"""Two-month periods in Taipei time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from einvoice.rules.period import TAIPEI, Period, seconds_to_end, tax_day

# instant, key, label, (the 13th's cut-off, the filing day (15th), unused numbers by (10th))
VECTORS = [
    ("2026-01-01T00:00:00+08:00", "11502", "115年01-02月", ("2026-03-13", "2026-03-15", "2026-03-10")),
    ("2026-02-28T23:59:59+08:00", "11502", "115年01-02月", ("2026-03-13", "2026-03-15", "2026-03-10")),
    ("2026-02-28T16:00:00+00:00", "11504", "115年03-04月", ("2026-05-13", "2026-05-15", "2026-05-10")),
    ("2025-12-31T15:59:59+00:00", "11412", "114年11-12月", ("2026-01-13", "2026-01-15", "2026-01-10")),
    ("2025-12-31T16:00:00+00:00", "11502", "115年01-02月", ("2026-03-13", "2026-03-15", "2026-03-10")),
    ("2024-02-29T12:00:00+08:00", "11302", "113年01-02月", ("2024-03-13", "2024-03-15", "2024-03-10")),
    ("2026-12-31T23:59:59+08:00", "11512", "115年11-12月", ("2027-01-13", "2027-01-15", "2027-01-10")),
    ("2015-04-10T00:00:00+08:00", "10404", "104年03-04月", ("2015-05-13", "2015-05-15", "2015-05-10")),
]
PERIODS = st.builds(Period, st.integers(2, 998), st.sampled_from([2, 4, 6, 8, 10, 12]))


@pytest.mark.parametrize(("instant", "key", "label", "days"), VECTORS)
def test_an_instant_has_one_period_and_its_days(instant, key, label, days):
    """The zone decides the period; the cut-offs end with their day."""
    period = Period.of(datetime.fromisoformat(instant))
    assert (period.key, period.label) == (key, label)
    cutoffs = [period.cutoff(day).isoformat() for day in (13, 15, 10)]
    assert cutoffs == [f"{day}T23:59:59+08:00" for day in days]


@given(PERIODS)
def test_periods_follow_each_other_without_gap(period):
    """The next one starts a second after this one ends, keys sort as periods do, and a key is read back."""
    following = period.next()
    assert following.start - period.end == timedelta(seconds=1)
    assert following.previous() == period
    assert period < following
    assert period.key < following.key
    assert Period.parse(period.key) == period
    assert Period.of(period.start) == Period.of(period.end) == period


@pytest.mark.parametrize("key", ["", "1502", "11501", "11500", "11514", "115021", "11502\n", "１１５０２", "00002"])
def test_what_is_no_key_is_refused(key):
    """Parsed, not patched."""
    with pytest.raises(ValueError, match="period"):
        Period.parse(key)


@pytest.mark.parametrize("function", [Period.of, tax_day, seconds_to_end])
def test_an_instant_without_zone_is_refused(function):
    """Nobody guesses the zone."""
    with pytest.raises(ValueError, match="zone"):
        function(datetime(2026, 1, 1))  # noqa: DTZ001 - the naive one is the point


def test_the_first_instants_of_the_era_have_no_period_before():
    """A year that has no key is an error."""
    with pytest.raises(ValueError, match="period"):
        Period.of_day(date(1911, 12, 31))


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        (datetime(2026, 2, 28, 23, 59, 59, tzinfo=TAIPEI), 1),
        (datetime(2026, 2, 28, 23, 59, 59, 500_000, tzinfo=TAIPEI), 0),
        (datetime(2026, 2, 28, 15, 45, tzinfo=UTC), 900),
        (datetime(2026, 3, 1, tzinfo=TAIPEI), 61 * 86_400),
        (datetime(2026, 2, 28, 11, 0, tzinfo=timezone(timedelta(hours=-4))), 3_600),
    ],
)
def test_seconds_to_the_end_are_whole_and_never_too_many(now, seconds):
    """Rounded down, in any zone."""
    assert seconds_to_end(now) == seconds
