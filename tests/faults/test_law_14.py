"""Law 14: a centre that cannot be asked, or refuses no second invoice, is sent nothing blindly; then a person."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from einvoice import wiring
from einvoice.application import heads
from einvoice.identity import invoice_id
from einvoice.model import OrderKey
from einvoice.store.base import State
from tests.faults.model_centre import ARRIVES, LOST, NO_NUMBERS, NOT_SENT, REFUSED, ModelCentre, centre
from tests.faults.moments import until
from tests.faults.table import item
from tests.service import MERCHANT, Service, order

KEY = OrderKey(MERCHANT, "api", "1001")
ID = invoice_id(KEY, 1)
CORRECTION = {"reason": "更正備註", "corrections": {"remark": "更正"}}
MUTE = {"queryable": False}
NOT_UNIQUE = {"unique_order_number": False}
WINDOW_S = 1260
UNHEARD = pytest.mark.parametrize("fate", [LOST, ARRIVES], ids=["lost", "arrived"])
KINDS = pytest.mark.parametrize("kind", [MUTE, MUTE | NOT_UNIQUE], ids=["mute", "mute and not unique"])


class Died(BaseException):
    """The process is gone: nothing between the call and the test may catch it."""


def left_to_a_person(service: Service, made: ModelCentre) -> None:
    """Flagged, and nothing more is sent: not by recovery, not by repeats over HTTP or the queue, not by reissue."""
    service.settle(5, 300)
    assert service.head("1001").attention["cause"] == "NOT_QUERYABLE"
    sent, before = list(made.sent), item(service)
    for _ in range(3):
        answer = service.issue(order())
        assert (answer.status, answer.body["next_action"]) == (202, "ASK_A_PERSON")
        assert service.messages("issue", {"command": "issue", **order()}) == []
        assert service.reissue(ID, CORRECTION).status == 409
        service.recover(3600)
    assert item(service) == before
    assert made.sent == sent


@KINDS
@UNHEARD
def test_law_14_an_unheard_issue_is_never_sent_again(service: Service, kind: dict[str, Any], fate: Any) -> None:
    """Whether it arrived nobody can find out: one send, pending to the caller, and a person."""
    with centre(fate, **kind) as made:
        answer = service.issue(order())
        assert (answer.status, answer.body["state"]) == (202, "ISSUING")
        left_to_a_person(service, made)
        assert (len(made.sent), made.asked) == (1, 0)


@KINDS
def test_law_14_a_worker_that_died_counts_as_having_sent(service: Service, kind: dict[str, Any]) -> None:
    """Only its intent is known: the claim alone forbids another send."""
    with centre(**kind) as made:

        def dies(*asked: Any) -> Any:
            raise Died

        real, made.issue = made.issue, dies  # type: ignore[method-assign]  # a process that ends in the call
        with pytest.raises(Died):
            service.issue(order())
        made.issue = real  # type: ignore[method-assign]  # the next process lives
        service.recover(60)
        left_to_a_person(service, made)
        assert made.sent == []


@KINDS
@pytest.mark.parametrize(
    ("answer", "state"),
    [(REFUSED, "REFUSED"), (NO_NUMBERS, "WAITING"), (NOT_SENT, "WAITING")],
    ids=["refused", "no numbers", "not sent"],
)
def test_law_14_a_first_send_with_a_plain_answer_needs_nobody(
    service: Service, kind: dict[str, Any], answer: Any, state: str
) -> None:
    """Nothing of it can be on its way: told as it is, and the next send of the order is safe."""
    with centre(answer, **kind) as made:
        assert service.issue(order()).body["state"] == state
        service.recover(901)
        if state == "REFUSED":
            assert service.issue(order(remark="更正")).status == 201
        assert service.head("1001").state is State.ISSUED
        assert (len(made.sent), len(made.living), made.asked) == (2, 1, 0)


@KINDS
def test_law_14_a_refusal_after_an_unheard_send_is_a_persons(service: Service, kind: dict[str, Any]) -> None:
    """The first may have been issued, so the second's "no" proves nothing; it is not even sent."""
    with centre(ARRIVES, REFUSED, **kind) as made:
        service.issue(order())
        left_to_a_person(service, made)
        assert made.script == [REFUSED]
        assert len(made.living) == 1


@KINDS
@UNHEARD
@pytest.mark.parametrize("wish", ["void", "reissue"])
def test_law_14_an_unheard_void_opens_no_next_invoice(
    service: Service, kind: dict[str, Any], fate: Any, wish: str
) -> None:
    """Void or not, nobody knows: neither repeated nor followed by a new invoice."""
    with centre(None, fate, **kind) as made:
        service.issue(order())
        answer = service.void(ID) if wish == "void" else service.reissue(ID, CORRECTION)
        assert answer.status == 202
        service.settle(5, 900)
        head = service.head("1001")
        assert (head.generation, head.attention["cause"]) == (1, "NOT_QUERYABLE")
        assert service.void(ID).status == 409
        assert service.reissue(ID, CORRECTION).status == (409 if wish == "void" else 202)
        service.recover(3600)
        assert [sent.split()[0] for sent in made.sent] == ["issue", "void"]


@KINDS
@UNHEARD
def test_law_14_an_unheard_allowance_is_never_sent_again(service: Service, kind: dict[str, Any], fate: Any) -> None:
    """Whether the money was given back nobody can find out: one send, however often it is asked for, and a person."""
    refund = {"reason": "退貨", "refund_id": "R1", "amount_twd": 100}
    with centre(None, fate, upload_first=frozenset(), **kind) as made:
        service.issue(order())
        assert service.allow(ID, refund).status == 202
        service.settle(5, 900)
        assert service.head("1001").attention["cause"] == "NOT_QUERYABLE"
        assert service.allow(ID, refund).status == 202
        assert service.allow(ID, refund | {"refund_id": "R2"}).status == 409
        service.recover(3600)
        assert ([sent.split()[0] for sent in made.sent], made.asked) == (["issue", "allow"], 0)


@KINDS
@UNHEARD
def test_law_14_the_next_generation_is_never_sent_twice_either(
    service: Service, kind: dict[str, Any], fate: Any
) -> None:
    """The void is definite, the new invoice's answer is lost: one send of it, then a person."""
    with centre(None, None, fate, **kind) as made:
        service.issue(order())
        assert service.reissue(ID, CORRECTION).status == 202
        service.settle(5, 300)
        head = service.head("1001")
        assert (head.generation, head.attention["cause"]) == (2, "NOT_QUERYABLE")
        service.recover(3600)
        assert [sent.split()[0] for sent in made.sent] == ["issue", "void", "issue"]


@KINDS
def test_law_14_a_person_who_only_looks_sends_nothing(service: Service, kind: dict[str, Any]) -> None:
    """Taking the flag off does not make the centre answer: flagged again, nothing sent."""
    with centre(ARRIVES, **kind) as made:
        service.issue(order())
        service.recover(120)
        head = service.head("1001")
        looked = heads.looked_into(head, wiring.ports().now(), by="operator", reason="看過")
        assert wiring.ports().store.replace(replace(looked, ver=head.ver + 1, write_id="looked")) is None
        left_to_a_person(service, made)
        assert len(made.sent) == 1


def test_law_14_where_two_are_possible_nothing_is_repeated_inside_the_window(service: Service) -> None:
    """It can be asked but refuses no second one: sent again only when the first cannot land, after a last look."""
    with centre(LOST, **NOT_UNIQUE) as made:
        begun = service.now().timestamp()
        assert service.issue(order()).status == 202
        for _ in until(lambda: len(made.sent) > 1):
            service.recover(60)
            assert service.issue(order()).status in {200, 202, 201}
        assert service.now().timestamp() - begun > WINDOW_S
        assert made.asked > 1
        assert [service.head("1001").number] == made.living


def test_law_14_where_two_are_possible_one_that_turns_up_is_adopted(service: Service) -> None:
    """It arrived and its answer was lost: found, adopted, never sent again."""
    with centre(ARRIVES, **NOT_UNIQUE) as made:
        service.issue(order())
        service.settle(5, 300)
        assert ([service.head("1001").number], len(made.sent)) == (made.living, 1)


def test_law_14_where_two_are_possible_an_overtaken_worker_makes_no_second(service: Service) -> None:
    """Repeats and recoveries in the middle of a slow call meet the lease: one send."""
    with centre(**NOT_UNIQUE) as made:
        real = made.issue

        def slow(*asked: Any) -> Any:
            made.issue = real  # type: ignore[method-assign]  # once
            assert service.issue(order()).status == 202
            assert service.messages("issue", {"command": "issue", **order()}) == []
            service.recover()
            return real(*asked)

        made.issue = slow  # type: ignore[method-assign]  # the call's own middle
        assert service.issue(order()).status == 201
        assert (len(made.sent), len(made.living)) == (1, 1)
