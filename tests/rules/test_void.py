"""Until when an invoice may be voided."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from einvoice.model import ProviderProfile
from einvoice.rules import void
from einvoice.rules.period import TAIPEI, Period

CUTOFF_13 = ProviderProfile("13th", void_scope="until_cutoff", void_cutoff_day=13)
CUTOFF_10 = ProviderProfile("10th", void_scope="until_cutoff", void_cutoff_day=10)
OWN_PERIOD = ProviderProfile("own period", void_scope="issue_period_only")


@pytest.mark.parametrize(
    ("now", "profile", "oldest"),
    [
        ("2026-02-20T10:00:00+08:00", CUTOFF_13, "11502"),
        ("2026-03-01T00:00:00+08:00", CUTOFF_13, "11502"),
        ("2026-03-13T23:59:59+08:00", CUTOFF_13, "11502"),
        ("2026-03-13T23:59:59.999999+08:00", CUTOFF_13, "11502"),
        ("2026-03-14T00:00:00+08:00", CUTOFF_13, "11504"),
        ("2026-03-13T16:00:00+00:00", CUTOFF_13, "11504"),
        ("2026-04-13T00:00:00+08:00", CUTOFF_13, "11504"),
        ("2027-01-13T23:59:59+08:00", CUTOFF_13, "11512"),
        ("2027-01-14T00:00:00+08:00", CUTOFF_13, "11602"),
        ("2026-03-10T23:59:59+08:00", CUTOFF_10, "11502"),
        ("2026-03-11T00:00:00+08:00", CUTOFF_10, "11504"),
        ("2026-02-28T23:59:59+08:00", OWN_PERIOD, "11502"),
        ("2026-02-28T23:59:59.999999+08:00", OWN_PERIOD, "11502"),
        ("2026-03-01T00:00:00+08:00", OWN_PERIOD, "11504"),
    ],
)
def test_the_oldest_period_that_can_be_voided(now, profile, oldest):
    """The cut-off day counts to its last moment in Taipei; after it only the running period is left."""
    assert void.oldest_voidable_period(datetime.fromisoformat(now), profile) == oldest


@pytest.mark.parametrize("profile", [CUTOFF_13, CUTOFF_10, OWN_PERIOD])
@pytest.mark.parametrize("key", ["11412", "11502", "11512"])
def test_the_deadline_is_the_last_second_in_which_the_period_is_voidable(profile, key):
    """Both questions have one answer."""
    deadline = void.void_deadline(key, profile)
    assert void.oldest_voidable_period(deadline, profile) <= key
    just_after = datetime.fromtimestamp(deadline.timestamp() + 1, UTC)
    assert void.oldest_voidable_period(just_after, profile) > key


def test_an_unknown_scope_is_an_error():
    """A profile nobody understands decides nothing."""
    profile = ProviderProfile("odd", void_scope="for ever")
    with pytest.raises(ValueError, match="void_scope"):
        void.void_deadline("11502", profile)


def test_a_deadline_of_no_period_is_an_error():
    """Parsed, not patched."""
    with pytest.raises(ValueError, match="period"):
        void.void_deadline("", CUTOFF_13)


def test_scopes_are_those_of_the_profile():
    """The default profile is understood."""
    assert ProviderProfile("any").void_scope in (void.UNTIL_CUTOFF, void.ISSUE_PERIOD_ONLY)
    assert void.void_deadline("11502", ProviderProfile("any")) == Period.parse("11502").cutoff(13)
    assert void.void_deadline("11502", OWN_PERIOD) == datetime(2026, 2, 28, 23, 59, 59, tzinfo=TAIPEI)


@pytest.mark.parametrize(
    ("reason", "codes"),
    [
        ("買受人退貨", []),
        ("x" * 20, []),
        ("退", []),
        ("", ["TEXT_MISSING"]),
        ("  ", ["TEXT_MISSING"]),
        ("x" * 21, ["TEXT_TOO_LONG"]),
        ("退\n貨", ["TEXT_CONTROL_CHARACTER"]),
        ("退貨😀", ["TEXT_ASTRAL"]),
        ("😀" * 11 + "\x00", ["TEXT_TOO_LONG", "TEXT_CONTROL_CHARACTER", "TEXT_ASTRAL"]),
    ],
)
def test_a_reason_is_one_to_twenty_plain_characters(reason, codes):
    """Everything wrong with it at once."""
    violations = void.check_reason(reason, CUTOFF_13)
    assert [violation.code for violation in violations] == codes
    assert {violation.path for violation in violations} <= {"reason"}
