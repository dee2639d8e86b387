"""Allowances at ECPay, lived through with the simulator over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from einvoice.errors import Reason
from einvoice.model import Allowance, AllowanceLine
from einvoice.providers.base import Absent, Accepted, Done, FoundLine, Rejected, Unknown, VoidRecord
from tests.providers.shop import EMAIL, OPENED, Shop, shop


@pytest.fixture
def one() -> Iterator[Shop]:
    """A shop at the lenient centre, with answers whose types vary from call to call."""
    with shop(vary_types=True) as made:
        yield made


# --- in force at once ---


def test_parts_of_an_invoice_are_allowed_down_to_exactly_nothing(one: Shop) -> None:
    """Every answer says what is left, the look-ups agree with it, and the oldest comes first."""
    made = [one.allowed(amount, reason="退貨") for amount in (500, 549, 1)]
    assert [answer.remaining_twd for answer in made] == [550, 1, 0]
    assert all(OPENED <= answer.allowed_at < OPENED + timedelta(minutes=1) for answer in made)
    assert one.listed() == [(answer.number, amount, False) for answer, amount in zip(made, (500, 549, 1), strict=True)]
    assert one.remaining() == 0


def test_an_allowance_is_found_as_it_was_made(one: Shop) -> None:
    """Sum, the centre's own split of the tax, lines, instant and upload."""
    made = one.allowed(50)
    outcome = one.provider.find_allowances(one.number, one.day, one.call)
    assert isinstance(outcome, Accepted)
    (found,) = outcome.value
    assert (found.number, found.invoice_number, found.allowed_at) == (made.number, one.number, made.allowed_at)
    assert (found.total_twd, found.tax_twd, found.void, found.upload) == (50, 2, False, "confirmed")
    assert found.lines == (FoundLine("茶", "1", 50),)


def test_the_upload_shows_once_it_has_happened() -> None:
    """Where uploads take their time, an allowance is not confirmed before."""
    with shop(profile="doc", upload_sent_s=3600, upload_confirmed_s=7200) as one:
        one.sim.move_clock(advance_s=7201)
        one.allowed(50)
        uploads = []
        for wait_s in (0, 3601):
            one.sim.move_clock(advance_s=wait_s)
            outcome = one.provider.find_allowances(one.number, one.day, one.call)
            assert isinstance(outcome, Accepted)
            uploads.append(outcome.value[0].upload)
    assert uploads == ["none", "confirmed"]


def test_more_than_is_left_makes_nothing(one: Shop) -> None:
    """ECPay's code for it is not known, so the answer is unknown and the look-ups decide."""
    one.allowed(1000)
    refused = one.allow(51)
    assert isinstance(refused, Unknown)
    assert (refused.cause, refused.answered) == ("UNMAPPED_CODE", True)
    assert len(one.listed()) == 1
    assert one.remaining() == 50


def test_a_void_invoice_and_an_unknown_one_are_definite_refusals(one: Shop) -> None:
    """Both say that nothing was made."""
    assert one.provider.void(one.number, one.day, "測試", one.call) == Accepted(Done())
    void = one.allow(50)
    one.number = "ZZ00000000"
    unknown = one.allow(50)
    assert [(refusal.reason, refusal.cause, refusal.definite) for refusal in (void, unknown)] == [
        (Reason.ASK_A_PERSON, "INVOICE_VOID", True),
        (Reason.ASK_A_PERSON, "INVOICE_OR_DATE_UNKNOWN", True),
    ]
    assert one.sim.allowances() == []


def test_an_invoice_without_allowances_has_an_empty_list(one: Shop) -> None:
    """The centre's "no data" is an answer."""
    assert one.listed() == []


@pytest.mark.parametrize(
    ("fault", "cause"),
    [("drop_after", "CONNECTION_LOST"), ("garbage_after", "UNREADABLE"), ("wrong_key_after", "WRONG_KEY")],
)
def test_a_lost_answer_is_unknown_and_the_list_has_the_allowance(one: Shop, fault: str, cause: str) -> None:
    """One request, whatever becomes of its answer, and the look-up tells what it did."""
    one.sim.fault(fault, op="Allowance")
    outcome = one.allow(300)
    assert isinstance(outcome, Unknown)
    assert outcome.cause == cause
    assert [(total, void) for _, total, void in one.listed()] == [(300, False)]
    assert one.remaining() == 750
    assert len(one.sim.calls(op="Allowance")) == 1


def test_a_request_that_never_arrived_left_nothing(one: Shop) -> None:
    """The same outcome as a lost answer; only the look-ups differ."""
    one.sim.fault("drop_before", op="Allowance")
    assert one.allow(300) == Unknown("CONNECTION_LOST")
    assert (one.listed(), one.remaining()) == ([], 1050)


def test_a_repeat_is_a_second_allowance(one: Shop) -> None:
    """Why nothing may be sent again before a look-up: the centre recognises no repeat."""
    first, second = one.allowed(300), one.allowed(300)
    assert first.number != second.number
    assert one.remaining() == 450


def test_the_buyer_is_told_where_there_is_an_address(one: Shop) -> None:
    """By e-mail or not at all."""
    one.allowed(1, notify_email=EMAIL)
    one.allowed(1)
    assert [made.notify for made in one.sim.world.allowances.values()] == ["E", "N"]


def test_the_largest_allowance_that_can_be_made_can_be_found(one: Shop) -> None:
    """999 lines of 500 characters come back in several megabytes."""
    lines = tuple(AllowanceLine(line, "測" * 500, Decimal(1), Decimal(1), 1) for line in range(1, 1000))
    made = one.provider.allow(one.number, one.day, Allowance(lines, 999, 0), one.call)
    assert isinstance(made, Accepted)
    outcome = one.provider.find_allowances(one.number, one.day, one.call)
    assert isinstance(outcome, Accepted)
    assert [len(found.lines) for found in outcome.value] == [999]


# --- void ---


def test_a_void_allowance_gives_its_sum_back_and_stays_listed(one: Shop) -> None:
    """A repeat is done already; the void can be looked up; the invoice can be void after it."""
    made = one.allowed(300)
    keys = (one.number, made.number)
    refused = one.provider.void(one.number, one.day, "測試", one.call)
    assert isinstance(refused, Rejected)
    assert (refused.reason, refused.cause) == (Reason.VOID_ALLOWANCES_FIRST, "LIVING_ALLOWANCE")
    assert one.provider.find_allowance_void(*keys, one.call) == Absent()
    assert one.provider.void_allowance(*keys, "折讓錯誤", one.call) == Accepted(Done())
    assert one.provider.void_allowance(*keys, "折讓錯誤", one.call) == Accepted(Done(already=True))
    assert (one.listed(), one.remaining()) == ([(made.number, 300, True)], 1050)
    record = one.provider.find_allowance_void(*keys, one.call)
    assert isinstance(record, VoidRecord)
    assert (record.number, record.reason, record.uploaded) == (made.number, "折讓錯誤", True)
    assert OPENED <= record.voided_at < OPENED + timedelta(minutes=1)
    assert one.provider.void(one.number, one.day, "測試", one.call) == Accepted(Done())


def test_the_void_of_the_invoice_can_be_looked_up_in_the_same_terms(one: Shop) -> None:
    """Absent before, a record after."""
    assert one.provider.find_void(one.relate, one.number, one.day, one.call) == Absent()
    one.provider.void(one.number, one.day, "測試", one.call)
    record = one.provider.find_void(one.relate, one.number, one.day, one.call)
    assert isinstance(record, VoidRecord)
    assert (record.number, record.reason) == (one.number, "測試")


def test_a_lost_answer_to_a_void_is_done_already_when_repeated(one: Shop) -> None:
    """The centre does recognise this repeat."""
    made = one.allowed(300)
    one.sim.fault("drop_after", op="AllowanceInvalid")
    assert one.provider.void_allowance(one.number, made.number, "x", one.call) == Unknown("CONNECTION_LOST")
    assert one.listed() == [(made.number, 300, True)]
    assert one.provider.void_allowance(one.number, made.number, "x", one.call) == Accepted(Done(already=True))


def test_no_such_allowance_is_a_definite_refusal(one: Shop) -> None:
    """Nothing was void by this request."""
    refused = one.provider.void_allowance(one.number, "2026030110000099", "x", one.call)
    assert isinstance(refused, Rejected)
    assert (refused.cause, refused.raw_code, refused.definite) == ("ALLOWANCE_UNKNOWN", "2000039", True)


# --- asked for online ---


def test_an_asked_allowance_reserves_its_sum_and_is_not_listed(one: Shop) -> None:
    """Until the buyer agrees it is no allowance, and what it holds back cannot be allowed twice."""
    asked = one.asked(1000)
    assert (asked.remaining_twd, asked.expires_at - asked.asked_at) == (50, timedelta(hours=72))
    assert OPENED <= asked.asked_at < OPENED + timedelta(minutes=1)
    assert (one.listed(), one.remaining()) == ([], 50)
    assert isinstance(one.allow(51), Unknown)
    assert one.sim.allowances() == []


def test_an_agreed_allowance_is_in_force_from_the_buyers_click_on(one: Shop) -> None:
    """Listed under the number it was asked with, and no longer to be taken back, only to be void."""
    asked = one.asked(1000)
    one.sim.move_clock(advance_s=3600)
    one.sim.agree(asked.number)
    outcome = one.provider.find_allowances(one.number, one.day, one.call)
    assert isinstance(outcome, Accepted)
    (found,) = outcome.value
    assert (found.number, found.total_twd, found.void) == (asked.number, 1000, False)
    assert found.allowed_at >= OPENED + timedelta(hours=1)
    refused = one.provider.cancel_asked_allowance(one.number, asked.number, "x", one.call)
    assert isinstance(refused, Rejected)
    assert (refused.cause, refused.raw_code, refused.definite) == ("ALREADY_AGREED", "5070250", True)
    assert one.provider.void_allowance(one.number, asked.number, "x", one.call) == Accepted(Done())
    assert one.remaining() == 1050


def test_a_cancelled_question_gives_its_sum_back_once(one: Shop) -> None:
    """What the centre says to a repeat was never recorded, so it is unknown."""
    asked = one.asked(1000)
    assert one.provider.cancel_asked_allowance(one.number, asked.number, "x", one.call) == Accepted(Done())
    assert (one.listed(), one.remaining()) == ([], 1050)
    assert isinstance(one.provider.cancel_asked_allowance(one.number, asked.number, "x", one.call), Unknown)
    assert one.remaining() == 1050


def test_a_question_nobody_answers_expires(one: Shop) -> None:
    """From ``expires_at`` on the sum is free, not a second earlier."""
    asked = one.asked(1000)
    one.sim.move_clock(now=asked.expires_at - timedelta(seconds=60))
    assert one.remaining() == 50
    one.sim.move_clock(now=asked.expires_at + timedelta(seconds=1))
    assert (one.listed(), one.remaining()) == ([], 1050)


def test_a_lost_answer_to_a_question_shows_only_in_what_is_left(one: Shop) -> None:
    """It is listed nowhere, so the remaining sum is the only witness."""
    one.sim.fault("drop_after", op="AllowanceByCollegiate")
    assert one.ask(1000) == Unknown("CONNECTION_LOST")
    assert (one.listed(), one.remaining()) == ([], 50)
